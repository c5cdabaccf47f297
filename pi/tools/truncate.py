"""How much of a text a model is shown: 2,000 lines or 50 KB, whichever comes first, whole lines.

Lines end at LF alone; a final newline ends the last line and starts no further one. Sizes are
bytes of UTF-8.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

__all__ = [
    "MAX_BYTES",
    "MAX_LINES",
    "NO_LINE_LIMIT",
    "Truncation",
    "count_lines",
    "head",
    "last_bytes",
    "size_text",
    "tail",
    "utf8_size",
]

MAX_LINES = 2000
MAX_BYTES = 50 * 1024
NO_LINE_LIMIT = 2**53 - 1
"""Stands for "no limit" in details, which JavaScript programs read too."""


class Truncation(NamedTuple):
    """What was kept of a text, and how much there was.

    content: the kept part, without a final newline when something was cut.
    by: the limit that was hit, None when nothing was cut.
    last_line_partial: the kept part is the end of one over-long line (tail only).
    first_line_too_long: nothing was kept, the first line alone exceeds the limit (head only).
    """

    content: str
    by: Literal["lines", "bytes"] | None
    total_lines: int
    total_bytes: int
    output_lines: int
    output_bytes: int
    last_line_partial: bool = False
    first_line_too_long: bool = False
    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES

    @property
    def truncated(self) -> bool:
        return self.by is not None

    @property
    def fits(self) -> bool:
        """Whether the whole is within the limits."""
        return self.total_lines <= self.max_lines and self.total_bytes <= self.max_bytes

    def details(self) -> dict[str, Any]:
        """As `details.truncation` of a tool result."""
        return {
            "content": self.content,
            "truncated": self.truncated,
            "truncatedBy": self.by,
            "totalLines": self.total_lines,
            "totalBytes": self.total_bytes,
            "outputLines": self.output_lines,
            "outputBytes": self.output_bytes,
            "lastLinePartial": self.last_line_partial,
            "firstLineExceedsLimit": self.first_line_too_long,
            "maxLines": self.max_lines,
            "maxBytes": self.max_bytes,
        }


def head(
    text: str,
    *,
    max_lines: int = MAX_LINES,
    max_bytes: int = MAX_BYTES,
    total_lines: int | None = None,
    total_bytes: int | None = None,
) -> Truncation:
    """The beginning of `text`.

    total_lines, total_bytes: of the whole, when `text` is only as much of its beginning as the
    limits can ever show and one line more.
    """
    lines, whole = _whole(text, max_lines, max_bytes, total_lines, total_bytes)
    if whole.fits:
        return whole
    kept, size, by = _fitting(lines[:max_lines], max_bytes)
    return whole._replace(
        content="\n".join(kept),
        by=by,
        output_lines=len(kept),
        output_bytes=size,
        first_line_too_long=not kept,
    )


def tail(
    text: str,
    *,
    max_lines: int = MAX_LINES,
    max_bytes: int = MAX_BYTES,
    total_lines: int | None = None,
    total_bytes: int | None = None,
) -> Truncation:
    """The end of `text`; of a last line that is too long by itself, its end.

    total_lines, total_bytes: of the whole, when `text` is only its end.
    """
    lines, whole = _whole(text, max_lines, max_bytes, total_lines, total_bytes)
    if whole.fits:
        return whole
    kept, size, by = _fitting(lines[: -max_lines - 1 : -1], max_bytes)
    partial = by == "bytes" and not kept
    if partial:
        kept = [last_bytes(lines[-1], max_bytes)]
        size = utf8_size(kept[0])
    return whole._replace(
        content="\n".join(reversed(kept)),
        by=by,
        output_lines=len(kept),
        output_bytes=size,
        last_line_partial=partial,
    )


def count_lines(text: str) -> int:
    return text.count("\n") + (1 if text and not text.endswith("\n") else 0)


def utf8_size(text: str) -> int:
    """Bytes of `text` in UTF-8; half a surrogate pair counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def size_text(size: int) -> str:
    """1536 as "1.5KB"."""
    if size < 1024:
        return f"{size}B"
    if size < 1024 * 1024:
        return f"{size / 1024:.1f}KB"
    return f"{size / (1024 * 1024):.1f}MB"


def _whole(
    text: str, max_lines: int, max_bytes: int, total_lines: int | None, total_bytes: int | None
) -> tuple[list[str], Truncation]:
    """The lines of a text, and what it is with nothing cut."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    count = len(lines) if total_lines is None else total_lines
    size = utf8_size(text) if total_bytes is None else total_bytes
    return lines, Truncation(
        text, None, count, size, count, size, max_lines=max_lines, max_bytes=max_bytes
    )


def _fitting(
    lines: Sequence[str], max_bytes: int
) -> tuple[list[str], int, Literal["lines", "bytes"]]:
    """As many of the lines as fit, their size with LFs between them, and what kept out the rest."""
    kept: list[str] = []
    size = 0
    for line in lines:
        needed = utf8_size(line) + (1 if kept else 0)
        if size + needed > max_bytes:
            return kept, size, "bytes"
        kept.append(line)
        size += needed
    return kept, size, "lines"


def last_bytes(text: str, limit: int) -> str:
    """The longest end of a text of at most `limit` bytes, whole characters only."""
    data = text.encode("utf-8", "surrogatepass")
    start = max(0, len(data) - limit)
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:].decode("utf-8", "surrogatepass")
