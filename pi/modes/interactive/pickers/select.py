"""A list to choose from, with a field that filters it: what most pickers are made of."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pi.modes.interactive.cells import cut, pad, width, wrap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.pickers.field import TextField
from pi.modes.interactive.pickers.fuzzy import fuzzy_filter
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.pickers.stage import (
    Picker,
    Stage,
    hint_rows,
    key_label,
    paragraph,
    rule,
    titled,
)
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Key

__all__ = ["Choice", "ListPicker", "SelectPicker"]

V = TypeVar("V", bound=Hashable)
R = TypeVar("R")

ROWS = 10
"""Choices shown at once, where there is room for more."""

AIRY = 16
"""Rows from which some may stay empty."""

CHOICES = 3
"""That are to be seen before anything but the title and the field is."""

WHOLE = 3
"""Rows at the most for the current choice, below the list, where it does not fit into its row."""

LEAST_LABEL = 8
LABEL_SHARE = 0.6
"""Of the width, what labels may take before notes are pushed aside."""


@dataclass(frozen=True, slots=True)
class Choice(Generic[V]):
    """note: beside the label. detail: below the list while this is the current one.

    group: heading of this and the following ones of the same group. checked: marked with ✓.
    faint: it counts less than the others.
    search: what the filter looks at, label and note unless given.
    """

    value: V
    label: str
    note: str = ""
    detail: str = ""
    group: str = ""
    checked: bool = False
    search: str = ""
    faint: bool = False

    @property
    def words(self) -> str:
        return self.search or f"{self.label} {self.note}"


class ListPicker(Picker[R], Generic[V, R]):
    """The list itself. What choosing does is said by subclasses (`chosen`).

    title, about: above the list. searching: with a field that filters. marks: keep a column for ✓.
    empty: what stands there when nothing is left.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[R | None], None],
        choices: Sequence[Choice[V]],
        *,
        title: str,
        about: str = "",
        searching: bool = True,
        marks: bool | None = None,
        current: V | None = None,
        empty: str = "Nothing matches.",
        most: int = ROWS,
    ) -> None:
        super().__init__(stage, done)
        self.title = title
        self.about = about
        self.field = TextField() if searching else None
        self.empty = empty
        self.note = ""
        """A line of news above the hints, for as long as it is set."""
        self._most = most
        self._marks = marks
        self._choices: list[Choice[V]] = []
        self._shown: list[Choice[V]] = []
        self._scroll = Scroll()
        self._size = 0
        self.put(choices, current)

    # What subclasses say

    def chosen(self, choice: Choice[V]) -> None:
        raise NotImplementedError

    def more(self, key: Key, actions: Sequence[str]) -> bool:
        """Further keys, asked before the filter's."""
        return False

    def hints(self) -> list[tuple[str, str]]:
        return [
            (key_label(self.stage, "tui.select.confirm"), "select"),
            (key_label(self.stage, "tui.select.cancel"), "cancel"),
        ]

    def ranked(self, query: str) -> list[Choice[V]]:
        """The choices that match, in the order they are shown."""
        return fuzzy_filter(self._choices, query, lambda choice: choice.words)

    def browsed(self) -> list[Choice[V]]:
        """What is shown while nothing is searched."""
        return list(self._choices)

    # The list

    def put(self, choices: Sequence[Choice[V]], current: V | None = None) -> None:
        """Other choices. current: where to go; else the place stays with its value."""
        if current is None and (now := self.current) is not None:
            current = now.value
        self._choices = list(choices)
        self._filter(current)

    @property
    def current(self) -> Choice[V] | None:
        return self._shown[self._scroll.index] if self._shown else None

    @property
    def shown(self) -> Sequence[Choice[V]]:
        return self._shown

    @property
    def query(self) -> str:
        return "" if self.field is None else self.field.text.strip()

    def _filter(self, current: V | None) -> None:
        self._shown = self.ranked(self.query) if self.query else self.browsed()
        at = next((i for i, choice in enumerate(self._shown) if choice.value == current), 0)
        noted = (choice.label for choice in self._shown if choice.note)
        self._size = max((width(clean_line(label)) for label in noted), default=0)
        self._scroll.resize(len(self._shown), at)
        self.moved()

    def moved(self) -> None:
        """Another choice is the current one, or the list has changed."""

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if self._scroll.act(actions):
            self.moved()
            return True
        if "tui.select.cancel" in actions:
            self.cancelled()
            return True
        if "tui.select.confirm" in actions:
            if self.current is not None:
                self.chosen(self.current)
            return True
        if self.more(key, actions):
            return True
        if self.field is None:
            # Nobody types anything here: the digits are free.
            if key.name.isdecimal() and 1 <= int(key.name) <= min(9, len(self._shown)):
                self._scroll.go(int(key.name) - 1)
                self.chosen(self._shown[self._scroll.index])
                return True
            return False
        before = self.field.text
        handled = self.field.act(key, actions)
        if self.field.text != before:
            self._filter(None)
        return handled

    def point(self, event: Mouse) -> bool:
        did = self._scroll.point(event)
        if did is None:
            return False
        self.moved()
        if did == "chosen":
            self.chosen(self._shown[self._scroll.index])
        return True

    def cancelled(self) -> None:
        self.finish(None)

    # The look

    def headings(self, choice: Choice[V]) -> Sequence[str]:
        """What stands above a choice, from the outermost on; shared ones stand there once."""
        return (choice.group,) if choice.group and not self.query else ()

    def head(self, width_: int) -> list[str]:
        """Between the title and the list."""
        return paragraph(self.theme, self.about, width_) if self.about else []

    def draw(self, width_: int) -> list[str]:
        theme = self.theme
        # Where there is little room the title comes first, then the choices.
        choices = CHOICES if self.field is not None else min(CHOICES, len(self._choices))
        most = max(1, self.height - choices - 2)
        rows = [*titled(theme, width_, self.title, most), *self.head(width_)][:most]
        if self.field is not None:
            text, at = self.field.draw(theme, width_ - 3)
            self.cursor = (len(rows), 2 + at)
            rows.append(theme.fg("accent", "> ") + text)
        below = self._below(width_)
        if self.height >= AIRY:
            below.insert(0, "")
            if len(rows) > 1:
                rows.append("")
        room = self.height - len(rows) - len(below) - 1
        if room < choices:
            below = hint_rows(self.stage, width_, self.hints(), most=1)
            room = self.height - len(rows) - len(below) - 1
        if room < 1:
            below, room = [], max(1, self.height - len(rows) - 1)
        listed, items = self._list(width_, min(room, max(self._most, 1)))
        self._scroll.items = {len(rows) + row: item for row, item in items.items()}
        rows += listed
        return [*rows, *below, rule(theme, width_)]

    def _below(self, width_: int) -> list[str]:
        rows: list[str] = []
        current = self.current
        detail = current.detail if current is not None else ""
        if detail:
            rows += paragraph(self.theme, detail, width_)
        elif current is not None and width(clean_line(current.label)) > self._room(current, width_):
            texts = wrap(clean_line(current.label), width_ - 2)
            if len(texts) > WHOLE:
                texts[WHOLE - 1 :] = [cut(f"{texts[WHOLE - 1]}…", width_ - 2)]
            rows += [" " + self.theme.fg("muted", text) for text in texts]
        if rows and self.height >= AIRY:
            rows.append("")
        if self.note:
            rows += paragraph(self.theme, self.note, width_, "warning")
        rows += hint_rows(self.stage, width_, self.hints())
        return rows

    def _list(self, width_: int, room: int) -> tuple[list[str], dict[int, int]]:
        """The rows, and which of those that are shown stands on which."""
        if not self._shown:
            return paragraph(self.theme, self.empty, width_, "dim"), {}
        lines: list[int | tuple[str, bool]] = []  # places in _shown; headings, and if others follow
        above: Sequence[str] = ()
        first = last = 0
        for at, choice in enumerate(self._shown):
            start = len(lines)
            headings = self.headings(choice)
            for depth, heading in enumerate(headings):
                if headings[: depth + 1] != above[: depth + 1]:
                    lines.append(("  " * depth + heading, depth + 1 < len(headings)))
            above = headings
            if at == self._scroll.index:
                first, last = start, len(lines)
            lines.append(at)
        counted = len(lines) > room and room > 2
        window = self._scroll.rows(room - counted, len(lines), first, last)
        rows: list[str] = []
        items: dict[int, int] = {}
        for at in window:
            line = lines[at]
            if isinstance(line, tuple):
                text, outer = cut(clean_line(line[0]), width_ - 2), line[1]
                rows.append(
                    " " + (self.theme.bold(text) if outer else self.theme.fg("muted", text))
                )
            else:
                items[len(rows)] = line
                rows.append(self._row(self._shown[line], line, width_))
        if counted:
            place = f"{self._scroll.index + 1}/{len(self._shown)}"
            rows.append("  " + self.theme.fg("dim", place))
        return rows, items

    @property
    def _marked(self) -> bool:
        """Whether there is a column for marks."""
        if self._marks is None:
            return any(choice.checked for choice in self._choices)
        return self._marks

    def _room(self, choice: Choice[V], width_: int) -> int:
        """Cells for a label."""
        room = width_ - 2 - 2 * self._marked
        return min(room, max(self._aligned(width_), LEAST_LABEL)) if choice.note else room

    def _aligned(self, width_: int) -> int:
        """Cells of labels before the notes beside them."""
        return min(self._size, int((width_ - 4) * LABEL_SHARE))

    def _row(self, choice: Choice[V], at: int, width_: int) -> str:
        theme = self.theme
        here = at == self._scroll.index
        mark = ("✓ " if choice.checked else "  ") if self._marked else ""
        room, size = width_ - 2 - len(mark), self._aligned(width_)
        label = clean_line(choice.label)
        note = clean_line(choice.note)
        text = cut(label, self._room(choice, width_))
        left = room - max(size, width(text)) - 2
        if note and left >= 4:
            text = pad(text, size)
            note = "  " + theme.fg("muted", cut(note, left))
        else:
            note = ""
        if here:
            text = theme.fg("accent", theme.bold(text))
        elif choice.faint:
            text = theme.fg("dim", text)
        return (
            (theme.fg("accent", "→ ") if here else "  ") + theme.fg("success", mark) + text + note
        )


class SelectPicker(ListPicker[V, V]):
    """Gives the value that was chosen."""

    def chosen(self, choice: Choice[V]) -> None:
        self.finish(choice.value)
