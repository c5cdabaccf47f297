"""The person's own commands that run at the moment."""

import asyncio
from collections.abc import Callable
from typing import Any

from pi.agent.abort import Abort
from pi.tools.base import ToolContext
from pi.wire.messages import BashExecutionMessage

__all__ = ["Shells"]


class Shells:
    def __init__(self) -> None:
        self._running: list[Abort] = []
        self._ended = asyncio.Event()

    async def run(
        self,
        command: str,
        context: ToolContext,
        store: Callable[[BashExecutionMessage], None],
        **more: Any,
    ) -> BashExecutionMessage:
        """See shell.run_shell. store: is given the message before the command counts as ended."""
        # Most runs have no command of the person's.
        from pi.agent.shell import run_shell  # noqa: PLC0415

        abort = Abort()
        self._running.append(abort)
        self._ended.clear()
        try:
            message = await run_shell(command, context, abort, **more)
            store(message)
            return message
        finally:
            self._running.remove(abort)
            if not self._running:
                self._ended.set()

    def abort(self) -> None:
        """End them all."""
        for abort in self._running:
            abort.trigger()

    async def ended(self) -> None:
        """Wait until none runs."""
        if self._running:
            await self._ended.wait()
