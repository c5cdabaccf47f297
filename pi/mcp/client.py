"""One connection to a server: the handshake, then its tools and resources."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pi._version import __version__
from pi.mcp.errors import McpError
from pi.mcp.http import HttpTransport
from pi.mcp.rpc import Peer, Progress, Transport

__all__ = ["PROTOCOL_VERSION", "Client"]

PROTOCOL_VERSION = "2025-11-25"
_KNOWN_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", PROTOCOL_VERSION)
_MAX_PAGES = 1000


class Client:
    """timeout: seconds a request may take, anew with each sign of progress.

    on_tools: the list of tools has changed. on_log: a message for the log.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        cwd: Path,
        timeout: float,
        on_tools: Callable[[], None],
        on_log: Callable[[Mapping[str, Any]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._timeout = timeout
        self._cwd = cwd
        self._on_tools = on_tools
        self._on_log = on_log
        self._peer = Peer(
            transport,
            requests={"ping": lambda params: {}, "roots/list": self._roots},
            notify=self._told,
            on_lost=on_lost,
        )
        self.capabilities: Mapping[str, Any] = {}
        self.instructions = ""

    @property
    def has_resources(self) -> bool:
        return isinstance(self.capabilities.get("resources"), dict)

    async def connect(self) -> None:
        """Shake hands. Raises McpError, and what the transport raises."""
        await self._peer.start()
        result = await self._ask(
            "initialize",
            {
                "protocolVersion": PROTOCOL_VERSION,
                "capabilities": {"roots": {}},
                "clientInfo": {"name": "pi", "version": __version__},
            },
        )
        version = result.get("protocolVersion")
        if version not in _KNOWN_VERSIONS:
            raise McpError(f"the server speaks an unknown version of the protocol: {version!r:.40}")
        capabilities = result.get("capabilities")
        self.capabilities = capabilities if isinstance(capabilities, dict) else {}
        instructions = result.get("instructions")
        self.instructions = instructions if isinstance(instructions, str) else ""
        if isinstance(self._transport, HttpTransport):
            self._transport.agreed(version)
        await self._peer.notify("notifications/initialized")
        if isinstance(self._transport, HttpTransport):
            self._transport.listen()

    async def tools(self) -> list[dict[str, Any]]:
        """Every tool as the server describes it; what is no description is left out."""
        if not isinstance(self.capabilities.get("tools"), dict):
            return []
        tools = await self.pages("tools/list", "tools")
        return [tool for tool in tools if isinstance(tool.get("name"), str) and tool["name"]]

    async def call(
        self, name: str, arguments: Mapping[str, Any], progress: Progress
    ) -> dict[str, Any]:
        """The server's CallToolResult."""
        params = {"name": name, "arguments": dict(arguments)}
        return await self._ask("tools/call", params, progress=progress)

    async def page(self, method: str, cursor: str | None = None) -> dict[str, Any]:
        """One page of a list of resources or templates."""
        return await self._ask(method, None if cursor is None else {"cursor": cursor})

    async def read(self, uri: str) -> dict[str, Any]:
        return await self._ask("resources/read", {"uri": uri})

    async def pages(self, method: str, key: str) -> list[dict[str, Any]]:
        """The whole of a list. key: where a page has its items."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(_MAX_PAGES):
            page = await self.page(method, cursor)
            items = page.get(key)
            if not isinstance(items, list):
                raise McpError(f"the server's answer to {method} has no {key}")
            found += [item for item in items if isinstance(item, dict)]
            following = page.get("nextCursor")
            if not isinstance(following, str) or not following:
                return found
            if following in seen:
                raise McpError(f"the server's list for {method} goes in circles")
            seen.add(following)
            cursor = following
        raise McpError(f"the server's list for {method} does not end")

    async def close(self) -> None:
        await self._peer.close()

    async def _ask(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        result = await self._peer.request(method, params, patience=self._timeout, progress=progress)
        if not isinstance(result, dict):
            raise McpError(f"the server's answer to {method} is not an object")
        return result

    def _roots(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"roots": [{"uri": self._cwd.as_uri(), "name": self._cwd.name}]}

    def _told(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "notifications/tools/list_changed":
            self._on_tools()
        elif method == "notifications/message":
            self._on_log(params)
