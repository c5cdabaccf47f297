"""Name a session after its first prompt; `/rename` asks the model for a name."""

from pi.extensions import AgentSettled, CommandContext, Context, Pi

LENGTH = 48


def extend(pi: Pi) -> None:
    @pi.on("agent_settled")
    def name(event: AgentSettled, ctx: Context) -> None:
        if pi.session_name is not None:
            return
        for entry in ctx.session.branch():
            if entry["type"] == "message" and entry["message"]["role"] == "user":
                text = " ".join(ctx.text_of(entry["message"]).split())
                pi.set_session_name(text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…")
                return

    @pi.command("rename", "Let the model name this session")
    async def rename(arguments: str, ctx: CommandContext) -> None:
        if arguments:
            pi.set_session_name(arguments)
            return
        said = "\n".join(
            ctx.text_of(m) for m in ctx.session.messages() if m["role"] in ("user", "assistant")
        )
        with ctx.status("rename", "looking for a name"):
            answer = await ctx.complete(f"Name this conversation in at most five words:\n\n{said}")
        if answer["stopReason"] == "stop":
            pi.set_session_name(ctx.text_of(answer).strip())
        ctx.ui.notify(f"This session is called {pi.session_name}")
