"""Ctrl-C, SIGTERM and SIGHUP: end what is under way in order, then exit 128 + n."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Received", "aborts_on_signals", "shuts_down_on_signals"]

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

    with _handling(handle):
        yield received


@contextmanager
def shuts_down_on_signals(shut_down: Callable[[int], None]) -> Iterator[None]:
    """Call `shut_down` in the event loop, with the exit code; at a second signal exit at once."""
    loop = asyncio.get_running_loop()
    count = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            os._exit(128 + number)
        loop.call_soon_threadsafe(shut_down, 128 + number)

    with _handling(handle):
        yield


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # A signal the parent ignores (nohup) stays ignored.
    handled = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
