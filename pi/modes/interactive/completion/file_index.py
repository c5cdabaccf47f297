"""All files below a folder, ranked for what a person types of their names.

Ignored files are left out, hidden ones are in it but come last. Fifty thousand names are ranked in
a few milliseconds, because each kind of match is one pass over lists made once, the best kind
first, and the passes end when there is enough.
"""

import heapq
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pi._speedups import Walker
from pi._speedups.pattern.globs import folder_glob
from pi._speedups.pattern.program import compile_program

__all__ = ["FileIndex", "walk"]

MOST_FILES = 200_000
MOST_FOUND = 100
_BATCH = 4096
_FOLDER = 2  # the walk's name for a kind of entry
_DEPTH_COST = 3  # a folder further down counts as much as so many letters of a longer name
_FEW = 8  # with fewer good matches, scattered letters count too
_MOST_LOOSE = 3000  # matches of scattered letters that are compared with each other

_INITIAL = re.compile(r"(?:^|[\W_])([^\W_])")


def walk(
    folder: Path, everywhere: bytes = b"", stopped: Callable[[], bool] = lambda: False
) -> list[str]:
    """Paths below a folder, folders with a slash behind; in the order of the file system.

    everywhere: the text of the user's global excludes file.
    """
    repository, _ = folder_glob(".git")
    walker = Walker(
        os.fsencode(folder.as_posix()),
        ignore_names=(b".ignore", b".fdignore"),
        require_git=False,
        everywhere=everywhere,
        only=compile_program(repository, lines=False),
        only_excludes=True,
    )
    found: list[str] = []
    while not stopped() and len(found) < MOST_FILES and (batch := walker.next(_BATCH)):
        for raw, kind in batch:
            try:
                path = raw.decode()
            except UnicodeDecodeError:
                continue  # nobody can type it
            if path.isprintable():
                found.append(f"{path}/" if kind == _FOLDER else path)
    return found


@dataclass(slots=True)
class FileIndex:
    """paths: the likeliest first, all else being equal. nearest: those seen before one types."""

    paths: list[str]
    nearest: list[str] = field(default_factory=list)
    _lower: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)  # of the last component, in lower case
    _bare: list[str] = field(default_factory=list)  # the same without dots and underlines in front

    @classmethod
    def of(cls, paths: Iterable[str]) -> "FileIndex":
        paths = sorted(paths, key=_cost)
        lower = [_lowered(path) for path in paths]
        names = [path[path.rfind("/") + 1 :] for path in lower]
        bare = [name.lstrip("._-") for name in names]
        return cls(paths, heapq.nsmallest(MOST_FOUND, paths, _listing), lower, names, bare)

    def search(self, query: str) -> list[str]:
        """The best matches, the best first."""
        query = query.lower().removeprefix("./")
        if not query:
            return self.nearest
        found: dict[int, None] = {}
        for one in self._by_path(query) if "/" in query else self._by_name(query):
            found.update(dict.fromkeys(one()))
            if len(found) >= MOST_FOUND:
                break
        if len(found) < _FEW:
            found.update(dict.fromkeys(self._loose(query, self._names)))
        if not found:
            found.update(dict.fromkeys(self._loose(query, self._lower)))
        return [self.paths[at] for at in list(found)[:MOST_FOUND]]

    def _by_name(self, query: str) -> Sequence[Callable[[], list[int]]]:
        names = self._names if query.startswith((".", "_", "-")) else self._bare
        stem = f"{query}."
        begins = re.compile(f"[._\\- ]{re.escape(query)}").search
        return (
            lambda: [n for n, name in enumerate(names) if name == query or name.startswith(stem)],
            lambda: [n for n, name in enumerate(names) if name.startswith(query)],
            lambda: [n for n, name in enumerate(names) if query in name and begins(name)],
            lambda: [n for n, name in enumerate(self._names) if query in name],
            lambda: [n for n, path in enumerate(self._lower) if query in path],
        )

    def _by_path(self, query: str) -> Sequence[Callable[[], list[int]]]:
        folder, _, name = query.rpartition("/")
        inside = f"/{query}"

        def children() -> list[int]:
            hits = [n for n, path in enumerate(self._lower) if path.startswith(query)]
            return hits if name else sorted(hits, key=lambda n: _listing(self.paths[n]))

        def apart() -> list[int]:
            """The end of the path begins with `name`, what is before it has the letters before."""
            return [
                n
                for n, (last, path) in enumerate(zip(self._bare, self._lower, strict=True))
                if last.startswith(name) and _scattered(folder, path[: -len(last) or None])
            ]

        return (
            children,
            lambda: [n for n, path in enumerate(self._lower) if inside in path],
            lambda: [n for n, path in enumerate(self._lower) if query in path],
            apart,
        )

    def _loose(self, query: str, texts: list[str]) -> list[int]:
        """Where the letters are in their order: those that begin words first, then the closest."""
        hits = [n for n, text in enumerate(texts) if _scattered(query, text)]
        letters = re.compile(".*?".join(map(re.escape, query)))

        def spread(n: int) -> int:
            if "".join(_INITIAL.findall(self._names[n])).startswith(query):
                return 0
            found = letters.search(texts[n])
            return 0 if found is None else found.end() - found.start()

        return heapq.nsmallest(MOST_FOUND, hits[:_MOST_LOOSE], spread)


def _lowered(path: str) -> str:
    lower = path.lower().rstrip("/")
    return path if lower == path else lower  # one string less for most


def _scattered(letters: str, text: str) -> bool:
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


def _cost(path: str) -> tuple[bool, int, str]:
    bare = path.rstrip("/")
    depth = bare.count("/")
    name = len(bare) - bare.rfind("/") - 1
    return _hidden(bare), name + _DEPTH_COST * depth, path


def _listing(path: str) -> tuple[int, bool, bool, str]:
    """As a folder is listed: what is near first, hidden things last, folders before files."""
    bare = path.rstrip("/")
    return bare.count("/"), _hidden(bare), bare == path, bare.lower()


def _hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path
