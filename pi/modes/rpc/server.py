"""Commands in, responses and events out, until the client goes or a signal comes. Source:
docs/rpc.md.

Ordering: a command has begun before the next one is looked at; a response to a prompt precedes the
events of its run; a response that waits (abort, compact, bash) follows the events it waited for.
The end of the input ends the events, and all that would take long; what was asked before it is
answered, and extensions are heard when their session ends.
"""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

from pi.errors import PiError
from pi.modes import stdio
from pi.modes.rpc.commands import (
    AT_ONCE,
    COMMANDS,
    ENDING_BY_THEMSELVES,
    NOTHING,
    REPLACING,
    Raw,
)
from pi.modes.rpc.dialogs import Dialogs
from pi.modes.rpc.framing import RecordWriter, read_lines
from pi.modes.signals import shuts_down_on_signals
from pi.runtime.host import Host
from pi.wire.jsonio import dump_line, dumps, loads

__all__ = ["RpcServer", "run_rpc"]

log = logging.getLogger(__name__)

EVENTS_AHEAD = 1 << 20
"""Bytes a client may be behind before a run waits for it."""
ANSWERS_AHEAD = 1 << 24
"""Bytes a client may be behind before its commands wait."""
LAST_WORDS = 0.5
"""Seconds for a client to take what was written before SIGTERM."""
EXTENSIONS_WITHIN = 5.0
"""Seconds for what extensions do in a command, or at the beginning, once the end has begun."""
TICK = 0.05
"""Seconds after which what a command has begun meanwhile is ended, too."""

Record = dict[str, Any]


async def run_rpc(host: Host) -> int:
    """Serve stdin and stdout; the exit code."""
    server = RpcServer(host)
    with shuts_down_on_signals(server.shut_down):
        return await server.serve()


