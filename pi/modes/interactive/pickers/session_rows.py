"""Rows of the session picker: which sessions, in which order, in columns that fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pi.modes.interactive.cells import cut, width
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.session.index.catalog import Listed

__all__ = ["Columns", "Row", "Sort", "age", "by_use", "session_row", "threads"]

Sort = Literal["threaded", "recent", "relevance"]

FOLDER_FROM, COUNT_FROM = 72, 36
"""Cells from which there is room for the folder, the number of messages."""

_MINUTE, _HOUR, _DAY, _WEEK, _YEAR = 60, 3600, 86_400, 604_800, 31_557_600


@dataclass(frozen=True, slots=True)
class Row:
    """lead: lines that show of which session this one is a fork."""

    session: Listed
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """folder: which folder a session belongs to. path: its file instead."""

    home: Path
    now: float
    folder: bool = False
    path: bool = False


def by_use(sessions: Sequence[Listed]) -> list[Row]:
    return [Row(one) for one in sorted(sessions, key=lambda one: -one.used)]


def threads(sessions: Sequence[Listed]) -> list[Row]:
    """Forks below what they were forked from; the thread last used first."""
    known = {str(one.path): one for one in sessions}
    below: dict[str | None, list[Listed]] = {}
    for one in sessions:
        parent = one.summary.parent
        if parent is not None and (parent not in known or parent == str(one.path)):
            parent = None
        below.setdefault(parent, []).append(one)
    latest: dict[str, int] = {}
    order = _depth_first(below)
    # Of a circle (a damaged header) none is reached from a root: all of it is shown flat.
    reached = {str(one.path) for one, _ in order}
    order += [(one, ()) for one in sessions if str(one.path) not in reached]
    for one, _ in reversed(order):
        path = str(one.path)
        latest[path] = max(
            one.used, *(latest.get(str(child.path), 0) for child in below.get(path, ())), 0
        )
    for children in below.values():
        children.sort(key=lambda one: -latest[str(one.path)])
    rows = [Row(one, _lead(lasts)) for one, lasts in _depth_first(below)]
    return rows + [Row(one) for one in sessions if str(one.path) not in reached]


def _depth_first(
    below: Mapping[str | None, list[Listed]],
) -> list[tuple[Listed, tuple[bool, ...]]]:
    """Each with, for every level above, whether it is the last one there."""
    order: list[tuple[Listed, tuple[bool, ...]]] = []
    stack: list[tuple[Listed, tuple[bool, ...]]] = [
        (one, ()) for one in reversed(below.get(None, []))
    ]
    while stack:
        one, lasts = stack.pop()
        order.append((one, lasts))
        children = below.get(str(one.path), [])
        for at in range(len(children) - 1, -1, -1):
            stack.append((children[at], (*lasts, at == len(children) - 1)))
    return order


def _lead(lasts: tuple[bool, ...]) -> str:
    if not lasts:
        return ""
    above = "".join("   " if last else "│  " for last in lasts[:-1])
    return above + ("└─ " if lasts[-1] else "├─ ")


def session_row(
    row: Row, columns: Columns, cells: int, theme: Theme, *, selected: bool, open_here: bool
) -> str:
    """Name or first message, and at the right edge folder or file, messages, age."""
    one = row.session
    right = [age(one.used, columns.now).rjust(4)]
    if cells >= COUNT_FROM and not columns.path:
        right.insert(0, str(one.summary.messages).rjust(4))
    if columns.path:
        shown = _homely(str(one.path), columns.home)
        right.insert(0, _cut_left(shown, max(8, cells // 2)))
    elif columns.folder and cells >= FOLDER_FROM:
        right.insert(0, _cut_left(_homely(one.summary.cwd, columns.home), cells // 3))
    tail = " ".join(right)
    room = max(4, cells - width(tail) - 3)
    lead = row.lead if len(row.lead) <= room // 2 else "…" + row.lead[-(room // 2) + 1 :]
    lead += "✓ " if open_here else ""
    title = " ".join(clean_line(one.title).split()) or "(nothing said yet)"
    left = cut(title, max(1, room - width(lead)))
    token = "warning" if one.summary.name else "text"
    text = theme.fg("accent" if selected else token, theme.bold(left) if selected else left)
    mark = theme.fg("accent", "→ ") if selected else "  "
    gap = " " * max(1, cells - 2 - width(lead) - width(left) - width(tail))
    return cut(mark + theme.fg("dim", lead) + text + gap + theme.fg("muted", tail), cells)


def age(milliseconds: int, now: float) -> str:
    """How long ago, in four cells: now, 5m, 3h, 2d, 6w, 1y. now: Unix seconds."""
    seconds = now - milliseconds / 1000
    if seconds < _MINUTE:
        return "now"
    for unit, letter in ((_YEAR, "y"), (_WEEK, "w"), (_DAY, "d"), (_HOUR, "h")):
        if seconds >= unit:
            return f"{min(999, int(seconds // unit))}{letter}"
    return f"{int(seconds // _MINUTE)}m"


def _homely(path: str, home: Path) -> str:
    """With ~ for the home folder."""
    path = clean_line(path)
    start = str(home)
    if path == start:
        return "~"
    return "~" + path[len(start) :] if path.startswith(start + "/") else path


def _cut_left(text: str, cells: int) -> str:
    """The end of a path tells more than its beginning."""
    if width(text) <= cells:
        return text
    while text and width(text) >= cells:
        text = text[1:]
    return "…" + text
