"""The list of completions, as lines below the editor: one is marked, the others scroll."""

from pi.modes.interactive.cells import cut, pad, width
from pi.modes.interactive.completion.base import Found, Item
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line

__all__ = ["Popup"]

_MARK = "→ "
_WIDEST_LABEL = 32


class Popup:
    """caret: where it was when this was found. most: entries to be seen at a time."""

    def __init__(self, found: Found, caret: int, most: int) -> None:
        self.found = found
        self.caret = caret
        self.most = most
        self.chosen = 0
        self._top = self._shown = 0

    @property
    def item(self) -> Item:
        return self.found.items[self.chosen]

    def move(self, by: int) -> None:
        """By one it goes round; by more it stops at the ends."""
        last = len(self.found.items) - 1
        if abs(by) == 1:
            self.chosen = (self.chosen + by) % (last + 1)
        else:
            self.chosen = max(0, min(last, self.chosen + by))

    def fits(self, typed: str) -> bool:
        """Whether the marked item may be meant by this: its letters are there, in this order."""
        item = self.item
        rest = iter(f"{item.text} {item.label} {item.about}".casefold())
        return all(letter in rest for letter in typed.casefold() if letter.isalnum())

    def point(self, event: Mouse) -> bool | None:
        """The mouse, on rows from the first entry on; True where an entry is clicked.

        None for what it does nothing about.
        """
        if event.button in ("wheelUp", "wheelDown"):
            by = -1 if event.button == "wheelUp" else 1
            self.chosen = max(0, min(len(self.found.items) - 1, self.chosen + by))
            return False
        if event.action != "press" or event.button != "left" or event.y >= self._shown:
            return None
        self.chosen = self._top + event.y
        return True

    def render(self, columns: int, rows: int, theme: Theme) -> list[str]:
        """At most so many rows; the last tells where one is if there are more entries."""
        items = self.found.items
        shown = min(self.most, len(items), rows)
        if shown < len(items):
            shown = max(1, min(shown, rows - 1))
        self._top = max(self.chosen - shown + 1, min(self._top, self.chosen, len(items) - shown))
        self._shown = shown
        seen = items[self._top : self._top + shown]
        labels = [clean_line(item.label) for item in seen]
        wide = min(max(map(width, labels)), _WIDEST_LABEL, max(8, columns // 2 - 2))
        out = []
        for at, (item, label) in enumerate(zip(seen, labels, strict=True), self._top):
            chosen = at == self.chosen
            about = clean_line(item.about) if columns >= 40 else ""
            start = _MARK if chosen else " " * len(_MARK)
            if about:
                line = start + pad(cut(label, wide), wide)
                room = columns - width(line) - 2
                about = "  " + cut(about, room) if room > 4 else ""
            else:
                line = start + cut(label, columns - len(_MARK))
            if chosen:
                out.append(theme.fg("accent", line + about))
            else:
                out.append(line + theme.fg("muted", about))
        if len(items) > shown and rows > shown:
            out.append(theme.fg("dim", cut(f"  {self.chosen + 1}/{len(items)}", columns)))
        return out
