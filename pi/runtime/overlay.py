"""How an overlay of an extension wants to lie on the screen, and the way back to it.

Plain data: the terminal works out the cells (`pi.modes.interactive.overlays`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, get_args

__all__ = ["Anchor", "Bounds", "Overlay", "OverlayHandle", "Size"]

Anchor = Literal[
    "center",
    "top-left",
    "top-center",
    "top-right",
    "left-center",
    "right-center",
    "bottom-left",
    "bottom-center",
    "bottom-right",
]
Size = float | str
"""Cells, or a share of the terminal: "50%"."""

_SHARE = re.compile(r"-?\d+(?:\.\d+)?%")
_SIDES = ("top", "right", "bottom", "left")


class Bounds(NamedTuple):
    """Cells of the terminal, from 0."""

    row: int
    column: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Overlay:
    """width: 80 cells where nothing is said. max_height: what is more is not shown.

    row, column: instead of `anchor`; a share goes from one margin ("0%") to the other ("100%").
    margin: cells kept free at all sides, or by side: {"top": 1, "right": 2}.
    visible: asked before each frame with the terminal's columns and rows.
    capturing: whether it takes the keyboard when it is shown. ValueError for what is no size.
    """

    anchor: Anchor = "center"
    width: Size | None = None
    min_width: int | None = None
    max_height: Size | None = None
    row: Size | None = None
    column: Size | None = None
    offset_x: int = 0
    offset_y: int = 0
    margin: int | Mapping[str, int] = field(default=0)
    visible: Callable[[int, int], bool] | None = None
    capturing: bool = True

    def __post_init__(self) -> None:
        if self.anchor not in get_args(Anchor):
            raise ValueError(f"an overlay has no anchor {self.anchor!r}")
        for name in ("width", "min_width", "max_height", "row", "column", "offset_x", "offset_y"):
            value = getattr(self, name)
            share = name not in ("min_width", "offset_x", "offset_y")
            if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
                continue
            if not (share and isinstance(value, str) and _SHARE.fullmatch(value)):
                wanted = 'a number or a share such as "50%"' if share else "a number"
                raise ValueError(f"{name} of an overlay must be {wanted}, not {value!r}")
        if not isinstance(self.margin, int):
            wrong = [side for side in self.margin if side not in _SIDES]
            if wrong:
                raise ValueError(f"an overlay has no margin {wrong[0]!r}")


class OverlayHandle(Protocol):
    """What shows, hides and focuses an overlay.

    bounds: where it was drawn last, None while it is not to be seen.
    """

    @property
    def hidden(self) -> bool: ...
    @property
    def focused(self) -> bool: ...
    @property
    def bounds(self) -> Bounds | None: ...

    def hide(self) -> None: ...
    def show(self) -> None: ...

    def focus(self) -> None:
        """Give it the keyboard, and put it in front of the others."""

    def unfocus(self, to: "OverlayHandle | Literal['editor', 'nobody'] | None" = None) -> None:
        """Take the keyboard away from it, until `focus`.

        to: who has it then: another overlay, what is at the bottom ("editor"), or nobody but the
        keys of the application. None: the overlay that had it before, or what is at the bottom.
        """

    def close(self, value: Any = None) -> None:
        """Take it away. What `custom` waits for is then `value`."""
