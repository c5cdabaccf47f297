"""Ctrl-C, SIGTERM and SIGHUP while a run is under way: end it in order, then exit 128 + n."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Received", "aborts_on_signals"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""SIGHUP is absent on Windows."""


class Received:
    """Which signal came, if any."""

    number: int | None = None

    @property
    def exit_code(self) -> int | None:
        """128 + n, as a shell reports it."""
        return None if self.number is None else 128 + self.number


@contextmanager
def aborts_on_signals(abort: Callable[[], None]) -> Iterator[Received]:
    """Call `abort` in the event loop at the first signal; cancel the current task at a second one.

    Plain handlers rather than the loop's own: these also work on Windows, and while a write to a
    stalled reader blocks the loop.
    """
    received = Received()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "runs inside an event loop's task"

    def handle(number: int, frame: FrameType | None) -> None:
        again = received.number is not None
        received.number = received.number or number
        loop.call_soon_threadsafe(task.cancel if again else abort)

    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # A signal the parent ignores (nohup) stays ignored.
    handled = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
