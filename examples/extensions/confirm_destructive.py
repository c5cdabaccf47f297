"""Ask before a session is left that holds something."""

from pi.extensions import Cancel, Context, Pi, SessionBeforeFork, SessionBeforeSwitch


def extend(pi: Pi) -> None:
    async def leave(ctx: Context, what: str) -> Cancel | None:
        messages = sum(1 for entry in ctx.session.branch() if entry["type"] == "message")
        if messages == 0 or not ctx.has_ui:
            return None
        if await ctx.ui.confirm(
            what, f"Leave this session with its {messages} messages?", seconds=60
        ):
            return None
        return Cancel("the user stays")

    @pi.on("session_before_switch")
    async def switch(event: SessionBeforeSwitch, ctx: Context) -> Cancel | None:
        return await leave(ctx, "New session" if event.reason == "new" else "Other session")

    @pi.on("session_before_fork")
    async def fork(event: SessionBeforeFork, ctx: Context) -> Cancel | None:
        return await leave(ctx, "Fork" if event.position == "before" else "Clone")
