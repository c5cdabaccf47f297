"""Running a search in a thread, so that the program stays awake and can call it off."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(search: Callable[[threading.Event], T], abandoned: Callable[[T], None]) -> T:
    """search(stop), away from the event loop; it returns what it has when `stop` is set.

    When the caller is cancelled, `abandoned` gets that, before the cancellation goes on.
    """
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(search, stop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        partial = (await asyncio.gather(task, return_exceptions=True))[0]
        if not isinstance(partial, BaseException):
            abandoned(partial)
        raise
