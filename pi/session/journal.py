"""The session file on disk: opened, locked, appended to a whole line at a time.

The lock is the kernel's own, advisory and held as long as the file is open: a second `pi` is told
so, a process that dies gives it back by dying. A file system without locks is used without, and
`locked` is False. Programs that know nothing of the lock are not hindered; their lines are noticed
by the size of the file.
"""

import contextlib
import errno
import os
import sys
from io import FileIO
from pathlib import Path

from pi.errors import SessionError
from pi.session.source import OpenFile

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["Journal"]

BLOCK = 1 << 20
FAR = 1 << 62
"""Where Windows locks one byte: its locks keep readers out, so it must be one nobody reads."""


class Journal(OpenFile):
    """A file that grows. Every failure is a SessionError, and leaves no half line behind.

    locked: whether nobody else of ours can have the file open. Closing gives the lock back.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        # Before its size is taken: nobody of ours writes in between.
        self.path, self._file = path, file
        self.locked = self._lock()
        super().__init__(path, file)
        self._torn = self._size > 0 and self.read(self._size - 1, self._size) != b"\n"

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """An existing file. A last line without newline is closed by the first append."""
        return cls._opened(path, os.O_RDWR)

    @classmethod
    def create(cls, path: Path, data: bytes) -> "Journal":
        """A new file that begins with `data`; its folder is made as well."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SessionError(
                f"cannot make the session folder {path.parent}: {error.strerror}",
                hint="Choose another with --session-dir, or run with --no-session.",
            ) from error
        journal = cls._opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            journal.append(data)
        except SessionError:
            journal.close()
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def _opened(cls, path: Path, flags: int) -> "Journal":
        flags |= os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(path, flags, 0o666)
            file = open(descriptor, "r+b", buffering=0)  # noqa: SIM115  (closed by close)
        except (OSError, ValueError) as error:
            raise cls._unopened(path, error) from error
        try:
            return cls(path, file)
        except BaseException as error:
            file.close()
            if isinstance(error, OSError):
                raise cls._unopened(path, error) from error
            raise

    @staticmethod
    def _unopened(path: Path, error: Exception) -> SessionError:
        """ValueError is what a path with a NUL in it gives; a pipe cannot be sought in."""
        reason = error.strerror if isinstance(error, OSError) else error
        return SessionError(f"cannot open session {path} for writing: {reason}")

    def append(self, data: bytes) -> int:
        """Write whole lines at the end; returns the offset of the first.

        One write, on a line of its own whatever stands before it. Either all of it is in the file
        when this returns, or SessionError is raised and the file is as it was.
        """
        if self._file.closed:
            raise SessionError(f"session {self.path} is closed")
        self._stay_with_path()
        before = self._file.seek(0, os.SEEK_END)
        if before != self._size:
            self._torn = before > 0 and self.read(before - 1, before) != b"\n"
        gap = b"\n" if self._torn else b""
        rest = gap + data
        try:
            # A full disk or a limit lets a part through; the next write says why.
            while rest:
                count = self._file.write(rest) or 0
                if count == 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                rest = rest[count:]
        except OSError as error:
            self._take_back(before, len(gap) + len(data) - len(rest))
            raise SessionError(
                f"cannot write to session {self.path}: {error.strerror}",
                hint="What was written before is safe. Free some space or permissions and go on.",
            ) from error
        end = self._file.seek(0, os.SEEK_CUR)
        self._size = end
        self._torn = False
        return end - len(data)

    def _take_back(self, before: int, written: int) -> None:
        """Cut off half a line. Where that cannot be, the next append starts on a new line."""
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size == before + written:  # else it is not all ours
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, before)
        self._size = os.fstat(descriptor).st_size
        self._torn = self._size > 0 and self.read(self._size - 1, self._size) != b"\n"

    def _stay_with_path(self) -> None:
        """What is written must be found again under the path, whatever others did to it."""
        ours = os.fstat(self._file.fileno())
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            self._restore()
            return
        except OSError as error:
            raise SessionError(f"cannot reach session {self.path}: {error.strerror}") from error
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise SessionError(
                f"session {self.path} was replaced by another program while it was open",
                hint="Open the session again to go on with the new file.",
            )
        if ours.st_size < self._size:
            raise SessionError(
                f"session {self.path} was cut short by another program while it was open",
                hint="Open the session again to go on with what is left.",
            )

    def _restore(self) -> None:
        """The file was deleted while open: its bytes are still ours to write down again."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            copy = open(os.open(self.path, flags, 0o666), "r+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise SessionError(
                f"session {self.path} was deleted and cannot be written again: {error.strerror}"
            ) from error
        try:
            for start in range(0, self._size, BLOCK):
                block = self.read(start, min(self._size, start + BLOCK))
                while block:
                    block = block[copy.write(block) or 0 :]
        except OSError as error:
            copy.close()
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            raise SessionError(
                f"session {self.path} was deleted and cannot be written again: {error.strerror}"
            ) from error
        self._file.close()
        self._file = copy
        self.locked = self._lock()

    def _lock(self) -> bool:
        try:
            if sys.platform == "win32":
                self._file.seek(FAR)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                raise SessionError(
                    f"session {self.path} is open in another pi",
                    hint="Close it there, or fork the session with --fork.",
                ) from None
            return False
        return True
