"""Markdown that extensions change on its way to the screen, also while it arrives.

They get all of a text and may change any of it, so each update costs as much as there is text. Two
things keep that from growing with the square of it: what they leave as it was at the beginning is
not parsed again, and an update that took long is followed by a rest.
"""

import time
from collections.abc import Callable

from pi.modes.interactive.markdown import Markdown
from pi.modes.interactive.transcript.look import Transform

__all__ = ["Shaped"]

REST = 9
"""How many times as long as an update took it waits for the next: it has a tenth of the time."""


class Shaped:
    """A text for `Markdown`, changed by `transform`. settled: see Markdown.

    While the text arrives no row is settled: with the next word the extensions may say all of it
    differently. clock: seconds.
    """

    def __init__(
        self,
        markdown: Markdown,
        transform: Transform,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settled = 0
        self._markdown = markdown
        self._transform = transform
        self._clock = clock
        self._pieces: list[str] = []
        self._finished = False
        self._changed = True
        self._shown: str | None = None  # what they made of it last
        self._patched = False  # what they made of it once was not the beginning of the next
        self._columns = 0
        self._rows: list[str] = []
        self._rest_until = 0.0

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def append(self, text: str) -> None:
        self._pieces.append(text)
        self._changed = True

    def finish(self, text: str | None = None) -> None:
        if text is not None and text != self.text:
            self._pieces = [text]
        if not self._finished or text is not None:
            self._finished = self._changed = True

    def rows(self, columns: int) -> list[str]:
        """The rows, the same list as long as nothing changes, or the last update is too near."""
        started = self._clock()
        fresh = columns != self._columns
        if not fresh and (not self._changed or (not self._finished and started < self._rest_until)):
            return self._rows
        room = max(1, columns - 2 * len(self._markdown.indent))
        text = self._transform(self.text, not self._finished, room)
        self._show(text)
        self._rows, self._columns, self._changed = self._markdown.rows(columns), columns, False
        self.settled = len(self._rows) if self._finished else 0
        now = self._clock()
        self._rest_until = now + REST * (now - started)
        return self._rows

    def _show(self, text: str) -> None:
        if self._shown is not None and not text.startswith(self._shown):
            self._patched = True
        if text != self._shown:
            self._markdown.become(text)
        self._shown = text
        if self._finished:
            if self._patched:
                self._markdown.invalidate()  # where blocks ended was told from another text
            self._markdown.finish()
