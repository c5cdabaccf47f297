"""Where a session's bytes are: in a file somebody reads, or in memory until there is a file.

All give the same three things: a size, any span of bytes, and a name for error messages. The one
that writes to disk is in journal.py.
"""

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import Protocol

from pi.errors import SessionError

__all__ = ["FileSource", "MemorySource", "OpenFile", "Source"]


class Source(Protocol):
    """Bytes 0 to `size`. `read` may return fewer than asked for when the file was cut short.

    `read_into` fills as much of a buffer as it can at once: 0 at the end only.
    """

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def read(self, start: int, end: int) -> bytes: ...

    def read_into(self, start: int, buffer: memoryview) -> int: ...


class MemorySource:
    """Grows at the end; a failed step takes its bytes back with `truncate`."""

    name = "(in memory)"

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(data)

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, start: int, end: int) -> bytes:
        return bytes(self._data[start:end])

    def read_into(self, start: int, buffer: memoryview) -> int:
        piece = self._data[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)

    def append(self, data: bytes) -> int:
        """Returns the offset at which `data` begins."""
        start = len(self._data)
        self._data += data
        return start

    def truncate(self, size: int) -> None:
        del self._data[size:]


class OpenFile:
    """A file's bytes, as far as they are known to go."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self._file = file
        self._size = file.seek(0, os.SEEK_END)

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def size(self) -> int:
        return self._size

    def read(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        return _read_exactly(self._file, end - start)

    def read_into(self, start: int, buffer: memoryview) -> int:
        self._file.seek(start)
        return self._file.readinto(buffer) or 0

    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()


class FileSource(OpenFile):
    """A file as it was when opened: what others append later is not seen."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path, _opened(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SessionError(f"cannot read session {path}: {reason}") from error


def _opened(path: Path) -> FileIO:
    """A folder of sessions may hold a pipe, and waiting for its writer would be for ever."""
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return open(descriptor, "rb", buffering=0)


def _read_exactly(file: FileIO, count: int) -> bytes:
    """`count` bytes of an unbuffered file, which may hand out fewer at a time; fewer at its end."""
    data = file.read(count)
    if len(data) == count or not data:
        return data
    pieces = [data]
    missing = count - len(data)
    while missing and (data := file.read(missing)):
        pieces.append(data)
        missing -= len(data)
    return b"".join(pieces)
