"""Reading in fullscreen mode: scrolling, searching and selecting by keyboard and mouse."""

import time
from collections.abc import Callable
from typing import Literal

from pi.modes.interactive.cells import cut, width
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import decode_mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.field import TextField
from pi.modes.interactive.view import Key, Lines
from pi.modes.interactive.viewport import Viewport

__all__ = ["Reading", "Wheel"]

Wheel = float | Literal["auto"]

_FAST = 0.06
"""Seconds between two turns of a wheel that is spun."""
_MOST = 6
_ALT = 5
_DOUBLE = 0.5
"""Seconds between two presses at one place that belong together."""


class Reading:
    """Moves a viewport; a panel too, with the search's text, while `searching`.

    copy: puts text into the clipboard. wheel: lines a turn, "auto" for more when it is spun;
    copy_on_select: what is selected is copied at once.
    """

    height = 1

    def __init__(
        self,
        viewport: Viewport,
        keymap: Callable[[], Keymap],
        theme: Theme,
        copy: Callable[[str], None],
        *,
        wheel: Wheel = "auto",
        copy_on_select: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.viewport, self.theme = viewport, theme
        self.wheel: Wheel = wheel
        self.copy_on_select = copy_on_select
        self.searching = False
        self.cursor: tuple[int, int] | None = None
        self._keymap, self._copy, self._clock = keymap, copy, clock
        self._field = TextField(placeholder="search the conversation")
        self._found = (0, 0)
        self._turned = 0.0
        self._speed = 1
        self._pressed = (0.0, -1, -1, 0)  # when and where last, and how often in a row

    # The search's panel

    def render(self, width_: int) -> Lines:
        if not self.searching:
            return ()
        at, count = self._found
        note = f"{at} of {count}" if count else "not found" if self._field.text else ""
        label = self.theme.fg("accent", " / ")
        room = max(4, width_ - 5 - width(note))
        text, column = self._field.draw(self.theme, room)
        self.cursor = (0, 3 + column)
        space = " " * max(1, width_ - 4 - width(text) - width(note))
        return (cut(f"{label}{text}{space}{self.theme.fg('muted', note)} ", width_),)

    def invalidate(self) -> None:
        """Nothing is kept."""

    # Keys and mouse

    def handle(self, key: Key, listing: bool = False) -> bool:
        """Act on a key or a mouse event. listing: a panel is open that scrolls by itself."""
        if key.name == "mouse":
            return self._mouse(key.data)
        actions = self._keymap().actions(key)
        if self.searching and self._search_key(key, actions):
            return True
        if "tui.altScreen.search" in actions:
            self.searching, self._found = True, (0, 0)
            self._field.text = ""
            return True
        if "tui.input.copy" in actions and (text := self.viewport.selected_text()):
            self._copy(text)
            self.viewport.selection = None
            return True
        return not listing and any(self._scroll(action) for action in actions)

    def _scroll(self, action: str) -> bool:
        view = self.viewport
        page = max(1, view.height - 2)
        match action:
            case "tui.altScreen.pageUp":
                view.scroll(-page)
            case "tui.altScreen.pageDown":
                view.scroll(page)
            case "tui.altScreen.halfPageUp":
                view.scroll(-max(1, view.height // 2))
            case "tui.altScreen.halfPageDown":
                view.scroll(max(1, view.height // 2))
            case "tui.altScreen.lineUp":
                view.scroll(-1)
            case "tui.altScreen.lineDown":
                view.scroll(1)
            case "tui.altScreen.previousPrompt":
                view.jump(-1)
            case "tui.altScreen.nextPrompt":
                view.jump(1)
            case "tui.altScreen.top":
                view.to_start()
            case "tui.altScreen.bottom":
                view.to_end()
            case _:
                return False
        return True

    def _search_key(self, key: Key, actions: tuple[str, ...]) -> bool:
        if "tui.altScreen.searchClose" in actions:
            self.searching, self.cursor = False, None
            self.viewport.search("")
            return True
        for action, step in (("searchNext", 1), ("searchPrevious", -1)):
            if f"tui.altScreen.{action}" in actions:
                self._found = self.viewport.search_step(1 if step > 0 else -1)
                return True
        before = self._field.text
        if not self._field.act(key, actions):
            return False
        if self._field.text != before:
            self.viewport.search(self._field.text)
            self._found = self.viewport.search_place()
        return True

    def _mouse(self, data: str) -> bool:
        mouse = decode_mouse(data)
        if mouse is None:
            return False
        if mouse.button in ("wheelUp", "wheelDown"):
            lines = self._lines() * (_ALT if mouse.alt else 1)
            self.viewport.scroll(-lines if mouse.button == "wheelUp" else lines)
        elif mouse.button == "left" and mouse.action == "press":
            return self._press(mouse.x, mouse.y)
        elif mouse.button == "left" and mouse.action == "drag":
            self.viewport.drag(mouse.x, mouse.y)
        elif mouse.action == "release":
            text = self.viewport.release()
            if text and self.copy_on_select:
                self._copy(text)
        else:
            return False
        return True

    def _press(self, x: int, y: int) -> bool:
        """One starts to select by letters, two take a word, three a paragraph."""
        now, (before, *place, count) = self._clock(), self._pressed
        again = now - before < _DOUBLE and place == [x, y]
        count = count % 3 + 1 if again else 1
        self._pressed = now, x, y, count
        if not self.viewport.press(x, y):
            return False
        if count > 1:
            self.viewport.widen("word" if count == 2 else "paragraph")
        return True

    def _lines(self) -> int:
        """Lines that a turn of the wheel moves by."""
        if self.wheel != "auto":
            return max(1, round(self.wheel))
        now = self._clock()
        spun = now - self._turned < _FAST
        self._speed = min(_MOST, self._speed + 1) if spun else 1
        self._turned = now
        return self._speed
