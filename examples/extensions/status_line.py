"""Show in the footer what the agent is at: turns, tools, and tokens so far."""

from pi.extensions import AgentEnd, Context, Pi, ToolExecutionStart, TurnStart


def extend(pi: Pi) -> None:
    turns = 0

    @pi.on("agent_start")
    def begin() -> None:
        nonlocal turns
        turns = 0

    @pi.on("turn_start")
    def turn(event: TurnStart, ctx: Context) -> None:
        nonlocal turns
        turns += 1
        ctx.ui.set_status("status-line", f"turn {turns}: thinking")

    @pi.on("tool_execution_start")
    def tool(event: ToolExecutionStart, ctx: Context) -> None:
        ctx.ui.set_status("status-line", f"turn {turns}: {event.tool_name}")

    @pi.on("agent_end")
    def end(event: AgentEnd, ctx: Context) -> None:
        used = sum(
            message["usage"]["output"]
            for message in event.messages
            if message["role"] == "assistant"
        )
        ctx.ui.set_status("status-line", f"{turns} turns, {used} tokens written")
