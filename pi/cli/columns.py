"""Text laid out for a terminal: what it may show, how wide it is, tables."""

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["ago", "clean", "cut", "pad", "size_of", "table", "terminal_width"]

GAP = "  "
DAY = 86_400
NARROW = 40


def terminal_width() -> int:
    """Columns of the terminal, or what COLUMNS says; 100 where there is neither."""
    return max(NARROW, shutil.get_terminal_size((100, 24)).columns)


def clean(text: str) -> str:
    """On one line, and without characters that do something to a terminal."""
    text = " ".join(text.split())
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def cells(text: str) -> int:
    """Columns that `text` takes."""
    if text.isascii() or text.replace("…", "").isascii():
        return len(text)
    from wcwidth import wcswidth  # noqa: PLC0415  (only for text that is wider than its length)

    width: int = wcswidth(text)
    return width if width >= 0 else len(text)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, with … where something is left out."""
    if cells(text) <= width:
        return text
    kept = text[: max(0, width - 1)]
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def table(rows: Sequence[Sequence[str]], width: int, *, right: Sequence[int] = ()) -> str:
    """Columns as wide as they must be; the last one takes what is left, and is cut.

    right: numbers of columns that are aligned to the right.
    """
    if not rows:
        return ""
    count = len(rows[0])
    widths = [max(cells(row[at]) for row in rows) for at in range(count - 1)]
    rest = max(NARROW // 2, width - sum(widths) - len(GAP) * (count - 1))
    lines = []
    for row in rows:
        padded = [
            " " * (widths[at] - cells(text)) + text if at in right else pad(text, widths[at])
            for at, text in enumerate(row[:-1])
        ]
        lines.append(GAP.join((*padded, cut(row[-1], rest))).rstrip())
    return "\n".join(lines) + "\n"


def ago(milliseconds: int, now: float | None = None) -> str:
    """`5 min ago`; the date for what is a week old, or later than now."""
    seconds = (time.time() if now is None else now) - milliseconds / 1000
    if not -60 < seconds < 7 * DAY:
        try:
            return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"
        except (OverflowError, ValueError, OSError):
            return "?"
    for unit, length in (("d", DAY), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def size_of(count: int) -> str:
    """Bytes for people: 4.2 kB, 135 MB."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.1f} {unit}" if unit != "B" and amount < 10 else f"{amount:.0f} {unit}"
