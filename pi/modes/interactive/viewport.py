"""Fullscreen mode: a part of the conversation, on the alternate screen.

The place one looks at is held by a component and a row of it, not by a number of rows from the
start: a frame draws the components in view and no others, however long the conversation is, and a
resize keeps what one reads where it was. At the end the view follows what is written.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pi.modes.interactive.cells import crop, link_at, pad, plain, width
from pi.modes.interactive.inline import image_removal, row_to_write
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Component, Cover, Foldable, Lines, Spot

__all__ = ["Place", "Scrollbar", "Viewport"]

Scrollbar = Literal["auto", "always", "hidden"]

# Drags and wheel, reported as SGR.
_MODES_ON, _EMPTY = "\x1b[?1049h\x1b[?1002h\x1b[?1006h", "\x1b[2J"
_MODES_OFF = "\x1b[?1006l\x1b[?1002l\x1b[?1049l"
_WORDS = re.compile(r"[\w~./\\+-]+|\s+|.")
"""What two clicks take: also paths, names and numbers as a whole."""

_GUESS = 4
"""Rows of a component that has not been drawn yet."""


class Place(NamedTuple):
    """A cell of the transcript: a component, a row of it, a column."""

    at: int
    row: int
    column: int = 0


class Viewport:
    """What is in view, and the selection and search in it.

    following: the end is in view and stays in view.
    """

    def __init__(self, theme: Theme, scrollbar: Scrollbar = "auto") -> None:
        self.theme = theme
        self.scrollbar: Scrollbar = scrollbar
        self.following = True
        self.height = 0  # rows of the transcript in view
        self.query = ""
        self.match: Place | None = None
        self.selection: tuple[Place, Place] | None = None
        self._transcript: Sequence[Component] = ()
        self._width = 80
        self._top = Place(0, 0)
        self._shown: list[str] = []
        self._size = (0, 0)
        self._cursor: tuple[int, int] | None = None
        self._places: list[Place] = []  # of the rows in view
        self._heights: list[int] = []  # of the components, -1 where not yet drawn
        self._matches: list[Place] | None = None
        self._texts: dict[int, tuple[Lines, list[str]]] = {}

    # The terminal

    def enter(self, *, modes: bool = True) -> str:
        """What opens the alternate screen; only what empties it where others switch modes."""
        self.forget()
        return _MODES_ON + _EMPTY if modes else _EMPTY

    def leave(self, *, modes: bool = True) -> str:
        """What goes back to the screen that was there before."""
        return image_removal(self._shown) + (_MODES_OFF if modes else "")

    def forget(self) -> None:
        """Draw everything anew: somebody else has written to the terminal, or the theme is new."""
        self._size = (0, 0)

    def restart(self) -> None:
        """Another transcript."""
        self.following, self._top = True, Place(0, 0)
        self.selection = self.match = self._matches = None
        self._heights, self._texts = [], {}

    def paint(
        self,
        parts: list[str],
        transcript: Sequence[Component],
        bottom: list[str],
        cursor: tuple[int, int] | None,
        columns: int,
        rows: int,
        over: Cover | None = None,
    ) -> None:
        """Add what makes the terminal show this: nothing when it already does."""
        if self._size != (columns, rows):
            self._size = columns, rows
            parts.append("\x1b[2J" + image_removal(self._shown))
            self._shown = [""] * rows
            self._cursor = None
        self._transcript = transcript
        wide = columns - (self.scrollbar != "hidden" and columns >= 20)
        if wide != self._width:
            self._width = wide
            self._heights, self._texts, self._matches = [], {}, None
        self.height = rows - len(bottom)
        view = self._view()
        if self.query or self.selection:
            view = [self._marked(row, place) for row, place in zip(view, self._places, strict=True)]
        view += [""] * (self.height - len(view))
        if wide < columns and (self.scrollbar == "always" or not self.following):
            view = self._with_scrollbar(view)
        wanted = view + bottom
        if cursor is not None:
            cursor = self.height + cursor[0], cursor[1]
        if over is not None:
            for at, row in over.cover(wanted, columns).items():
                wanted[at] = row
            cursor = over.cursor or cursor
        changed = [at for at in range(rows) if wanted[at] != self._shown[at]]
        if changed:
            parts.append(image_removal([self._shown[at] for at in changed]))
        for at in changed:
            parts.append(f"\x1b[{at + 1};1H{row_to_write(wanted[at], columns)}")
        self._shown = wanted
        if changed or cursor != self._cursor:
            self._cursor = cursor
            if cursor is not None:
                parts.append(f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H")

    def _view(self) -> list[str]:
        """The rows in view, at most `height`; remembers the place of each."""
        if self.following:
            self._top = self._back(Place(len(self._transcript), 0), self.height)
        view, places = self._forward(self._top, self.height)
        if len(view) < self.height and not self.following:
            self.following = True
            self._top = self._back(Place(len(self._transcript), 0), self.height)
            view, places = self._forward(self._top, self.height)
        self._places = places
        return view

    def _render(self, index: int) -> Lines:
        lines = self._transcript[index].render(self._width)
        if index >= len(self._heights):
            self._heights += [-1] * (len(self._transcript) - len(self._heights))
        self._heights[index] = len(lines)
        return lines

    def _forward(self, top: Place, count: int) -> tuple[list[str], list[Place]]:
        view: list[str] = []
        places: list[Place] = []
        index, first = top.at, top.row
        while index < len(self._transcript) and len(view) < count:
            lines = self._render(index)
            last = min(len(lines), first + count - len(view))
            for row in range(first, last):
                view.append(_whole_image(lines[row], len(view)))
                places.append(Place(index, row))
            index, first = index + 1, 0
        return view, places

    def _back(self, place: Place, count: int) -> Place:
        """The place so many rows before another, or the first."""
        index, row = place.at, place.row
        while count > row and index > 0:
            count -= row
            index -= 1
            row = len(self._render(index))
        return Place(index, max(0, row - count))

    def _with_scrollbar(self, view: list[str]) -> list[str]:
        known = [height for height in self._heights if height >= 0]
        guess = sum(known) / len(known) if known else _GUESS
        missing = len(self._transcript) - len(self._heights)

        def rows(heights: list[int]) -> float:
            unknown = heights.count(-1)
            return sum(heights) + unknown + guess * unknown

        before = rows(self._heights[: self._top.at]) + self._top.row
        total = max(1.0, rows(self._heights) + guess * missing)
        size = max(1, round(self.height * min(1.0, self.height / total)))
        room = self.height - size
        first = (
            room
            if self.following
            else min(room, round(room * before / max(1, total - self.height)))
        )
        thumb, track = self.theme.fg("scrollbarThumb", "█"), self.theme.fg("scrollbarTrack", "│")
        return [
            pad(crop(row, 0, self._width) if width(row) > self._width else row, self._width)
            + (thumb if first <= at < first + size else track)
            for at, row in enumerate(view)
        ]

    # Moving

    def scroll(self, rows: int) -> None:
        """Down by so many rows, or up where it is negative."""
        if not self._transcript:
            return
        if rows < 0:
            top = self._back(self._top, -rows)
            self.following = self.following and top == self._top
            self._top = top
        elif not self.following:
            index, row = self._top.at, self._top.row + rows
            while index < len(self._transcript) - 1 and row >= len(self._render(index)):
                row -= len(self._render(index))
                index += 1
            self._top = Place(index, min(row, len(self._render(index))))

    def to_start(self) -> None:
        self.following, self._top = False, Place(0, 0)

    def to_end(self) -> None:
        self.following = True

    def show(self, place: Place) -> None:
        """Bring a place into view, a third from the top, unless it is there."""
        if self._places and self._places[0] <= Place(place.at, place.row) <= self._places[-1]:
            return
        self.following = False
        self._top = self._back(place, self.height // 3)

    def jump(self, step: Literal[-1, 1]) -> None:
        """To the previous or next component that is marked (attribute `marked`: the prompts)."""
        index = self._top.at + (step if step > 0 or not self._top.row else 0)
        while 0 <= index < len(self._transcript):
            if getattr(self._transcript[index], "marked", False):
                self.following, self._top = False, Place(index, 0)
                return
            index += step
        if step > 0:
            self.to_end()

    # Selecting

    def press(self, x: int, y: int) -> bool:
        """The mouse button goes down; False where it is not on the transcript."""
        self.selection = None
        place = self._place(x, y)
        if place is None or y >= len(self._places):
            return False
        self.selection = place, place
        return True

    def widen(self, to: Literal["word", "paragraph"]) -> None:
        """Select all of the word, or of the rows without a blank one between, that was pressed."""
        if self.selection is None:
            return
        at, row, column = self.selection[0]
        texts = [plain(line).rstrip() for line in self._render(at)]
        if row >= len(texts):
            return
        if to == "word":
            start, end = _word(texts[row], column)
            self.selection = Place(at, row, start), Place(at, row, max(start, end - 1))
            return
        first = last = row
        while first and texts[first - 1]:
            first -= 1
        while last + 1 < len(texts) and texts[last + 1]:
            last += 1
        self.selection = Place(at, first), Place(at, last, self._width)

    def drag(self, x: int, y: int) -> None:
        """The mouse moves with its button down; beyond an edge the view moves along."""
        if self.selection is None:
            return
        if y < 0 or y >= self.height:
            self.scroll(-1 if y < 0 else 1)
            self._view()
        place = self._place(x, max(0, min(y, self.height - 1)))
        if place is not None:
            self.selection = self.selection[0], place

    def release(self) -> str:
        """The mouse button goes up: the text that is selected, "" where there is none.

        Where nothing was dragged over, it was a click: what can be folded shows more, or less.
        """
        text = self.selected_text()
        if self.selection is not None and self.selection[0] == self.selection[1]:
            self._click(self.selection[0])
        if not text:
            self.selection = None
        return text

    def _click(self, place: Place) -> None:
        component = self._transcript[place.at]
        rows = self._render(place.at)
        if place.row < len(rows) and link_at(rows[place.row], place.column) is not None:
            return  # it was the link that was meant
        if isinstance(component, Foldable) and component.foldable:
            before = len(component.render(self._width))
            component.fold(not component.expanded)
            if len(component.render(self._width)) > before:
                self.following = False  # what is read stays where it is, with more of it below

    def selected_text(self) -> str:
        if self.selection is None or self.selection[0] == self.selection[1]:
            return ""
        first, last = min(self.selection), max(self.selection)
        rows: list[str] = []
        for index in range(first.at, min(last.at + 1, len(self._transcript))):
            for row, line in enumerate(self._render(index)):
                span = self._selected(Place(index, row))
                if span is not None:
                    rows.append(plain(crop(line, *span)).rstrip())
        return "\n".join(rows)

    def spot(self, row: int) -> Spot | None:
        """What is on a row of the view."""
        if not 0 <= row < len(self._places):
            return None
        place = self._places[row]
        return Spot(self._transcript[place.at], place.row)

    def link(self, x: int, y: int) -> str | None:
        """The address that a cell of the terminal is a link to."""
        return link_at(self._shown[y], x) if 0 <= y < len(self._shown) else None

    def _place(self, x: int, y: int) -> Place | None:
        if not self._places or y < 0:
            return None
        place = self._places[min(y, len(self._places) - 1)]
        return Place(place.at, place.row, max(0, min(x, self._width)))

    def _selected(self, place: Place) -> tuple[int, int] | None:
        """The cells of a row that are selected."""
        if self.selection is None:
            return None
        first, last = min(self.selection), max(self.selection)
        here = (place.at, place.row)
        if not (first.at, first.row) <= here <= (last.at, last.row):
            return None
        start = first.column if here == (first.at, first.row) else 0
        end = last.column + 1 if here == (last.at, last.row) else self._width
        return start, end

    # Searching

    def search(self, query: str) -> int:
        """Look for a text, whatever its case: how often it is there. "" ends the search.

        The match in view or else the nearest above becomes the current one.
        """
        self.query = query.casefold()
        self._matches, self.match = None, None
        if not query:
            return 0
        matches = self._found()
        if matches:
            bottom = self._places[-1] if self._places else Place(0, 0)
            above = [place for place in matches if (place.at, place.row) <= (bottom.at, bottom.row)]
            self.match = above[-1] if above else matches[0]
            self.show(self.match)
        return len(matches)

    def search_place(self) -> tuple[int, int]:
        """The number of the current match, from 1, and how many there are."""
        matches = self._found()
        if self.match not in matches:
            return 0, len(matches)
        return matches.index(self.match) + 1, len(matches)

    def search_step(self, step: Literal[-1, 1]) -> tuple[int, int]:
        """The next match, or the previous: its number from 1, and how many there are."""
        self._matches = None
        matches = self._found()
        if not matches:
            return 0, 0
        if self.match is None:
            at = 0
        elif self.match in matches:
            at = (matches.index(self.match) + step) % len(matches)
        else:
            at = sum(place < self.match for place in matches) % len(matches)
        self.match = matches[at]
        self.show(self.match)
        return at + 1, len(matches)

    def _found(self) -> list[Place]:
        if not self.query:
            return []
        if self._matches is None:
            self._matches = [
                Place(index, row, column)
                for index in range(len(self._transcript))
                for row, text in enumerate(self._folded(index))
                if self.query in text
                for column in _columns(text, self.query)
            ]
        return self._matches

    def _folded(self, index: int) -> list[str]:
        lines = self._render(index)
        known = self._texts.get(index)
        if known is None or known[0] is not lines:
            known = self._texts[index] = lines, [plain(row).casefold() for row in lines]
        return known[1]

    def _marked(self, row: str, place: Place) -> str:
        """The row with its matches and what is selected of it shown as such."""
        spans: list[tuple[int, int, str]] = []
        if self.query:
            text = plain(row).casefold()
            cells = width(self.query)
            for column in _columns(text, self.query):
                current = self.match == Place(place.at, place.row, column)
                spans.append((column, column + cells, "current" if current else "match"))
        selected = self._selected(place)
        if selected is not None:
            spans = [(*selected, "selected")]
        for start, end, kind in reversed(spans):
            row = pad(row, end) if kind == "selected" and end < self._width else row
            text = plain(crop(row, start, end))
            if kind == "current":
                shown = self.theme.style(text, inverse=True, bold=True, underline=True)
            elif kind == "match":
                shown = self.theme.bg("searchMatchBg", self.theme.fg("searchMatchText", text))
            else:
                shown = self.theme.bg("selectedBg", text)
            row = crop(row, 0, start) + shown + crop(row, end, max(end, width(row)))
        return row


def _word(text: str, column: int) -> tuple[int, int]:
    """The cells of the word at a cell, or of the blanks there; a sign stands for itself."""
    for found in _WORDS.finditer(text):
        start = width(text[: found.start()])
        end = start + width(found[0])
        if start <= column < end:
            return start, end
    return column, column + 1


def _columns(text: str, query: str) -> list[int]:
    """The cells at which a text holds another."""
    found: list[int] = []
    at = text.find(query)
    while at >= 0:
        found.append(width(text[:at]))
        at = text.find(query, at + len(query))
    return found


def _whole_image(row: str, above: int) -> str:
    """The row, without its image where the rows that this covers are not all in view.

    An image is drawn from its last row, which starts by going up to its first.
    """
    if "\x1b_G" not in row and "\x1b]1337;" not in row:
        return row
    start = row.find("\x1b[")
    up = row[start + 2 : row.find("A", start)] if start >= 0 else ""
    return "" if up.isdigit() and int(up) > above else row
