"""Tables of markdown: columns that fit the width by wrapping their cells."""

from collections.abc import Callable, Sequence

from markdown_it.token import Token

from pi.modes.interactive.cells import width, wrap
from pi.modes.interactive.palette import Theme

__all__ = ["table_rows"]

_GAP = 3
"""Columns between two cells: a space, a rule, a space."""
_LEAST = 4
"""Columns of a cell below which a table is not drawn as one."""


def table_rows(
    tokens: Sequence[Token], columns: int, theme: Theme, inline: Callable[[Token], str]
) -> list[str]:
    """The rows of a table: a rule under its head, rules between rows only where cells wrap."""
    cells, aligns = _cells(tokens, inline)
    if not cells:
        return []
    count = len(cells[0])
    widths = _widths(cells, columns - _GAP * (count - 1))
    if widths is None:
        return _as_list(cells, columns, theme)
    rule = theme.fg("mdHr", "─┼─".join("─" * size for size in widths))
    between = theme.fg("mdHr", " │ ")
    drawn = [
        _row(row, widths, aligns, between, theme if at == 0 else None)
        for at, row in enumerate(cells)
    ]
    tall = any(len(row) > 1 for row in drawn[1:])
    rows = [*drawn[0], rule]
    for at, row in enumerate(drawn[1:]):
        if tall and at:
            rows.append(rule)
        rows += row
    return rows


def _cells(
    tokens: Sequence[Token], inline: Callable[[Token], str]
) -> tuple[list[list[str]], list[str]]:
    """The styled text of every cell, row by row, the head first; and the columns' alignments."""
    rows: list[list[str]] = []
    aligns: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(inline(tokens[at + 1]).replace("\n", " "))
            if token.type == "th_open":
                style = str(token.attrs.get("style", ""))
                aligns.append(style.removeprefix("text-align:"))
    return rows, aligns


def _widths(cells: list[list[str]], room: int) -> list[int] | None:
    """The columns' widths; None where they cannot be had.

    Columns that are narrow anyway get what they want, the others share what is left.
    """
    count = len(cells[0])
    wanted = [max(1, *(width(row[at]) for row in cells)) for at in range(count)]
    if sum(wanted) <= room:
        return wanted
    if room < _LEAST * count:
        return None
    given = [0] * count
    left = set(range(count))
    while left:
        share = room // len(left)
        small = {at for at in left if wanted[at] <= share}
        if not small:
            for place, at in enumerate(sorted(left)):
                given[at] = share + (place < room % len(left))
            break
        for at in small:
            given[at] = wanted[at]
            room -= wanted[at]
        left -= small
    return given


def _row(
    row: list[str], widths: list[int], aligns: list[str], between: str, head: Theme | None
) -> list[str]:
    wrapped = [wrap(cell, size) for cell, size in zip(row, widths, strict=False)]
    rows: list[str] = []
    for line in range(max(map(len, wrapped))):
        parts: list[str] = []
        for at, cell in enumerate(wrapped):
            text = cell[line] if line < len(cell) else ""
            space = widths[at] - width(text)
            if head is not None:
                text = head.bold(text)
            align = aligns[at] if at < len(aligns) else ""
            before = space if align == "right" else space // 2 if align == "center" else 0
            parts.append(" " * before + text + " " * (space - before))
        rows.append(between.join(parts).rstrip())
    return rows


def _as_list(cells: list[list[str]], columns: int, theme: Theme) -> list[str]:
    """A table in a place too narrow for it: every row as "head: cell" lines."""
    rows: list[str] = []
    for row in cells[1:]:
        if rows:
            rows.append("")
        for name, cell in zip(cells[0], row, strict=False):
            rows += wrap(f"{theme.bold(name + ':')} {cell}", columns)
    return rows
