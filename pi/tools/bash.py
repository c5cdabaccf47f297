"""bash: a shell command, watched while it runs and ended with all it started."""

import asyncio
import math
import os
import threading
import time
from contextlib import suppress
from typing import Any

from pi.errors import ToolError
from pi.tools.arguments import number_text
from pi.tools.base import STRICT_SAMPLING, ToolContext, ToolResult, text_block, text_result
from pi.tools.output import Output, Snapshot
from pi.tools.processes import end, find_shell, start
from pi.tools.truncate import MAX_BYTES, MAX_LINES, size_text

__all__ = ["MAX_TIMEOUT", "TOOL", "BashTool", "OutputReader"]

MAX_TIMEOUT = 2_147_483.647
"""Seconds: 2^31 - 1 milliseconds."""
_UPDATE_INTERVAL = 0.1
# After the shell has ended, how long to go on reading from children that hold its output.
_QUIET = 0.1
_GRACE = 2.0


class BashTool:
    name = "bash"
    description = (
        "Run a command in bash, in the working folder, without input or terminal. Returns what it "
        f"prints on stdout and stderr: of long output the last {MAX_LINES} lines or "
        f"{MAX_BYTES // 1024} KB, whichever is less, and the file that has all of it. There is no "
        "time limit unless timeout gives one."
    )
    output_schema: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["output", "truncated", "exit_code", "wall_time_seconds"],
        "properties": {
            "output": {"type": "string", "description": "stdout and stderr, up to 1 MiB"},
            "truncated": {"type": "boolean"},
            "full_output_path": {"type": "string", "description": "where it is truncated"},
            "exit_code": {"type": "integer"},
            "wall_time_seconds": {"type": "number"},
        },
    }
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["command"],
        "properties": {
            "command": {"type": "string", "description": "The command line"},
            "timeout": {
                "type": "number",
                "description": "Seconds after which it is killed (default: never)",
            },
        },
    }
    sampling = STRICT_SAMPLING
    snippet = "Run a shell command"
    rules = ("PI_* environment variables tell commands about the model and the session.",)

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        context.update(ToolResult())
        timeout = _timeout(args.get("timeout"))
        command = args["command"]
        if context.shell_prefix:
            command = f"{context.shell_prefix}\n{command}"
        shell = find_shell(context.shell, context.env)
        output = Output(context.env.get("TMPDIR"))
        began = time.monotonic()
        reader = OutputReader(output)
        try:
            process = await start(shell, command, context.cwd, context.env, reader.write_end)
        except BaseException:
            reader.abandon()
            raise
        finally:
            os.close(reader.write_end)
        reader.start()
        updates = asyncio.create_task(_report(output, reader, context))
        try:
            timed_out = await _wait(process, timeout)
            held = await reader.settle(0 if timed_out else _GRACE)
        except asyncio.CancelledError:
            await end(process)
            await _stop(updates)
            # Its last words have a moment to arrive: the pipe closes when the last of it is dead.
            with suppress(asyncio.CancelledError):
                await reader.settle(0)
            output.finish()
            reader.detach()
            text = _with_status(_text(output.snapshot(), empty=""), "Command aborted")
            context.update(text_result(text, details=_details(output.snapshot()) or {}))
            raise
        except BaseException:
            await end(process)
            reader.detach()
            raise
        finally:
            await _stop(updates)
        output.finish()
        later = output.keep_all() if held and not timed_out else None
        reader.detach()
        if reader.dirty:
            reader.dirty = False
            context.update(_partial(output.snapshot()))
        if timed_out:
            text = _text(output.snapshot(), empty="")
            assert timeout is not None
            status = f"Killed: the command ran into its timeout of {number_text(timeout)} seconds"
            raise ToolError(_with_status(text, status))
        return _result(output, process.returncode, time.monotonic() - began, later)


