"""Records in, records out: one JSON value a line, cut at LF and nowhere else.

Both ends run in threads of their own: a pipe whose other side neither writes nor reads must not
keep the event loop from anything else. Threads also serve what the loop cannot watch: files, and
pipes on Windows.
"""

import asyncio
import os
import select
import threading
from collections.abc import AsyncGenerator, Callable

__all__ = ["LineSplitter", "RecordWriter", "read_lines"]

BLOCK = 1 << 16


class LineSplitter:
    """Bytes as they come, cut into lines. A carriage return before the LF goes with it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line that has not ended

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk."""
        first, *rest = chunk.split(b"\n")
        self._pieces.append(first)
        if not rest:
            return []
        lines = [b"".join(self._pieces), *rest[:-1]]
        self._pieces = [rest[-1]]
        return [line.removesuffix(b"\r") for line in lines]

    def close(self) -> bytes | None:
        """The last line, if it lacks its LF."""
        rest = b"".join(self._pieces)
        self._pieces = []
        return rest.removesuffix(b"\r") or None


async def read_lines(descriptor: int) -> AsyncGenerator[bytes, None]:
    """The lines of a file descriptor. What cannot be read any more counts as its end.

    Nothing is read ahead: whoever does not ask for the next line makes the writer wait.
    """
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue()
    wanted = threading.Semaphore()
    given_up = False

    def read() -> None:
        block = b"-"
        while block:
            wanted.acquire()
            if given_up:
                return
            try:
                block = os.read(descriptor, BLOCK)
            except OSError:
                block = b""
            try:
                loop.call_soon_threadsafe(blocks.put_nowait, block)
            except RuntimeError:
                return  # the loop has ended

    threading.Thread(target=read, name="pi-rpc-input", daemon=True).start()
    splitter = LineSplitter()
    try:
        while block := await blocks.get():
            for line in splitter.feed(block):
                yield line
            wanted.release()
        if (last := splitter.close()) is not None:
            yield last
    finally:
        given_up = True
        wanted.release()


class RecordWriter:
    """A file descriptor written in order.

    on_closed: called once, with the error, when it can be written no more: BrokenPipeError when its
        reader has gone.
    waiting: bytes that the reader has not taken yet.
    """

    def __init__(self, descriptor: int, on_closed: Callable[[OSError], None]) -> None:
        self.waiting = 0
        self.closed = False
        self._descriptor = descriptor
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes] = []
        self._handed: list[bytes] = []
        self._work = threading.Condition()
        self._moved = asyncio.Event()
        self._hurried = False
        threading.Thread(target=self._run, name="pi-rpc-output", daemon=True).start()

    def write(self, record: bytes) -> None:
        """Queue one record. Those of one turn of the event loop leave together."""
        if self.closed:
            return
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(record)
        self.waiting += len(record)

    async def room(self, limit: int) -> None:
        """Wait until no more than `limit` bytes wait."""
        while self.waiting > limit and not (self._hurried or self.closed):
            self._moved.clear()
            await self._moved.wait()

    def hurry(self) -> None:
        """Let nobody wait for room any more."""
        self._hurried = True
        self._moved.set()

    def discard(self) -> None:
        """Write nothing more, whatever still comes; what was handed over goes on."""
        self.closed = True
        self._moved.set()

    async def flush(self, seconds: float | None) -> None:
        """Wait until all is written, no longer than `seconds`."""
        self._hand_over()
        try:
            async with asyncio.timeout(seconds):
                while self.waiting:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return

    def _hand_over(self) -> None:
        if self._gathered:
            with self._work:
                self._handed += self._gathered
                self._work.notify()
            self._gathered.clear()

    def _run(self) -> None:
        while True:
            with self._work:
                while not self._handed:
                    self._work.wait()
                data = b"".join(self._handed)
                self._handed.clear()
            failure = self._write_all(data)
            try:
                self._loop.call_soon_threadsafe(self._written, len(data), failure)
            except RuntimeError:
                return  # the loop has ended
            if failure is not None:
                return

    def _write_all(self, data: bytes) -> OSError | None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # stdout may be a non-blocking pipe that another process shares: leave it so.
                select.select([], [self._descriptor], [])
            except OSError as error:
                return error
        return None

    def _written(self, size: int, failure: OSError | None) -> None:
        self.waiting = self.waiting - size if failure is None else 0
        self._moved.set()
        if failure is not None and not self.closed:
            self.closed = True
            self._on_closed(failure)
