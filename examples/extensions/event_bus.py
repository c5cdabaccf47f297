"""Two extensions that talk to each other, here in one file: one counts, the other is told."""

from typing import Any

from pi.extensions import CommandContext, Context, Pi, ToolExecutionEnd


def extend(pi: Pi) -> None:
    counter(pi)
    listener(pi)


def counter(pi: Pi) -> None:
    """Tells of every tenth call of a tool, and of each that fails."""
    calls = 0

    @pi.on("tool_execution_end")
    def count(event: ToolExecutionEnd) -> None:
        nonlocal calls
        calls += 1
        if event.is_error or calls % 10 == 0:
            pi.events.emit("calls:news", {"calls": calls, "failed": event.is_error})

    @pi.events.on("calls:ask")
    def answer(reply: Any) -> None:
        reply(calls)


def listener(pi: Pi) -> None:
    """Hears of it without knowing who counts."""

    @pi.on("session_start")
    def start(event: object, ctx: Context) -> None:
        @pi.events.on("calls:news")
        def news(data: dict[str, Any]) -> None:
            what = "a call failed" if data["failed"] else "going on"
            ctx.ui.notify(f"{data['calls']} calls of tools, {what}", "info")

    @pi.command("calls", "How many tools were called")
    def ask(arguments: str, ctx: CommandContext) -> None:
        pi.events.emit("calls:ask", lambda count: ctx.ui.notify(f"{count} calls"))
