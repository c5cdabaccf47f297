"""Who has the keyboard, and when the next frame is drawn."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from pi.errors import PiError
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import Picker, Stage
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.terminal import Terminal
from pi.modes.interactive.view import Cover, Key, Panel

if TYPE_CHECKING:
    from pi.modes.interactive.overlays import Layer, Overlays
    from pi.modes.interactive.pointer import Pointer
    from pi.runtime.overlay import Overlay

__all__ = ["Desk"]

T = TypeVar("T")
P = ParamSpec("P")

FRAME = 1 / 30
"""Seconds between two frames while something streams; a key is shown at once."""

WRITING = 0.7
"""Seconds between two keys of somebody who is still writing."""

OF_WRITING = frozenset(
    {"tui.input.newLine", "tui.editor.deleteCharBackward", "tui.editor.deleteWordBackward"}
)
ENDS_OF_WRITING = frozenset({"tui.input.submit"})

LEAST_ROWS = 5
MARGIN_ROWS = 4
"""Left to the conversation and the footer by a panel over the editor."""


class Desk:
    """Panels on a screen, the last one opened with the keyboard.

    home: the panel that is there while no other is open. overlays: what floats over all that, None
    until there was something. frame: what is to be seen now; with no
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
        self.overlays: Overlays | None = None
        self._pointer: Pointer | None = None
        self._answers: list[asyncio.Future[Any]] = []
        self._ended = 0  # panels that are done and still there
        self._starting = 0  # what was begun and has done nothing yet
        self._ahead: list[Key] = []  # pressed since
        self._wrote = -math.inf  # when somebody last wrote in `home`, and has not sent it
        self._astray = -math.inf  # the same, of what nobody takes
        self._loop = asyncio.get_running_loop()
        self._drawing: asyncio.Handle | None = None
        self._drawn_at = 0.0

    @property
    def bottom(self) -> Panel | None:
        """The panel in the editor's place."""
        return self.panels[-1] if self.panels else self.home

    @property
    def focus(self) -> Panel | None:
        """The panel that has the keyboard."""
        if self.overlays is not None and self.overlays.layers:
            if (layer := self.overlays.focused) is not None:
                return layer.panel
            if self.overlays.has_nobody:
                return None
        return self.bottom

    @property
    def over(self) -> Cover | None:
        """What is to be laid over the frame."""
        overlays = self.overlays
        return overlays if overlays is not None and overlays.visible() else None

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
        bottom = self.bottom
        self.fit_panel()
        return Frame((), () if bottom is None else (bottom,), self.focus, over=self.over)

    def fit_panel(self) -> None:
        """Give the panel over the editor its height."""
        if self.panels:
            _, rows = self.screen.size
            others = 0 if self.home is None else MARGIN_ROWS
            self.panels[-1].height = max(LEAST_ROWS, rows - others)

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
        """What the terminal sends. Each key ends in a frame.

        What is typed on after an answer is for what comes next, so it waits for that. A question
        that comes up while somebody writes is not answered by the rest of the sentence, nor by the
        Enter that ends it: those go where the sentence began, until there is a pause. Where nobody
        took its beginning, such as before the editor is there, nobody gets the rest.
        """
        if self._ended or self._starting:
            self._ahead.append(key)
            return
        now = self._loop.time()
        actions = self.stage.keymap.actions(key)
        written = bool(key.text) or not OF_WRITING.isdisjoint(actions)
        ending = not ENDS_OF_WRITING.isdisjoint(actions)
        if (written or ending) and now - self._astray < WRITING:
            self._astray = now if written else -math.inf
            return
        focus = self.focus
        if (written or ending) and now - self._wrote < WRITING:
            focus = self.home
        self._wrote = now if written and focus is self.home else -math.inf
        try:
            taken = focus is not None and focus.handle(key)
            if not taken:
                taken = any(handler(key) for handler in self.on_key)
            if written and not taken and focus not in (None, self.home):
                self._astray = now
        except PiError as error:
            self.on_error(error)
        self.refresh(now=True)

    def pause(self) -> None:
        """Whoever wrote does something else now: the keys are for who has the keyboard."""
        self._wrote = self._astray = -math.inf

    def point(self, event: Mouse) -> bool:
        """What the mouse does in fullscreen mode; False where it is for scrolling and selecting."""
        if self._pointer is None:
            from pi.modes.interactive.pointer import Pointer  # noqa: PLC0415  (with the first event)

            self._pointer = Pointer(self.screen, lambda: self.overlays)
        try:
            taken = self._pointer.act(event)
        except PiError as error:
            self.on_error(error)
            taken = True
        if taken:
            self.pause()
            self.refresh(now=True)
        return taken

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
        if self.closed:
            return None
        answer: asyncio.Future[Any] = self._loop.create_future()

        panel = make(self._end_of(answer))
        self._answers.append(answer)
        self.panels.append(panel)
        if self.overlays is not None:
            self.overlays.bottom_opened(panel)
        self.refresh(now=True)
        try:
            return await answer
        finally:
            self._answered(answer)
            self.panels.remove(panel)
            if self.overlays is not None:
                self.overlays.bottom_closed(panel)
            if isinstance(panel, Picker):
                panel.close()
            self.refresh(now=True)

    async def open_over(
        self,
        make: Callable[[Callable[[Any], None]], Panel],
        options: "Overlay | Callable[[], Overlay]",
        shown: Callable[["Layer"], None],
    ) -> Any:
        """As `open`, but over everything. shown: gets the handle."""
        if self.closed:
            return None
        answer: asyncio.Future[Any] = self._loop.create_future()
        done = self._end_of(answer)
        layer = self.lay_over(make(done), options, done)
        self._answers.append(answer)
        try:
            shown(layer)
            return await answer
        finally:
            self._answered(answer)
            layer.close()

    def _end_of(self, answer: "asyncio.Future[Any]") -> Callable[[Any], None]:
        """What ends a panel with a value; a second one is not heard."""

        def done(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)
                self._ended += 1

        return done

    def _answered(self, answer: "asyncio.Future[Any]") -> None:
        """Whoever waited goes on now, and opens the next panel before keys that wait are heard."""
        self._answers.remove(answer)
        if self._ended:
            self._ended = 0
            self._loop.call_soon(self._go_on)

    def wait_for_start(self) -> None:
        """Let keys wait for the first step of the task just made: what it opens is to get them."""
        self._starting += 1
        self._loop.call_soon(self._started)  # comes after the task's step

    def _started(self) -> None:
        self._starting -= 1
        self._go_on()

    def _go_on(self) -> None:
        while self._ahead and not (self._ended or self._starting):
            self.key(self._ahead.pop(0))

    def lay_over(
        self,
        panel: Panel,
        options: "Overlay | Callable[[], Overlay]",
        done: Callable[[Any], None] = lambda value: None,
    ) -> "Layer":
        """Show a panel over everything, until its handle is closed: `done` gets with what."""
        if self.overlays is None:
            # For extensions that show one, not when pi starts.
            from pi.modes.interactive.overlays import Overlays  # noqa: PLC0415

            self.overlays = Overlays(
                lambda: self.bottom, lambda: self.refresh(now=True), lambda: self.screen.size
            )
        return self.overlays.open(panel, options, done)

    def _later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(seconds, call).cancel

    def _post(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


def _nothing() -> None:
    pass


def _raised(error: PiError) -> None:
    raise error
