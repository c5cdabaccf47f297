"""The files of each kind in a folder, as they lie there: no settings, no filters.

Hidden entries, node_modules, and what .gitignore, .ignore and .fdignore name are passed over.
Those rules are read as the npm package reads them: without regard to case, and below the top for
what lies directly beside them. Names come in order of their bytes. What cannot be read is left out.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.resources.found import Kind
from pi.resources.manifest import read_manifest
from pi.resources.textfile import read_text_file

__all__ = [
    "JAVASCRIPT",
    "SUFFIXES",
    "agent_skills",
    "all_files",
    "conventional",
    "extension_entries",
    "files_in",
]

_IGNORE_FILES = (".gitignore", ".ignore", ".fdignore")
_SUFFIXES = {"skills": ".md", "prompts": ".md", "themes": ".json"}
EXTENSION_SUFFIXES = (".py", ".ts", ".js")
"""Of the files that are extensions by where they lie."""
JAVASCRIPT = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx")
SUFFIXES: Mapping[str, str | tuple[str, ...]] = {**_SUFFIXES, "extensions": (".py", *JAVASCRIPT)}
"""Of files that somebody names, by kind."""
_SKILL_FILE = "SKILL.md"
_SKIPPED = frozenset({"node_modules", "__pycache__"})
_DEEPEST = 100
"""Levels that are looked into: nobody keeps a resource further down."""


def conventional(kind: Kind, folder: Path) -> list[Path]:
    """In `extensions/`, `skills/`, `prompts/` or `themes/` of the agent folder or a project."""
    if kind == "extensions":
        return list(_extensions(folder))
    if kind == "skills":
        return list(_skills(folder, others="top"))
    return _top_level(kind, folder)


def files_in(kind: Kind, folder: Path) -> list[Path]:
    """In a folder that settings or a package name: prompts and themes at any depth."""
    if kind in ("extensions", "skills"):
        return conventional(kind, folder)
    return [
        entry.path
        for entry in _walk(_Place(folder), deep=True)
        if entry.is_file and entry.path.name.endswith(_SUFFIXES[kind])
    ]


def all_files(kind: Kind, folder: Path) -> list[Path]:
    """Prompts or themes that lie directly in it, hidden and ignored ones, too."""
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except OSError:
        return []
    found = (folder / name for name in names if name.endswith(_SUFFIXES[kind]))
    return [path for path in found if path.is_file()]


def agent_skills(folder: Path) -> list[Path]:
    """In `.agents/skills`, where programs share them: lone files only below its top."""
    return list(_skills(folder, others="below"))


def extension_entries(folder: Path) -> list[Path]:
    """What a folder that is one extension starts with; nothing if it is none.

    Its manifest says, or else the package that it is, or its index file.
    """
    manifest = read_manifest(folder)
    named = manifest.resources.get("extensions", ()) if manifest is not None else ()
    entries = [Path(os.path.normpath(folder / entry)) for entry in named]
    entries = [path for path in entries if os.path.exists(path)]
    if entries:
        return entries
    if os.path.isfile(folder / "__init__.py"):
        return [folder]
    for name in ("index.ts", "index.js"):
        if os.path.isfile(folder / name):
            return [folder / name]
    return []


def _top_level(kind: Kind, folder: Path) -> list[Path]:
    """Prompts or themes that lie directly in it."""
    return [
        entry.path
        for entry in _walk(_Place(folder), deep=False)
        if entry.is_file and entry.path.name.endswith(_SUFFIXES[kind])
    ]


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    is_file: bool
    is_folder: bool


class _Place:
    """A folder on the way down, with the ignore rules that hold in it.

    rules: outermost first, each with the folder its file lies in. seen: device and inode of the
    folders on the way, so that a link back ends there. top: whether the way begins here.
    """

    __slots__ = ("folder", "rules", "seen", "top")

    def __init__(self, folder: Path, above: "_Place | None" = None) -> None:
        self.folder = folder
        self.top = above is None
        self.rules: tuple[tuple[Path, Any], ...] = above.rules if above else ()
        self.seen: tuple[tuple[int, int], ...] = (*(above.seen if above else ()), _identity(folder))

    def entries(self) -> list[_Entry]:
        """All that is visible and not ignored, in order."""
        try:
            with os.scandir(self.folder) as scan:
                listed = sorted(scan, key=lambda item: os.fsencode(item.name))
        except OSError:
            return []
        for item in listed:
            if item.name in _IGNORE_FILES:
                self._learn(Path(item.path))
        found = []
        for item in listed:
            if item.name.startswith(".") or item.name in _SKIPPED:
                continue
            try:
                entry = _Entry(Path(item.path), item.is_file(), item.is_dir())
            except OSError:
                continue
            if (entry.is_file or entry.is_folder) and not self._ignored(entry):
                found.append(entry)
        return found

    def below(self, entry: _Entry) -> "_Place | None":
        """None for a folder that is one of those above, or too far down."""
        if len(self.seen) > _DEEPEST or _identity(entry.path) in self.seen:
            return None
        return _Place(entry.path, self)

    def _learn(self, file: Path) -> None:
        from pi._speedups import Rules  # noqa: PLC0415  (few folders of resources have such a file)

        try:
            found = read_text_file(file)
            if found is None:
                return
            text = found.text if self.top else _anchored(found.text)
            rules = Rules(text.lower().encode())
        except (OSError, ValueError):
            return
        self.rules = (*self.rules, (self.folder, rules))

    def _ignored(self, entry: _Entry) -> bool:
        for folder, rules in reversed(self.rules):
            relative = os.fsencode(os.path.relpath(entry.path, folder).lower()).replace(
                os.fsencode(os.sep), b"/"
            )
            verdict = rules.check(relative, entry.is_folder)
            if verdict:
                return bool(verdict > 0)
        return False


def _anchored(text: str) -> str:
    """Rules that hold for what lies in their own folder only, where Git would look further down."""
    lines = []
    for line in text.splitlines():
        sign, pattern = ("!", line[1:]) if line.startswith("!") else ("", line)
        if pattern.strip() and not line.startswith("#"):
            lines.append(f"{sign}/{pattern.removeprefix('/')}")
    return "\n".join(lines)


def _identity(folder: Path) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _walk(place: _Place, *, deep: bool) -> Iterator[_Entry]:
    for entry in place.entries():
        if entry.is_file:
            yield entry
        elif deep and (below := place.below(entry)) is not None:
            yield from _walk(below, deep=True)


def _skills(folder: Path, *, others: str) -> Iterator[Path]:
    """others: where Markdown files that are no SKILL.md may be skills: "top" or "below"."""

    def visit(place: _Place, depth: int) -> Iterator[Path]:
        entries = place.entries()
        for entry in entries:
            if entry.is_file and entry.path.name == _SKILL_FILE:
                # The rest of the folder is the skill's own.
                yield entry.path
                return
        for entry in entries:
            if entry.is_folder:
                below = place.below(entry)
                if below is not None:
                    yield from visit(below, depth + 1)
            elif entry.path.name.endswith(".md") and (depth == 0) is (others == "top"):
                yield entry.path

    if os.path.isdir(folder):
        yield from visit(_Place(folder), 0)


def _extensions(folder: Path) -> Sequence[Path]:
    if not os.path.isdir(folder):
        return []
    whole = extension_entries(folder)
    if whole:
        return whole
    found: list[Path] = []
    for entry in _Place(folder).entries():
        if entry.is_folder:
            found += extension_entries(entry.path)
        elif entry.path.name.endswith(EXTENSION_SUFFIXES):
            found.append(entry.path)
    return found
