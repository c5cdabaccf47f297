"""All files below a folder, ranked for what a person types of their names.

Ignored files are left out, hidden ones are in it but come last.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pi._speedups import Names, Walker
from pi._speedups.pattern.globs import folder_glob
from pi._speedups.pattern.program import compile_program

__all__ = ["FileIndex", "walk"]

MOST_FILES = 200_000
MOST_FOUND = 100
_BATCH = 4096
_FOLDER = 2  # the walk's name for a kind of entry


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


class FileIndex:
    """paths: as `walk` gives them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._names = Names("\n".join(paths).lower().encode())

    def search(self, query: str) -> list[str]:
        """The best matches, the best first; for the empty query what is near the top."""
        query = query.lower().removeprefix("./")
        return [self._paths[n] for n in self._names.best(query.encode(), MOST_FOUND)]
