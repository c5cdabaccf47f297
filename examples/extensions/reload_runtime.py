"""Let the model ask for a reload, after it has changed an extension or a skill."""

from pi.extensions import CommandContext, Pi, ToolResult


def extend(pi: Pi) -> None:
    wanted = False

    @pi.command("reload-runtime", "Read extensions, skills, prompts and settings again")
    async def reload(arguments: str, ctx: CommandContext) -> None:
        fresh = await ctx.reload()
        fresh.ui.notify("Everything was read again")

    @pi.tool(snippet="read extensions, skills, prompts and settings again")
    def reload_runtime() -> ToolResult:
        """Read extensions, skills, prompts and settings again, after this answer."""
        nonlocal wanted
        wanted = True
        text = "It will be done after this answer."
        return ToolResult([{"type": "text", "text": text}], terminate=True)

    @pi.on("agent_settled")
    def settled() -> None:
        nonlocal wanted
        if wanted:
            wanted = False
            pi.send_user_message("/reload-runtime", expand=True)
