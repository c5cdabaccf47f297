"""The mouse in fullscreen mode: what happens somewhere is for whatever is to be seen there.

A component hears of the mouse by `mouse(event) -> bool`, with the place counted from its own first
cell. True takes the event: the view does not scroll then, no text is selected, and what follows a
button that went down, dragging and letting go, comes to the component wherever the pointer is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pi.auth.browser import open_browser
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.screen import Screen

if TYPE_CHECKING:
    from pi.modes.interactive.overlays import Layer, Overlays

__all__ = ["Pointer"]

PAGES = ("http://", "https://", "mailto:")
"""What may be opened: a conversation comes from anywhere, and other addresses start programs."""

_WHEEL = ("wheelUp", "wheelDown", "wheelLeft", "wheelRight")


class Pointer:
    """overlays: what floats over the screen, None for nothing. follow: opens the page of a link."""

    def __init__(
        self,
        screen: Screen,
        overlays: "Callable[[], Overlays | None]",
        follow: Callable[[str], None] = open_browser,
    ) -> None:
        self._screen, self._overlays, self._follow = screen, overlays, follow
        self._link: tuple[str, int, int] | None = None  # on which the button went down, and where
        # Who has the button that is down, and the cell of the terminal its places count from.
        self._held: tuple[Any, int, int] | None = None

    def act(self, event: Mouse) -> bool:
        """Tell whom it is for; False where it is left to those who scroll and select."""
        wheel = event.button in _WHEEL
        if not wheel and event.action in ("press", "release") and self._on_link(event):
            return self._layer(event) is not None
        if event.action in ("drag", "release"):
            if self._held is None:
                return False
            component, left, top = self._held
            if event.action == "release":
                self._held = None
            _tell(component, event, left, top)
            return True
        if event.action == "press" and not wheel:
            self._held = None
        layer = self._layer(event)
        if layer is not None and layer.bounds is not None:
            component, left, top = layer.panel, layer.bounds.column, layer.bounds.row
        else:
            spot = self._screen.spot(event.y)
            if spot is None:
                return False
            component, left, top = spot.component, 0, event.y - spot.row
        taken = _tell(component, event, left, top)
        if layer is not None and not wheel:
            taken = True  # what lies below it is not meant
        if taken and event.action == "press" and not wheel:
            self._held = component, left, top
        return taken

    def _layer(self, event: Mouse) -> "Layer | None":
        overlays = self._overlays()
        return None if overlays is None else overlays.under(event)

    def _on_link(self, event: Mouse) -> bool:
        """Whether a link is pressed: it goes before whatever it lies in. A click opens its page."""
        address = self._screen.viewport.link(event.x, event.y)
        here = None if address is None else (address, event.x, event.y)
        before, self._link = self._link, None
        if event.action == "release":
            if here is not None and here == before and here[0].lower().startswith(PAGES):
                self._follow(here[0])
            return False
        if here is None or event.button != "left":
            return False
        self._link, self._held = here, None
        return True


def _tell(component: Any, event: Mouse, left: int, top: int) -> bool:
    heard = getattr(component, "mouse", None)
    return heard is not None and bool(heard(event._replace(x=event.x - left, y=event.y - top)))
