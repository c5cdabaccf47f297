"""What extensions added to pi, as plain data: modes read it, `pi.extensions` fills it.

Nobody needs to know more of extensions than this. All of it belongs to one open session; with the
next one come new instances of the extensions, and new additions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from pi.agent.faults import HookFailure
from pi.agent.hooks import Hooks
from pi.runtime.looks import Owned, Renderer
from pi.tools.base import Tool
from pi.tools.exposure import (
    Exposure,
    Namespace,
    OfferedTool,
    PrepareLoadout,
    ReachesTools,
)

__all__ = [
    "AddedCommand",
    "AddedTool",
    "Additions",
    "Flag",
    "LISTS_WITHIN",
    "McpRegistration",
    "Shortcut",
]

LISTS_WITHIN = 15.0
"""Seconds that a provider has to say which models it offers."""

SourceInfo = Mapping[str, Any]
"""Where something comes from: the `sourceInfo` of docs/rpc-commands.md."""


@dataclass(frozen=True, slots=True)
class AddedTool:
    """tool: what runs. active: whether registering it switches it on. exposure to prepare_loadout:
    see OfferedTool.

    render_call, render_result: see docs/extensions.md; None leaves it to the terminal. own_shell:
    the renderers draw frame and background, too.
    """

    tool: Tool
    owner: str
    source: SourceInfo
    label: str = ""
    active: bool = True
    exposure: Exposure = "direct"
    annotations: Mapping[str, bool] = field(default_factory=dict)
    namespace: Namespace | None = None
    output_schema: Mapping[str, Any] | None = None
    reaches_tools: ReachesTools | None = None
    prepare_loadout: PrepareLoadout | None = None
    render_call: Renderer | None = None
    render_result: Renderer | None = None
    own_shell: bool = False

    @property
    def offered(self) -> OfferedTool:
        return OfferedTool(
            self.tool,
            self.exposure,
            self.namespace,
            self.annotations,
            self.output_schema,
            self.reaches_tools,
            self.prepare_loadout,
        )


@dataclass(frozen=True, slots=True)
class AddedCommand:
    """name: as it is invoked, without the slash. run: gets what follows the name.

    complete: `(prefix)` → pairs of value and description.
    """

    name: str
    description: str
    owner: str
    source: SourceInfo
    run: Callable[[str], Awaitable[None]]
    complete: Callable[[str], Awaitable[Sequence[tuple[str, str]]]] | None = None


@dataclass(slots=True)
class Flag:
    """An option of the command line. value: what it was given, else its default."""

    name: str
    kind: Literal["boolean", "string"]
    description: str
    owner: str
    value: bool | str | None = None


@dataclass(frozen=True, slots=True)
class Shortcut:
    """key: as keybindings.json writes it."""

    key: str
    description: str
    owner: str
    run: Callable[[], Awaitable[None]]


class RefreshesModels(Protocol):
    async def refresh(self, *, network: bool, force: bool = False) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class McpRegistration:
    """An MCP server that an extension brings. config: as in mcp.json, checked."""

    name: str
    config: Mapping[str, Any]
    extension: str


@dataclass(slots=True)
class Additions:
    """hooks: who listens. tools: by name, a built-in one's name takes its place.

    taken_keys: of shortcuts that another extension had before, with that one.
    refreshers: of providers whose lists of models are asked for, by name, with their owner.
    sections: of the system prompt, by tag, for the session. mcp_servers: that are to be connected.
    on_open: called once the session is there.
    message_renderers, entry_renderers: by custom type; of several the first draws.
    tool_renderers: asked in order. markdown: transformers, in order.
    """

    hooks: Hooks
    tools: dict[str, AddedTool] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    taken_keys: dict[str, str] = field(default_factory=dict)
    shortcuts: dict[str, Shortcut] = field(default_factory=dict)
    message_renderers: dict[str, list[Owned]] = field(default_factory=dict)
    entry_renderers: dict[str, list[Owned]] = field(default_factory=dict)
    tool_renderers: list[Owned] = field(default_factory=list)
    markdown: list[Owned] = field(default_factory=list)
    refreshers: dict[str, tuple[str, RefreshesModels]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    mcp_servers: dict[str, McpRegistration] = field(default_factory=dict)
    on_open: list[Callable[[], None]] = field(default_factory=list)
    _on_close: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    _commands: list[AddedCommand] = field(default_factory=list)

    def runnable(self) -> dict[str, Tool]:
        """The tools that can be switched on."""
        return {name: each.tool for name, each in self.tools.items() if each.exposure != "hidden"}

    def active_tools(self) -> list[str]:
        """Those that are on from the start."""
        direct = ("direct", "model-only")
        return [n for n, each in self.tools.items() if each.active and each.exposure in direct]

    def indirect_tools(self) -> list[str]:
        """Those that the model is told of only where somebody names them."""
        return [n for n, each in self.tools.items() if each.exposure in ("codemode", "deferred")]

    def add_shortcut(self, shortcut: Shortcut) -> None:
        before = self.shortcuts.get(shortcut.key)
        if before is not None and before.owner != shortcut.owner:
            self.taken_keys[shortcut.key] = before.owner
        self.shortcuts[shortcut.key] = shortcut

    def add_command(self, command: AddedCommand) -> None:
        """One extension has one command of a name: a later one takes its place."""
        same = (command.owner, command.name)
        self._commands = [c for c in self._commands if (c.owner, c.name) != same]
        self._commands.append(command)

    def commands(self) -> Iterator[AddedCommand]:
        """In load order. Of several with one name, each has its number: `review:1`, `review:2`."""
        counts: dict[str, int] = {}
        for command in self._commands:
            counts[command.name] = counts.get(command.name, 0) + 1
        seen: dict[str, int] = {}
        for command in self._commands:
            if counts[command.name] == 1:
                yield command
                continue
            seen[command.name] = seen.get(command.name, 0) + 1
            yield replace(command, name=f"{command.name}:{seen[command.name]}")

    def command(self, text: str) -> tuple[AddedCommand, str] | None:
        """The command that a prompt invokes, and its arguments."""
        if not text.startswith("/") or not self._commands:
            return None
        name, _, arguments = text[1:].partition(" ")
        for command in self.commands():
            if command.name == name:
                return command, arguments.strip()
        return None

    async def refresh_models(
        self,
        providers: Collection[str] | None = None,
        *,
        network: bool,
        force: bool = False,
        seconds: float | None = LISTS_WITHIN,
    ) -> dict[str, Exception]:
        """Ask for lists of models, of all providers or of these; what went wrong, by provider.

        seconds: for each; who takes longer went wrong with a TimeoutError.
        """

        async def ask(refresher: RefreshesModels) -> None:
            async with asyncio.timeout(seconds):
                await refresher.refresh(network=network, force=force)

        asked = {
            name: refresher
            for name, (_, refresher) in self.refreshers.items()
            if providers is None or name in providers
        }
        results = await asyncio.gather(*map(ask, asked.values()), return_exceptions=True)
        failed = {}
        for name, result in zip(asked, results, strict=True):
            if isinstance(result, Exception):
                failed[name] = result
            elif isinstance(result, BaseException):
                raise result
        return failed

    def stop_refreshing(self, provider: str) -> None:
        """Its models are not asked for any more, and what is on its way does not count."""
        known = self.refreshers.pop(provider, None)
        if known is not None:
            known[1].stop()

    def tell_unconnected(self, servers: Iterable[McpRegistration]) -> None:
        """Say of MCP servers that what would connect them is switched off, or replaced."""
        for each in servers:
            text = f'nothing connects the MCP server "{each.name}": MCP is switched off or replaced'
            self.hooks.report(HookFailure(each.extension, "register_mcp_server", text))

    def at_close(self, call: Callable[[], None], *, owner: str = "") -> None:
        """Call it once, when the session is over, or what the owner registered is forgotten."""
        self._on_close.append((owner, call))

    def drop(self, owner: str) -> None:
        """Forget what one extension registered."""
        self.hooks.drop(owner)
        for provider in [name for name, (who, _) in self.refreshers.items() if who == owner]:
            self.stop_refreshing(provider)
        for server in [n for n, each in self.mcp_servers.items() if each.extension == owner]:
            del self.mcp_servers[server]
        closing = [call for who, call in self._on_close if who == owner]
        self._on_close = [each for each in self._on_close if each[0] != owner]
        while closing:
            closing.pop()()
        self._commands = [each for each in self._commands if each.owner != owner]
        tables: tuple[dict[str, Any], ...] = (self.tools, self.flags, self.shortcuts)
        for table in tables:
            for name, each in list(table.items()):
                if each.owner == owner:
                    del table[name]
        drawn = (*self.message_renderers.values(), *self.entry_renderers.values())
        for owned in (*drawn, self.tool_renderers, self.markdown):
            owned[:] = [each for each in owned if each.owner != owner]

    def open(self) -> None:
        """The session that these belong to is there."""
        while self.on_open:
            self.on_open.pop()()

    def close(self) -> None:
        """The session these belong to is over. Safe to call twice."""
        self.hooks.close()
        for provider in list(self.refreshers):
            self.stop_refreshing(provider)
        while self._on_close:
            _, call = self._on_close.pop()
            call()
