"""Parts that hold others: one below the other, side by side, in a frame, in a window."""

from collections.abc import Sequence
from typing import Any

from pi.modes.interactive.cells import crop, cut, pad, width
from pi.modes.interactive.components.part import Part, Stage, Themed
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.view import Key, Lines

__all__ = ["Box", "Columns", "Rows", "Scrolled"]


class _Holder(Part):
    """focus: the one of the parts that has the keyboard, None for none."""

    def __init__(self, parts: Sequence[Any], focus: Any = None) -> None:
        self.parts = list(parts)
        self.focus = focus
        self._places: list[tuple[int, int, int, int]] = []  # row, column, width, height
        self._pressed: tuple[Any, int, int] | None = None  # where the mouse was; row, column

    def invalidate(self) -> None:
        for part in self.parts:
            part.invalidate()

    def handle(self, key: Key) -> bool:
        return self.focus is not None and bool(self.focus.handle(key))

    def mouse(self, event: Mouse) -> bool:
        if event.action in ("drag", "release"):
            return self._pressed is not None and self._pass(*self._pressed, event)
        for part, (row, column, wide, high) in zip(self.parts, self._places, strict=False):
            x, y = event.x - column, event.y - row
            if 0 <= x < wide and 0 <= y < high:
                self._pressed = (part, row, column)
                return self._pass(part, row, column, event)
        return False

    def _pass(self, part: Any, row: int, column: int, event: Mouse) -> bool:
        heard = getattr(part, "mouse", None)
        at = event._replace(x=event.x - column, y=event.y - row)
        return heard is not None and bool(heard(at))

    def close(self) -> None:
        for part in self.parts:
            if (end := getattr(part, "close", None)) is not None:
                end()

    def _drawn(self, part: Any, wide: int, height: int) -> Lines:
        if hasattr(part, "height"):
            part.height = height
        if hasattr(part, "focused"):
            part.focused = self.focused and part is self.focus
        lines: Lines = part.render(wide)
        return lines

    def _cursor(self, part: Any, row: int, column: int) -> None:
        if part is self.focus and (at := getattr(part, "cursor", None)) is not None:
            self.cursor = at[0] + row, at[1] + column


class Rows(_Holder):
    """One below the other."""

    def __init__(self, *parts: Any, focus: Any = None) -> None:
        super().__init__(parts, focus)

    def render(self, width_: int) -> Lines:
        rows: list[str] = []
        self.cursor, self._places = None, []
        for part in self.parts:
            lines = self._drawn(part, width_, max(1, self.height - len(rows)))
            self._cursor(part, len(rows), 0)
            self._places.append((len(rows), 0, width_, len(lines)))
            rows += lines
        return rows


class Columns(_Holder):
    """Side by side. widths: cells of each; those without share what is left. gap: between them."""

    def __init__(
        self, *parts: Any, widths: Sequence[int | None] = (), gap: int = 1, focus: Any = None
    ) -> None:
        super().__init__(parts, focus)
        self.widths = [*widths, *([None] * (len(parts) - len(widths)))]
        self.gap = gap

    def render(self, width_: int) -> Lines:
        free = width_ - self.gap * (len(self.parts) - 1) - sum(each or 0 for each in self.widths)
        sharing = self.widths.count(None)
        wide: list[int] = []
        for each in self.widths:
            if each is None:
                each = max(1, free // sharing)
                free, sharing = free - each, sharing - 1
            wide.append(each)
        rows: list[str] = []
        self.cursor, self._places = None, []
        column = 0
        for part, cells in zip(self.parts, wide, strict=True):
            lines = self._drawn(part, cells, self.height)
            self._cursor(part, 0, column)
            self._places.append((0, column, cells, len(lines)))
            rows += [""] * (len(lines) - len(rows))
            for at, line in enumerate(lines):
                rows[at] = pad(rows[at], column) + (cut(line, cells) if line else "")
            column += cells + self.gap
        return [cut(row, width_) for row in rows]


class Box(_Holder):
    """A part in a frame. title: in its upper edge. border: a token. pad: cells at both sides."""

    def __init__(
        self, screen: Themed, part: Any, *, title: str = "", border: str = "border", pad: int = 1
    ) -> None:
        super().__init__([part], part)
        self._screen = screen
        self.title = title
        self.border = border
        self.pad = pad

    def render(self, width_: int) -> Lines:
        part, theme = self.parts[0], self._screen.theme
        inner = max(1, width_ - 2)
        room = max(1, inner - 2 * self.pad)
        space = " " * min(self.pad, max(0, inner - 1))
        lines = list(self._drawn(part, room, max(1, self.height - 2)))[: max(1, self.height - 2)]
        self.cursor, self._places = None, [(1, 1 + self.pad, room, len(lines))]
        self._cursor(part, 1, 1 + self.pad)
        title = cut(f" {self.title} ", inner) if self.title else ""
        edge = theme.fg(self.border, "│")
        line = "─" * (inner - width(title))
        return [
            theme.fg(self.border, "╭") + theme.fg("accent", title)
            + theme.fg(self.border, f"{line}╮"),
            *(edge + pad(crop(space + line, 0, inner), inner) + edge for line in lines),
            theme.fg(self.border, f"╰{'─' * inner}╯"),
        ]  # fmt: skip


class Scrolled(_Holder):
    """A window of so many rows on a part that may have more; arrows and the wheel move it."""

    def __init__(self, screen: Stage, part: Any, rows: int) -> None:
        super().__init__([part])
        self._screen = screen
        self.rows = rows
        self.top = 0
        self._most = 0

    def render(self, width_: int) -> Lines:
        lines = self._drawn(self.parts[0], max(1, width_ - 1), 10_000)
        self._most = max(0, len(lines) - self.rows)
        self.top = max(0, min(self.top, self._most))
        shown = lines[self.top : self.top + self.rows]
        if not self._most:
            return shown
        size = max(1, self.rows * self.rows // len(lines))
        first = round((self.rows - size) * self.top / self._most)
        theme = self._screen.theme
        return [
            pad(crop(row, 0, width_ - 1), width_ - 1)
            + (
                theme.fg("scrollbarThumb", "█")
                if first <= at < first + size
                else theme.fg("scrollbarTrack", "│")
            )
            for at, row in enumerate(shown)
        ]

    def handle(self, key: Key) -> bool:
        moves = {
            "tui.select.up": -1,
            "tui.select.down": 1,
            "tui.select.pageUp": 1 - self.rows,
            "tui.select.pageDown": self.rows - 1,
        }
        for action in self._screen.keymap.actions(key):
            if action in moves:
                self._move(moves[action])
                return True
        return False

    def mouse(self, event: Mouse) -> bool:
        if event.button not in ("wheelUp", "wheelDown") or not self._most:
            return False
        self._move(-1 if event.button == "wheelUp" else 1)
        return True

    def _move(self, by: int) -> None:
        self.top = max(0, min(self.top + by, self._most))
        self._screen.redraw()
