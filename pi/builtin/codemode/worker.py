"""The processes that scripts run in: few at a time, first come first served, ended for good."""

import asyncio
import contextlib
import importlib.util
import json
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from pi.extensions import ToolFailure
from pi.tools.processes import end, started

__all__ = ["Worker", "answer", "worker"]

PATIENCE = 60.0
"""Seconds that a script waits for its turn."""
WORKERS = 2
"""That run at the same time, over all sessions; PI_CODEMODE_MAX_WORKERS changes it."""
LEAVE = 1.0
"""Seconds that a script's process has to be gone once it has said that it is done."""
LINE = 48 << 20
"""Bytes of one record: the 16,777,216 characters that a script may put out, in any script."""

SANDBOX = Path(__file__).with_name("sandbox.py")

_alive = 0
_waiting: "deque[asyncio.Future[None]]" = deque()


class Worker:
    """A process with one script in it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ended = False

    async def records(self) -> AsyncIterator[dict[str, Any]]:
        """What the script puts out and asks for, up to its end."""
        assert self._process.stdout is not None, "it is a pipe"
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                yield _end("Error: the script put out more at once than there is room for")
                return
            if not line.endswith(b"\n"):
                yield _end(await self._fault())
                return
            try:
                record: dict[str, Any] = json.loads(line)
            except (ValueError, RecursionError):
                yield _end("Error: the script put out data that is nested too deep")
                return
            if not _is_sound(record):
                yield _end("Error: the script changed what its own results are made with")
                return
            self._ended = record["kind"] == "end"
            yield record
            if self._ended:
                return

    async def send(self, line: bytes) -> None:
        """See `answer`."""
        assert self._process.stdin is not None, "it is a pipe"
        with contextlib.suppress(ConnectionError):  # it has ended
            self._process.stdin.write(line)
            await self._process.stdin.drain()

    async def end(self) -> None:
        """End it, whatever it does."""
        if self._ended:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), LEAVE)
        if self._process.returncode is None:
            await end(self._process)

    async def _fault(self) -> str:
        assert self._process.stderr is not None, "it is a pipe"
        said = (await self._process.stderr.read(2000)).decode("utf-8", "replace").strip()
        code = await self._process.wait()
        return f"Error: the sandbox ended by itself ({said or f'exit code {code}'})"


def answer(number: int, value: Any, *, ok: bool = True) -> bytes:
    """What settles a question of a script. value: JSON, or the text of an error.

    Raises ValueError for numbers that JSON has not; an extension may give some.
    """
    told = {"n": number, "ok": ok, "value": value}
    return json.dumps(told, allow_nan=False).encode() + b"\n"


@contextlib.asynccontextmanager
async def worker(setup: Mapping[str, Any], env: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A process that runs a script; it is gone when this is left. setup: see sandbox.py.

    Raises ToolFailure where none can be had.
    """
    folder = _quickjs_folder()
    await _take_turn(_most(env))
    try:
        process = await started(
            asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-B", str(SANDBOX), folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE,
                # Nothing of what pi knows; Windows needs to know where it is.
                env={name: env[name] for name in ("SYSTEMROOT",) if name in env},
                start_new_session=os.name != "nt",
            )
        )
        running = Worker(process)
        try:
            await running.send(json.dumps(setup).encode() + b"\n")
            yield running
        finally:
            await running.end()
    finally:
        _give_turn()


def _quickjs_folder() -> str:
    found = importlib.util.find_spec("_quickjs")
    if found is None or found.origin is None:
        raise ToolFailure(
            "codemode needs the package quickjs-ng: install pi with its extra codemode, "
            "or quickjs-ng beside it, and try again"
        )
    return os.path.dirname(found.origin)


async def _take_turn(most: int) -> None:
    global _alive
    if _alive < most:
        _alive += 1
        return
    turn = asyncio.get_running_loop().create_future()
    _waiting.append(turn)
    try:
        async with asyncio.timeout(PATIENCE):
            await turn  # whoever gives it leaves the count as it is
    except BaseException as error:
        if turn.done() and not turn.cancelled():
            _give_turn()  # it came too late
        if isinstance(error, TimeoutError):
            text = f"the script did not run: no sandbox was free for {PATIENCE:g} seconds"
            raise ToolFailure(text) from None
        raise


def _give_turn() -> None:
    global _alive
    while _waiting:
        turn = _waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    _alive -= 1


def _most(env: Mapping[str, str]) -> int:
    text = env.get("PI_CODEMODE_MAX_WORKERS", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() else WORKERS


def _is_sound(record: Any) -> bool:
    """Whether it is a record as sandbox.py describes it; a script may have seen to it that not."""
    if not isinstance(record, dict):
        return False
    strings: tuple[str, ...] = ()
    match record.get("kind"):
        case "call":
            strings = ("name",)
        case "ask":
            strings = ("what",) if isinstance(record.get("args"), dict) else ("",)
        case "text" | "log":
            strings = ("value",)
        case "image":
            strings = ("data", "mimeType")
        case "end":
            gone = record.get("delete")
            sound = isinstance(record.get("set"), dict) and isinstance(gone, list)
            strings = () if sound and record.get("ok") is True else ("error",)
        case _:
            return False
    numbered = record["kind"] not in ("call", "ask") or isinstance(record.get("n"), int)
    return numbered and all(isinstance(record.get(name), str) for name in strings)


def _end(error: str) -> dict[str, Any]:
    return {"kind": "end", "ok": False, "error": error, "set": {}, "delete": []}
