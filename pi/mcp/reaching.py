"""From a configured server to a transport: variables, commands and folders put in."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.config.paths import expand_home
from pi.config.values import resolve_value
from pi.mcp.config import Server
from pi.mcp.errors import McpError
from pi.mcp.http import Authorization, HttpTransport
from pi.mcp.stdio import StdioTransport
from pi.providers.http import HttpClient

__all__ = ["Place", "open_transport"]


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """Where servers are started from. variables: the environment they get."""

    cwd: Path
    home: Path
    variables: Mapping[str, str]


async def open_transport(
    server: Server, place: Place, client: HttpClient, authorization: Authorization | None
) -> StdioTransport | HttpTransport:
    """A transport that is not started yet. Raises ConfigError for values that cannot be had."""
    entry = server.entry
    if server.is_http:
        headers = await _resolved(server, "headers", "header", place)
        return HttpTransport(entry["url"], client, headers=headers, authorization=authorization)
    command = _under_home(entry["command"], place.home)
    if not command.strip():
        raise McpError("its command is empty")
    cwd = Path(os.path.normpath(place.cwd / expand_home(entry.get("cwd", "."), place.home)))
    own = await _resolved(server, "env", "variable", place)
    return StdioTransport(
        command,
        [_under_home(each, place.home) for each in entry.get("args", ())],
        cwd=cwd,
        env={**place.variables, **own},
    )


async def _resolved(server: Server, key: str, kind: str, place: Place) -> dict[str, str]:
    values: Mapping[str, str] = server.entry.get(key, {})

    def resolve() -> dict[str, str]:
        return {
            name: resolve_value(
                value,
                place.variables,
                what=f'the {kind} {name} of MCP server "{server.name}"',
                sendable=server.is_http,
            )
            if value
            else ""
            for name, value in values.items()
        }

    if any(value.startswith("!") for value in values.values()):
        return await asyncio.to_thread(resolve)  # a command takes its time
    return resolve()


def _under_home(text: Any, home: Path) -> str:
    return str(expand_home(text, home)) if text == "~" or text.startswith("~/") else str(text)
