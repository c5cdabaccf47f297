"""What extensions added to pi, as plain data: modes read it, `pi.extensions` fills it.

Nobody needs to know more of extensions than this. All of it belongs to one open session; with the
next one come new instances of the extensions, and new additions.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pi.agent.hooks import Hooks
from pi.tools.base import Tool

__all__ = [
    "AddedCommand",
    "AddedTool",
    "Additions",
    "Drawing",
    "Flag",
    "Renderer",
    "Shortcut",
]

Renderer = Callable[..., Any]
"""(what is drawn, Drawing, theme) → lines, or a component of `pi.modes.interactive.view`."""

SourceInfo = Mapping[str, Any]
"""Where something comes from: the `sourceInfo` of docs/rpc-commands.md."""


@dataclass(slots=True)
class Drawing:
    """What a renderer is told besides what it draws. Fields of tools are empty for others.

    expanded: whether details are wanted. partial: whether more is to come. width: cells there are.
    state: kept between the renderers of one call. key_text: the keys of an action, for hints.
    """

    expanded: bool = False
    partial: bool = False
    width: int = 80
    cwd: Path = Path()
    tool_call_id: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = False
    duration_ms: int | None = None
    state: dict[str, Any] = field(default_factory=dict)
    key_text: Callable[[str], str] = lambda action: ""


@dataclass(frozen=True, slots=True)
class AddedTool:
    """tool: what runs. active: whether registering it switches it on.

    render_call, render_result: see docs/extensions.md; None leaves it to the terminal. own_shell:
    the renderers draw frame and background, too.
    """

    tool: Tool
    owner: str
    source: SourceInfo
    label: str = ""
    active: bool = True
    exposure: Literal["direct", "model-only", "codemode", "deferred", "hidden"] = "direct"
    annotations: Mapping[str, bool] = field(default_factory=dict)
    render_call: Renderer | None = None
    render_result: Renderer | None = None
    own_shell: bool = False


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


@dataclass(slots=True)
class Additions:
    """hooks: who listens. tools: by name, a built-in one's name takes its place.

    on_open: called once the session is there. on_close: called once, when it is over.
    """

    hooks: Hooks
    tools: dict[str, AddedTool] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    shortcuts: dict[str, Shortcut] = field(default_factory=dict)
    message_renderers: dict[str, Renderer] = field(default_factory=dict)
    entry_renderers: dict[str, Renderer] = field(default_factory=dict)
    tool_renderers: list[Callable[[str, Callable[[], Any]], Any]] = field(default_factory=list)
    on_open: list[Callable[[], None]] = field(default_factory=list)
    on_close: list[Callable[[], None]] = field(default_factory=list)
    _commands: list[AddedCommand] = field(default_factory=list)

    def runnable(self) -> dict[str, Tool]:
        """The tools that can be switched on."""
        return {name: each.tool for name, each in self.tools.items() if each.exposure != "hidden"}

    def active_tools(self) -> list[str]:
        """Those that are on from the start."""
        direct = ("direct", "model-only")
        return [n for n, each in self.tools.items() if each.active and each.exposure in direct]

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

    def drop(self, owner: str) -> None:
        """Forget what one extension registered."""
        self.hooks.drop(owner)
        self._commands = [each for each in self._commands if each.owner != owner]
        tables: tuple[dict[str, Any], ...] = (self.tools, self.flags, self.shortcuts)
        for table in tables:
            for name, each in list(table.items()):
                if each.owner == owner:
                    del table[name]

    def open(self) -> None:
        """The session that these belong to is there."""
        while self.on_open:
            self.on_open.pop()()

    def close(self) -> None:
        """The session these belong to is over. Safe to call twice."""
        self.hooks.close()
        while self.on_close:
            self.on_close.pop()()
