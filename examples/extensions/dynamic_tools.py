"""Tools that appear while pi runs: some are found by a search, others made by a command."""

from pi.extensions import CommandContext, Pi, ToolResult


def extend(pi: Pi) -> None:
    @pi.tool(active=False)
    def convert_temperature(celsius: float) -> str:
        """Convert a temperature from Celsius to Fahrenheit."""
        return f"{celsius * 9 / 5 + 32:g} °F"

    @pi.tool(active=False)
    def count_words(text: str) -> str:
        """Count the words of a text."""
        return f"{len(text.split())} words"

    @pi.tool(
        snippet="find and switch on further tools",
        guidelines=["Use search_tools when no tool you have can do what is asked."],
    )
    def search_tools(query: str) -> ToolResult:
        """Find tools by what they do, and switch them on.

        Args:
            query: Words that describe the task.
        """
        words = query.lower().split()
        active = pi.active_tools
        found = [
            tool["name"]
            for tool in pi.all_tools()
            if tool["name"] not in active
            and any(word in f"{tool['name']} {tool['description']}".lower() for word in words)
        ]
        pi.set_active_tools([*active, *found])
        text = f"Switched on: {', '.join(found)}" if found else "There is no such tool."
        return ToolResult([{"type": "text", "text": text}], details={"added": found})

    @pi.command("echo-tool", "Make a tool that repeats what it is given: /echo-tool NAME")
    def make(name: str, ctx: CommandContext) -> None:
        if not name.isidentifier():
            ctx.ui.notify("Usage: /echo-tool NAME", "error")
            return

        @pi.tool(name=name, snippet=f"repeat a text ({name})")
        def echo(text: str) -> str:
            """Repeat a text."""
            return text

        ctx.ui.notify(f"There is a tool {name} now")
