"""Aborting what is being waited for, and only that.

Cancelling a task from outside also cancels whatever its caller does with our events. An Abort
cancels only while the run itself waits (for the provider, a tool, a delay), the way asyncio.timeout
does.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

__all__ = ["Abort", "Aborted"]

T = TypeVar("T")


class Aborted(Exception):
    """The wait was cut short by `Abort.trigger`."""


class Abort:
    """One per run. `trigger` may be called from signal handlers that run in the event loop."""

    def __init__(self) -> None:
        self.triggered = False
        self._waiting: asyncio.Task[object] | None = None
        self._cancelled = False

    def trigger(self) -> None:
        """End the wait in progress, and every later one, with Aborted."""
        self.triggered = True
        if self._waiting is not None and not self._cancelled:
            self._cancelled = True
            self._waiting.cancel()

    async def wait(self, awaitable: Coroutine[object, None, T]) -> T:
        """The awaitable's result; raises Aborted when or if already triggered.

        A cancellation that is not ours passes through.
        """
        if self.triggered:
            awaitable.close()
            raise Aborted
        self._waiting = asyncio.current_task()
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._take_back():
                raise Aborted from None
            raise
        finally:
            # The awaitable may have ended in another way in spite of it.
            self._take_back()
            self._waiting = None

    def _take_back(self) -> bool:
        """Undo the cancellation by `trigger`; True if it was made, and nobody else made one."""
        if self._waiting is None or not self._cancelled:
            return False
        self._cancelled = False
        return self._waiting.uncancel() == 0
