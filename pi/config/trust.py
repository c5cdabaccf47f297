"""Whether a project's own settings and resources may load.

Order: `--approve` or `--no-approve`, the nearest saved decision, the setting `defaultProjectTrust`.
Saved decisions: trust.json, an object from canonical folder to true or false (null forgets).
Source: docs/security.md.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.config.paths import Paths
from pi.config.shapes import describe
from pi.errors import ConfigError

__all__ = ["decide_trust", "is_trusted", "protected_resources", "save_trust", "saved_trust"]

_PROTECTED = (
    "settings.json",
    "mcp.json",
    "extensions",
    "skills",
    "prompts",
    "themes",
    "SYSTEM.md",
    "APPEND_SYSTEM.md",
)


def protected_resources(paths: Paths) -> tuple[Path, ...]:
    """What here needs a decision. A bare `.pi` does not."""
    found = [paths.project / name for name in _PROTECTED if (paths.project / name).exists()]
    for folder in (paths.cwd, *paths.cwd.parents):
        skills = folder / ".agents" / "skills"
        if folder != paths.home and skills.exists():  # at home they are the user's own
            found.append(skills)
    return tuple(found)


def decide_trust(
    paths: Paths, *, approve: bool | None, default: Literal["ask", "always", "never"]
) -> bool | None:
    """True or False, or None where the person has to be asked.

    approve: the command line's word. default: the user's `defaultProjectTrust`.
    Raises ConfigError when trust.json is needed and malformed.
    """
    if approve is not None:
        return approve
    if not protected_resources(paths):
        return True
    saved = saved_trust(paths)
    if saved is not None:
        return saved
    return {"always": True, "never": False, "ask": None}[default]


def is_trusted(
    paths: Paths, *, approve: bool | None, default: Literal["ask", "always", "never"]
) -> bool:
    """`decide_trust` where nobody can be asked: undecided is no."""
    return decide_trust(paths, approve=approve, default=default) is True


def saved_trust(paths: Paths) -> bool | None:
    """The decision for the working folder or the nearest folder above it that has one."""
    decisions = _read(paths.trust)
    here = Path(os.path.realpath(paths.cwd))
    for folder in (here, *here.parents):
        decision = decisions.get(str(folder))
        if decision is not None:
            return decision
    return None


def save_trust(paths: Paths, folder: Path, decision: bool | None) -> None:
    """Record a decision for `folder` and all below it; None takes it back."""

    def change(saved: dict[str, Any]) -> dict[str, Any]:
        key = os.path.realpath(folder)
        others = {name: value for name, value in saved.items() if name != key}
        return others if decision is None else {**others, key: decision}

    update_json(paths.trust, change)


def _read(path: Path) -> Mapping[str, bool | None]:
    value = read_document(path)
    if value is None:
        return {}
    for folder, decision in value.items():
        if decision is not None and not isinstance(decision, bool):
            raise ConfigError(
                f'{path}: "{folder}": expected true, false or null, found {describe(decision)}'
            )
    return {os.path.normpath(folder): decision for folder, decision in value.items()}
