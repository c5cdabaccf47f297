"""Writing to stdout: whole records, in order, and quiet when the reader has gone.

Records are gathered until the event loop gets control, so that a burst of deltas that arrived in
one network read leaves in one write, and none waits for the next.
"""

import asyncio
import os
import select
from collections.abc import Callable

__all__ = ["Output"]

FULL = 1 << 16
"""Bytes after which gathered records are written at once."""


class Output:
    """A file descriptor written in order. `on_closed` is called once, when its reader has gone."""

    def __init__(self, descriptor: int, on_closed: Callable[[], None] | None = None) -> None:
        self.closed = False
        self.on_closed = on_closed
        self._descriptor = descriptor
        self._gathered: list[bytes] = []
        self._size = 0
        self._failure: OSError | None = None

    def write(self, record: bytes) -> None:
        """Queue one record; it leaves before the event loop waits for anything.

        Raises OSError when an earlier record could not be written.
        """
        if self._failure is not None:
            raise self._failure
        if self.closed:
            return
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush_from_loop)
        self._gathered.append(record)
        self._size += len(record)
        if self._size >= FULL:
            self.flush()

    def _flush_from_loop(self) -> None:
        """`flush` where nobody could catch an error: the next call raises it."""
        try:
            self.flush()
        except OSError as error:
            self._failure = error

    def flush(self) -> None:
        """Write what is queued. Raises OSError for anything but a reader that has gone."""
        if self._failure is not None:
            raise self._failure
        data = memoryview(b"".join(self._gathered))
        self._gathered.clear()
        self._size = 0
        while data and not self.closed:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                # stdout may be a non-blocking pipe that another process shares: leave it so.
                select.select([], [self._descriptor], [])
            except BrokenPipeError:
                self.closed = True
                if self.on_closed is not None:
                    self.on_closed()
