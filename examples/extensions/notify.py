"""Say when the agent has settled: a desktop notification where there is one, else the terminal's.

`NOTIFY_COMMAND` names a program of your own; it gets title and text.
"""

import os
import shlex
import shutil

from pi.extensions import AgentSettled, Context, Pi


def program() -> list[str] | None:
    if own := os.environ.get("NOTIFY_COMMAND"):
        return shlex.split(own)
    if shutil.which("notify-send"):
        return ["notify-send"]
    return None


def extend(pi: Pi) -> None:
    @pi.on("agent_settled")
    async def settled(event: AgentSettled, ctx: Context) -> None:
        text = "Stopped" if event.aborted else "Ready for you"
        title = f"pi: {ctx.session.name or ctx.cwd.name}"
        command = program()
        if command is not None:
            await pi.exec(*command, title, text, seconds=5)
        elif ctx.mode == "tui":
            name = "".join(c for c in title if c.isprintable()).replace(";", ",")
            ctx.ui.write_terminal(f"\x1b]777;notify;{name};{text}\x07")  # kitty, Ghostty, WezTerm
        elif ctx.has_ui:
            ctx.ui.notify(text)
