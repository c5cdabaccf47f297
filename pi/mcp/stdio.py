"""A server that is a child process: one JSON message a line, over its stdin and stdout.

It leads a session of its own, so that a signal reaches all that it started (npx and uvx start the
real server). Ending it: stdin is closed, then SIGTERM, then SIGKILL, to the whole group, also when
the leader has gone and left others behind.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pi.mcp.errors import ConnectionLost
from pi.mcp.rpc import Message
from pi.tools.processes import kill_tree, track
from pi.wire import jsonio

__all__ = ["MAX_MESSAGE", "StdioTransport"]

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message."""

KEPT_STDERR = 2000
"""Characters of the end of stderr that are kept, to say why a server failed."""

_GRACE = 0.5
"""Seconds a server has to go once its stdin is closed, and again after SIGTERM."""
_LEAVE = 2.0
"""Seconds a killed server has to be gone."""
_DRAIN = 0.2
"""Seconds what is left in the pipes of a dead server is waited for."""

_BUFFER = 1 << 16


class _Exit(SubprocessStreamProtocol):
    """exited: set when the process is gone, also while a child of its own holds the pipes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_BUFFER, loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class StdioTransport:
    """Starts in `start`; `stderr` is the end of what it said there."""

    def __init__(
        self, command: str, args: Sequence[str], *, cwd: Path, env: Mapping[str, str]
    ) -> None:
        self._command = command
        self._args = args
        self._cwd = cwd
        self._env = env
        self._process: asyncio.subprocess.Process | None = None
        self._exited = asyncio.Event()
        self._readers: list[asyncio.Task[Any]] = []
        self._stderr = bytearray()
        self._writing = asyncio.Lock()
        self._closed = False

    @property
    def stderr(self) -> str:
        return self._stderr.decode("utf-8", "replace")[-KEPT_STDERR:].strip()

    async def start(self, deliver: Callable[[Any], None], lost: Callable[[str], None]) -> None:
        if not self._cwd.is_dir():
            raise ConnectionLost(f"its working folder does not exist: {self._cwd}")
        starting = asyncio.ensure_future(self._spawn())
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled half way, the process would stay behind.
            with contextlib.suppress(OSError, ValueError):
                self._process = await starting
                await self.close()
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConnectionLost(f"cannot start {self._command!r}: {reason}") from None
        self._process = process
        track(process)
        output = asyncio.ensure_future(self._read(process, deliver))
        errors = asyncio.ensure_future(self._read_stderr(process))
        watch = asyncio.ensure_future(self._watch(process, output, errors, lost))
        self._readers = [output, errors, watch]

    async def _spawn(self) -> asyncio.subprocess.Process:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Exit(loop),
            self._command,
            *self._args,
            cwd=self._cwd,
            env=dict(self._env),
            start_new_session=sys.platform != "win32",
            creationflags=flags,
        )
        self._exited = protocol.exited
        return asyncio.subprocess.Process(transport, protocol, loop)

    async def send(self, message: Message) -> None:
        process = self._process
        if process is None or process.stdin is None or self._closed:
            raise ConnectionLost("the server is not running")
        line = jsonio.dump_line(message)
        try:
            async with self._writing:
                process.stdin.write(line)
                await process.stdin.drain()
        except (OSError, RuntimeError):
            # That it has ended is told by its stdout, with the reason.
            if self._closed or process.returncode is not None:
                raise ConnectionLost(_ended(process.returncode)) from None
            await asyncio.sleep(_DRAIN)
            raise ConnectionLost("the server does not read any more") from None

    async def _watch(
        self,
        process: asyncio.subprocess.Process,
        output: "asyncio.Task[str | None]",
        errors: "asyncio.Task[None]",
        lost: Callable[[str], None],
    ) -> None:
        """Tell of the end: of the process, or of its output, of which a child may hold the pipe."""
        exited = asyncio.ensure_future(self._exited.wait())
        try:
            await asyncio.wait([exited, output], return_when=asyncio.FIRST_COMPLETED)
            reason = output.result() if output.done() else None
            if reason is None:
                # stdout may be closed by a server that goes on living: it is of no use then.
                await asyncio.wait([exited], timeout=_GRACE)
                await asyncio.wait([output, errors], timeout=_DRAIN)
                reason = _ended(process.returncode)
        finally:
            exited.cancel()
        lost(reason)

    async def _read(
        self, process: asyncio.subprocess.Process, deliver: Callable[[Any], None]
    ) -> str | None:
        """Until the end of the output, or until what the server did wrong."""
        assert process.stdout is not None, "it is a pipe"
        pieces: list[bytes] = []
        size = 0
        while chunk := await process.stdout.read(_BUFFER):
            *lines, rest = chunk.split(b"\n")
            if lines:
                lines[0] = b"".join([*pieces, lines[0]])
                pieces, size = [], 0
            for line in lines:
                _take(line, deliver)
            if rest:
                pieces.append(rest)
                size += len(rest)
            if size > MAX_MESSAGE or any(len(line) > MAX_MESSAGE for line in lines):
                return f"the server sent a message of more than {MAX_MESSAGE >> 20} MB"
        _take(b"".join(pieces), deliver)
        return None

    async def _read_stderr(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None, "it is a pipe"
        while chunk := await process.stderr.read(1 << 14):
            self._stderr += chunk
            del self._stderr[: -4 * KEPT_STDERR]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        process = self._process
        if process is None:
            return
        try:
            if process.stdin is not None:
                with contextlib.suppress(OSError, RuntimeError):
                    process.stdin.close()
            if not await self._gone(process.pid):
                _signal_group(process.pid, signal.SIGTERM)
                await self._gone(process.pid)
        finally:
            # Also what the leader left behind, and also when this is cancelled.
            if process.returncode is None or _group_alive(process.pid):
                kill_tree(process.pid)
            for reader in self._readers:
                reader.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), _LEAVE)
        transport = getattr(process, "_transport", None)
        if transport is not None:  # asyncio leaves pipes open that a child's child holds
            transport.close()

    async def _gone(self, group: int) -> bool:
        """Whether the process, and its group, ended in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _GRACE
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), _GRACE)
        while self._exited.is_set() and _group_alive(group):
            if loop.time() >= until:
                return False
            await asyncio.sleep(0.02)
        return self._exited.is_set()


def _take(line: bytes, deliver: Callable[[Any], None]) -> None:
    line = line.strip()
    if not line or len(line) > MAX_MESSAGE:
        return
    try:
        message = jsonio.loads(line)
    except jsonio.JSONError:
        return  # many servers print to stdout what belongs to stderr
    deliver(message)


def _ended(code: int | None) -> str:
    if code is None:
        return "the server closed its output"
    if code < 0:
        return f"the server was ended by signal {-code}"
    return f"the server exited with code {code}"


def _group_alive(group: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal_group(group: int, number: int) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
