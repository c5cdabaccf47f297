"""Writing files: one change at a time for each, all or nothing; private ones for long output."""

import asyncio
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

__all__ = ["exclusive", "set_aside", "whole_characters", "write_atomically"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def exclusive(path: Path) -> AsyncIterator[None]:
    """Hold `path` against other changes of this process, whatever link leads to it.

    Waiters are served in the order they came.
    """
    key = os.path.realpath(path)
    lock = _locks.get(key)
    if lock is None:
        lock = _locks[key] = asyncio.Lock()
    async with lock:
        yield


def whole_characters(text: str) -> str:
    """`text` with each half of a surrogate pair, which has no UTF-8 form, as U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def set_aside(data: bytes, name: str, suffix: str) -> str:
    """The path of a new temporary file that holds this, for the person alone. Raises OSError.

    name: the path's last part begins with it. suffix: with its dot.
    """
    import tempfile  # noqa: PLC0415  (2 ms, for this alone)

    path = os.path.join(tempfile.gettempdir(), f"{name}-{os.urandom(8).hex()}{suffix}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the content of `path`, which keeps its mode and owner; a link is followed.

    On failure the old content is untouched. Raises OSError. Where replacing is not possible
    without loss (hard links, devices, a folder that may not be written) it is written in place.
    """
    target = os.path.realpath(path)
    try:
        before: os.stat_result | None = os.stat(target)
    except FileNotFoundError:
        before = None
    if before is not None:
        if stat.S_ISDIR(before.st_mode):
            raise IsADirectoryError(21, "Is a directory", target)
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied", target)
        if not stat.S_ISREG(before.st_mode) or before.st_nlink > 1:
            _write_in_place(target, data)
            return
    temporary = os.path.join(os.path.dirname(target), f".pi-{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        # A new file gets what the umask leaves; nobody may look into the copy of an existing one.
        handle = os.open(temporary, flags, 0o666 if before is None else 0o600)
    except PermissionError:
        if before is None:
            raise
        _write_in_place(target, data)
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if before is not None:
            if sys.platform != "win32":
                with suppress(PermissionError):  # only root may give a file away
                    os.chown(temporary, before.st_uid, before.st_gid)
            os.chmod(temporary, stat.S_IMODE(before.st_mode))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _write_in_place(target: str, data: bytes) -> None:
    # Opening a pipe that nobody reads would wait for a reader, and nothing could end that wait.
    flags = os.O_WRONLY | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(target, flags)
    if hasattr(os, "set_blocking"):
        os.set_blocking(handle, stat.S_ISREG(os.fstat(handle).st_mode))
    with os.fdopen(handle, "wb") as file:
        file.write(data)
