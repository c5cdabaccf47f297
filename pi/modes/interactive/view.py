"""What the parts of the terminal interface agree on: lines, components, panels, keys.

A component is drawn as lines of text; the screen puts them on the terminal and rewrites those that
changed. Nothing here knows about a terminal.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = ["Component", "Cover", "Foldable", "Key", "Lines", "Panel", "Spot"]

Lines = Sequence[str]
"""Rows on the terminal, top to bottom. A row may hold SGR sequences and hyperlinks (OSC 8), which
it closes itself; nothing else that moves a cursor or changes a terminal."""


class Key(NamedTuple):
    """One key press, or one paste.

    name: as keybindings.json writes it, modifiers first and in the order ctrl, shift, alt, super:
        "a", "A", "enter", "ctrl+c", "shift+enter", "pageUp"; "paste" for pasted text.
    data: what the terminal sent. text: what it would type, "" for a key that types nothing.
    """

    name: str
    data: str = ""
    text: str = ""


class Component(Protocol):
    """Something to look at."""

    def render(self, width: int) -> Lines:
        """Rows of at most `width` cells.

        The same object as before while nothing has changed: the screen then need not look at it.
        """
        ...

    def invalidate(self) -> None:
        """Forget what was drawn: theme or settings have changed."""
        ...


@runtime_checkable
class Foldable(Component, Protocol):
    """A component that can be shown whole, or little of it. foldable: whether this one can."""

    foldable: bool

    @property
    def expanded(self) -> bool: ...

    def fold(self, expanded: bool | None) -> None:
        """None: as all others are shown."""
        ...


class Spot(NamedTuple):
    """What is to be seen on a row of the terminal. row: which one of the component's."""

    component: Component
    row: int


class Panel(Component, Protocol):
    """A component that has the keyboard: the editor, or a picker in its place.

    height: rows it may take at most; set before `render`.
    cursor: row and column, in the rows drawn last, where the terminal's cursor belongs; None for
        no cursor.
    """

    height: int
    cursor: tuple[int, int] | None

    def handle(self, key: Key) -> bool:
        """Act on a key; False leaves it to the application."""
        ...


class Cover(Protocol):
    """What lies over a frame (overlays.py).

    cursor: after `cover`, the row and column of the terminal where its cursor belongs instead of
        where the frame has it; None where it belongs to nothing that lies over it.
    """

    cursor: tuple[int, int] | None

    def cover(self, rows: list[str], columns: int) -> dict[int, str]:
        """The rows that are others with it. rows: as many as the terminal has."""
        ...
