"""`/mcp`: the servers for people. A picker in the terminal, lines of text elsewhere."""

import asyncio
from typing import Any

from pi.builtin.mcp.hub import Hub, sign_in_hint
from pi.errors import PiError
from pi.mcp.config import Server

__all__ = ["SIGN_IN_SECONDS", "run", "status"]

_USAGE = "Usage: /mcp, /mcp login [server], /mcp logout [server], /mcp reconnect [server]"
SIGN_IN_SECONDS = 300.0


async def run(hub: Hub, ctx: Any, arguments: str) -> None:
    """ctx: of the command."""
    action, _, name = arguments.strip().partition(" ")
    name = name.strip()
    if not action:
        if ctx.mode == "tui":
            from pi.builtin.mcp.picker import manage  # noqa: PLC0415  (in the terminal only)

            await manage(hub, ctx.ui.app)
        else:
            await hub.settle(hub.connections.values())
            ctx.ui.notify(_overview(hub), "info")
        return
    if action not in ("login", "logout", "reconnect"):
        ctx.ui.notify(_USAGE, "warning")
        return
    server = _chosen(hub, ctx, action, name)
    if server is None:
        return
    if action == "reconnect":
        await _reconnect(hub, ctx, server)
    elif action == "logout":
        await _log_out(hub, ctx, server)
    else:
        await _sign_in(hub, ctx, server)


def status(hub: Hub, server: Server) -> str:
    """ "connected, 3 tools", "needs sign-in", …"""
    connection = hub.connections.get(server.name)
    if connection is None:
        return "disabled"
    if connection.state == "connected":
        count = len(connection.tools)
        return f"connected, {count} tool{'' if count == 1 else 's'}"
    return "needs sign-in" if connection.state == "needs-auth" else connection.state


def _overview(hub: Hub) -> str:
    lines = []
    for server in hub.entries.values():
        lines.append(f"{server.name}: {status(hub, server)} ({server.exposure})")
        connection = hub.connections.get(server.name)
        if connection is not None and connection.state == "needs-auth":
            lines.append(f"  sign in with: {sign_in_hint(server)}")
        elif connection is not None and connection.error:
            lines += (f"  {line}" for line in connection.error.splitlines())
    for name, server in hub.overridden.items():
        lines.append(f"{name} of {server.source}: overridden by mcp.json")
    lines += (f"config error: {error}" for error in hub.errors)
    return "\n".join(lines) or "There are no MCP servers. Add one with: pi mcp add"


def _chosen(hub: Hub, ctx: Any, action: str, name: str) -> Server | None:
    """The server that is meant; the only one there may be need not be named."""
    fitting = [
        server
        for server in hub.entries.values()
        if server.name in hub.connections and (action == "reconnect" or server.uses_oauth)
    ]
    if name:
        server = hub.entries.get(name)
        if server is None:
            ctx.ui.notify(f'There is no MCP server "{name}".', "error")
            return None
        if server.provider is not None and action != "reconnect":
            ctx.ui.notify(f"It uses a provider's sign-in: /{action} {server.provider}", "error")
            return None
        if server not in fitting:
            why = "does not use OAuth" if server.name in hub.connections else "is disabled"
            ctx.ui.notify(f'MCP server "{name}" {why}.', "error")
            return None
        return server
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        text = "No MCP server is on." if action == "reconnect" else "No MCP server uses OAuth."
    else:
        names = ", ".join(each.name for each in fitting)
        text = f"Say which: /mcp {action} NAME. There are {names}."
    ctx.ui.notify(text, "error")
    return None


async def _reconnect(hub: Hub, ctx: Any, server: Server) -> None:
    connection = await hub.reconnect(server.name)
    if connection is not None and connection.state == "connected":
        ctx.ui.notify(f'MCP server "{server.name}": {status(hub, server)}.', "info")
    elif connection is not None:
        text = connection.error or status(hub, server)
        ctx.ui.notify(f'MCP server "{server.name}" does not connect: {text}', "error")


async def _log_out(hub: Hub, ctx: Any, server: Server) -> None:
    if await asyncio.to_thread(hub.access.forget, server):
        ctx.ui.notify(f'Signed out of MCP server "{server.name}".', "info")
        await hub.reconnect(server.name)
    else:
        ctx.ui.notify(f'No sign-in is stored for MCP server "{server.name}".', "info")


async def _sign_in(hub: Hub, ctx: Any, server: Server) -> None:
    """Through the browser; where somebody can answer, the address can also be pasted."""
    connection = hub.connections[server.name]
    if connection.state != "needs-auth":
        await hub.reconnect(server.name)
    if connection.state == "connected":
        ctx.ui.notify(f'MCP server "{server.name}" is signed in to already.', "info")
        return
    if connection.state != "needs-auth":
        text = f'MCP server "{server.name}" cannot be reached: {connection.error}'
        ctx.ui.notify(text, "error")
        return
    if ctx.mode == "tui":
        from pi.builtin.mcp.picker import sign_in  # noqa: PLC0415  (in the terminal only)

        await sign_in(hub, ctx.ui.app, server)
        return
    from pi.builtin.mcp.person import AskingPerson  # noqa: PLC0415  (for signing in)

    person = AskingPerson(ctx.ui, server.name)
    try:
        await hub.access.sign_in(connection, person, SIGN_IN_SECONDS)
    except PiError as error:
        ctx.ui.notify(f'Not signed in to MCP server "{server.name}": {error}', "error")
        return
    finally:
        person.done()
    await _reconnect(hub, ctx, server)
