"""Overlays: panels that float over what else is on the screen.

They lie on the terminal's rows, not on the conversation's: a frame is made without them, and the
rows that they cover are made of both just before it is written. Nothing here is loaded, and
nothing is done, before an extension shows one.
"""

import itertools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pi.modes.interactive.cells import crop, pad, width
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.view import Lines, Panel
from pi.runtime.overlay import Bounds, Overlay, OverlayHandle, Size

__all__ = ["Layer", "Overlays", "laid_over", "place"]

USUAL_WIDTH = 80
_UP = re.compile(r"\x1b\[(\d+)A")
_IMAGES = "\x1b_G", "\x1b]1337;"
_PLAIN = "\x1b[0m"
_NO_LINK = "\x1b]8;;\x1b\\"


class Layer:
    """One overlay, and the handle to it. options: what it wants, asked anew for each frame.

    order: of two that overlap, the one with the higher lies in front. claim: who has the highest
    has the keyboard; None for one that does not want it.
    """

    def __init__(
        self,
        overlays: "Overlays",
        panel: Panel,
        options: Callable[[], Overlay],
        done: Callable[[Any], None],
    ) -> None:
        self.panel = panel
        self._overlays, self._options, self._done = overlays, options, done
        self._hidden = self.closed = False
        self.bounds: Bounds | None = None
        self.order = overlays.next()
        self.claim = self.order if options().capturing else None

    @property
    def hidden(self) -> bool:
        return self._hidden

    @property
    def focused(self) -> bool:
        return self._overlays.focused is self

    def hide(self) -> None:
        self._hidden = True
        self._overlays.changed()

    def show(self) -> None:
        self._hidden = False
        if self._options().capturing:
            self.claim = self._overlays.next()
        self._overlays.changed()

    def focus(self) -> None:
        self.order = self.claim = self._overlays.next()
        self._overlays.changed()

    def unfocus(self, to: "OverlayHandle | Literal['editor', 'nobody'] | None" = None) -> None:
        self.claim = None
        if isinstance(to, str):
            self._overlays.give(to)
        elif to is not None:
            to.focus()
        self._overlays.changed()

    def close(self, value: Any = None) -> None:
        if not self.closed:
            self.closed = True
            self._overlays.remove(self)
            self._done(value)

    def is_visible(self, columns: int, rows: int) -> bool:
        if self._hidden:
            return False
        asked = self._options().visible
        return asked is None or bool(asked(columns, rows))

    def draw(self, columns: int, rows: int) -> Lines:
        """Its rows, each to be laid from `bounds` on; sets `bounds`."""
        options = self._options()
        free = _room(options, columns, rows)
        size = _width(options, columns, free.width)
        most = free.height if options.max_height is None else _cells(options.max_height, rows)
        most = max(1, min(most, free.height))
        self.panel.height = most
        lines = self.panel.render(size)[:most]
        self.bounds = place(options, columns, rows, len(lines))
        return lines


class Overlays:
    """Those that are open, and who of them and of what lies below has the keyboard.

    bottom: the panel at the editor's place. changed: something is to be drawn anew. size: columns
    and rows. cursor: where the terminal's cursor belongs, after `cover`.
    """

    def __init__(
        self,
        bottom: Callable[[], Panel | None],
        changed: Callable[[], None],
        size: Callable[[], tuple[int, int]],
    ) -> None:
        self.changed = changed
        self.layers: list[Layer] = []
        self.cursor: tuple[int, int] | None = None
        self._bottom, self._size = bottom, size
        self._count = itertools.count(1)
        self._claims: dict[int, int] = {}  # of panels at the bottom, by their identity
        self._nobody = 0

    def next(self) -> int:
        return next(self._count)

    def open(
        self,
        panel: Panel,
        options: Overlay | Callable[[], Overlay],
        done: Callable[[Any], None] = lambda value: None,
    ) -> Layer:
        """done: gets the value that it is closed with."""
        layer = Layer(self, panel, options if callable(options) else lambda: options, done)
        self.layers.append(layer)
        self.changed()
        return layer

    def remove(self, layer: Layer) -> None:
        if layer in self.layers:
            self.layers.remove(layer)
            layer.bounds = None
            self.changed()

    def clear(self) -> None:
        """Close them all."""
        for layer in list(self.layers):
            layer.close()

    def invalidate(self) -> None:
        for layer in self.layers:
            layer.panel.invalidate()

    def visible(self) -> list[Layer]:
        """From the back to the front."""
        size = self._size()
        found = [layer for layer in self.layers if layer.is_visible(*size)]
        return sorted(found, key=lambda layer: layer.order)

    # The keyboard

    @property
    def focused(self) -> Layer | None:
        """The overlay that has the keyboard; see `has_nobody` where there is none."""
        wanting = [layer for layer in self.visible() if layer.claim is not None]
        if not wanting:
            return None
        first = max(wanting, key=lambda layer: layer.claim or 0)
        return first if (first.claim or 0) > max(self._nobody, self._bottom_claim()) else None

    @property
    def has_nobody(self) -> bool:
        """Whether no panel at all has the keyboard."""
        return self.focused is None and self._nobody > self._bottom_claim()

    def give(self, to: Literal["editor", "nobody"]) -> None:
        if to == "nobody":
            self._nobody = self.next()
        else:
            self.bottom_opened(self._bottom())

    def bottom_opened(self, panel: Panel | None) -> None:
        """A panel at the bottom has the keyboard now, until it goes."""
        self._claims[id(panel)] = self.next()

    def bottom_closed(self, panel: Panel) -> None:
        self._claims.pop(id(panel), None)

    def _bottom_claim(self) -> int:
        return self._claims.get(id(self._bottom()), 0)

    # Drawing

    def cover(self, rows: list[str], columns: int) -> dict[int, str]:
        """The rows that are other ones with the overlays on them. rows: all of the terminal."""
        covered: dict[int, str] = {}
        focused = self.focused
        self.cursor = None
        for layer in self.visible():
            if hasattr(layer.panel, "focused"):
                layer.panel.focused = layer is focused
            lines = layer.draw(columns, len(rows))
            bounds = layer.bounds
            assert bounds is not None, "it has been drawn"
            for at, line in enumerate(lines, bounds.row):
                if 0 <= at < len(rows):
                    below = covered.get(at, rows[at])
                    if _is_image(below):
                        below = ""
                    covered[at] = laid_over(below, line, bounds.column, bounds.width, columns)
            if layer is focused:
                self.cursor = _cursor(layer.panel.cursor, bounds, columns, len(rows))
        for at, below in enumerate(rows):
            # An image lies over text, and is drawn from its last row on upwards.
            if at not in covered and _is_image(below):
                up = _UP.search(below)
                first = at - (int(up[1]) if up else 0)
                if any(first <= other <= at for other in covered):
                    covered[at] = ""
        return covered

    # The mouse

    def under(self, event: Mouse) -> Layer | None:
        """The frontmost one at a place. A press gives it the keyboard, if it wants that."""
        for layer in reversed(self.visible()):
            bounds = layer.bounds
            if bounds is None:
                continue
            x, y = event.x - bounds.column, event.y - bounds.row
            if not (0 <= x < bounds.width and 0 <= y < bounds.height):
                continue
            pressed = event.action == "press" and event.button == "left"
            if pressed and layer.claim is not None and not layer.focused:
                layer.focus()
            return layer
        return None


