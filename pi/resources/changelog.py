"""Changelogs by version: `## [1.2.0] - 2026-01-01` and what stands below it, up to the next.

Only the numbers count, two or three of them, so that a prerelease is as its release. Source:
docs/packages.md, which knows but those with three; Python packages often have two.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from pi.resources.manifest import Manifest

__all__ = ["Section", "changelog_of", "newer", "read_changelog", "sections"]

_VERSION = r"\s*v?(\d+)\.(\d+)(?:\.(\d+))?"
_HEADING = rf"##\s+\[?{_VERSION}"
_MOST = 1_000_000
"""Bytes of a changelog that are read."""

Version = tuple[int, int, int]


class Section(NamedTuple):
    """version: None for a heading that names none. text: with its heading."""

    version: Version | None
    text: str


def sections(text: str) -> list[Section]:
    """In the file's order; what stands before the first heading is left out."""
    found: list[Section] = []
    for part in re.split(r"^(?=## )", text.replace("\r\n", "\n"), flags=re.MULTILINE):
        if part.startswith("## "):
            match = re.match(_HEADING, part)
            version = None if match is None else _numbers(match)
            found.append(Section(version, part.strip()))
    return found


def newer(text: str, last: str) -> list[Section] | None:
    """Those of later versions than `last`; None where that is no version."""
    match = re.match(_VERSION, last)
    if match is None:
        return None
    seen = _numbers(match)
    return [item for item in sections(text) if item.version is not None and item.version > seen]


def changelog_of(root: Path, manifest: Manifest | None) -> Path | None:
    """The changelog of a package: a file inside of it, wherever links lead."""
    named = None if manifest is None else manifest.changelog
    if named is not None and (not named or "\0" in named):
        return None
    path = root / ("CHANGELOG.md" if named is None else named)
    if not os.path.isfile(path):
        return None
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
    return Path(os.path.normpath(path)) if inside else None


def read_changelog(path: Path) -> str:
    """Raises OSError."""
    with open(path, "rb") as file:
        return file.read(_MOST).decode("utf-8-sig", "replace")


def _numbers(match: "re.Match[str]") -> Version:
    one, two, three = match.groups("0")
    return int(one[:9]), int(two[:9]), int(three[:9])
