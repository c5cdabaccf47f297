"""Bytes to lines to entries, forwards and backwards.

A line ends at LF only. Most lines are never decoded: `skim` takes type, id and parent from the
first bytes of a line written in the usual order, and parses only what looks unusual.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from pi._speedups import skip_others, usual_head
from pi.errors import SessionError
from pi.session.source import Source
from pi.wire.entries import SessionHeader
from pi.wire.jsonio import loads

__all__ = [
    "Backward",
    "Head",
    "decode",
    "decode_json",
    "is_blank",
    "is_garbage",
    "lines_backward",
    "lines_forward",
    "read_header",
    "skim",
]

FIRST_BLOCK = 1 << 16
MAX_BLOCK = 1 << 20
SPACE = b" \t\r\n"


class Head(NamedTuple):
    """What places an entry in the tree. parent: None for a root."""

    type: str
    id: str
    parent: str | None


class Backward:
    """(offset, line) from the last line before `end` to the first behind `floor`, lazily.

    Empty lines are left out; so are, once `wanted` is set, lines whose first bytes name another
    id. Reads blocks that grow from `first_block` bytes. A line longer than a block is put together
    once, when its beginning is found.
    """

    def __init__(
        self, source: Source, end: int, *, floor: int = 0, first_block: int = FIRST_BLOCK
    ) -> None:
        self.wanted: bytes | None = None
        self._source = source
        self._end = end
        self._floor = floor
        self._block = first_block

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        block = self._block
        pieces: list[bytes] = []  # of the line whose beginning is not seen yet, last piece first
        position = self._end
        while position > self._floor:
            start = max(self._floor, position - block)
            chunk = self._source.read(start, position)
            upper = len(chunk)
            while True:
                if self.wanted is not None and not pieces:
                    upper = skip_others(chunk, upper, self.wanted)
                if (cut := chunk.rfind(b"\n", 0, upper)) < 0:
                    break
                line = chunk[cut + 1 : upper]
                if pieces:
                    line = b"".join((line, *reversed(pieces)))
                    pieces.clear()
                upper = cut
                if line:
                    yield start + cut + 1, line
            if upper:
                pieces.append(chunk[:upper])
            position = start
            block = min(block * 2, MAX_BLOCK)
        if pieces and (not position or self._source.read(position - 1, position) == b"\n"):
            yield position, b"".join(reversed(pieces))


def lines_backward(
    source: Source, end: int, first_block: int = FIRST_BLOCK
) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, line) from the last line before `end` to the first; empty lines left out."""
    return iter(Backward(source, end, first_block=first_block))


def lines_forward(
    source: Source, start: int, end: int, block: int = MAX_BLOCK
) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, line) from `start` to `end`; empty lines left out."""
    pieces: list[bytes] = []
    held = 0  # bytes in pieces
    position = start
    while position < end:
        chunk = source.read(position, min(end, position + block))
        if not chunk:
            break
        lower = 0
        while (cut := chunk.find(b"\n", lower)) >= 0:
            line = chunk[lower:cut]
            offset = position + lower - held
            if pieces:
                line = b"".join((*pieces, line))
                pieces.clear()
                held = 0
            if line:
                yield offset, line
            lower = cut + 1
        rest = chunk[lower:]
        if rest:
            pieces.append(rest)
            held += len(rest)
        position += len(chunk)
    if line := b"".join(pieces):
        yield position - held, line


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing to lose (no copy of a long line is made to find out)."""
    return not line[:64].strip(SPACE) and not line.strip(SPACE)


def is_garbage(line: bytes) -> bool:
    """Of a line that is no entry: whether it is damage. A blank line or a second header is not."""
    if is_blank(line):
        return False
    value = decode_json(line)
    return not isinstance(value, dict) or value.get("type") != "session"


def skim(line: bytes) -> Head | None:
    """Type, id and parent of a line; None where it is no entry (garbage, a header, a bare value).

    A line in the usual order is not decoded: it may still turn out to be damaged further on.
    """
    found = usual_head(line)
    if found is not None:
        return None if found[0] == "session" else Head(*found)
    entry = decode(line)
    return None if entry is None else head_of(entry)


def decode(line: bytes) -> dict[str, Any] | None:
    """The entry in a line, None where there is none. Never raises."""
    if line[:64].lstrip(SPACE)[:1] not in (b"{", b""):
        return None
    value = decode_json(line)
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("id"), str)
        or not value["id"]
        or value.get("type") == "session"
    ):
        return None
    return value


def decode_json(line: bytes) -> Any:
    """One JSON value, None for anything else. Bytes that are no UTF-8 become U+FFFD."""
    text = line.strip(SPACE)
    try:
        return loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        text.decode()
    except UnicodeDecodeError:
        try:
            return loads(text.decode(errors="replace"))
        except (ValueError, RecursionError):
            return None
    return None


def head_of(entry: dict[str, Any]) -> Head:
    kind, parent = entry.get("type"), entry.get("parentId")
    return Head(
        kind if isinstance(kind, str) else "",
        entry["id"],
        parent if isinstance(parent, str) and parent else None,
    )


def read_header(source: Source) -> tuple[SessionHeader, int]:
    """The header and the offset behind its line: it is the first line that is JSON at all.

    Raises SessionError for a file that is no session, and says why where that can be told.
    """
    for offset, line in lines_forward(source, 0, source.size, FIRST_BLOCK):
        value = None if is_blank(line) else decode_json(line)
        if value is None:
            continue
        if (
            isinstance(value, dict)
            and value.get("type") == "session"
            and isinstance(value.get("id"), str)
        ):
            return cast("SessionHeader", value), min(offset + len(line) + 1, source.size)
        raise SessionError(
            f"{source.name} is not a session file: its first record is not a session header"
        )
    raise SessionError(f"{source.name} is not a session file: {_why(source)}")


def _why(source: Source) -> str:
    start = source.read(0, 4096)
    if start.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark; save it as UTF-8 without one"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or start[:1] == b"\0" or start[1:2] == b"\0":
        return "it looks like UTF-16; save it as UTF-8"
    if b"\r" in start and b"\n" not in start:
        return "its lines end in CR alone; save it with LF line endings"
    if not start.strip(SPACE):
        return "it holds only blank lines"
    return "it has no session header"
