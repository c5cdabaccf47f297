"""Shell commands that the person runs: shown as they go, kept for the model as plain text."""

import asyncio
import codecs
import inspect
import os
import re
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from pi.agent.abort import Abort, Aborted
from pi.agent.faults import is_fault, text_of_error
from pi.errors import ToolError
from pi.tools.base import ToolContext
from pi.tools.bash import OutputReader
from pi.tools.output import Output
from pi.tools.processes import end, find_shell, start
from pi.wire.messages import BashExecutionMessage, now_ms

if TYPE_CHECKING:
    from pi.agent.hooks import Hooks

__all__ = ["run_shell"]

_GRACE = 2.0
"""Seconds in which children that hold the output may go on once the shell has ended."""

_OF_A_SESSION = (
    "PI_SESSION_ID",
    "PI_SESSION_FILE",
    "PI_PROVIDER",
    "PI_MODEL",
    "PI_REASONING_LEVEL",
)
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
_UNFINISHED = re.compile(r"\x1b(?:[\[\]PX^_][^\x07\x1b]{0,200}\x1b?|[ -/]*)?$")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _PlainOutput(Output):
    """Output without escapes and control characters, told piece by piece in the event loop."""

    def __init__(
        self,
        folder: str | None,
        tell: Callable[[str], None],
        drain: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(folder)
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._tell = tell
        self._drain = drain
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def feed(self, data: bytes) -> None:
        if plain := self._take(self._text.decode(data), last=False):
            self._tell_loop(plain)

    def finish(self) -> None:
        plain = self._take(self._text.decode(b"", final=True), last=True)
        super().finish()
        if plain:
            self._tell(plain)
        self._over = True

    def _take(self, text: str, *, last: bool) -> str:
        """Keep what can be shown of a piece; that is returned."""
        text = _ESCAPES.sub("", self._held + text)
        self._held = ""
        if not last and (unfinished := _UNFINISHED.search(text)):
            text, self._held = text[: unfinished.start()], unfinished[0]
        if plain := _CONTROLS.sub("", text):
            super().feed(plain.encode("utf-8", "replace"))
        return plain

    def _tell_loop(self, plain: str) -> None:
        """From the reader's thread, which waits for a listener that is behind; or the loop's."""
        if threading.get_ident() == self._thread:
            self._tell(plain)
            return
        telling = self._drained(plain)
        try:
            asyncio.run_coroutine_threadsafe(telling, self._loop).result()
        except (RuntimeError, CancelledError):  # the loop has ended, and the program with it
            telling.close()

    async def _drained(self, plain: str) -> None:
        if self._drain is not None:
            await self._drain()
        if not self._over:
            self._tell(plain)


async def run_shell(
    command: str,
    context: ToolContext,
    abort: Abort,
    *,
    exclude: bool = False,
    on_output: Callable[[str], None] = lambda _: None,
    drain: Callable[[], Awaitable[None]] | None = None,
    hooks: "Hooks | None" = None,
) -> BashExecutionMessage:
    """Run a command in the session's folder and say how it went; a failure of it is no error.

    exclude: whether the model is not to see it. on_output: gets the output as it comes, all of it.
    drain: awaited before each piece, so that a reader that is slow slows the command down.
    hooks: are asked first. Raises ToolError where there is no shell to run it, or it may not run.
    """
    told = command
    if hooks is not None:
        ran = await _asked(hooks, command, context, abort, exclude, on_output)
        if not isinstance(ran, str):
            return ran
        command = ran
    env = {name: value for name, value in context.env.items() if name not in _OF_A_SESSION}
    shell = find_shell(context.shell, env)
    line = f"{context.shell_prefix}\n{command}" if context.shell_prefix else command
    output = _PlainOutput(env.get("TMPDIR"), on_output, drain)
    reader = OutputReader(output)
    try:
        process = await start(shell, line, context.cwd, env, reader.write_end)
    except BaseException:
        reader.abandon()
        raise
    finally:
        os.close(reader.write_end)
    reader.start()
    cancelled = False
    try:
        await abort.wait(process.wait())
        await reader.settle(_GRACE)
    except Aborted:
        cancelled = True
        await end(process)
        await reader.settle(0)
    except BaseException:
        await end(process)
        reader.detach()
        raise
    output.finish()
    reader.detach()
    await asyncio.sleep(0)  # what was last told is told before this returns
    return _message(told, output, process.returncode, cancelled=cancelled, exclude=exclude)


async def _asked(
    hooks: "Hooks",
    command: str,
    context: ToolContext,
    abort: Abort,
    exclude: bool,
    on_output: Callable[[str], None],
) -> BashExecutionMessage | str:
    """What those who extend pi made of a command; or the command line to run here."""
    # Loaded by the hooks by now.
    from pi.agent import hook_events as ev  # noqa: PLC0415

    try:
        answer = await abort.wait(hooks.user_bash(ev.UserBash(command, exclude, str(context.cwd))))
    except PermissionError as error:
        raise ToolError(f"the command was not run: {error}") from error
    except Aborted:
        answer = ev.BashDone("", None, cancelled=True)
    if answer is None:
        return command
    if isinstance(answer, ev.BashDone):
        output = _PlainOutput(context.env.get("TMPDIR"), on_output)
        output.feed(answer.output.encode("utf-8", "replace"))
        code, cancelled = answer.exit_code, answer.cancelled
    elif answer.runner is None:
        return command if answer.command is None else answer.command
    else:
        output = _PlainOutput(context.env.get("TMPDIR"), on_output)
        line = command if answer.command is None else answer.command
        run, cancelled, code = answer.runner, False, None

        async def elsewhere() -> int | None:
            result = run(
                line, str(context.cwd), lambda text: output.feed(text.encode("utf-8", "replace"))
            )
            code: int | None = await result if inspect.isawaitable(result) else result
            return code

        try:
            code = await abort.wait(elsewhere())
        except Aborted:
            cancelled = True
        except BaseException as error:
            if not is_fault(error):
                raise
            raise ToolError(f"the command could not be run: {text_of_error(error)}") from error
    output.finish()
    await asyncio.sleep(0)  # what was last told is told before this returns
    message = _message(command, output, code, cancelled=cancelled, exclude=exclude)
    if isinstance(answer, ev.BashDone):
        message["truncated"] |= answer.truncated
        if answer.full_output_path is not None:
            message["fullOutputPath"] = answer.full_output_path
    return message


def _message(
    command: str, output: Output, code: int | None, *, cancelled: bool, exclude: bool
) -> BashExecutionMessage:
    snapshot = output.snapshot()
    message: BashExecutionMessage = {
        "role": "bashExecution",
        "command": command,
        "output": snapshot.kept.content,
        "cancelled": cancelled,
        "truncated": snapshot.kept.truncated,
        "timestamp": now_ms(),
    }
    if not cancelled and code is not None:
        message["exitCode"] = 128 - code if code < 0 else code
    if snapshot.path is not None:
        message["fullOutputPath"] = snapshot.path
    if exclude:
        message["excludeFromContext"] = True
    return message
