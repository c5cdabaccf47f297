"""The pure twin of scan.pyx: searches bytes and files for lines, with the same answers."""

import errno
import os
import re

from pi._speedups._automaton import Automaton
from pi._speedups.pattern.query import Query

__all__ = ["Line", "Scan", "search_bytes", "search_file"]

Line = tuple[int, bool, bytes, bool]

_BLOCK = 65536
_MOST_HELD = 1 << 28
"""Bytes of a line, or of a file in UTF-16: more is not searched."""
_MOST_AT_ONCE = 1 << 20
"""Bytes of one read: whoever stops a search does not wait for more."""


class Scan:
    """One search of one thread; between `start` and the next, of one file.

    Ends soon, with what was found, once another thread sets the first byte of `stop`.
    """

    def __init__(
        self, query: Query, most: int, before: int, after: int, keep: int, stop: bytearray
    ) -> None:
        self.automaton = None if query.program is None else Automaton(query.program)
        self.needle = query.needle
        self.finder = None
        if any(query.fold):
            self.finder = re.compile(_expression(query.needle, query.fold))
        elif query.choices:
            self.finder = re.compile(b"|".join(_expression(*each) for each in query.choices))
        self.most = most
        self.before = before
        self.after = after
        self.keep = keep
        self.stop = stop
        self.start()

    def start(self) -> None:
        self.lines: list[Line] = []
        self.number = 1  # of the line that starts at `counted`
        self.counted = 0  # offsets into the buffer
        self.seen = 0  # end of the last line that was handed out
        self.matched = 0
        self.after_left = 0

    def candidate(self, buffer: bytes, at: int, limit: int) -> int:
        """A place in the next line that may match, -1 if there is none."""
        if self.finder is not None:
            found = self.finder.search(buffer, at, limit)
            return found.start() if found else -1
        if self.needle:
            return buffer.find(self.needle, at, limit)
        return at

    def search(self, buffer: bytes, at: int, limit: int) -> None:
        """Searches the complete lines [at, limit)."""
        while at < limit and self.matched < self.most and not self.stop[0]:
            hit = self.candidate(buffer, at, limit)
            if hit < 0:
                break
            start = _line_start(buffer, at, hit)
            stop = _line_end(buffer, hit, limit)
            at = stop + 1
            if self.automaton is not None and not self.automaton.matches(buffer[start:stop]):
                continue
            self.add_after(buffer, start)
            context = self.context_start(buffer, start)
            while context < start:
                end = _line_end(buffer, context, start)
                self.add(buffer, context, end, False)
                context = end + 1
            self.add(buffer, start, stop, True)
            self.seen = stop + 1
            self.after_left = self.after
            self.matched += 1
        self.add_after(buffer, limit)

    def context_start(self, buffer: bytes, start: int) -> int:
        """Where the lines before `start` begin that are wanted and not handed out yet."""
        left = self.before
        while left and start > self.seen:
            start = _line_start(buffer, self.seen, start - 1)
            left -= 1
        return start

    def add_after(self, buffer: bytes, limit: int) -> None:
        while self.after_left and self.seen < limit:
            stop = _line_end(buffer, self.seen, limit)
            self.add(buffer, self.seen, stop, False)
            self.seen = stop + 1
            self.after_left -= 1

    def add(self, buffer: bytes, start: int, stop: int, matched: bool) -> None:
        self.number += buffer.count(b"\n", self.counted, start)
        self.counted = start
        text = buffer[start:stop]
        cut = False
        if len(text) > self.keep:
            size = kept = 0
            while size < len(text) and kept < self.keep:
                kept += text[size] != 0x0D
                size += 1
            cut = size < len(text)
            text = text[:size]
        self.lines.append((self.number, matched, text, cut))

    def read(self, path: bytes, binary: bool) -> None:
        """Searches a file; with `binary` also what has zero bytes.

        Blocks are those of ripgrep, which peeks at 3 bytes before it reads 64 KiB at a time, so
        that the lines found before a file turns out to be binary are the same.
        """
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
        try:
            self._blocks(descriptor, binary)
        finally:
            os.close(descriptor)

    def _blocks(self, descriptor: int, binary: bool) -> None:
        buffer = b""
        checked = at = 0
        block = _BLOCK
        target = _BLOCK + 3
        first = True
        done = False
        while True:
            if len(buffer) < target:
                pieces = [buffer]
                missing = target - len(buffer)
                while missing:
                    if self.stop[0]:
                        return
                    piece = os.read(descriptor, min(missing, _MOST_AT_ONCE))
                    if not piece:
                        done = True
                        break
                    pieces.append(piece)
                    missing -= len(piece)
                buffer = b"".join(pieces)
            if first:
                if buffer.startswith((b"\xff\xfe", b"\xfe\xff")):
                    self._wide(descriptor, buffer, binary)
                    return
                if buffer.startswith(b"\xef\xbb\xbf"):
                    at = self.counted = self.seen = 3
                if not binary:
                    target = _line_start(buffer, 0, min(len(buffer), 3)) + _BLOCK
            stop = min(len(buffer), target)
            if not binary and stop > checked:
                zero = buffer.find(b"\0", checked, stop)
                if zero >= 0:
                    if first and zero >= 3:
                        limit = _line_start(buffer, 0, 3)
                        if limit > at:
                            self.search(buffer, at, limit)
                    return
                checked = stop
            first = False
            last = done and stop == len(buffer)
            limit = len(buffer) if last else _line_start(buffer, at, stop)
            if limit > at:
                self.search(buffer, at, limit)
                at = limit
                if self.matched >= self.most and self.after_left == 0:
                    return
                block = _BLOCK
            elif not done:
                block *= 2  # a line longer than the buffer
                if block > _MOST_HELD:
                    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            if last:
                return
            keep = self.context_start(buffer, at)
            self.number += buffer.count(b"\n", self.counted, keep)
            buffer = buffer[keep:]
            checked -= keep
            at -= keep
            self.seen = max(0, self.seen - keep)
            self.counted = 0
            target = max(block, len(buffer) + 1)

    def _wide(self, descriptor: int, buffer: bytes, binary: bool) -> None:
        """A file in UTF-16, of which `buffer` is read already: translated as a whole."""
        pieces = [buffer]
        while piece := os.read(descriptor, _MOST_AT_ONCE):
            if self.stop[0]:
                return
            pieces.append(piece)
            if len(pieces) * _MOST_AT_ONCE > _MOST_HELD:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        data = b"".join(pieces)
        text = data[2:].decode("utf-16-le" if data[0] == 0xFF else "utf-16-be", "replace").encode()
        if binary or b"\0" not in text:
            self.search(text, 0, len(text))


