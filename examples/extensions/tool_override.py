"""Put a tool in the place of pi's own: `read`, with a log, and some files closed."""

import time
from pathlib import Path
from typing import Any

from pi.extensions import CommandContext, Pi, ToolContext, ToolFailure, ToolResult

CLOSED = ("id_rsa", "id_ed25519", ".netrc", "auth.json")


class LoggedRead:
    """pi's own `read`, and what is to happen before it."""

    def __init__(self, pi: Pi, log: list[str]) -> None:
        self._read = pi.builtin_tool("read")
        self._log = log
        self.name = "read"
        self.description = self._read.description
        self.parameters = self._read.parameters
        self.snippet = self._read.snippet
        self.rules = self._read.rules

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        name = Path(args["path"]).name
        self._log.append(f"{time.strftime('%H:%M:%S')} {args['path']}")
        if name in CLOSED:
            raise ToolFailure(f"{name} is not for reading")
        return await self._read.run(args, context)


def extend(pi: Pi) -> None:
    log: list[str] = []
    pi.register_tool(LoggedRead(pi, log))

    @pi.command("reads", "Show which files were read")
    def reads(arguments: str, ctx: CommandContext) -> None:
        ctx.ui.notify("\n".join(log) or "None so far")