class RpcServer:
    """dialogs: for extensions to ask the person."""

    def __init__(self, host: Host) -> None:
        self.dialogs = Dialogs(self.send)
        self._host = host
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._output = RecordWriter(stdio.stdout(), self._unread)
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: dict[asyncio.Task[None], Record] = {}  # not answered yet
        self._replacing = asyncio.Lock()
        self._end_asked = False

    def send(self, record: Mapping[str, Any]) -> None:
        """Write what is no response; nothing once the end has begun."""
        if not self._ended.done():
            self._output.write(dump_line(record))

    def shut_down(self, code: int) -> None:
        """Begin to end, without another word. What ends it first decides the exit code."""
        if not self._ended.done():
            self._end(code)
            self._output.discard()

    def _end(self, code: int) -> None:
        self._ended.set_result(code)
        self._output.hurry()  # a run that waits for the reader must be able to end
        self.dialogs.close()  # and so must what waits for an answer

    def _unread(self, error: OSError) -> None:
        """Stdout cannot be written any more. That the client has left is no failure."""
        if isinstance(error, BrokenPipeError):
            self.shut_down(0)
            return
        log.error("stdout cannot be written: %s", error.strerror or error)
        self.shut_down(1)

    async def serve(self) -> int:
        host = self._host
        unsubscribe = host.subscribe(self.send)
        host.drain = lambda: self._output.room(EVENTS_AHEAD)
        host.ui = self.dialogs
        host.on_shutdown = self._asked_to_end
        reading = asyncio.create_task(self._read())
        try:
            reading.add_done_callback(self._stopped_reading)
            # Answers are taken meanwhile: an extension may ask something. Commands wait.
            async with self._replacing:
                await self._begin()
            code = await self._ended
            await self._answer_the_rest()
        finally:
            self.shut_down(1)
            unsubscribe()
            reading.cancel()
            self.dialogs.say_last(lambda record: self._output.write(dump_line(record)))
            await host.close()
            tasks = [*self._commands, *self._tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(reading, *tasks, return_exceptions=True)
        await self._output.flush(LAST_WORDS if code == 128 + signal.SIGTERM else None)
        return code

    async def _begin(self) -> None:
        """Extensions may take their time with the session, unless the end comes meanwhile."""
        beginning = asyncio.create_task(self._host.begin())
        try:
            either: set[asyncio.Future[Any]] = {beginning, self._ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({beginning}, timeout=EXTENSIONS_WITHIN)
            if beginning.done():
                beginning.result()
        finally:
            beginning.cancel()

    async def _read(self) -> None:
        async with aclosing(read_lines(stdio.stdin())) as lines:
            async for line in lines:
                await self._take(line)
                await self._output.room(ANSWERS_AHEAD)

    def _stopped_reading(self, reading: "asyncio.Task[None]") -> None:
        """At the end of the input; what goes wrong in there is raised by `serve`."""
        error = None if reading.cancelled() else reading.exception()
        if self._ended.done():
            return
        if error is None:
            self._end(0)
        else:
            self._ended.set_exception(error)

    async def _answer_the_rest(self) -> None:
        """Wait until all commands are answered, if anything can be written still.

        Runs, compactions and shells are ended, also those that a command begins only now; what
        takes its time in extensions is given up.
        """
        deadline = asyncio.get_running_loop().time() + EXTENSIONS_WITHIN
        while self._commands and not self._output.closed:
            self._host.stop()
            self._host.session.abort_shell()
            await asyncio.wait(self._commands, timeout=TICK)
            if asyncio.get_running_loop().time() > deadline:
                for task, command in [*self._commands.items()]:
                    if command["type"] not in ENDING_BY_THEMSELVES:
                        del self._commands[task]
                        task.cancel()
                        self._tasks.add(task)
                        self._output.write(_failure(command, "pi ended before this was done"))

    async def _take(self, line: bytes) -> None:
        """Act on one line. Whatever is wrong with it is told to the client."""
        try:
            command = loads(line.decode("utf-8", "replace"))
        except ValueError as error:
            self._output.write(_failure({"type": "parse"}, f"not a command in JSON: {error}"))
            return
        if not isinstance(command, dict):
            self._output.write(_failure({}, "a command is a JSON object"))
            return
        kind = command.get("type")
        if kind == "extension_ui_response":
            self.dialogs.answer(command)
            return
        if not isinstance(kind, str) or kind not in COMMANDS:
            known = "a command needs a type" if kind is None else f"there is no command {kind!r}"
            self._output.write(_failure(command, known))
            return
        # Never waited for here: an extension's command may ask something that a later line answers.
        task = asyncio.create_task(self._carry_out(kind, command))
        self._commands[task] = command
        task.add_done_callback(self._carried_out)
        await asyncio.sleep(0)  # lets it begin

    async def _carry_out(self, kind: str, command: Record) -> None:
        if kind in REPLACING:
            async with self._replacing:
                response = await self._response(kind, command)
        else:
            if kind not in AT_ONCE and self._replacing.locked():
                async with self._replacing:
                    pass
            response = await self._response(kind, command)
        if asyncio.current_task() in self._commands:  # else it was given up, and answered
            self._output.write(response)

    def _carried_out(self, task: "asyncio.Task[None]") -> None:
        self._commands.pop(task, None)
        self._end_if_asked()

    async def _response(self, kind: str, command: Record) -> bytes:
        try:
            data = COMMANDS[kind](self._host, command, self.send)
            if isawaitable(data):
                data = await data
        except PiError as error:
            hint = f". {error.hint}" if error.hint else ""
            return _failure(command, f"{error}{hint}")
        except Exception as error:
            log.warning("%s failed: %s", kind, error, exc_info=log.isEnabledFor(logging.DEBUG))
            return _failure(command, f"{type(error).__name__}: {error}")
        response = {**_about(command), "success": True}
        if isinstance(data, Raw):
            return dumps(response)[:-1] + b',"data":' + data + b"}\n"
        if kind == "prompt" and data["disposition"] == "started":
            self._watch()
        return dump_line(response if data is NOTHING else {**response, "data": data})

    def _watch(self) -> None:
        """See to it that a client learns of the end of a run, whatever ends it."""

        async def watch() -> None:
            try:
                await self._host.settled()
                self._end_if_asked()
            except Exception as error:
                log.error("the run ended: %s", error, exc_info=log.isEnabledFor(logging.DEBUG))
                self.send({"type": "agent_settled", "aborted": False, "errorMessage": str(error)})

        self._spawn(watch())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _asked_to_end(self) -> None:
        self._end_asked = True
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        """An extension's wish for the end is granted when nothing is under way."""
        host = self._host
        if self._ended.done() or not self._end_asked:
            return
        if not (self._commands or host.is_running or host.session.is_busy):
            self._end(0)


def _failure(command: Record, error: str) -> bytes:
    return dump_line({**_about(command), "success": False, "error": error})


def _about(command: Record) -> Record:
    """What every response begins with."""
    about: Record = {"id": command["id"]} if "id" in command else {}
    about["type"] = "response"
    if "type" in command:
        about["command"] = command["type"]
    return about
