"""A server's tools, and the tools for resources, as tools of pi."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pi.errors import PiError, ToolError
from pi.mcp.connection import Connection
from pi.mcp.results import READ_RESOURCE, app_resource, resource_blocks, shortened, to_result
from pi.tools.base import ToolContext, ToolResult, text_block
from pi.wire import jsonio

__all__ = ["RESOURCE_TOOLS", "ResourceTool", "ServerTool", "result_schema", "tool_names"]

MAX_NAME = 64

_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")


def tool_names(server: str, tools: Sequence[str]) -> list[str]:
    """What the model calls them; those that would be called alike get a digest at the end."""
    plain = [re.sub(r"[^A-Za-z0-9_]", "_", f"mcp__{server}__{tool}") for tool in tools]
    return [
        name if len(name) <= MAX_NAME and plain.count(name) == 1 else _marked(name, server, tool)
        for name, tool in zip(plain, tools, strict=True)
    ]


def _marked(name: str, server: str, tool: str) -> str:
    digest = hashlib.sha256(f"{server}\0{tool}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{name[: MAX_NAME - 9]}_{digest}"


@dataclass(slots=True, eq=False)
class ServerTool:
    """told: the tool as its server describes it. readable: whether resources can be read."""

    name: str
    connection: Connection
    told: Mapping[str, Any]
    readable: Callable[[], bool]
    description: str = field(init=False)
    parameters: dict[str, Any] = field(init=False)
    snippet: str = ""
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        text = self.told.get("description")
        if not isinstance(text, str) or not text.strip():
            text = f"Tool {self.told['name']} of MCP server {self.connection.name}"
        schema = self.told.get("inputSchema")
        self.description = text
        self.parameters = {
            "type": "object",
            "properties": {},
            **(schema if isinstance(schema, dict) else {}),
        }

    @property
    def annotations(self) -> dict[str, bool]:
        told = self.told.get("annotations")
        told = told if isinstance(told, dict) else {}
        return {hint: told[hint] for hint in _HINTS if isinstance(told.get(hint), bool)}

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        server, tool = self.connection.name, self.told["name"]

        def progress(params: Mapping[str, Any]) -> None:
            text = params.get("message")
            if not isinstance(text, str) or not text:
                return
            details = {"server": server, "tool": tool}
            context.update(ToolResult([text_block(text)], details))

        result = await _told(self.connection.call(tool, args, progress))
        readable = self.readable()
        # Images are made to fit, and long texts written to files: not on the event loop.
        return await asyncio.to_thread(to_result, server, tool, result, context, readable=readable)


def result_schema(tool: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of what programs get from a tool: the server's CallToolResult."""
    own = tool.get("outputSchema")
    return {
        "type": "object",
        "properties": {
            "content": {"type": "array", "items": {"type": "object"}},
            "structuredContent": own if isinstance(own, dict) else {},
            "isError": {"type": "boolean"},
        },
        "required": ["content"],
    }


async def _told(work: Any) -> Any:
    """What goes wrong with a server is for the model to read."""
    try:
        return await work
    except PiError as error:
        raise ToolError(str(error)) from error


_SERVER = {"type": "string", "description": "Name of an MCP server; without it, all of them."}
_CURSOR = {
    "type": "string",
    "description": "The nextCursor of an earlier answer for the same server; goes with server.",
}


def _lists(what: str) -> tuple[str, dict[str, Any]]:
    return (
        f"List {what} of MCP servers: files, schemas and other data that a server shares.",
        {"type": "object", "properties": {"server": _SERVER, "cursor": _CURSOR}},
    )


RESOURCE_TOOLS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "list_mcp_resources": _lists("resources"),
    "list_mcp_resource_templates": _lists("templates for URIs of resources"),
    READ_RESOURCE: (
        "Read a resource of an MCP server.",
        {
            "type": "object",
            "properties": {
                "server": {"type": "string", "description": "The server, as the lists name it."},
                "uri": {"type": "string", "description": "The URI of the resource."},
            },
            "required": ["server", "uri"],
        },
    ),
}
"""Description and parameters, by name."""

_METHODS = {
    "list_mcp_resources": ("resources/list", "resources"),
    "list_mcp_resource_templates": ("resources/templates/list", "resourceTemplates"),
}


@dataclass(slots=True, eq=False)
class ResourceTool:
    """servers: those whose resources can be had, at the time of the call."""

    name: str
    servers: Callable[[], Sequence[Connection]]
    description: str = field(init=False)
    parameters: dict[str, Any] = field(init=False)
    snippet: str = ""
    rules: tuple[str, ...] = ()
    annotations: Mapping[str, bool] = field(default_factory=lambda: {"readOnlyHint": True})

    def __post_init__(self) -> None:
        self.description, self.parameters = RESOURCE_TOOLS[self.name]

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        if self.name == READ_RESOURCE:
            return await self._read(args["server"], args["uri"], context)
        return await self._list(args.get("server") or "", args.get("cursor") or "")

    async def _list(self, server: str, cursor: str) -> ToolResult:
        method, key = _METHODS[self.name]
        answer: dict[str, Any] = {}
        if server:
            page = await _told(self._server(server).page(method, cursor or None))
            items = page.get(key)
            listed = [(server, each) for each in items] if isinstance(items, list) else []
            answer["server"] = server
            following = page.get("nextCursor")
        else:
            if cursor:
                raise ToolError("cursor goes with server: say which server's list goes on")
            listed, errors = await self._all(method, key)
            following = None
            if errors:
                answer["errors"] = errors
        answer[key] = [
            {"server": name, **{k: v for k, v in each.items() if k not in ("icons", "_meta")}}
            for name, each in listed
            if isinstance(each, dict) and not app_resource(each)
        ]
        if isinstance(following, str) and following:
            answer["nextCursor"] = following
        shown, saved = shortened([text_block(jsonio.dumps(answer).decode())])
        details = {"server": server, "tool": self.name}
        if saved is not None:
            details["fullOutputPath"] = saved
        return ToolResult(shown, details, structured=answer)

    async def _all(
        self, method: str, key: str
    ) -> tuple[list[tuple[str, Any]], list[dict[str, str]]]:
        """Items with their servers, and what went wrong. Raises ToolError where all failed."""
        listed: list[tuple[str, Any]] = []
        errors: list[dict[str, str]] = []
        servers = self.servers()
        for connection in servers:
            try:
                items = await _told(connection.pages(method, key))
            except ToolError as error:
                errors.append({"server": connection.name, "error": str(error)})
                continue
            listed += [(connection.name, each) for each in items]
        if errors and len(errors) == len(servers):
            raise ToolError("; ".join(f"{each['server']}: {each['error']}" for each in errors))
        return listed, errors

    async def _read(self, server: str, uri: str, context: ToolContext) -> ToolResult:
        result = await _told(self._server(server).read(uri))
        contents = result.get("contents")
        contents = contents if isinstance(contents, list) else []
        shown, saved = await asyncio.to_thread(
            lambda: shortened(resource_blocks(server, contents, context))
        )
        details = {"server": server, "tool": self.name}
        if saved is not None:
            details["fullOutputPath"] = saved
        data = {"server": server, "uri": uri, "contents": contents}
        return ToolResult(shown, details, structured=data)

    def _server(self, name: str) -> Connection:
        servers = self.servers()
        for connection in servers:
            if connection.name == name:
                return connection
        names = ", ".join(each.name for each in servers) or "none"
        raise ToolError(f'MCP server "{name}" has no resources. Servers with resources: {names}')
