"""A folder made beside the place it is for, and moved there when it is complete.

Whenever the work ends, by itself or by a kill, the place holds the old folder, the new one, or for
the moment between two renames none. Left-overs of a kill go when the place is next worked on.
"""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pi.config.locks import folder_lock
from pi.resources.packages.programs import PackageError

__all__ = ["discard", "own_root", "staged"]

_WAIT = 300.0
"""Seconds for another pi to finish what it installs."""
_PARTIAL = ".partial-"
_OLD = ".old-"


@contextlib.contextmanager
def own_root(root: Path) -> Iterator[None]:
    """Work on the packages of a folder, alone: it is made, kept out of git, and locked."""
    root.mkdir(parents=True, exist_ok=True)
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n!.gitignore\n")
    with folder_lock(root / ".install", wait=_WAIT):
        yield


def staged(place: Path, build: Callable[[Path], None]) -> None:
    """Let `build` fill an empty folder, and put that in the place of `place`.

    Raises what `build` raises; the place is then as it was.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in (*_beside(place, _PARTIAL), *_old_ones(place)):
        discard(left)
    partial = Path(tempfile.mkdtemp(prefix=f".{place.name}{_PARTIAL}", dir=place.parent))
    try:
        build(partial)
        partial.chmod(0o755)
        old = place.with_name(f".{place.name}{_OLD}{os.getpid()}")
        if os.path.lexists(place):
            place.rename(old)
        partial.rename(place)
        discard(old)
    finally:
        discard(partial)


def discard(path: Path) -> None:
    """Remove a file or a folder with all in it, read-only files too; missing is well.

    Raises PackageError for folders in folders without end.
    """
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        try:
            if sys.version_info >= (3, 12):
                shutil.rmtree(path, onexc=_retry)
            else:
                shutil.rmtree(path, onerror=_retry)
        except RecursionError:
            raise PackageError(f"{path}: too many folders in each other to remove them") from None


def _old_ones(place: Path) -> list[Path]:
    """Folders set aside. With nothing in the place, the last of them still serves."""
    old = sorted(_beside(place, _OLD))
    if old and not os.path.lexists(place):
        old.pop().rename(place)
    return old


def _beside(place: Path, kind: str) -> list[Path]:
    """Whose name may be a pattern."""
    beginning = f".{place.name}{kind}"
    return [path for path in place.parent.iterdir() if path.name.startswith(beginning)]


def _retry(remove: Callable[[str], object], path: str, _error: object) -> None:
    """git keeps its objects read-only."""
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        os.chmod(path, stat.S_IRWXU)
        remove(path)
