"""What every picker stands on: theme, keys and the loop; and how their frames and hints look."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pi.modes.interactive.cells import cut, width, wrap
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Key, Lines

__all__ = ["Picker", "Stage", "hint_rows", "key_label", "paragraph", "rule", "tabs"]

T = TypeVar("T")

LEAST = 8
"""Cells below which nothing is laid out any more, only cut."""


@dataclass(slots=True)
class Stage:
    """redraw: something changed without a key. later(seconds, call): gives what calls it off.

    post: have something called on the loop, from any thread. theme may be replaced: call
    `invalidate` of what is on the screen then.
    """

    theme: Theme
    keymap: Keymap
    redraw: Callable[[], None]
    later: Callable[[float, Callable[[], None]], Callable[[], None]]
    post: Callable[[Callable[[], None]], None]


class Picker(Generic[T]):
    """A panel with one result. Subclasses draw and act; whoever opens one sets `height`."""

    def __init__(self, stage: Stage, done: Callable[[T | None], None]) -> None:
        self.stage = stage
        self.height = 24
        self.cursor: tuple[int, int] | None = None
        self._done = done
        self._ended = False
        self._over: Picker[Any] | None = None
        self._drawn: tuple[int, int, list[str]] | None = None

    @property
    def theme(self) -> Theme:
        return self.stage.theme

    @property
    def ended(self) -> bool:
        return self._ended

    def draw(self, width: int) -> list[str]:
        """The rows; sets `cursor`. `render` cuts what is too wide or too much."""
        raise NotImplementedError

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        """What a key does. actions: what the keymap says of it."""
        raise NotImplementedError

    def open(self, over: "Picker[Any]") -> None:
        """Put another picker in this one's place, until it gives its result."""
        self._over = over

    def render(self, width: int) -> Lines:
        if (over := self._on_top()) is not None:
            over.height = self.height
            rows_over = over.render(width)
            self.cursor = over.cursor
            return rows_over
        if self._drawn is None or self._drawn[:2] != (width, self.height):
            rows = self._fresh(max(width, LEAST))
            rows = [cut(row, width) for row in rows[: max(1, self.height)]]
            if self.cursor is not None and (self.cursor[0] >= len(rows) or self.cursor[1] >= width):
                self.cursor = None
            self._drawn = (width, self.height, rows)
        return self._drawn[2]

    def _fresh(self, width: int) -> list[str]:
        self.cursor = None
        return self.draw(width)

    def invalidate(self) -> None:
        self._drawn = None
        if self._over is not None:
            self._over.invalidate()

    def _on_top(self) -> "Picker[Any] | None":
        if self._over is not None and self._over.ended:
            self._over = self._drawn = None
        return self._over

    def changed(self) -> None:
        """Draw again, though no key was pressed."""
        self._drawn = None
        self.stage.redraw()

    def handle(self, key: Key) -> bool:
        if self._ended:
            return False
        self._drawn = None
        if (over := self._on_top()) is not None:
            return over.handle(key)
        return self.act(key, self.stage.keymap.actions(key))

    def mouse(self, event: Mouse) -> bool:
        """What the mouse does, in fullscreen mode."""
        if self._ended:
            return False
        self._drawn = None
        over = self._on_top()
        return self.point(event) if over is None else over.mouse(event)

    def point(self, event: Mouse) -> bool:
        """The same for the picker itself; False leaves it to others."""
        return False

    def finish(self, value: T | None) -> None:
        """Give the result; a second one is not heard."""
        if not self._ended:
            self.close()
            self._done(value)

    def close(self) -> None:
        """Taken off the screen, with or without a result: nothing is called back any more."""
        self._ended = True
        if self._over is not None:
            self._over.close()


def _inside(place: tuple[int, int] | None, rows: int, columns: int) -> tuple[int, int] | None:
    return place if place is not None and place[0] < rows and place[1] < columns else None


def rule(theme: Theme, width_: int, title: str = "") -> str:
    """A line across, with a title in it."""
    if not title or width_ < LEAST:
        return theme.fg("border", "─" * width_)
    text = cut(clean_line(title), width_ - 6)
    rest = width_ - width(text) - 4
    return (
        theme.fg("border", "── ") + theme.fg("accent", theme.bold(text))
        + theme.fg("border", " " + "─" * rest)
    )  # fmt: skip


def titled(theme: Theme, width_: int, title: str, most: int) -> list[str]:
    """The same, with a title that is too long for it below, in rows; cut if they are too many."""
    title = clean_line(title)
    if width_ < LEAST or width(title) <= width_ - 6:
        return [rule(theme, width_, title)]
    rows = wrap(title, width_ - 2)
    if len(rows) >= most:
        return [rule(theme, width_, title)]
    return [rule(theme, width_), *(" " + theme.fg("accent", theme.bold(row)) for row in rows)]


def tabs(theme: Theme, width_: int, names: Sequence[str], chosen: str) -> str:
    """A row of names, the chosen one in brackets."""
    shown = [
        theme.fg("accent", theme.bold(f"[{name}]"))
        if name == chosen
        else theme.fg("muted", f" {name} ")
        for name in names
    ]
    return cut(" " + " ".join(shown), width_)


def paragraph(theme: Theme, text: str, width_: int, token: str = "muted") -> list[str]:
    """Text in rows with a margin of one cell."""
    rows: list[str] = []
    for line in text.split("\n"):
        rows += [" " + theme.fg(token, row) for row in wrap(clean_line(line), max(1, width_ - 2))]
    return rows


_LABELS = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
    "pageUp": "pgup",
    "pageDown": "pgdn",
    "backspace": "bksp",
}


def key_label(stage: Stage, *actions: str) -> str:
    """The first key of each action, as hints write it: "↑↓", "ctrl+a". Empty for unbound ones."""
    names = [keys[0] for action in actions if (keys := stage.keymap.keys_of(action))]
    labels: list[str] = []
    for name in names:
        head, plus, last = name.rpartition("+")
        label = head + plus + _LABELS.get(last, last)
        shared = labels[-1].rpartition("+")[0] if labels else ""
        labels.append(label[len(shared) + 1 :] if shared and shared == head else label)
    arrows = all(label in "↑↓←→" for label in labels)
    return ("" if arrows else "/").join(labels)


def hint_rows(
    stage: Stage, width_: int, hints: Iterable[tuple[str, str]], *, most: int = 2
) -> list[str]:
    """What keys do, in rows of at most `width_` cells; what does not fit in `most` is left out.

    hints: keys and what they do; those without keys are left out.
    """
    theme = stage.theme
    rows: list[str] = []
    row, used = "", 0
    for keys, text in hints:
        if not keys:
            continue
        size = width(keys) + 1 + width(text)
        if row and used + 3 + size > width_ - 1:
            rows.append(row)
            row, used = "", 0
        if not row and len(rows) == most:
            break
        if size > width_ - 2:
            continue
        row += theme.fg("dim", " · ") if row else " "
        used += 3 if used else 1
        row += theme.fg("muted", keys) + theme.fg("dim", " " + text)
        used += size
    if row and len(rows) < most:
        rows.append(row)
    return rows
