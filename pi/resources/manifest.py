"""What a package says of itself: the key `pi` of package.json, `[tool.pi]` of pyproject.toml.

Both name resources by kind, as paths and patterns relative to the package. Where both are there,
each kind is taken from the one that lists it, package.json first. Source: docs/packages.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.resources.found import KINDS, Kind
from pi.wire import jsonio

__all__ = ["Manifest", "read_manifest", "read_version"]


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


def _json(root: Path) -> dict[str, Any]:
    try:
        value = jsonio.loads((root / "package.json").read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _toml(root: Path) -> dict[str, Any]:
    try:
        data = (root / "pyproject.toml").read_text("utf-8")
    except (OSError, ValueError):
        return {}
    if "tool" not in data:
        return {}
    import tomllib  # noqa: PLC0415  (for packages that have such a file)

    try:
        value = tomllib.loads(data)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    return value if isinstance(value.get("tool"), dict) else {}
