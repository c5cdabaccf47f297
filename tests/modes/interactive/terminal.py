"""A terminal to paint on: pyte's screen, with the scrollback and the resizing of real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyte

from pi.modes.interactive.view import Lines

__all__ = ["Block", "Bottom", "Terminal"]


@dataclass(frozen=True)
class Size:
    rows: int
    columns: int


class Terminal:
    """Takes what is written to it. pulls: whether growing brings rows back from the scrollback."""

    def __init__(self, columns: int = 80, rows: int = 24, *, pulls: bool = False) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self._stream = pyte.Stream(self.screen)
        self._pulls = pulls
        self.writes: list[str] = []

    def write_raw(self, data: str) -> None:
        self.writes.append(data)
        self._stream.feed(data)

    def flush(self) -> None:
        pass

    def get_size(self) -> Size:
        return Size(self.screen.lines, self.screen.columns)

    @property
    def cursor(self) -> tuple[int, int]:
        return self.screen.cursor.y, self.screen.cursor.x

    def display(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    def history(self) -> list[str]:
        return [
            "".join(
                line[at].data if at in line else " " for at in range(max(line, default=-1) + 1)
            ).rstrip()
            for line in self.screen.history.top
        ]

    def text(self) -> list[str]:
        """The scrollback and the screen, without blank rows at the end."""
        rows = self.history() + self.display()
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def resize(self, columns: int, rows: int) -> None:
        """As terminals without reflow do: rows below the cursor go first, then the topmost."""
        screen = self.screen
        old = [screen.buffer[at].copy() for at in range(screen.lines)]
        at = screen.cursor.y
        if rows < screen.lines:
            below = min(len(old) - 1 - at, screen.lines - rows)
            old = old[: len(old) - below]
            gone = len(old) - rows
            for line in old[: max(0, gone)]:
                screen.history.top.append(line)
            old, at = old[max(0, gone) :], at - max(0, gone)
        elif rows > screen.lines and self._pulls:
            for _ in range(min(rows - screen.lines, len(screen.history.top))):
                old.insert(0, screen.history.top.pop())
                at += 1
        screen.resize(rows, columns)
        for index in range(rows):
            screen.buffer.pop(index, None)
            if index < len(old):
                # What is beyond the edge now would come back with the next row that is written.
                kept = {x: cell for x, cell in old[index].items() if x < columns}
                screen.buffer[index].update(kept)
        screen.cursor.y = at
        screen.cursor.x = min(screen.cursor.x, columns - 1)


class Block:
    """Rows of a transcript, and how many of them will stay as they are."""

    def __init__(self, rows: Sequence[str], settled: int | None = None) -> None:
        self.rows = list(rows)
        self.settled_rows = settled
        self._drawn: list[str] | None = None
        self.renders = 0

    def put(self, rows: Sequence[str], settled: int | None = None) -> None:
        self.rows, self.settled_rows, self._drawn = list(rows), settled, None

    def render(self, width: int) -> Lines:
        if self._drawn is None:
            self.renders += 1
            self._drawn = list(self.rows)
        return self._drawn

    def invalidate(self) -> None:
        self._drawn = None


class Bottom(Block):
    """A panel."""

    height = 10

    def __init__(self, rows: Sequence[str], cursor: tuple[int, int] | None = (0, 0)) -> None:
        super().__init__(rows)
        self.cursor = cursor

    def handle(self, key: object) -> bool:
        return False
