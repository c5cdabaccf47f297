"""What all parts have."""

from typing import Any, Protocol

from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.view import Key, Lines

__all__ = ["Part", "Stage", "Themed"]


class Themed(Protocol):
    """What parts need that only draw; a renderer's `Drawing` is one, too.

    theme: the one that is on.
    """

    @property
    def theme(self) -> Any: ...


class Stage(Themed, Protocol):
    """What a part needs of the screen: the first thing that a factory is given."""

    @property
    def keymap(self) -> Keymap: ...

    def redraw(self) -> None: ...
    def later(self, seconds: float, call: Any) -> Any: ...


class Part:
    """A component that takes no keys; subclasses say more.

    focused: whether it has the keyboard. height: rows it may take. cursor: row and column, in what
    was drawn last, where the terminal's cursor belongs: input methods write there.
    """

    focused = False
    height = 24
    cursor: tuple[int, int] | None = None

    def render(self, width: int) -> Lines:
        raise NotImplementedError

    def invalidate(self) -> None:
        """Forget what was drawn: the theme is another one."""

    def handle(self, key: Key) -> bool:
        """Act on a key; False leaves it to others."""
        return False

    def mouse(self, event: Mouse) -> bool:
        """Act on the mouse, in fullscreen mode; the place is counted from the part's own cell.

        True takes the event. Who takes a press also gets dragging and release, wherever they are.
        """
        return False

    def close(self) -> None:
        """Taken off the screen: end timers and the like."""