def place(options: Overlay, columns: int, rows: int, height: int) -> Bounds:
    """Where so many rows go on a terminal."""
    free = _room(options, columns, rows)
    size = _width(options, columns, free.width)
    vertical, _, horizontal = options.anchor.partition("-")
    if vertical in ("left", "right"):  # left-center: what is named is the side
        vertical, horizontal = horizontal, vertical
    row = _start(options.row, vertical, free.row, free.height - height) + options.offset_y
    column = _start(options.column, horizontal, free.column, free.width - size) + options.offset_x
    return Bounds(
        max(free.row, min(row, free.row + free.height - height)),
        max(free.column, min(column, free.column + free.width - size)),
        size,
        height,
    )


def laid_over(below: str, row: str, column: int, cells: int, columns: int) -> str:
    """A row with `cells` cells of another on it, from a column on. Half a character is a space."""
    left = pad(crop(below, 0, column), column) if column else ""
    right = crop(below, column + cells, columns) if width(below) > column + cells else ""
    if width(row) > cells:
        row = crop(row, 0, cells)
    if "\x1b" in row:
        row += (_NO_LINK if "\x1b]8;" in row else "") + _PLAIN
    return left + pad(row, cells) + right


def _room(options: Overlay, columns: int, rows: int) -> Bounds:
    """What the margins leave."""
    margin: Mapping[str, int] = {}
    if isinstance(options.margin, int):
        margin = dict.fromkeys(("top", "right", "bottom", "left"), options.margin)
    else:
        margin = options.margin
    top, right, bottom, left = (
        max(0, int(margin.get(side, 0))) for side in ("top", "right", "bottom", "left")
    )
    return Bounds(top, left, max(1, columns - left - right), max(1, rows - top - bottom))


def _width(options: Overlay, columns: int, free: int) -> int:
    wanted = USUAL_WIDTH if options.width is None else _cells(options.width, columns)
    return max(1, min(max(wanted, options.min_width or 0), free))


def _cells(size: Size, whole: int) -> int:
    if isinstance(size, str):
        return math.floor(whole * float(size[:-1]) / 100)
    return int(size)


def _start(wanted: Size | None, side: str, first: int, spare: int) -> int:
    """The first cell. side: of the anchor. spare: cells that are left over beside it."""
    if isinstance(wanted, str):
        return first + math.floor(max(0, spare) * float(wanted[:-1]) / 100)
    if wanted is not None:
        return int(wanted)
    if side in ("top", "left"):
        return first
    return first + spare if side in ("bottom", "right") else first + math.floor(spare / 2)


def _cursor(
    place: tuple[int, int] | None, bounds: Bounds, columns: int, rows: int
) -> tuple[int, int] | None:
    """The place in a panel as one on the terminal; None where it is not to be seen."""
    if place is None or place[0] >= bounds.height:
        return None
    row, column = bounds.row + place[0], bounds.column + min(place[1], bounds.width - 1)
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None


def _is_image(row: str) -> bool:
    return any(start in row for start in _IMAGES)
