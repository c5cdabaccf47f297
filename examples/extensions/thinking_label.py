"""What stands for thinking that is hidden (Ctrl+T). `/thinking-label TEXT` sets it, for now."""

from pi.extensions import CommandContext, Context, Pi, SessionStart

LABEL = "Pondering …"


def extend(pi: Pi) -> None:
    @pi.on("session_start")
    def start(event: SessionStart, ctx: Context) -> None:
        ctx.ui.set_hidden_thinking_label(LABEL)

    @pi.command("thinking-label", "What stands for hidden thinking")
    def label(text: str, ctx: CommandContext) -> None:
        ctx.ui.set_hidden_thinking_label(text or None)
        ctx.ui.notify(f"Hidden thinking is now: {text}" if text else "As pi has it")
