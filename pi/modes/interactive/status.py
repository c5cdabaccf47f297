"""Between the conversation and the editor: what the agent is at, and what waits to be said."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pi.modes.interactive.cells import cut
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Lines

__all__ = ["FRAME_SECONDS", "SPINNER", "Status", "elapsed"]

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME_SECONDS = 0.1
LEAST_SECONDS = 1 / 30


@dataclass(slots=True)
class Status:
    """working: what is being done, None when nothing is. since: `time.monotonic` of its start.

    until: when a wait ends, for a countdown. hint: how to end it. steering, follow_up: queued.
    frames: of the spinner, each for `interval` seconds; one for a still one; drawn as they are if
        they are an extension's.
    message: instead of what is being done, of an extension. visible: whether that is shown at all.
    """

    theme: Theme
    working: str | None = None
    since: float = 0.0
    until: float | None = None
    hint: str = ""
    steering: Sequence[str] = ()
    follow_up: Sequence[str] = ()
    queue_hint: str = ""
    frames: Sequence[str] = field(default_factory=lambda: SPINNER)
    interval: float = FRAME_SECONDS
    message: str | None = None
    visible: bool = True
    _idle: list[str] = field(default_factory=lambda: [""])  # apart from the conversation

    def invalidate(self) -> None:
        """Drawn anew at each frame while something goes on: there is nothing to forget."""

    def begin(self, what: str, *, hint: str = "", until: float | None = None) -> None:
        if self.working is None:
            self.since = time.monotonic()
        self.working, self.hint, self.until = what, hint, until

    def end(self) -> None:
        self.working = self.until = None

    def animate(self, frames: Sequence[str] | None, interval: float | None) -> None:
        """Other frames for the spinner; None for the usual ones."""
        self.frames = SPINNER if frames is None else [_clean_frame(frame) for frame in frames]
        self.interval = max(LEAST_SECONDS, interval or FRAME_SECONDS)

    def usual(self) -> None:
        """Without anything of extensions."""
        self.animate(None, None)
        self.message, self.visible = None, True

    @property
    def tick(self) -> float:
        """Seconds until it may look different."""
        return min(self.interval, FRAME_SECONDS)

    def render(self, width: int) -> Lines:
        if (self.working is None or not self.visible) and not self.steering and not self.follow_up:
            return self._idle
        theme, rows = self.theme, [""]
        if self.working is not None and self.visible:
            rows.append(cut(f" {self._line(self.message or self.working)}", width))
        for label, texts in (("Steering", self.steering), ("Follow-up", self.follow_up)):
            rows += (cut(theme.fg("dim", f" {label}: {clean_line(text)}"), width) for text in texts)
        if (self.steering or self.follow_up) and self.queue_hint:
            rows.append(cut(theme.fg("dim", f" ↳ {self.queue_hint}"), width))
        return rows

    def _line(self, what: str) -> str:
        theme, now = self.theme, time.monotonic()
        frame = self.frames[int(now / self.interval) % len(self.frames)] if self.frames else ""
        parts = [f"{clean_line(what)}…"]
        if self.until is not None:
            parts.append(f"in {max(0, round(self.until - now))} s")
        elif now - self.since >= 1:
            parts.append(elapsed(now - self.since))
        text = " ".join(parts)
        hint = f" ({self.hint})" if self.hint else ""
        spinner = f"{theme.fg('accent', frame) if self.frames is SPINNER else frame} "
        if not frame:
            spinner = ""
        return f"{spinner}{theme.fg('muted', text)}{theme.fg('dim', hint)}"


def _clean_frame(frame: str) -> str:
    """A frame of an extension: one line, its colours closed."""
    line = frame.replace("\n", " ").replace("\r", " ")
    return f"{line}\x1b[0m" if "\x1b" in line else line


def elapsed(seconds: float) -> str:
    """9 s, 1 m 05 s, 2 h 03 m"""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
