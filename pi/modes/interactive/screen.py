"""The screen: frames in, as few bytes as possible out.

A frame is the conversation so far and what stands below it. In regular mode the conversation goes
on in the terminal's own scrollback (inline.py); in fullscreen mode a part of it is looked at
through a viewport on the alternate screen (viewport.py). Either way a frame is one write, inside
synchronized output, and only rows that differ from what is shown are written.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from pi.modes.interactive.cells import crop, width
from pi.modes.interactive.inline import Inline
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Component, Cover, Lines, Panel, Spot
from pi.modes.interactive.viewport import Scrollbar, Viewport

__all__ = ["Frame", "Output", "Screen", "ScreenMode"]

ScreenMode = Literal["regular", "fullscreen"]

_BEGIN = "\x1b[?2026h\x1b[?25l\x1b[?7l"
_END = "\x1b[?7h"
_SYNC_END = "\x1b[?2026l"
_CURSOR_ON = "\x1b[?25h"
_RESTORE = "\x1b[?7h\x1b[0m\x1b[?25h"
_PART = 200
"""Components written at once."""


class _Size(Protocol):
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...


class Output(Protocol):
    """What is written to: a prompt_toolkit Output, or anything with these three."""

    def write_raw(self, data: str) -> None: ...
    def flush(self) -> None: ...
    def get_size(self) -> _Size: ...


class Frame(NamedTuple):
    """What is to be seen.

    transcript: the conversation, oldest first; it only ever grows at its end (else `restart`).
    bottom: what stands below it, top to bottom: status, widgets, the editor, the footer.
    focus: the panel among `bottom` whose cursor is the terminal's.
    draws_caret: the panel draws the caret itself; the terminal's own cursor is put there unseen,
        for input methods.
    over: what lies over all of it, if something does.
    """

    transcript: Sequence[Component]
    bottom: Sequence[Component]
    focus: Panel | None = None
    draws_caret: bool = False
    over: Cover | None = None


class Screen:
    """Paints frames on an output.

    switch: sets the modes of fullscreen mode (alternate screen, mouse) where somebody else keeps
        account of them; the screen writes them itself otherwise.
    reflows: whether the terminal breaks long rows anew when it becomes narrower, as most do.
    scrollbar: of fullscreen mode. theme: for scrollbar, matches and selection there.
    refill: in regular mode, see Inline.
    """

    def __init__(
        self,
        output: Output,
        theme: Theme,
        mode: ScreenMode = "regular",
        *,
        switch: Callable[[bool], None] | None = None,
        reflows: bool = True,
        scrollbar: Scrollbar = "auto",
        refill: bool = False,
    ) -> None:
        self.mode: ScreenMode = mode
        self._output = output
        self._switch = switch
        self._inline = Inline(reflows)
        self._inline.refill = refill
        self.viewport = Viewport(theme, scrollbar)
        self._cursor_shown = True
        self._open = False
        self._below: list[tuple[int, Component]] = []  # first rows of what is below the transcript

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        size = self._output.get_size()
        return max(1, size.columns), max(1, size.rows)

    @property
    def committed(self) -> int:
        """Components of the transcript that the terminal has for good (regular mode)."""
        return self._inline.done

    def spot(self, row: int) -> Spot | None:
        """What fullscreen mode shows on a row; None where nothing is."""
        if row < self.viewport.height:
            return self.viewport.spot(row)
        for first, component in reversed(self._below):
            if first <= row - self.viewport.height:
                return Spot(component, row - self.viewport.height - first)
        return None

    def set_refill(self, refill: bool) -> None:
        self._inline.refill = refill

    def set_theme(self, theme: Theme) -> None:
        self.viewport.theme = theme
        self.viewport.forget()

    def draw(self, frame: Frame) -> None:
        """Show a frame. Nothing is written when nothing has changed."""
        columns, rows = self.size
        bottom, cursor, self._below = _bottom(frame, columns, rows)
        parts: list[str] = []
        if self.mode == "regular":
            self._catch_up(frame.transcript, bottom, columns, rows)
            self._inline.paint(parts, frame.transcript, bottom, cursor, columns, rows, frame.over)
        else:
            if not self._open:
                if self._switch is not None:
                    self._switch(True)
                parts.append(self.viewport.enter(modes=self._switch is None))
            self.viewport.paint(parts, frame.transcript, bottom, cursor, columns, rows, frame.over)
        self._open = True
        show = cursor is not None and not frame.draws_caret
        if frame.over is not None:
            show = show or frame.over.cursor is not None
        if not parts and show == self._cursor_shown:
            return
        self._cursor_shown = show
        self._write(_BEGIN + "".join(parts) + _END + _CURSOR_ON * show + _SYNC_END)

    def _catch_up(
        self, transcript: Sequence[Component], bottom: list[str], columns: int, rows: int
    ) -> None:
        """Write a long conversation in parts, so that never all its rows are in memory."""
        while len(transcript) - self._inline.done > 2 * _PART:
            before = self._inline.done
            parts: list[str] = []
            part = transcript[: before + _PART]
            self._inline.paint(parts, part, bottom, None, columns, rows)
            if parts:
                self._open, self._cursor_shown = True, False
                self._write(_BEGIN + "".join(parts) + _END + _SYNC_END)
            if self._inline.done == before:
                return

    def switch(self, mode: ScreenMode) -> None:
        """Change the mode; the next frame is drawn in it.

        Back in regular mode, what was written meanwhile goes through the scrollback as well.
        """
        if mode != self.mode:
            self.suspend()
            self.mode = mode

    def restart(self, *, keep: bool = True) -> None:
        """Another transcript from here on.

        keep: in regular mode, what is shown of this one stays above it. What the terminal's
        scrollback has stays in any case.
        """
        parts: list[str] = []
        self._inline.restart(parts, keep=keep)
        self.viewport.restart()
        if parts and self.mode == "regular" and self._open:
            self._write(_BEGIN + "".join(parts) + _END + _SYNC_END)
            self._cursor_shown = False

    def suspend(self) -> None:
        """Leave the terminal to another program: cursor below everything, modes as they were.

        The next frame takes it back and is drawn from nothing, below what is there then.
        """
        self._leave(last=False)

    def _leave(self, *, last: bool) -> None:
        if not self._open:
            return
        self._open = False
        parts: list[str] = []
        if self.mode == "regular":
            self._inline.leave(parts, last=last)
        else:
            parts.append(self.viewport.leave(modes=self._switch is None))
        self._cursor_shown = True
        self._write(_BEGIN + "".join(parts) + _RESTORE + _SYNC_END)
        if self.mode == "fullscreen" and self._switch is not None:
            self._switch(False)

    def close(self, rows: Lines = (), transcript: Sequence[Component] | None = None) -> None:
        """The end: the cursor below everything, the terminal as it was found.

        rows: last words, printed there. transcript: printed before them where fullscreen mode ends
        (fullscreenExitOutput "transcript"), so that the terminal's scrollback has it.
        """
        columns, _ = self.size
        fullscreen = self.mode == "fullscreen"
        self._leave(last=True)
        lines: list[str] = []
        if fullscreen and transcript is not None:
            for component in transcript:
                lines += component.render(columns)
        lines += rows
        if lines:
            fitting = (row if width(row) <= columns else crop(row, 0, columns) for row in lines)
            self._write("\x1b[?7l" + "".join(f"{row}\r\n" for row in fitting) + "\x1b[?7h")

    def forget(self) -> None:
        """What the terminal shows is not known any more: the next frame is drawn from nothing.

        In regular mode from the cursor on, as whatever has been written stands above it.
        """
        self._inline.forget()
        self.viewport.forget()

    def _write(self, data: str) -> None:
        self._output.write_raw(data)
        self._output.flush()


def _bottom(
    frame: Frame, columns: int, rows: int
) -> tuple[list[str], tuple[int, int] | None, list[tuple[int, Component]]]:
    """The rows below the transcript, no more than the terminal has, and the cursor among them.

    Also each component with its first row there, negative where that has no room.
    """
    bottom: list[str] = []
    cursor: tuple[int, int] | None = None
    starts: list[tuple[int, Component]] = []
    for component in frame.bottom:
        lines = component.render(columns)
        if lines:
            starts.append((len(bottom), component))
        if component is frame.focus and frame.focus is not None:
            at = frame.focus.cursor
            if at is not None:
                cursor = len(bottom) + at[0], min(at[1], columns - 1)
        bottom += lines
    if len(bottom) > rows:
        first = len(bottom) - rows
        if cursor is not None:
            first = min(first, cursor[0])
            cursor = cursor[0] - first, cursor[1]
        bottom = bottom[first : first + rows]
        starts = [(start - first, component) for start, component in starts]
    return bottom, cursor, starts
