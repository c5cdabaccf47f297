"""Ctrl-C, SIGTERM and SIGHUP: end what is under way in order, then exit 128 + n."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["Received", "aborts_on_signals", "end_now", "shuts_down_on_signals"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""SIGHUP is absent on Windows."""


class Received:
    """Which signal came, if any."""

    number: int | None = None

    @property
    def exit_code(self) -> int | None:
        """128 + n, as a shell reports it."""
        return None if self.number is None else 128 + self.number


def end_now(code: int) -> NoReturn:
    """End pi wherever it is, without cleaning up; commands under way do not outlive it."""
    try:
        from pi.tools.processes import kill_running  # noqa: PLC0415  (few runs end like this)

        kill_running()
    finally:
        os._exit(code)


@contextmanager
def aborts_on_signals(
    abort: Callable[[], None], names: Sequence[str] = NAMES
) -> Iterator[Received]:
    """Call `abort` in the event loop at the first signal; cancel the current task at a second one.

    A second one while something keeps the loop from hearing of the first interrupts that; a third
    one ends pi at once. Plain handlers rather than the loop's own: these also work on Windows, and
    while a write to a stalled reader blocks the loop.
    """
    received = Received()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "runs inside an event loop's task"
    count = 0
    heard = False

    def begin() -> None:
        nonlocal heard
        heard = True
        abort()

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        received.number = received.number or number
        if count == 1:
            loop.call_soon_threadsafe(begin)
        elif count > 2:
            end_now(128 + number)
        elif heard:
            loop.call_soon_threadsafe(task.cancel)
        else:
            raise KeyboardInterrupt

    with _handling(handle, names):
        try:
            yield received
        except asyncio.CancelledError:
            if count < 2:
                raise
            raise SystemExit(received.exit_code) from None


@contextmanager
def shuts_down_on_signals(shut_down: Callable[[int], None]) -> Iterator[None]:
    """Call `shut_down` in the event loop, with the exit code; at a second signal exit at once."""
    loop = asyncio.get_running_loop()
    count = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            end_now(128 + number)
        loop.call_soon_threadsafe(shut_down, 128 + number)

    with _handling(handle, NAMES):
        yield


@contextmanager
def _handling(
    handle: Callable[[int, FrameType | None], None], names: Sequence[str]
) -> Iterator[None]:
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # A signal the parent ignores (nohup) stays ignored.
    handled = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
