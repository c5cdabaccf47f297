"""How much of a text a model is shown: 2,000 lines or 50 KB, whichever comes first, whole lines.

Lines end at LF alone; a final newline ends the last line and starts no further one. Sizes are
bytes of UTF-8.
"""

from typing import Any, Literal, NamedTuple

__all__ = [
    "MAX_BYTES",
    "MAX_LINES",
    "NO_LINE_LIMIT",
    "Truncation",
    "count_lines",
    "head",
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
    lines = _lines(text)
    whole_lines = len(lines) if total_lines is None else total_lines
    whole_bytes = utf8_size(text) if total_bytes is None else total_bytes
    if whole_lines <= max_lines and whole_bytes <= max_bytes:
        return Truncation(text, None, whole_lines, whole_bytes, whole_lines, whole_bytes)
    kept: list[str] = []
    size = 0
    by: Literal["lines", "bytes"] = "lines"
    for line in lines[:max_lines]:
        needed = utf8_size(line) + (1 if kept else 0)
        if size + needed > max_bytes:
            by = "bytes"
            break
        kept.append(line)
        size += needed
    return Truncation(
        "\n".join(kept),
        by,
        whole_lines,
        whole_bytes,
        len(kept),
        size,
        first_line_too_long=not kept,
        max_lines=max_lines,
        max_bytes=max_bytes,
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
    lines = _lines(text)
    whole_lines = len(lines) if total_lines is None else total_lines
    whole_bytes = utf8_size(text) if total_bytes is None else total_bytes
    if whole_lines <= max_lines and whole_bytes <= max_bytes:
        return Truncation(text, None, whole_lines, whole_bytes, whole_lines, whole_bytes)
    kept: list[str] = []
    size = 0
    by: Literal["lines", "bytes"] = "lines"
    partial = False
    for line in reversed(lines[-max_lines:]):
        needed = utf8_size(line) + (1 if kept else 0)
        if size + needed > max_bytes:
            by = "bytes"
            if not kept:
                kept = [_last_bytes(line, max_bytes)]
                size = utf8_size(kept[0])
                partial = True
            break
        kept.append(line)
        size += needed
    kept.reverse()
    return Truncation(
        "\n".join(kept),
        by,
        whole_lines,
        whole_bytes,
        len(kept),
        size,
        last_line_partial=partial,
        max_lines=max_lines,
        max_bytes=max_bytes,
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


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _last_bytes(line: str, limit: int) -> str:
    """The longest end of `line` of at most `limit` bytes, whole characters only."""
    data = line.encode("utf-8", "surrogatepass")
    start = max(0, len(data) - limit)
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:].decode("utf-8", "surrogatepass")
