"""The lock that says whether the index file may be replaced.

Whoever has the index open shares it; whoever makes it anew has it alone. Writing needs no more
than SQLite's own locks. The kernel gives the lock back when a process dies.
"""

import contextlib
import errno
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["PATIENCE", "Busy", "Guard", "NoLocks"]

PATIENCE = 5.0
"""Seconds to wait for another process."""

PAUSE = 0.02


class Busy(Exception):
    """Another process has had the index for itself all the while."""


class NoLocks(Exception):
    """This file system has no locks."""


class Guard:
    """Held from construction to `close`. Raises Busy, NoLocks, and OSError for no lock file."""

    def __init__(
        self, file: Path, mode: Literal["shared", "alone"], patience: float = PATIENCE
    ) -> None:
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o600)
        try:
            self._take(mode, patience)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, mode: Literal["shared", "alone"], patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                _lock(self._descriptor, mode)
                return
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EINTR):
                    raise NoLocks from error
            if time.monotonic() >= until:
                raise Busy
            time.sleep(PAUSE)


_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":

    def _lock(descriptor: int, mode: Literal["shared", "alone"]) -> None:
        """Nobody can share here, and nobody needs to: an open file cannot be deleted."""
        if mode == "alone":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int, mode: Literal["shared", "alone"]) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if mode == "shared" else fcntl.LOCK_EX) | _NOW)

    _NOW = fcntl.LOCK_NB
