"""The section `mcp_servers` of the system prompt: servers whose tools the model is not told of."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["SECTION", "Listed", "section"]

SECTION = "mcp_servers"

MAX_ABOUT = 250
"""Characters of one server's description."""
MAX_SECTION = 4096
"""Characters of it all: descriptions shrink, then the last servers are left out."""

_WAYS = {
    "codemode": "Call the tools of `codemode` servers from codemode scripts.",
    "tool_search": "Find the tools of `tool_search` servers with `tool_search`, then call them.",
}


class Listed(NamedTuple):
    """way: the tool that reaches its tools."""

    name: str
    way: str
    about: str


def section(servers: Sequence[Listed]) -> str | None:
    """None where there is nothing to say."""
    if not servers:
        return None
    ways = [text for way, text in _WAYS.items() if any(each.way == way for each in servers)]
    head = " ".join(["These MCP servers have tools that you were not told of.", *ways])
    for most in (MAX_ABOUT, 120, 60, 0):
        lines = [_line(each, most) for each in servers]
        text = "\n".join([head, *lines])
        if len(text) <= MAX_SECTION:
            return text
    kept: list[str] = []
    room = MAX_SECTION - len(head) - 40
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([head, *kept, f"- and {len(lines) - len(kept)} more"])


def _line(server: Listed, most: int) -> str:
    about = " ".join(server.about.split())
    if len(about) > most:
        about = f"{about[: most - 1].rstrip()}…" if most else ""
    return f"- {server.name} ({server.way})" + (f": {about}" if about else "")
