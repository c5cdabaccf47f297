"""Faults at the n-th call that changes a file: the process dies, the disk is full or broken.

Works from inside the process, by standing in for `open` and the functions of `os` that change
files; what SQLite does by itself is not seen.
"""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["HOW", "Fault", "How", "Injector"]

How = Literal["before", "halfway", "after", "full", "broken", "short"]
"""before, halfway, after: the process is killed there; halfway, a write has written a part.
full: a write gets a part through, and nothing more fits until somebody makes room. broken: that
one call fails. short: a write writes a part and says so, as it may."""

HOW: tuple[How, ...] = get_args(How)
_CHANGES = ("replace", "rename", "link", "unlink", "remove", "mkdir", "ftruncate", "truncate")
_CHANGES += ("fsync", "fdatasync", "sendfile", "copy_file_range")
_NEED_ROOM = ("create", "mkdir", "link", "sendfile", "copy_file_range")


@dataclass(frozen=True)
class Fault:
    """at: the number of the call, from 1; 0 for none."""

    at: int
    how: How = "before"


class Injector:
    """calls: how many there were so far. `install` once, in a process that may be killed."""

    def __init__(self, fault: Fault) -> None:
        self.calls = 0
        self.full = False
        self._fault = fault

    def make_room(self) -> None:
        self.full = False

    def install(self) -> None:
        for name in _CHANGES:
            if hasattr(os, name):
                setattr(os, name, self._wrapped(name, getattr(os, name)))
        real_open, real_write = os.open, os.write

        def open_descriptor(path: Any, flags: int, *args: Any, **more: Any) -> int:
            if flags & (os.O_CREAT | os.O_TRUNC):
                return int(self._change("create", lambda: real_open(path, flags, *args, **more)))
            return real_open(path, flags, *args, **more)

        os.open = open_descriptor
        os.write = lambda descriptor, data: self.write(
            lambda part: real_write(descriptor, part), data
        )
        builtins.open = io.open = self._open  # type: ignore[assignment]

    def write(self, really: Callable[[Any], int | None], data: Any) -> int:
        """One write, of which a part may be all that gets through."""
        view = memoryview(data).cast("B")
        part = view[: len(view) // 2]
        fires, how = self._count()
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if not fires:
            return really(data) or 0
        if how == "before":
            _die()
        if how == "broken":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if how == "full":
            self.full = True
            return _part(really, part, errno.ENOSPC)
        if how == "short":
            return _part(really, part, 0) if part else really(data) or 0
        really(part if how == "halfway" else data)
        return _die()

    def _change(self, name: str, really: Callable[[], Any]) -> Any:
        fires, how = self._count()
        if fires and how == "full":
            self.full = True
        if self.full and name in _NEED_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if fires and how == "before":
            _die()
        if fires and how == "broken":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        result = really()
        if fires and how in ("halfway", "after"):
            _die()
        return result

    def _count(self) -> tuple[bool, How]:
        self.calls += 1
        return self.calls == self._fault.at, self._fault.how

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **more: self._change(name, lambda: real(*args, **more))

    def _open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """As io.open, with files that write through `write`."""
        raw_mode = mode.replace("b", "").replace("t", "")

        def make() -> io.FileIO:
            return _File(self, file, raw_mode, closefd=closefd, opener=opener)

        if raw_mode == "r":
            raw: io.FileIO = io.FileIO(file, raw_mode, closefd=closefd, opener=opener)
        elif isinstance(file, int) or raw_mode == "r+":
            raw = make()
        else:
            raw = self._change("create", make)
        if buffering == 0:
            return raw
        kind: Any = io.BufferedReader if raw_mode == "r" else io.BufferedWriter
        if "+" in raw_mode:
            kind = io.BufferedRandom
        buffered = kind(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline, line_buffering=buffering == 1)


class _File(io.FileIO):
    def __init__(self, injector: Injector, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._injector = injector

    def write(self, data: Any) -> int:
        return self._injector.write(super().write, data)


def _part(really: Callable[[Any], int | None], part: Any, otherwise: int) -> int:
    """A write that gets a part through; where it is too small for that, the error."""
    if not part:
        raise OSError(otherwise, os.strerror(otherwise))
    return really(part) or 0


def _die() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
