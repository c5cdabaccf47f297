"""The MCP server that belongs to an account at Radius: once signed in, pi can use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.config.json_edit import remove_value, set_value
from pi.mcp.config import edit_servers, read_servers

__all__ = ["PROVIDER", "Taken", "lacks_radius", "take_radius"]

PROVIDER = "radius"
URL = "https://radius.pi.dev/mcp"
_AUTH = {"provider": PROVIDER}


@dataclass(frozen=True, slots=True)
class Taken:
    """changed: the server was there, and signed in otherwise."""

    name: str
    changed: bool


def lacks_radius(path: Path) -> bool:
    """Whether no server of an mcp.json uses the sign-in. Raises ConfigError."""
    return _place(read_servers(path)) is not None


def take_radius(path: Path) -> Taken | None:
    """Have an mcp.json use the sign-in; None where a server does. Raises ConfigError."""
    taken: Taken | None = None

    def edit(text: str, servers: Mapping[str, Any]) -> str:
        nonlocal taken
        taken = _place(servers)
        if taken is None:
            return text
        place = ("mcpServers", taken.name)
        if not taken.changed:
            return set_value(text, place, {"url": URL, "auth": _AUTH})
        if "oauth" in servers[taken.name]:
            text = remove_value(text, (*place, "oauth"))
        return set_value(text, (*place, "auth"), _AUTH)

    edit_servers(path, edit)
    return taken


def _place(servers: Mapping[str, Any]) -> Taken | None:
    """Which entry to write."""
    ours = {name: entry for name, entry in servers.items() if _is_radius(entry)}
    if any(entry.get("auth") == _AUTH for entry in ours.values()):
        return None
    if ours:
        return Taken(next(iter(ours)), True)
    names = (PROVIDER, "radius-mcp", *(f"radius-mcp-{number}" for number in range(2, 1000)))
    return Taken(next(name for name in names if name not in servers), False)


def _is_radius(entry: Any) -> bool:
    url = entry.get("url") if isinstance(entry, dict) else None
    return isinstance(url, str) and url.rstrip("/") == URL
