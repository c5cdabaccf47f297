"""Who has the keyboard, and when the next frame is drawn."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from pi.errors import PiError
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import Picker, Stage
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.terminal import Terminal
from pi.modes.interactive.view import Key, Panel

__all__ = ["Desk"]

T = TypeVar("T")
P = ParamSpec("P")

FRAME = 1 / 30
"""Seconds between two frames while something streams; a key is shown at once."""

LEAST_ROWS = 5
MARGIN_ROWS = 4
"""Left to the conversation and the footer by a panel over the editor."""


class Desk:
    """Panels on a screen, the last one opened with the keyboard.

    home: the panel that is there while no other is open. frame: what is to be seen now; with no
    conversation yet, just the panel. on_key: gets what the focused panel leaves. on_error: is told
    what a key led to. drawn: called after each frame.
    """

    def __init__(self, terminal: Terminal, screen: Screen, theme: Theme, keymap: Keymap) -> None:
        self.terminal, self.screen = terminal, screen
        self.stage = Stage(theme, keymap, self.refresh, self._later, self._post)
        self.home: Panel | None = None
        self.frame: Callable[[], Frame] = self._only_panel
        self.on_key: list[Callable[[Key], bool]] = []
        self.on_error: Callable[[PiError], None] = _raised
        self.drawn: Callable[[], None] = _nothing
        self.closed = False
        self.panels: list[Panel] = []
        self._answers: list[asyncio.Future[Any]] = []
        self._loop = asyncio.get_running_loop()
        self._drawing: asyncio.Handle | None = None
        self._drawn_at = 0.0

    @property
    def focus(self) -> Panel | None:
        return self.panels[-1] if self.panels else self.home

    # Frames

    def refresh(self, *, now: bool = False) -> None:
        """Draw before long, at once for what a person did. Many calls make one frame."""
        if self.closed:
            return
        if self._drawing is not None:
            if not now:
                return
            self._drawing.cancel()
        wait = 0.0 if now else self._drawn_at + FRAME - time.monotonic()
        if wait <= 0:
            self._drawing = self._loop.call_soon(self._draw)
        else:
            self._drawing = self._loop.call_later(wait, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        if self.closed or self.terminal.lost:
            return
        self.screen.draw(self.frame())
        # After the frame: one that takes long, on a slow line, leaves time for other things.
        self._drawn_at = time.monotonic()
        self.drawn()

    def _only_panel(self) -> Frame:
        focus = self.focus
        self.fit_panel()
        return Frame((), () if focus is None else (focus,), focus)

    def fit_panel(self) -> None:
        """Give the panel over the editor its height."""
        if self.panels:
            _, rows = self.screen.size
            self.panels[-1].height = max(LEAST_ROWS, rows - MARGIN_ROWS)

    def lost(self) -> None:
        """The terminal is gone: questions that are open get no answer."""
        for answer in list(self._answers):
            if not answer.done():
                answer.set_result(None)

    def close(self) -> None:
        self.closed = True
        if self._drawing is not None:
            self._drawing.cancel()
        for panel in self.panels:
            if isinstance(panel, Picker):
                panel.close()

    # Keys

    def key(self, key: Key) -> None:
        """What the terminal sends. Each key ends in a frame."""
        focus = self.focus
        try:
            if focus is None or not focus.handle(key):
                any(handler(key) for handler in self.on_key)
        except PiError as error:
            self.on_error(error)
        self.refresh(now=True)

    async def ask(
        self,
        kind: Callable[Concatenate[Stage, Callable[[T | None], None], P], Panel],
        *args: P.args,
        **options: P.kwargs,
    ) -> T | None:
        """Open a picker and wait for what it ends with; None when it was left.

        kind: its class; args and options: what it takes after the stage and the way to end it.
        """
        answer: T | None = await self.open(lambda done: kind(self.stage, done, *args, **options))
        return answer

    async def open(self, make: Callable[[Callable[[Any], None]], Panel]) -> Any:
        """The same for any panel. make: gets the function that ends it."""
        answer: asyncio.Future[Any] = self._loop.create_future()

        def done(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        panel = make(done)
        self._answers.append(answer)
        self.panels.append(panel)
        self.refresh(now=True)
        try:
            return await answer
        finally:
            self._answers.remove(answer)
            self.panels.remove(panel)
            if isinstance(panel, Picker):
                panel.close()
            self.refresh(now=True)

    def _later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(seconds, call).cancel

    def _post(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


def _nothing() -> None:
    pass


def _raised(error: PiError) -> None:
    raise error
