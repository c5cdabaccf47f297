"""What Python code prints while pi has the whole terminal: told, not written across the screen.

Programs that an extension starts write past this, unless it takes their output.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout

from pi.modes.stderr import tell

__all__ = ["told"]


class _Lines(io.TextIOBase):
    """Takes text, and tells whole lines, from any thread, in the loop."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._tell(line)
        return len(text)

    def end(self) -> None:
        """Tell what came without a line's end."""
        rest, self._rest = self._rest, ""
        if rest.strip():
            tell(rest)

    def _tell(self, line: str) -> None:
        if line.strip():
            try:
                self._loop.call_soon_threadsafe(tell, line)
            except RuntimeError:  # a thread that outlives the loop: nobody is left to be told
                return


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """Within, what print() writes, and what goes to sys.stderr, comes by `stderr.tell`."""
    out, err = _Lines(), _Lines()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            await asyncio.sleep(0)  # for lines that are on their way
            out.end()
            err.end()