class OutputReader:
    """A thread that feeds an Output from a pipe until nobody holds its other end.

    It goes on after the tool has returned if a background process still prints: the process is
    not killed by a closed pipe, and what it says is in the file.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._read_end, self.write_end = os.pipe()
        os.set_inheritable(self.write_end, False)
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._watched = True
        self._lock = threading.Lock()
        self.dirty = False

    @property
    def arrived(self) -> asyncio.Event:
        return self._arrived

    def start(self) -> None:
        threading.Thread(target=self._run, name="pi-bash-output", daemon=True).start()

    def abandon(self) -> None:
        os.close(self._read_end)

    def detach(self) -> None:
        """Nobody waits any more; the thread ends by itself."""
        with self._lock:
            self._watched = False
        if self._ended.is_set():
            self._output.close()

    async def settle(self, grace: float) -> bool:
        """Wait for the end of the output; True if somebody still holds it.

        Gives up when nothing came for a moment, or after `grace` seconds of ever more.
        """
        deadline = self._loop.time() + max(grace, _QUIET)
        while not self._ended.is_set():
            seen = self._output.size
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _QUIET)
            if self._output.size == seen or self._loop.time() >= deadline:
                break
        return not self._ended.is_set()

    def _run(self) -> None:
        try:
            while data := os.read(self._read_end, 65536):
                self._output.feed(data)
                self._tell(self._mark)
        except OSError:
            pass  # as good as the end: nothing more can be read
        finally:
            os.close(self._read_end)
            if not self._tell(self._ended.set):
                self._output.close()

    def _mark(self) -> None:
        self.dirty = True
        self._arrived.set()

    def _tell(self, what: Any) -> bool:
        with self._lock:
            if not self._watched:
                return False
            try:
                self._loop.call_soon_threadsafe(what)
            except RuntimeError:  # the loop is closed: the program is ending
                self._watched = False
            return self._watched


async def _report(output: Output, reader: OutputReader, context: ToolContext) -> None:
    """The first output at once, then the latest ten times a second."""
    while True:
        await reader.arrived.wait()
        reader.arrived.clear()
        reader.dirty = False
        context.update(_partial(output.snapshot()))
        await asyncio.sleep(_UPDATE_INTERVAL)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _wait(process: asyncio.subprocess.Process, seconds: float | None) -> bool:
    """Until the shell has ended; True if it had to be killed."""
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        await end(process)
        return True
    return False


def _timeout(value: float | None) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value) or value <= 0:
        raise ToolError("timeout must be a number of seconds above 0")
    if value > MAX_TIMEOUT:
        raise ToolError(f"timeout must be at most {MAX_TIMEOUT} seconds")
    return value


def _result(output: Output, code: int | None, seconds: float, later: str | None) -> ToolResult:
    status = 128 - code if code is not None and code < 0 else code
    snapshot = output.snapshot()
    text = _text(snapshot, empty="(no output)")
    if later is not None:
        note = f"[A background process still runs; what it prints goes to {later}]"
        text = f"{text}\n\n{note}"
    if status:
        text = _with_status(text, f"Exit code: {status}")
    whole, cut = output.structured()
    structured: dict[str, Any] = {"output": whole, "truncated": cut}
    if cut and snapshot.path is not None:
        structured["full_output_path"] = snapshot.path
    elapsed = round(seconds, 1)
    structured["exit_code"] = status
    structured["wall_time_seconds"] = int(elapsed) if elapsed.is_integer() else elapsed
    return ToolResult(
        content=[text_block(text)],
        details=_details(snapshot) or None,
        is_error=bool(status),
        structured=structured,
    )


def _partial(snapshot: Snapshot) -> ToolResult:
    return text_result(snapshot.kept.content, details=_details(snapshot))


def _details(snapshot: Snapshot) -> dict[str, Any]:
    if not snapshot.kept.truncated:
        return {}
    details: dict[str, Any] = {"truncation": snapshot.kept.details()}
    if snapshot.path is not None:
        details["fullOutputPath"] = snapshot.path
    return details


def _text(snapshot: Snapshot, *, empty: str) -> str:
    """The kept output, and where the rest is."""
    kept = snapshot.kept
    if not kept.truncated:
        return kept.content or empty
    first = kept.total_lines - kept.output_lines + 1
    if kept.last_line_partial:
        shown = (
            f"The last {size_text(kept.output_bytes)} of line {kept.total_lines}, "
            f"which has {size_text(snapshot.last_line)}."
        )
    else:
        limited = f" ({size_text(MAX_BYTES)} limit)" if kept.by == "bytes" else ""
        shown = f"Lines {first}-{kept.total_lines} of {kept.total_lines}{limited}."
    where = f" Full output: {snapshot.path}" if snapshot.path else ""
    trouble = f" ({snapshot.trouble})" if snapshot.trouble else ""
    return f"{kept.content}\n\n[{shown}{where}{trouble}]"


def _with_status(text: str, status: str) -> str:
    return f"{text}\n\n{status}" if text else status


TOOL = BashTool()