def _expression(text: bytes, folds: bytes) -> bytes:
    """The text for `re`, with both cases of the letters that fold."""
    return b"".join(
        f"[{chr(byte - 32)}{chr(byte)}]".encode() if fold else re.escape(bytes([byte]))
        for byte, fold in zip(text, folds, strict=True)
    )


def _line_start(buffer: bytes, floor: int, at: int) -> int:
    """The start of the line that `at` is in, not before `floor`."""
    return max(floor, buffer.rfind(b"\n", floor, at) + 1)


def _line_end(buffer: bytes, at: int, limit: int) -> int:
    """Where the line feed of the line at `at` is, or `limit`."""
    feed = buffer.find(b"\n", at, limit)
    return limit if feed < 0 else feed


def search_bytes(
    query: Query, data: bytes, *, most: int, before: int = 0, after: int = 0, keep: int = 1504
) -> list[Line]:
    """The lines of a text that match, with context: (number, matched, text, whether cut).

    most: as many matching lines at most. keep: bytes of a line that are kept, carriage returns
    not counted. Zero bytes are bytes like others, and so is a byte-order mark.
    """
    scan = Scan(query, most, before, after, keep, bytearray(1))
    scan.search(data, 0, len(data))
    return scan.lines


def search_file(
    query: Query,
    path: bytes,
    *,
    most: int,
    before: int = 0,
    after: int = 0,
    keep: int = 1504,
    stop: bytearray | None = None,
) -> list[Line]:
    """The same of one file, whose byte-order mark is not part of it and UTF-16 is translated.

    Ends soon, with what was found, once another thread sets the first byte of `stop`. Raises
    OSError.
    """
    if b"\0" in path:
        raise ValueError("a path holds no zero byte")
    if stop is not None and not stop:
        raise ValueError("there is no first byte to set")
    scan = Scan(query, most, before, after, keep, bytearray(1) if stop is None else stop)
    try:
        scan.read(path, True)
    except OSError as error:
        number = error.errno or 0
        raise OSError(number, os.strerror(number), os.fsdecode(path)) from None
    return scan.lines
