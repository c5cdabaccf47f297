"""How pi looks while it works: dots instead of the spinner, and a sign in the terminal's title."""

import asyncio

from pi.extensions import AgentSettled, AgentStart, Context, Pi, SessionStart

FRAMES = "◐◓◑◒"


def extend(pi: Pi) -> None:
    turning: asyncio.Task[None] | None = None

    def title(sign: str, ctx: Context) -> str:
        return f"{sign} {pi.session_name or ctx.cwd.name}"

    @pi.on("session_start")
    def start(event: SessionStart, ctx: Context) -> None:
        theme = ctx.ui.theme
        shades = ("dim", "muted", "accent", "muted")
        ctx.ui.set_working_indicator([theme.fg(shade, "●") for shade in shades], 0.15)
        ctx.ui.set_hidden_thinking_label("thinking, Ctrl+T shows what")
        ctx.ui.set_title(title("π", ctx))

    async def turn(ctx: Context) -> None:
        at = 0
        while True:
            ctx.ui.set_title(title(FRAMES[at % len(FRAMES)], ctx))
            at += 1
            await asyncio.sleep(0.25)

    @pi.on("agent_start")
    def begin(event: AgentStart, ctx: Context) -> None:
        nonlocal turning
        if turning is None and ctx.mode == "tui":
            turning = asyncio.ensure_future(turn(ctx))

    @pi.on("agent_settled")
    def settled(event: AgentSettled, ctx: Context) -> None:
        nonlocal turning
        if turning is not None:
            turning.cancel()
            turning = None
        ctx.ui.set_title(title("π", ctx))

    @pi.on("session_shutdown")
    def end() -> None:
        if turning is not None:
            turning.cancel()
