"""Whether a project's own settings and resources may load.

Order: `--approve` or `--no-approve`, the nearest saved decision, the setting `defaultProjectTrust`.
Saved decisions: trust.json, an object from canonical folder to true or false (null forgets).
Folders count by their real paths here and in what is loaded, so that no link leads around it.
Source: docs/security.md.

Whoever can ask a person does so where `decide_trust` gives None, shows what
`protected_resources` names, and hands the answer to `save_trust` or keeps it for the session.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.config.paths import Paths
from pi.config.shapes import describe
from pi.errors import ConfigError

__all__ = [
    "decide_trust",
    "is_trusted",
    "protected_resources",
    "save_trust",
    "saved_trust",
    "shared_folders",
]

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
    project = os.fspath(paths.project)
    found: list[Path] = []
    if os.path.isdir(project):
        found += [
            paths.project / name for name in _PROTECTED if os.path.exists(f"{project}/{name}")
        ]
    return (*found, *shared_folders(paths))


def shared_folders(paths: Paths) -> Iterator[Path]:
    """`.agents/skills` of the working folder and those above, nearest first.

    Not the home folder's, which is the person's own.
    """
    here = os.path.realpath(paths.cwd)
    own = os.path.realpath(paths.home)
    while True:
        skills = os.path.join(here, ".agents", "skills")
        if here != own and os.path.exists(skills):
            yield Path(skills)
        above = os.path.dirname(here)
        if above == here:
            return
        here = above


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


def save_trust(
    paths: Paths, folder: Path, decision: bool | None, *, forget: Sequence[Path] = ()
) -> None:
    """Record a decision for `folder` and all below it; None takes it back.

    forget: folders whose own decisions go with it, as when the folder above is trusted instead.
    """

    def change(saved: dict[str, Any]) -> dict[str, Any]:
        gone = {os.path.realpath(path) for path in (folder, *forget)}
        kept = {name: value for name, value in saved.items() if os.path.normpath(name) not in gone}
        if decision is not None:
            kept[os.path.realpath(folder)] = decision
        return dict(sorted(kept.items()))

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
