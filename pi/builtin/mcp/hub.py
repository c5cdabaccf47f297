"""The servers of one session: connected in the background, their tools registered as they come."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pi.builtin.mcp.listing import SECTION, Listed, section
from pi.errors import PiError
from pi.extensions import Context, Pi
from pi.mcp.access import Access
from pi.mcp.config import Exposure, Server, change_server, folded, load_servers
from pi.mcp.config import project_file as project_mcp_file
from pi.mcp.connection import Connection
from pi.mcp.tools import RESOURCE_TOOLS, ResourceTool, ServerTool, result_schema, tool_names
from pi.runtime.network import http_options, surroundings
from pi.tools.exposure import Namespace

__all__ = ["Hub", "sign_in_hint"]

log = logging.getLogger(__name__)

FIRST_WAIT = 10.0
"""Seconds the first prompt waits for servers whose tools it must declare."""

_SEARCH, _SCRIPTS = "tool_search", "codemode"
_WIDEST: tuple[Exposure, ...] = ("direct", "codemode", "deferred")


class Hub:
    """entries: all servers there are, those that are off included, by name.

    connections: of those that are on. listeners: called when anything has changed. errors: what is
    wrong with the files.
    """

    def __init__(self, pi: Pi, ctx: Context) -> None:
        self._pi = pi
        self._ctx = ctx
        self.entries: dict[str, Server] = {}
        self.overridden: dict[str, Server] = {}
        self.connections: dict[str, Connection] = {}
        self.listeners: list[Callable[[], None]] = []
        self.errors: tuple[str, ...] = ()
        self._auto = True
        self.access = _access(pi)
        self._tools: dict[str, dict[str, ServerTool]] = {}
        self._resource_exposure: Exposure | None = None
        self._first = True
        self._warned = False
        self._own: dict[str, Mapping[str, Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._restored = frozenset(pi.restored_tools)

    # They come and go

    def start(self) -> None:
        """Connect all that are on, in the background, and tell of what goes wrong."""
        self._load()
        for server in self.entries.values():
            self._open(server)
        self._activate()
        self._keep(self._tell_problems())
        if not self._ctx.has_ui:
            for error in self.errors:  # of the files; a run may be over before servers are settled
                log.warning("%s", error)

    def _load(self) -> None:
        paths = self.access.paths
        found = load_servers(paths, trusted=self._ctx.project_trusted)
        self._auto, self.errors = found.auto_codemode, found.errors
        entries = {server.name: server for server in found.servers}
        self.overridden = {}
        for each in self._pi.mcp_servers():
            entry = {**each.config, **self._own.get(each.name, {})}
            server = Server(each.name, entry, str(each.extension), "extension")
            if any(folded(name) == folded(each.name) for name in entries):
                self.overridden[each.name] = server
            else:
                entries[each.name] = server
        self.entries = entries

    async def take_registered(self) -> None:
        """Servers that extensions have registered or taken back meanwhile."""
        before = dict(self.entries)
        self._load()
        gone = [name for name, server in before.items() if self.entries.get(name) != server]
        for name in gone:
            await self._shut(name)
        for name, server in self.entries.items():
            if before.get(name) != server:
                self._open(server)
        self._activate()

    def _open(self, server: Server) -> None:
        if not server.enabled or server.name in self.connections:
            return
        connection = self.access.connection(server, self._changed)
        self.connections[server.name] = connection
        self._keep(self._connect(connection))

    async def _shut(self, name: str) -> None:
        connection = self.connections.pop(name, None)
        self._withdraw(self._tools.pop(name, {}).values())
        self._offer_resources()
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        for task in [*self._tasks]:
            task.cancel()
        connections = [*self.connections.values()]
        self.connections.clear()
        await asyncio.gather(*(each.close() for each in connections))
        await self.access.close()

    async def _connect(self, connection: Connection) -> None:
        with contextlib.suppress(PiError):  # its state says it
            await connection.connect()

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_problems(self) -> None:
        """Once, when all are settled: what is wrong with files and servers."""
        lines = [*self.errors]
        await self.settle(self.connections.values())
        for connection in self.connections.values():
            server = connection.server
            if connection.state == "failed":
                lines.append(f'MCP server "{server.name}" failed: {connection.error}')
            elif connection.state == "needs-auth":
                lines.append(f'MCP server "{server.name}" needs sign-in: {sign_in_hint(server)}')
        if lines and self._ctx.has_ui:
            self._ctx.ui.notify("\n".join([*lines, "See /mcp."]), "warning")

    # Waiting for them

    async def settle(self, connections: Iterable[Connection], seconds: float | None = None) -> None:
        """Until none of these is connecting any more."""
        waiting = [each for each in connections if each.state == "connecting"]
        if not waiting:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*map(self._connect, waiting))

    async def before_prompt(self, options: Any) -> None:
        """Wait for what the first request must declare; tell the model of the others."""
        if self._first:
            self._first = False
            direct = [c for c in self.connections.values() if c.server.any_exposed("direct")]
            await self.settle(direct, FIRST_WAIT)
        else:
            await self._use_new_sign_ins()
        self._activate()
        for name in self._pi.active_tools:
            if name not in options.selected_tools:
                options.selected_tools.append(name)
        text = section(self._listed())
        self._pi.set_prompt_section(SECTION, text)
        options.sections.pop(SECTION, None)
        if text is not None:
            options.sections[SECTION] = text

    async def before_call(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """Wait for the servers that a call may reach."""
        waiting = [each for each in self.connections.values() if each.state == "connecting"]
        if not waiting:
            return
        if tool in RESOURCE_TOOLS:
            await self.settle(waiting)
            return
        reaches = next(
            (each.get("reachesTools") for each in self._pi.all_tools() if each["name"] == tool),
            None,
        )
        if reaches is None:
            return
        words = reaches(arguments)
        if words == "all":
            await self.settle(waiting)
            return
        named = [c for c in waiting if any(_namespace(c.name) in word for word in words)]
        await self.settle(named)

    async def _use_new_sign_ins(self) -> None:
        """Another process may have signed in meanwhile."""
        for connection in [*self.connections.values()]:
            if connection.state == "needs-auth" and connection.server.uses_oauth:
                token = self.access.oauth(connection.server).token()
                if token is not None and token != connection.refused:
                    connection.refused = token
                    await self._connect(connection)

    # What they bring

    def _changed(self, connection: Connection) -> None:
        if self.connections.get(connection.name) is connection:
            if connection.state == "connected":
                self._offer(connection)
                self._activate()
            for listener in [*self.listeners]:
                listener()

    def _offer(self, connection: Connection) -> None:
        """Register its tools; those that it has no more are withdrawn."""
        server = connection.server
        before = self._tools.get(server.name, {})
        names = tool_names(server.name, [tool["name"] for tool in connection.tools])
        namespace = Namespace(
            _namespace(server.name),
            aliases=(server.name,),
            description=self._about(server),
            instructions=connection.instructions,
        )
        now: dict[str, ServerTool] = {}
        restored: list[str] = []
        for name, told in zip(names, connection.tools, strict=True):
            known = before.get(name)
            if known is not None and known.told == told:
                now[name] = known
                continue
            exposure = server.exposure_of(told["name"])
            tool = now[name] = ServerTool(
                name, connection, told, lambda: bool(self._with_resources())
            )
            self._pi.register_tool(
                tool,
                label=f"{server.name}/{told['name']}",
                exposure=_as_tool(exposure),
                namespace=namespace,
                annotations=tool.annotations,
                output_schema=result_schema(told),
            )
            if exposure in ("codemode", "deferred") and name in self._restored:
                restored.append(name)
        self._tools[server.name] = now
        self._withdraw(tool for name, tool in before.items() if name not in now)
        self._offer_resources()
        if restored:
            self._pi.set_active_tools([*self._pi.active_tools, *restored])

    def _withdraw(self, tools: Iterable[ServerTool]) -> None:
        for tool in [*tools]:
            self._pi.register_tool(tool, exposure="hidden")

    def _offer_resources(self) -> None:
        """The tools for resources, while a server has any, as widely as the widest of them."""
        exposures = {each.server.exposure for each in self._with_resources()}
        widest = next((each for each in _WIDEST if each in exposures), None)
        if widest == self._resource_exposure:
            return
        self._resource_exposure = widest
        exposure: Exposure = "hidden" if widest is None else _as_tool(widest)
        for name in RESOURCE_TOOLS:
            tool = ResourceTool(name, self._with_resources)
            self._pi.register_tool(
                tool,
                exposure=exposure,
                annotations=tool.annotations,
                output_schema={"type": "object"},
            )

    def _with_resources(self) -> list[Connection]:
        return [
            each
            for each in self.connections.values()
            if each.has_resources and each.server.exposure != "hidden"
        ]

    # How they are reached

    def _activate(self) -> None:
        """Switch on what reaches tools that the model is not told of."""
        there = self._reaching()
        servers = [each.server for each in self.connections.values()]
        ways = {self._way(server, there) for server in servers}
        if any(server.any_exposed("deferred") for server in servers):
            # Beside tools for codemode, too: a search is what such a tool is to be found by.
            ways |= {_SEARCH} & there
        active = self._pi.active_tools
        missing = [way for way in (_SCRIPTS, _SEARCH) if way in ways and way not in active]
        if missing:
            self._pi.set_active_tools([*active, *missing])
            active = self._pi.active_tools
        indirect = any(server.any_exposed("codemode", "deferred") for server in servers)
        if indirect and not self._warned and not {_SCRIPTS, _SEARCH} & {*active}:
            self._warned = True
            self._ctx.ui.notify(
                "Neither codemode nor tool_search is on: MCP tools that are not direct cannot be "
                "called.",
                "warning",
            )

    def _way(self, server: Server, there: Collection[str]) -> str | None:
        """The tool that reaches a server's tools, if they need one and it is there.

        Without codemode, what would be called from its scripts is found by a search.
        """
        if server.any_exposed("codemode") and self._auto and _SCRIPTS in there:
            return _SCRIPTS
        if server.any_exposed("codemode", "deferred") and _SEARCH in there:
            return _SEARCH
        return None

    def _reaching(self) -> set[str]:
        """Names of the tools that say what they reach."""
        return {tool["name"] for tool in self._pi.all_tools() if "reachesTools" in tool}

    def _listed(self) -> list[Listed]:
        there, active = self._reaching(), self._pi.active_tools
        listed = []
        for connection in self.connections.values():
            server = connection.server
            way = self._way(server, there)
            if way is None and server.any_exposed("codemode", "deferred"):
                way = next((name for name in (_SCRIPTS, _SEARCH) if name in active), None)
            if way is not None:
                listed.append(Listed(_namespace(server.name), way, self._about(server)))
        return sorted(listed)

    def _about(self, server: Server) -> str:
        if server.description:
            return server.description
        connection = self.connections.get(server.name)
        text = "" if connection is None else connection.instructions
        return text.strip().partition("\n")[0]

    # What a person does with them

    @property
    def project_file(self) -> Path | None:
        """Where overrides for the project are written; None where it is not trusted."""
        if not self._ctx.project_trusted:
            return None
        return project_mcp_file(self.access.paths)

    async def reconnect(self, name: str) -> Connection | None:
        """Connect anew; its state says what came of it."""
        connection = self.connections.get(name)
        if connection is not None:
            with contextlib.suppress(PiError):
                await connection.reconnect()
        return connection

    async def change(self, name: str, changes: Mapping[str, Any], *, project: bool = False) -> None:
        """Write a change where the server is defined, and act on it. Raises ConfigError."""
        server = self.entries[name]
        if server.scope == "extension":
            self._own[name] = {**self._own.get(name, {}), **changes}
        else:
            change_server(server, changes, self.project_file if project else None)
        self._load()
        await self._shut(name)
        if name in self.entries:
            self._open(self.entries[name])
        self._activate()
        for listener in [*self.listeners]:
            listener()

    def completions(self, prefix: str) -> list[tuple[str, str]]:
        word, blank, start = prefix.partition(" ")
        if not blank:
            actions = {
                "login": "Sign in to a server",
                "logout": "Forget a sign-in",
                "reconnect": "Connect to a server again",
            }
            return [(name, about) for name, about in actions.items() if name.startswith(word)]
        names = [name for name in self.connections if name.startswith(start)]
        return [(f"{word} {name}", "") for name in names]


def _as_tool(exposure: Exposure) -> Exposure:
    """codemode does not list the tools of servers either: it differs in what is switched on."""
    return "deferred" if exposure == "codemode" else exposure


def sign_in_hint(server: Server) -> str:
    if server.provider is not None:
        return f"/login {server.provider}"
    return f"/mcp login {server.name}"


def _namespace(name: str) -> str:
    return f"mcp__{folded(name)}"


def _access(pi: Pi) -> Access:
    services = pi.host.services
    return Access.make(
        services.paths,
        services.environment.variables,
        http_options(services.environment, services.settings),
        surroundings(services.environment, services.settings),
        services.credentials.bearer_of,
    )
