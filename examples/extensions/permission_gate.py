"""Ask before a command runs that is hard to take back; without anybody to ask, refuse it."""

import re

from pi.extensions import Block, Context, Pi, ToolCall

DANGEROUS = re.compile(
    r"\brm\s+(-\w*[rf]\w*|--recursive|--force)\b"
    r"|\bsudo\b"
    r"|\b(chmod|chown)\b.*\b777\b"
    r"|\bgit\s+push\b.*--force"
    r"|\bmkfs\b|\bdd\s+if="
)


def extend(pi: Pi) -> None:
    @pi.on("tool_call")
    async def gate(event: ToolCall, ctx: Context) -> Block | None:
        if event.tool_name != "bash":
            return None
        command = event.input["command"]
        if not DANGEROUS.search(command):
            return None
        if not ctx.has_ui:
            return Block("This command is dangerous, and there is nobody to ask")
        answer = await ctx.ui.select(f"Dangerous command:\n\n  {command}\n\nRun it?", ["No", "Yes"])
        return None if answer == "Yes" else Block("The user did not allow this command")
