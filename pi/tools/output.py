"""What a command prints: the end in memory, the beginning too for programs, all of it in a file.

The file is made once there is more than a model is shown. It is private to the user and bounded;
when it cannot be written, the result says so and the command goes on.
"""

import codecs
import os
import threading
from collections import deque
from typing import NamedTuple

from pi.tools.truncate import (
    MAX_BYTES,
    MAX_LINES,
    Truncation,
    last_bytes,
    size_text,
    tail,
    utf8_size,
)

__all__ = ["MAX_SPILL", "MAX_STRUCTURED", "Output", "Snapshot"]

MAX_STRUCTURED = 1024 * 1024
"""Bytes of output that programs get whole; of more they get both ends."""
MAX_SPILL = 256 * 1024 * 1024
"""Bytes of output kept in the file: a command that prints without end must not fill the disk."""
_SHOWN_BYTES = 2 * MAX_BYTES


class Snapshot(NamedTuple):
    """The output so far. last_line: bytes of the last line, all of it."""

    kept: Truncation
    path: str | None
    last_line: int
    trouble: str | None


class Output:
    """Collects bytes from one thread, read from any."""

    def __init__(self, folder: str | None = None, max_spill: int = MAX_SPILL) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._max_spill = max_spill
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._recent: deque[tuple[str, int]] = deque()  # pieces and their sizes
        self._recent_size = 0
        self._front: list[str] = []
        self._front_size = 0
        self._lines = 0  # newlines so far
        self._size = 0
        self._last_line = 0  # bytes since the last newline, or of the last line if it is ended
        self._open_line = 0  # bytes since the last newline
        self._early = bytearray()  # raw, until there is a file
        self._file: int | None = None
        self._spilled = 0
        self._path: str | None = None
        self._trouble: str | None = None

    @property
    def size(self) -> int:
        return self._size

    def feed(self, data: bytes) -> None:
        with self._lock:
            self._keep(data)
            self._add(self._decoder.decode(data))

    def finish(self) -> None:
        """No more is coming, or no more is waited for: what is cut short counts as it is."""
        with self._lock:
            self._add(self._decoder.decode(b"", final=True))

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def keep_all(self) -> str | None:
        """Have the file even for little output; its path, or None if that cannot be."""
        with self._lock:
            if self._path is None and self._trouble is None:
                self._open()
            return self._path

    def snapshot(self) -> Snapshot:
        with self._lock:
            lines = self._lines + (1 if self._open_line else 0)
            kept = tail(self._latest(_SHOWN_BYTES), total_lines=lines, total_bytes=self._size)
            path = self._path if kept.truncated else None
            trouble = self._trouble if kept.truncated else None
            return Snapshot(kept, path, self._last_line, trouble)

    def structured(self) -> tuple[str, bool]:
        """The output for programs, and whether its middle was left out."""
        with self._lock:
            front = "".join(self._front)
            if self._size <= self._front_size:
                return front, False
            half = MAX_STRUCTURED // 2
            end = last_bytes(self._latest(half), half)
            start = front.encode("utf-8", "surrogatepass")[:half].decode("utf-8", "ignore")
            left_out = self._size - len(start.encode()) - len(end.encode())
            return f"{start}\n[{left_out} bytes left out]\n{end}", True

    def _latest(self, size: int) -> str:
        """At least the last `size` bytes, or all there is."""
        pieces: list[str] = []
        for text, length in reversed(self._recent):
            pieces.append(text)
            size -= length
            if size <= 0:
                break
        return "".join(reversed(pieces))

    def _add(self, text: str) -> None:
        if not text:
            return
        size = utf8_size(text)
        self._size += size
        self._lines += text.count("\n")
        self._measure(text)
        if self._front_size + size <= MAX_STRUCTURED and self._front_size == self._size - size:
            self._front.append(text)
            self._front_size += size
        self._recent.append((text, size))
        self._recent_size += size
        while self._recent_size - self._recent[0][1] >= MAX_STRUCTURED // 2:
            self._recent_size -= self._recent.popleft()[1]
        lines = self._lines + (1 if self._open_line else 0)
        if self._path is None and (self._size > MAX_BYTES or lines > MAX_LINES):
            self._open()

    def _measure(self, text: str) -> None:
        before, newline, after = text.rpartition("\n")
        if not newline:
            self._open_line += utf8_size(text)
            self._last_line = self._open_line
            return
        start = before.rpartition("\n")[2]
        ended = utf8_size(start)
        if "\n" not in before:
            ended += self._open_line
        self._open_line = utf8_size(after)
        self._last_line = self._open_line or ended

    def _keep(self, data: bytes) -> None:
        if self._file is not None:
            self._spill(data)
        elif self._path is None and self._trouble is None:
            self._early += data

    def _open(self) -> None:
        if self._trouble is not None:
            return
        folder = self._folder
        if folder is None:
            import tempfile  # noqa: PLC0415  (2 ms, for long output only)

            folder = tempfile.gettempdir()
        path = os.path.join(folder, f"pi-bash-{os.urandom(8).hex()}.log")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            self._trouble = f"the full output could not be kept in {path}: {error.strerror}"
            self._early.clear()
            return
        self._path = path
        early, self._early = bytes(self._early), bytearray()
        self._spill(early)

    def _spill(self, data: bytes) -> None:
        if self._file is None:
            return
        room = self._max_spill - self._spilled
        piece = memoryview(data)[:room]
        try:
            while piece:
                written = os.write(self._file, piece)
                self._spilled += written
                piece = piece[written:]
        except OSError as error:
            self._stop(
                f"the file holds only the first {size_text(self._spilled)}: {error.strerror}"
            )
            return
        if len(data) > room:
            self._stop(f"the file holds only the first {size_text(self._spilled)}")

    def _stop(self, trouble: str) -> None:
        self._trouble = trouble
        if self._file is not None:
            os.close(self._file)
            self._file = None
