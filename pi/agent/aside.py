"""What comes from outside of runs: commands of the person's, messages of extensions.

Both are stored at once between runs. During one, messages are stored when its turn is over and
commands when the run is: nothing may come between calls of tools and their results.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from pi.agent.abort import Abort
from pi.agent.transcript import Transcript
from pi.tools.base import ToolContext
from pi.wire.events import AgentEvent
from pi.wire.messages import BashExecutionMessage, CustomMessage

__all__ = ["Aside"]


class Aside:
    """tell: hears of messages that are shown. busy: whether there is a run."""

    def __init__(
        self,
        transcript: Transcript,
        tell: Callable[[AgentEvent], None],
        busy: Callable[[], bool],
    ) -> None:
        self._transcript = transcript
        self._tell = tell
        self._busy = busy
        self._waiting: list[BashExecutionMessage | CustomMessage] = []
        self._shells: list[Abort] = []
        self._shells_ended = asyncio.Event()

    def add(self, message: BashExecutionMessage | CustomMessage) -> None:
        """Store it as soon as that can be."""
        self._waiting.append(message)
        if not self._busy():
            self.store_waiting()

    def store_waiting(self) -> None:
        """Store all that waits; an extension's message is told like any other."""
        while self._waiting:
            message = self._waiting[0]
            self._transcript.add(message)
            self._waiting.pop(0)
            if message["role"] == "custom":
                self._tell({"type": "message_start", "message": message})
                self._tell({"type": "message_end", "message": message})

    def store_messages(self) -> None:
        """Store what extensions said, and leave the person's commands for the end of the run."""
        messages = [each for each in self._waiting if each["role"] == "custom"]
        if not messages:
            return
        commands = [each for each in self._waiting if each["role"] != "custom"]
        self._waiting[:] = messages
        try:
            self.store_waiting()
        finally:
            self._waiting += commands

    async def shell(self, command: str, context: ToolContext, **more: Any) -> BashExecutionMessage:
        """Run a command of the person's and store it; see shell.run_shell."""
        # Most runs have no command of the person's.
        from pi.agent.shell import run_shell  # noqa: PLC0415

        abort = Abort()
        self._shells.append(abort)
        self._shells_ended.clear()
        try:
            message = await run_shell(command, context, abort, **more)
            self.add(message)
            return message
        finally:
            self._shells.remove(abort)
            if not self._shells:
                self._shells_ended.set()

    def abort_shells(self) -> None:
        """End all commands of the person's."""
        for abort in self._shells:
            abort.trigger()

    async def shells_ended(self) -> None:
        """Wait until none runs."""
        if self._shells:
            await self._shells_ended.wait()
