"""The object that an extension's function receives."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from pi.agent.hook_events import Event
from pi.agent.hooks import HookFailure
from pi.config.settings_types import Settings
from pi.errors import PiError
from pi.extensions.bus import BusEnd, EventBus
from pi.extensions.context import CommandContext, Context
from pi.extensions.execution import MAX_OUTPUT, ExecResult, Stage, run_command
from pi.extensions.speaking import Delivery, Speaker
from pi.runtime.additions import (
    AddedCommand,
    AddedTool,
    Additions,
    Flag,
    Renderer,
    Shortcut,
    SourceInfo,
)
from pi.tools.base import Tool, ToolContext
from pi.wire.entries import CustomEntry
from pi.wire.messages import ThinkingLevel, UserContent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.extensions.providers import OAuth
    from pi.providers.base import StreamFunction

__all__ = ["Pi"]

F = TypeVar("F", bound=Callable[..., Any])
Complete = Callable[[str], Any]


class Pi:
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
        self._stage = stage
        self._additions = additions
        self._hooks = additions.hooks
        self._owner = owner
        self._source = source
        self._rank = rank
        self._bus = bus
        self._context = Context(stage, additions.hooks, owner)
        self._speaker = Speaker(stage, additions.hooks, owner)

    # Events

    @overload
    def on(self, event: str | type[Event]) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str | type[Event], handler: Callable[..., Any]) -> Callable[[], None]: ...
    def on(self, event: str | type[Event], handler: Callable[..., Any] | None = None) -> Any:
        """Hear of an event: `@pi.on("tool_call")`, or `off = pi.on("tool_call", handler)`.

        The handler takes (event, ctx), (event) or nothing, and may be a coroutine function. Which
        answers count is said with each event's class. Raises ValueError for an unknown event.
        """
        name = event if isinstance(event, str) else event.name
        if handler is None:

            def decorate(function: F) -> F:
                self.on(name, function)
                return function

            return decorate
        call = _bound(handler, self._context)
        return self._hooks.on(name, call, owner=self._owner, rank=self._rank)

    # What the model gets

    @overload
    def tool(self, function: F, /) -> F: ...
    @overload
    def tool(
        self,
        *,
        name: str | None = None,
        label: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        snippet: str = "",
        guidelines: Sequence[str] = (),
        sequential: bool = False,
        prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        sampling: Mapping[str, Any] | None = None,
        structured: bool = False,
        active: bool = True,
        exposure: Literal["direct", "model-only", "codemode", "deferred", "hidden"] = "direct",
        annotations: Mapping[str, bool] | None = None,
        render_call: Renderer | None = None,
        render_result: Renderer | None = None,
        own_shell: bool = False,
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
        active: False registers it switched off. exposure: see docs/extensions.md.
        annotations: hints such as {"readOnlyHint": True}.
        render_call, render_result, own_shell: how the terminal draws it.

        A tool with a built-in one's name takes its place. May be used at any time.
        """
        if function is not None:
            return self.tool(**options)(function)

        def decorate(given: F) -> F:
            # A tool needs more than a handler does: most extensions have none.
            from pi.extensions.tools import make_tool  # noqa: PLC0415

            shown = {
                key: options.pop(key)
                for key in (
                    *("active", "exposure", "annotations", "label"),
                    *("render_call", "render_result", "own_shell"),
                )
                if key in options
            }
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

    def register_tool(
        self,
        tool: Tool,
        *,
        label: str | None = None,
        active: bool = True,
        exposure: Literal["direct", "model-only", "codemode", "deferred", "hidden"] = "direct",
        annotations: Mapping[str, bool] | None = None,
        render_call: Renderer | None = None,
        render_result: Renderer | None = None,
        own_shell: bool = False,
    ) -> None:
        """Register an object with the attributes of `pi.tools.base.Tool`; see `tool`."""
        self._additions.tools[tool.name] = AddedTool(
            tool,
            self._owner,
            self._source,
            label=label or tool.name,
            active=active,
            exposure=exposure,
            annotations=annotations or {},
            render_call=render_call,
            render_result=render_result,
            own_shell=own_shell,
        )
        if self._stage.loaded and not self._stage.struck:
            extending = self._stage.host.extending
            names = [each.name for each in self._stage.host.session.tools]
            if tool.name in self._additions.active_tools():
                names.append(tool.name)
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
        self._stage.host.extending.use_tools(names)

    def all_tools(self) -> list[dict[str, Any]]:
        """Every tool there is: name, description, parameters, guidelines, exposure, source."""
        extending = self._stage.host.extending
        added = self._additions.tools
        described = []
        for name in extending.tool_names():
            tool = extending.find_tool(name)
            if tool is None:
                continue
            mine = added.get(name)
            described.append(
                {
                    "name": name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                    "promptGuidelines": list(tool.rules),
                    "exposure": "direct" if mine is None else mine.exposure,
                    "annotations": {} if mine is None else dict(mine.annotations),
                    "sourceInfo": _builtin(name) if mine is None else dict(mine.source),
                }
            )
        return described

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

        def decorate(function: F) -> F:
            context = CommandContext(self._stage, self._hooks, self._owner)
            call = _bound(function, context)

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

        Keys that pi itself uses stay pi's; see docs/keybindings.md.
        """

        def decorate(function: F) -> F:
            context = CommandContext(self._stage, self._hooks, self._owner)
            takes = len(inspect.signature(function).parameters)

            async def run() -> None:
                answer = function(context) if takes else function()
                if inspect.isawaitable(answer):
                    await answer

            self._additions.shortcuts[key] = Shortcut(key, description, self._owner, run)
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

        The value is there from session_start on, before that it is the default.
        """
        if default is None and kind == "boolean":
            default = False
        self._additions.flags[name] = Flag(name, kind, description, self._owner, default)
        return lambda: self.get_flag(name)

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
        host = self._stage.host
        entry: CustomEntry = host.store.append_custom(custom_type, data)
        host.tell({"type": "entry_appended", "entry": entry})
        return entry["id"]

    @property
    def session_name(self) -> str | None:
        return self._stage.host.store.name

    def set_session_name(self, name: str) -> None:
        """Name the session; an empty name takes the name away."""
        self._stage.host.session.set_name(name)

    def set_label(self, entry_id: str, label: str | None) -> None:
        """Mark an entry, or take its mark away. Raises SessionError for an unknown one."""
        self._stage.host.store.append_label(entry_id, label)

    # Model and thinking

    def set_model(self, model: Model) -> bool:
        """Use another model in this session; False where there is no key for it."""
        host = self._stage.host
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
        return self._stage.host.set_thinking(level)

    # Providers

    def register_provider(
        self,
        name: str,
        *,
        display_name: str | None = None,
        base_url: str | None = None,
        api: str | None = None,
        api_key: str | None = None,
        auth_header: bool = False,
        headers: Mapping[str, str] | None = None,
        compat: Mapping[str, Any] | None = None,
        models: Sequence[Mapping[str, Any]] | None = None,
        stream: "StreamFunction | None" = None,
        oauth: "OAuth | None" = None,
    ) -> None:
        """Add a provider, or change one that is there; models.json goes over it.

        Values and models are written as in models.json ("$NAME", "!command"). models: all that the
        provider has then; without, those it has stay. stream: an async generator function
        `(model, context, options)` that yields the events of pi.providers.base.StreamFunction.
        oauth: for `pi auth login`. Raises ValueError naming what is wrong.
        """
        # Few extensions bring a provider.
        from pi.extensions.providers import Registration, register, unregister  # noqa: PLC0415

        services = self._stage.ground.services
        register(
            services,
            Registration(
                name,
                display_name,
                base_url,
                api,
                api_key,
                auth_header,
                headers,
                compat,
                models,
                stream,
                oauth,
            ),
        )
        self._additions.on_close.append(lambda: unregister(services, name))
        if self._stage.loaded and not self._stage.struck:
            self._stage.host.renew_model(name)

    def unregister_provider(self, name: str) -> None:
        """Take a provider away, or back to what it was."""
        from pi.extensions.providers import unregister  # noqa: PLC0415  (as above)

        unregister(self._stage.ground.services, name)

    # How things look in the terminal

    def message_renderer(self, custom_type: str) -> Callable[[F], F]:
        """Draw messages of `send_message`: `(message, options, theme)` → a component or lines."""
        return self._renderer(self._additions.message_renderers, custom_type)

    def entry_renderer(self, custom_type: str) -> Callable[[F], F]:
        """Draw entries of `append_entry` in the conversation, likewise."""
        return self._renderer(self._additions.entry_renderers, custom_type)

    def tool_renderer(self, function: F) -> F:
        """Choose how calls of any tool are drawn: `(tool name, next)` → renderers, or next()."""
        self._additions.tool_renderers.append(function)
        return function

    def _renderer(self, table: dict[str, Renderer], custom_type: str) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            table[custom_type] = function
            return function

        return decorate

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

    def background(self, coroutine: Awaitable[None]) -> None:
        """Let something go on by itself; it is cancelled when the session is closed.

        What it raises is reported. Begin it in session_start, not while the extension is loaded.
        """
        import asyncio  # noqa: PLC0415  (loaded long ago)

        async def run() -> None:
            try:
                await coroutine
            except Exception as error:  # noqa: BLE001  (nobody waits for it: it is reported)
                self._hooks.report(HookFailure(self._owner, "background", str(error), error))

        self._hooks.keep(asyncio.get_running_loop().create_task(run()))


def _bound(function: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
    """The function with as many of (value, context) as it takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return lambda value: function(value, context)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return lambda value: function(value, context)
    takes = sum(
        each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters
    )
    if takes >= 2:
        return lambda value: function(value, context)
    if takes == 1:
        return cast("Callable[[Any], Any]", function)
    return lambda value: function()


def _completer(complete: Complete) -> Callable[[str], Awaitable[Sequence[tuple[str, str]]]]:
    async def run(prefix: str) -> list[tuple[str, str]]:
        found = complete(prefix)
        if inspect.isawaitable(found):
            found = await found
        return [(item, "") if isinstance(item, str) else (item[0], item[1]) for item in found or ()]

    return run


def _builtin(name: str) -> dict[str, Any]:
    return {
        "path": f"builtin:{name}",
        "source": "builtin",
        "scope": "temporary",
        "origin": "top-level",
    }
