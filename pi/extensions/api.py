"""The object that an extension's function receives."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, Unpack, get_args, overload

from pi.agent.faults import HookFailure, is_fault, text_of_error
from pi.agent.hook_events import Event
from pi.config.settings_types import Settings
from pi.errors import PiError
from pi.extensions.bound import bound
from pi.extensions.bus import BusEnd, EventBus
from pi.extensions.checking import list_of_texts, must_be_function, must_be_name
from pi.extensions.context import CommandContext, Context
from pi.extensions.drawing import Draws
from pi.extensions.execution import MAX_OUTPUT, ExecResult, Stage, run_command
from pi.extensions.speaking import Delivery, Speaker
from pi.extensions.supplying import Supply
from pi.runtime.additions import (
    AddedCommand,
    Additions,
    Flag,
    Shortcut,
    SourceInfo,
)
from pi.tools.base import Tool, ToolContext
from pi.wire.entries import CustomEntry
from pi.wire.messages import ThinkingLevel, UserContent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.extensions.registering import Registered
    from pi.runtime.additions import McpRegistration
    from pi.runtime.host import Host

__all__ = ["Pi"]

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=Event)
Heard = TypeVar("Heard", bound=Event, covariant=True)
R = TypeVar("R")
Complete = Callable[[str], Any]


class Hearing(Protocol[Heard]):
    """Makes a function a handler of one event, whose class says what it is given.

    The function may hear other events as well: decorators can stand on each other.
    """

    @overload
    def __call__(
        self, handler: Callable[[Heard, Context], R], /
    ) -> Callable[[Any, Context], R]: ...
    @overload
    def __call__(self, handler: Callable[[Heard], R], /) -> Callable[[Any], R]: ...
    @overload
    def __call__(self, handler: Callable[[], R], /) -> Callable[[], R]: ...


class Pi(Supply, Draws):
    """One instance of one extension, for one open session.

    While the extension's function runs, only what registers or subscribes works, and `exec`: no
    session is open yet. Everything that reaches the session raises StaleContext once that session
    is replaced or reloaded: then there is a new instance.

    path: the extension's file or folder. events: for extensions to talk to each other.
    """

    def __init__(
        self,
        stage: Stage,
        additions: Additions,
        bus: EventBus,
        *,
        path: Path,
        owner: str,
        source: SourceInfo,
        rank: int,
    ) -> None:
        self.path = path
        super().__init__(stage, additions, owner, rank)
        self._hooks = additions.hooks
        self._source = source
        self._bus = bus
        self._context = Context(stage, additions.hooks, owner)
        self._speaker = Speaker(stage, additions.hooks, owner)

    # Events

    @overload
    def on(self, event: type[E]) -> Hearing[E]: ...
    @overload
    def on(self, event: str) -> Callable[[F], F]: ...
    @overload
    def on(
        self,
        event: type[E],
        handler: Callable[[E, Context], Any] | Callable[[E], Any] | Callable[[], Any],
    ) -> Callable[[], None]: ...
    @overload
    def on(self, event: str, handler: Callable[..., Any]) -> Callable[[], None]: ...
    def on(self, event: str | type[Event], handler: Callable[..., Any] | None = None) -> Any:
        """Hear of an event: `@pi.on("tool_call")`, or `off = pi.on("tool_call", handler)`.

        By its class, `@pi.on(ToolCall)`, type checkers know what the handler is given. It takes
        (event, ctx), (event) or nothing, and may be a coroutine function. Which answers count is
        said with each event's class. Raises ValueError for an unknown event.
        """
        name = event if isinstance(event, str) else getattr(event, "name", None)
        if not isinstance(name, str):
            example = 'pi.on("tool_call") or pi.on(ToolCall)'
            raise TypeError(f"a handler comes with its event, as in {example}, not with {event!r}")
        if handler is None:

            def decorate(function: F) -> F:
                self.on(name, function)
                return function

            return decorate
        must_be_function(handler, f"a handler of {name}")
        call = bound(handler, self._context)
        return self._hooks.on(name, call, owner=self._owner, rank=self._rank)

    # What the model gets

    @overload
    def tool(self, function: F, /) -> F: ...
    @overload
    def tool(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        snippet: str = "",
        guidelines: Sequence[str] = (),
        sequential: bool = False,
        prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        sampling: Mapping[str, Any] | None = None,
        structured: bool = False,
        **registered: "Unpack[Registered]",
    ) -> Callable[[F], F]: ...
    def tool(self, function: Any = None, /, **options: Any) -> Any:  # type: ignore[misc]
        """Make a function a tool: `@pi.tool`, or `@pi.tool(snippet="…", …)`.

        The function's parameters are the arguments, by their type hints; its docstring tells the
        model what it does, an `Args:` section what they mean. Two names are not the model's: `ctx`
        gets the Context, `call` the ToolContext: `call.update(ToolResult(…))` streams progress,
        `call.call_id`, `call.env`. It returns text, JSON values, or a ToolResult; what it raises
        fails the call (ToolFailure with exactly its text). Plain functions hold everybody up while
        they run: let those that wait be coroutines.

        name, description: instead of the function's. parameters: JSON Schema, instead of the hints;
        then the function gets all arguments as one dict.
        snippet: its line in the system prompt's list of tools; without it, it is not in there.
        guidelines: rules for the prompt while it is on; each must name the tool.
        sequential: not together with other calls of a reply. prepare: rewrites arguments first.
        structured: whether what is returned is also given as data to programs.
        More: see `register_tool`.

        A tool with a built-in one's name takes its place. May be used at any time.
        """
        if function is not None:
            return self.tool(**options)(function)

        def decorate(given: F) -> F:
            # A tool needs more than a handler does: most extensions have none.
            from pi.extensions.registering import REGISTERED  # noqa: PLC0415
            from pi.extensions.tools import make_tool  # noqa: PLC0415

            shown = {key: options.pop(key) for key in REGISTERED if key in options}
            if shown.get("output_schema") is not None:
                options.setdefault("structured", True)
            defaults: dict[str, Any] = {
                "name": None,
                "description": None,
                "parameters": None,
                "snippet": "",
                "guidelines": (),
                "sequential": False,
                "prepare": None,
                "sampling": None,
                "structured": False,
            }
            made = make_tool(given, self._tool_context, **{**defaults, **options})
            self.register_tool(made, **shown)
            return given

        return decorate

    def register_tool(self, tool: Tool, **options: "Unpack[Registered]") -> None:
        """Register an object with the attributes of `pi.tools.base.Tool`; see `tool`.

        label: what the terminal calls it. active: False registers it switched off.
        exposure: who reaches it, see docs/extensions.md. namespace: the group it belongs to.
        annotations: hints such as {"readOnlyHint": True}. output_schema: JSON Schema of what it
        returns, for programs; it must return such data then.
        reaches_tools, prepare_loadout: for tools that call others; see `pi.tools.exposure`.
        render_call, render_result, own_shell: how the terminal draws it.
        Raises ValueError for the name of another extension's tool.
        """
        from pi.extensions.registering import added_tool  # noqa: PLC0415  (as in `tool`)

        added = added_tool(tool, self._owner, self._source, options)
        before = self._additions.tools.get(tool.name)
        # What comes with pi gives way; a gate in a tool of somebody else's must not be lost.
        if before is not None and before.source["source"] != "builtin":
            self._must_own(f"tool {tool.name}", before.owner)
        self._additions.tools[tool.name] = added
        if self._stage.loaded and not self._stage.struck:
            extending = self._stage.host.extending
            names = [each.name for each in self._stage.host.session.tools]
            if tool.name in self._additions.active_tools():
                names.append(tool.name)
            elif tool.name not in names:
                extending.look_again()
                return
            extending.use_tools(names)

    def _tool_context(self, call: ToolContext) -> Context:
        return self._context

    def builtin_tool(self, name: str) -> Tool:
        """pi's own tool of that name, to wrap or to call. Raises UsageError."""
        # Few extensions look at them.
        from pi.tools.registry import load  # noqa: PLC0415

        return load(name)

    @property
    def active_tools(self) -> list[str]:
        """Names of the tools that the model is told of."""
        return [tool.name for tool in self._stage.host.session.tools]

    def set_active_tools(self, names: Sequence[str]) -> None:
        """Switch exactly these on, from the next request on. Unknown names are passed over."""
        self._stage.host.extending.use_tools(list_of_texts(names, "set_active_tools"))

    def all_tools(self) -> list[dict[str, Any]]:
        """Every tool there is, as docs/extensions.md describes it."""
        # Few extensions look at them.
        from pi.extensions.registering import described  # noqa: PLC0415

        added = self._additions.tools
        return [
            described(each, added[each.name].source if each.name in added else None)
            for each in self._stage.host.extending.offered()
        ]

    def send_message(
        self,
        message: Mapping[str, Any],
        *,
        trigger_turn: bool | None = None,
        deliver_as: Delivery = "steer",
    ) -> None:
        """Put a message of your own into the conversation; the model sees it.

        message: {"customType": …, "content": text or blocks, "display": bool, "details": …}.
        deliver_as: during a run "steer" goes with the next request, "followUp" with the one after
        the last; "nextTurn" waits for the person's next prompt in any case. trigger_turn: True
        starts a run where there is none; False during one lets it be stored when the turn is over.
        """
        self._speaker.send(message, trigger_turn=trigger_turn, deliver_as=deliver_as)

    def send_user_message(
        self,
        content: str | Sequence[UserContent],
        *,
        deliver_as: Literal["steer", "followUp"] | None = None,
        expand: bool = False,
    ) -> None:
        """Say something as if the person had typed it; a run begins with it, in the background.

        deliver_as: needed during a run. expand: whether commands of extensions, skills and prompt
        templates count. What goes wrong is reported.
        """
        self._speaker.say_soon(content, deliver_as=deliver_as, expand=expand)

    # Commands and keys

    def command(
        self,
        name: str,
        description: str = "",
        *,
        complete: Complete | None = None,
    ) -> Callable[[F], F]:
        """Make a function a command: `@pi.command("deploy", "Deploy it")`, invoked as `/deploy …`.

        The function takes (arguments, ctx) or (arguments) or nothing; ctx is a CommandContext.
        complete: given what was typed after the name, returns values, or pairs of value and
        description; it may be a coroutine function.
        """

        must_be_name(name, "a command", '@pi.command("deploy")', r"[^/\s]\S*")
        if complete is not None:
            must_be_function(complete, f"complete of /{name}")

        def decorate(function: F) -> F:
            must_be_function(function, f"the command /{name}")
            context = CommandContext(self._stage, self._hooks, self._owner)
            call = bound(function, context)

            async def run(arguments: str) -> None:
                answer = call(arguments)
                if inspect.isawaitable(answer):
                    await answer

            self._additions.add_command(
                AddedCommand(
                    name,
                    description or inspect.cleandoc(function.__doc__ or "").partition("\n")[0],
                    self._owner,
                    self._source,
                    run,
                    None if complete is None else _completer(complete),
                )
            )
            return function

        return decorate

    def shortcut(self, key: str, description: str = "") -> Callable[[F], F]:
        """Run a function at a key, such as "ctrl+shift+p"; it takes (ctx) or nothing.

        Keys that pi itself uses stay pi's; see docs/keybindings.md. One of another extension is
        taken over, which the terminal tells of.
        """

        must_be_name(key, "a shortcut", '@pi.shortcut("ctrl+alt+d")')

        def decorate(function: F) -> F:
            must_be_function(function, f"the shortcut {key}")
            context = CommandContext(self._stage, self._hooks, self._owner)
            takes = len(inspect.signature(function).parameters)

            async def run() -> None:
                answer = function(context) if takes else function()
                if inspect.isawaitable(answer):
                    await answer

            self._additions.add_shortcut(Shortcut(key, description, self._owner, run))
            return function

        return decorate

    def commands(self) -> list[dict[str, Any]]:
        """What a prompt may begin with: extensions' commands, prompt templates, skills."""
        return self._stage.host.extending.command_list()

    # The command line

    def flag(
        self,
        name: str,
        description: str = "",
        *,
        kind: Literal["boolean", "string"] = "boolean",
        default: bool | str | None = None,
    ) -> Callable[[], bool | str | None]:
        """Add the option `--name` to the command line; call what it gives for its value.

        The value is there from session_start on, before that it is the default. Raises ValueError
        for the name of another extension's flag.
        """
        must_be_name(name, "a flag", 'pi.flag("dry")', r"[A-Za-z0-9][A-Za-z0-9_-]*")
        if kind not in ("boolean", "string"):
            raise ValueError(f'a flag is of the kind "boolean" or "string", not {kind!r}')
        before = self._additions.flags.get(name)
        if before is not None:
            self._must_own(f"flag --{name}", before.owner)
        if default is None and kind == "boolean":
            default = False
        self._additions.flags[name] = Flag(name, kind, description, self._owner, default)
        return lambda: self.get_flag(name)

    def _must_own(self, what: str, owner: str) -> None:
        if owner != self._owner:
            raise ValueError(f"there is a {what} already, of the extension {owner}")

    def get_flag(self, name: str) -> bool | str | None:
        """The value of a flag of this extension. Raises KeyError for one it does not have."""
        flag = self._additions.flags[name]
        if flag.owner != self._owner:
            raise KeyError(name)
        return flag.value

    # The session

    def append_entry(self, custom_type: str, data: Any = None) -> str:
        """Store something in the session that the model does not see; the entry's id.

        Raises SessionError for what JSON cannot hold.
        """
        must_be_name(custom_type, "an entry", 'pi.append_entry("card", data)')
        host = self._stage.host
        entry: CustomEntry = host.store.append_custom(custom_type, data)
        host.tell({"type": "entry_appended", "entry": entry})
        return entry["id"]

    @property
    def session_name(self) -> str | None:
        return self._stage.host.store.name

    def set_session_name(self, name: str) -> None:
        """Name the session; an empty name takes the name away."""
        if not isinstance(name, str):
            raise TypeError(f"a session's name is a text, not {name!r:.60}")
        self._stage.host.session.set_name(name)

    def set_label(self, entry_id: str, label: str | None) -> None:
        """Mark an entry, or take its mark away. Raises SessionError for an unknown one."""
        self._stage.host.store.append_label(entry_id, label)

    # MCP servers

    def register_mcp_server(self, name: str, config: Mapping[str, Any]) -> None:
        """Bring an MCP server, for this session; config is what mcp.json holds for one.

        Those registered while the extension is loaded connect when the session begins, later ones
        at once. Registering a name again replaces it. One of mcp.json with that name goes over it.
        Raises ValueError for a name of another extension's, and for what is no server.
        """
        # Few extensions bring any.
        from pi.extensions.servers import register  # noqa: PLC0415

        register(self._additions, self._stage, self._owner, name, config)

    def unregister_mcp_server(self, name: str) -> None:
        """Take a server of this extension back: its connection ends, its tools are withdrawn."""
        from pi.extensions.servers import unregister  # noqa: PLC0415  (as above)

        unregister(self._additions, self._stage, self._owner, name)

    def mcp_servers(self) -> "list[McpRegistration]":
        """What extensions registered, in that order: `name`, `config`, `extension`."""
        return [*self._additions.mcp_servers.values()]

    @property
    def restored_tools(self) -> Sequence[str]:
        """Names of the tools that the session had on when it was opened."""
        return self._stage.host.extending.had

    def set_prompt_section(self, tag: str, text: str | None) -> None:
        """Put a section at the end of the system prompt, from the next run on; None takes it away.

        A change is told to the model where the conversation is then: set it when it has changed.
        """
        must_be_name(tag, "a section", 'pi.set_prompt_section("rules", text)')
        if not isinstance(text, str | None):
            raise TypeError(f"a section is a text or None, not {text!r:.60}")
        sections = self._additions.sections
        if sections.get(tag) == text:
            return
        if text is None:
            del sections[tag]
        else:
            sections[tag] = text
        if self._stage.loaded and not self._stage.struck:
            extending = self._stage.host.extending
            extending.afterwards(extending.look_again)

    @property
    def host(self) -> "Host":
        """The session's host, for extensions that come with pi. Not part of what is promised."""
        return self._stage.host

    # Model and thinking

    def set_model(self, model: Model) -> bool:
        """Use another model in this session; False where there is no key for it."""
        host = self._stage.host
        if not isinstance(model, Model):
            raise TypeError(f"a model is what ctx.models.find(…) gives, not {model!r:.60}")
        try:
            host.services.check_key(model)
        except PiError:
            return False
        host.set_model(model)
        return True

    @property
    def thinking_level(self) -> ThinkingLevel:
        return self._stage.host.session.thinking

    def set_thinking_level(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level in this session, or the nearest the model has; that is returned."""
        if level not in get_args(ThinkingLevel):
            levels = ", ".join(get_args(ThinkingLevel))
            raise ValueError(f"{level!r:.60} is no thinking level; there are {levels}")
        return self._stage.host.set_thinking(level)

    # The machine, and other extensions

    async def exec(
        self,
        command: str,
        *args: str,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes | None = None,
        seconds: float | None = None,
        max_output: int = MAX_OUTPUT,
    ) -> ExecResult:
        """Run a program without a shell, to its end; cancelling ends it, and all it started.

        cwd: the session's folder unless given. env: the whole environment. seconds: how long it may
        take. Raises FileNotFoundError and its kin where there is no such program.
        """
        where = cwd if cwd is not None else self._stage.ground.paths.cwd
        return await run_command(
            command,
            args,
            cwd=where,
            env=env,
            stdin=stdin,
            seconds=seconds,
            max_output=max_output,
        )

    @property
    def settings(self) -> Settings:
        """The effective settings."""
        return self._stage.ground.services.settings

    @property
    def events(self) -> BusEnd:
        """A bus that all extensions share."""
        return BusEnd(self._bus, self._owner)

    def background(self, coroutine: Awaitable[None], *, grace: float = 0) -> None:
        """Let something go on by itself; it is cancelled when the session is closed.

        grace: seconds that it may still take then, such as for a message that is on its way: the
        session, and in print mode pi, ends after that. What it raises is reported. Begin it in
        session_start, not while the extension is loaded.
        """
        import asyncio  # noqa: PLC0415  (loaded long ago)

        async def run() -> None:
            try:
                await coroutine
            except BaseException as error:  # nobody waits for it: it is reported
                if not is_fault(error):
                    raise
                text = text_of_error(error)
                self._hooks.report(HookFailure(self._owner, "background", text, error))

        self._hooks.keep(asyncio.get_running_loop().create_task(run()), grace)


def _completer(complete: Complete) -> Callable[[str], Awaitable[Sequence[tuple[str, str]]]]:
    async def run(prefix: str) -> list[tuple[str, str]]:
        found = complete(prefix)
        if inspect.isawaitable(found):
            found = await found
        return [(item, "") if isinstance(item, str) else (item[0], item[1]) for item in found or ()]

    return run
