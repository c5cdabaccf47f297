"""Aborting what is being waited for, and only that.

Cancelling a task from outside also cancels whatever its caller does with our events. An Abort
cancels only while the run itself waits (for the provider, a tool, a delay), the way asyncio.timeout
does.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

__all__ = ["Abort", "Aborted", "is_cancelled"]

T = TypeVar("T")


class Aborted(Exception):
    """The wait was cut short by `Abort.trigger`."""


class Abort:
    """One per run. `trigger` may be called from signal handlers that run in the event loop."""

    def __init__(self) -> None:
        self.triggered = False
        # Who waits, and whether we have cancelled it.
        self._waiting: dict[asyncio.Task[object], bool] = {}

    def trigger(self) -> None:
        """End the waits in progress, and every later one, with Aborted."""
        self.triggered = True
        for task, cancelled in self._waiting.items():
            if cancelled:
                continue
            if task is asyncio.current_task():
                # It may not wait any more: then no cancellation must be left over.
                asyncio.get_running_loop().call_soon(self._cancel, task)
            else:
                self._cancel(task)

    async def wait(self, awaitable: Coroutine[object, None, T]) -> T:
        """The awaitable's result; raises Aborted when or if already triggered.

        A cancellation that is not ours passes through. Within another wait of the same task, that
        one counts.
        """
        if self.triggered:
            awaitable.close()
            raise Aborted
        task = asyncio.current_task()
        assert task is not None, "runs inside an event loop's task"
        if task in self._waiting:
            return await awaitable
        self._waiting[task] = False
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._take_back(task):
                raise Aborted from None
            raise
        finally:
            # The awaitable may have ended in another way in spite of it.
            self._take_back(task)
            del self._waiting[task]

    def _cancel(self, task: "asyncio.Task[object]") -> None:
        if self._waiting.get(task) is False:
            self._waiting[task] = True
            task.cancel()

    def _take_back(self, task: "asyncio.Task[object]") -> bool:
        """Undo the cancellation by `trigger`; True if it was made, and nobody else made one."""
        if not self._waiting[task]:
            return False
        self._waiting[task] = False
        return task.uncancel() == 0


def is_cancelled() -> bool:
    """Of a CancelledError: whether somebody wants this task to end, or what it waited for did."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
