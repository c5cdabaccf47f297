"""A place in a list that is longer than the room there is for it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pi.modes.interactive.keys import Mouse

__all__ = ["Scroll"]


class Scroll:
    """index: the current item, 0 where there is none. count: of items.

    items: what stands on a row, for the mouse; whoever draws the list says so.

    Moves by one wrap around at the ends, pages and jumps stop there.
    """

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.index = 0
        self.page = 10
        self.items: Mapping[int, int] = {}
        self._top = 0

    def resize(self, count: int, index: int | None = None) -> None:
        """Another list; stay at the index, or go to another."""
        self.count = count
        self.go(self.index if index is None else index)

    def go(self, index: int) -> None:
        self.index = max(0, min(index, self.count - 1))

    def act(self, actions: Sequence[str]) -> bool:
        """Whether the key was one that moves."""
        for action in actions:
            if action == "tui.select.up":
                self.go(self.index - 1 if self.index else self.count - 1)
            elif action == "tui.select.down":
                self.go(self.index + 1 if self.index + 1 < self.count else 0)
            elif action == "tui.select.pageUp":
                self.go(self.index - self.page)
            elif action == "tui.select.pageDown":
                self.go(self.index + self.page)
            else:
                continue
            return True
        return False

    def point(self, event: Mouse) -> Literal["moved", "chosen"] | None:
        """Move by the wheel, up to the ends, or to the item that is clicked; None for neither."""
        if event.button in ("wheelUp", "wheelDown"):
            self.go(self.index + (-1 if event.button == "wheelUp" else 1))
            return "moved"
        item = self.items.get(event.y)
        if event.action != "press" or event.button != "left" or item is None:
            return None
        self.go(item)
        return "chosen"

    def window(self, rows: int) -> range:
        """The items to show in so many rows, the current one among them."""
        return self.rows(rows, self.count, self.index, self.index)

    def rows(self, most: int, total: int, first: int, last: int) -> range:
        """As `window`, for lists with rows that are no items: those that must be seen are given."""
        most = max(1, most)
        self.page = max(1, most - 1)
        top = min(self._top, max(0, total - most))
        if last >= top + most:
            top = last - most + 1
        if last - first < most:
            top = min(top, first)
        self._top = max(0, min(top, last))
        return range(self._top, min(total, self._top + most))
