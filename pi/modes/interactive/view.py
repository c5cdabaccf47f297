"""What the parts of the terminal interface agree on: lines, components, panels, keys.

A component is drawn as lines of text; the screen puts them on the terminal and rewrites those that
changed. Nothing here knows about a terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Component", "Key", "Lines", "Panel"]

Lines = Sequence[str]
"""Rows on the terminal, top to bottom. A row may hold SGR sequences and hyperlinks (OSC 8), which
it closes itself; nothing else that moves a cursor or changes a terminal."""


@dataclass(frozen=True, slots=True)
class Key:
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
