"""A first extension: one tool, one command, one event."""

from pi.extensions import CommandContext, Context, Pi


def extend(pi: Pi) -> None:
    @pi.tool(snippet="greet somebody by name")
    def greet(name: str) -> str:
        """Greet somebody by name."""
        return f"Hello, {name}!"

    @pi.command("hello", "Say hello")
    def hello(name: str, ctx: CommandContext) -> None:
        ctx.ui.notify(f"Hello, {name or 'world'}!")

    @pi.on("session_start")
    def start(event: object, ctx: Context) -> None:
        ctx.ui.notify("The hello extension is here")
