"""What an extension stands on, and commands it runs.

A Stage is one open session as one instance of an extension sees it. When the session is replaced
or reloaded, the stage is struck: whatever is used of it afterwards says so.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pi.errors import PiError
from pi.tools.processes import started

if TYPE_CHECKING:
    from pi.runtime.host import Host

__all__ = ["ExecResult", "Stage", "StaleContext", "run_command"]

GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""

MAX_OUTPUT = 256 << 20


class StaleContext(PiError):
    """The session that this belongs to is not open any more."""


@dataclass(slots=True)
class Stage:
    """loaded: whether the session is open; while extensions are being loaded it is not yet."""

    _host: "Host"
    loaded: bool = False
    struck: bool = field(default=False)

    @property
    def host(self) -> "Host":
        """Raises StaleContext once the session is closed, PiError before it is open."""
        if self.struck:
            raise StaleContext(
                "the session of this extension was replaced or reloaded",
                hint="Use the context that new_session, fork, switch_session or reload returned.",
            )
        if not self.loaded:
            raise PiError(
                "no session is open yet while extensions are loaded",
                hint="Do this in a handler of session_start, in a command or in a tool.",
            )
        return self._host

    @property
    def ground(self) -> "Host":
        """The same, while extensions are loaded too: there are services, and no session yet."""
        return self.host if self.loaded or self.struck else self._host

    def strike(self) -> None:
        self.struck = True


@dataclass(frozen=True, slots=True)
class ExecResult:
    """code: negative for a signal. killed: pi ended it: time-out, abort, too much output.

    stdout, stderr: decoded as UTF-8, what is none as U+FFFD.
    """

    stdout: str
    stderr: str
    code: int
    killed: bool = False
    truncated: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0


async def run_command(
    command: str,
    args: Sequence[str],
    *,
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    stdin: str | bytes | None = None,
    seconds: float | None = None,
    max_output: int = MAX_OUTPUT,
) -> ExecResult:
    """Run a program without a shell, to its end. Cancelling ends it.

    seconds: how long it may take. max_output: bytes of stdout and stderr together. Raises
    FileNotFoundError and its kin where there is no such program.
    """
    process = await started(
        asyncio.create_subprocess_exec(
            command,
            *args,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=os.name == "posix",
        )
    )
    out, err = bytearray(), bytearray()
    killed = truncated = False

    async def read(stream: asyncio.StreamReader | None, into: bytearray) -> None:
        nonlocal truncated
        assert stream is not None, "both are pipes"
        while chunk := await stream.read(1 << 16):
            room = max_output - len(out) - len(err)
            into += chunk[:room]
            if len(chunk) > room:
                truncated = True
                raise _TooMuch

    async def feed() -> None:
        if process.stdin is None or stdin is None:
            return
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            process.stdin.write(data)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it does not want to hear it
        finally:
            process.stdin.close()

    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(read(process.stdout, out), read(process.stderr, err), feed())
            await process.wait()
    except (TimeoutError, _TooMuch):
        killed = True
    finally:
        if process.returncode is None:
            await _end(process)
    code = process.returncode
    assert code is not None, "it has ended"
    return ExecResult(
        out.decode("utf-8", "replace"),
        err.decode("utf-8", "replace"),
        code if not killed or code != 0 else 1,
        killed,
        truncated,
    )


class _TooMuch(Exception):
    """More output than is wanted."""


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and what it started."""
    _signal(process, "SIGTERM")
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        _signal(process, "SIGKILL")
        await process.wait()


def _signal(process: asyncio.subprocess.Process, name: str) -> None:
    import signal  # noqa: PLC0415  (to end a program that does not end by itself)

    try:
        if os.name == "posix":
            os.killpg(process.pid, getattr(signal, name))
        elif name == "SIGTERM":
            process.terminate()
        else:
            process.kill()
    except ProcessLookupError:
        return
