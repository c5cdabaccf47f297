"""MCP servers that extensions bring: checked and kept here, connected by whoever hears of it."""

from collections.abc import Mapping
from typing import Any

from pi.agent.hook_events import McpServersChange
from pi.errors import ConfigError
from pi.extensions.execution import Stage
from pi.mcp.config import checked
from pi.runtime.additions import Additions, McpRegistration

__all__ = ["register", "unregister"]


def register(
    additions: Additions, stage: Stage, owner: str, name: str, config: Mapping[str, Any]
) -> None:
    """Raises ValueError."""
    known = additions.mcp_servers.get(name)
    if known is not None and known.extension != owner:
        raise ValueError(f'the MCP server "{name}" is registered by {known.extension}')
    try:
        entry = checked(name, dict(config))
    except ConfigError as error:
        raise ValueError(str(error)) from None
    additions.mcp_servers[name] = McpRegistration(name, entry, owner)
    _tell(additions, stage, name)


def unregister(additions: Additions, stage: Stage, owner: str, name: str) -> None:
    known = additions.mcp_servers.get(name)
    if known is not None and known.extension == owner:
        del additions.mcp_servers[name]
        _tell(additions, stage, name)


def _tell(additions: Additions, stage: Stage, name: str) -> None:
    if not stage.loaded or stage.struck:
        return
    if additions.hooks.wants(McpServersChange.name):
        additions.hooks.post(McpServersChange([*additions.mcp_servers.values()]))
    elif name in additions.mcp_servers:
        additions.tell_unconnected([additions.mcp_servers[name]])
