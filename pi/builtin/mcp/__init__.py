"""MCP servers in a session: their tools, `/mcp`, and servers that extensions register.

Nothing of the client is imported before there is a server. See docs/mcp.md.
"""

from typing import TYPE_CHECKING, Any

from pi.extensions import BeforeAgentStart, Context, Pi, ToolCall

if TYPE_CHECKING:
    from pi.builtin.mcp.hub import Hub

__all__ = ["extend"]


def extend(pi: Pi) -> None:
    hub: Hub | None = None

    def open_hub(ctx: Context) -> "Hub":
        """The servers of the session, connecting from now on."""
        nonlocal hub
        if hub is None:
            from pi.builtin.mcp.hub import Hub  # noqa: PLC0415  (a session with servers)

            hub = Hub(pi, ctx)
            hub.start()
        return hub

    @pi.on("session_start")
    def start(event: object, ctx: Context) -> None:
        files = [ctx.agent_dir / "mcp.json"]
        if ctx.project_trusted:
            files.append(ctx.project_dir / "mcp.json")
        if pi.mcp_servers() or any(path.exists() for path in files):
            open_hub(ctx)

    @pi.on("session_shutdown")
    async def stop() -> None:
        nonlocal hub
        if hub is not None:
            ending, hub = hub, None
            await ending.close()

    @pi.on("mcp_servers_change")
    async def registered(event: object, ctx: Context) -> None:
        if hub is not None or pi.mcp_servers():
            await open_hub(ctx).take_registered()

    @pi.on("before_agent_start")
    async def prompt(event: BeforeAgentStart) -> None:
        if hub is not None:
            await hub.before_prompt(event.system_prompt_options)

    @pi.on("tool_call")
    async def wait(event: ToolCall) -> None:
        if hub is not None:
            await hub.before_call(event.tool_name, event.input)

    @pi.command(
        "mcp",
        "See MCP servers; sign in, connect again, switch on and off, change how tools are reached",
        complete=lambda prefix: [] if hub is None else hub.completions(prefix),
    )
    async def mcp(arguments: str, ctx: Any) -> None:
        from pi.builtin.mcp.command import run  # noqa: PLC0415  (when it is given)

        await run(open_hub(ctx), ctx, arguments)
