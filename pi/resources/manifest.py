"""What a package says of itself: the key `pi` of package.json, `[tool.pi]` of pyproject.toml.

Both name resources by kind, as paths and patterns relative to the package. Where both are there,
each kind is taken from the one that lists it, package.json first. Source: docs/packages.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.config.documents import read_regular
from pi.resources.found import KINDS, Kind
from pi.wire import jsonio

__all__ = ["Manifest", "read_dependencies", "read_manifest", "read_release", "read_version"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """resources: the lists it has. changelog: path in the package, "" for none, None unsaid."""

    resources: Mapping[Kind, tuple[str, ...]]
    changelog: str | None = None


def read_manifest(root: Path) -> Manifest | None:
    """None for a folder that says nothing of pi, or nothing that can be understood."""
    found = [
        table
        for table in (_json(root).get("pi"), _toml(root).get("tool", {}).get("pi"))
        if isinstance(table, dict)
    ]
    if not found:
        return None
    resources: dict[Kind, tuple[str, ...]] = {}
    changelog = None
    for table in found:
        for kind in KINDS:
            entries = table.get(kind)
            if isinstance(entries, list) and all(isinstance(entry, str) for entry in entries):
                resources.setdefault(kind, tuple(entries))
        path = table.get("changelogPath", table.get("changelog-path"))
        if changelog is None and isinstance(path, str):
            changelog = path
    return Manifest(resources, changelog)


def read_version(root: Path) -> str | None:
    """The version in its package.json."""
    version = _json(root).get("version")
    return version if isinstance(version, str) else None


def read_release(root: Path) -> tuple[str | None, str | None]:
    """Name and version by its package.json, or by its pyproject.toml if that has a `[tool.pi]`."""
    known = _json(root) or _project(root)
    name, version = known.get("name"), known.get("version")
    return (
        name if isinstance(name, str) and name else None,
        version if isinstance(version, str) and version else None,
    )


def read_dependencies(root: Path) -> tuple[list[str], list[str]]:
    """The names its package.json needs, and the requirements a pyproject.toml lists for pi."""
    npm, listed = _json(root).get("dependencies"), _project(root).get("dependencies")
    return (
        list(npm) if isinstance(npm, dict) else [],
        [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else [],
    )


def _json(root: Path) -> dict[str, Any]:
    try:
        value = jsonio.loads(read_regular(root / "package.json").removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _project(root: Path) -> dict[str, Any]:
    """What a pyproject.toml says of the project, if pi is spoken to in it."""
    known = _toml(root)
    table = known.get("project") if "pi" in known.get("tool", ()) else None
    return table if isinstance(table, dict) else {}


def _toml(root: Path) -> dict[str, Any]:
    try:
        data = read_regular(root / "pyproject.toml").decode()
    except (OSError, ValueError):
        return {}
    if "tool" not in data:
        return {}
    import tomllib  # noqa: PLC0415  (for packages that have such a file)

    try:
        value = tomllib.loads(data)
    except (ValueError, RecursionError):  # a number may have more digits than Python converts
        return {}
    return value if isinstance(value.get("tool"), dict) else {}
