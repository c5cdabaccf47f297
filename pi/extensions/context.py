"""What handlers, commands and tools are given: the session, the person, the models, the run."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pi.agent.checks import messages_problem
from pi.agent.faults import is_fault, text_of_error
from pi.agent.hook_events import PromptOptions, UiPromptEnd, UiPromptStart
from pi.agent.hooks import HookFailure, Hooks
from pi.extensions.checking import list_of_texts
from pi.extensions.execution import Stage
from pi.extensions.models import Models
from pi.extensions.session_view import SessionFacts, SessionView
from pi.models.resolution import ScopedModel
from pi.runtime.ui import UI, Mode, Notice, Placement
from pi.wire.events import CompactionResult
from pi.wire.messages import (
    ThinkingLevel,
    UserContent,
    text_of,
)
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.navigation import Navigation
    from pi.session.store import SessionStore

__all__ = ["CommandContext", "Context", "FreshContext"]


class _Asking:
    """The mode's UI; the time in which it waits for the person is announced.

    What would only go wrong at the client or on the screen is refused here, in every mode.
    """

    def __init__(self, stage: Stage, hooks: Hooks) -> None:
        self._stage = stage
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        ui = self._stage.ground.ui
        value = getattr(ui, name)
        if name not in ("select", "confirm", "input", "editor", "custom"):
            return value

        async def ask(*args: Any, **named: Any) -> Any:
            if name == "select":
                list_of_texts(named["options"] if len(args) < 2 else args[1], "options of select")
            title = args[0] if args and isinstance(args[0], str) else None
            with self._waiting(name, named.get("title", title)):
                return await value(*args, **named)

        return lambda *args, **named: _Question(name, ask(*args, **named))

    def notify(self, message: str, kind: Notice = "info") -> None:
        _text(message, "a notice")
        _one_of(kind, Notice, "the kind of a notice")
        self._stage.ground.ui.notify(message, kind)

    def set_status(self, key: str, text: str | None) -> None:
        if text is not None:
            _text(text, "a status")
        self._stage.ground.ui.set_status(key, text)

    def set_title(self, title: str) -> None:
        _text(title, "a title")
        self._stage.ground.ui.set_title(title)

    def set_widget(
        self, key: str, lines: Sequence[str] | None, placement: Placement | None = None
    ) -> None:
        _one_of(placement, Placement, "placement")
        lines = None if lines is None else list_of_texts(lines, "a widget")
        self._stage.ground.ui.set_widget(key, lines, placement)

    def set_widget_component(
        self, key: str, factory: Callable[..., Any], placement: Placement | None = None
    ) -> None:
        _one_of(placement, Placement, "placement")
        self._stage.ground.ui.set_widget_component(key, factory, placement)

    @contextmanager
    def _waiting(self, kind: Any, title: str | None) -> Iterator[None]:
        hooks = self._hooks
        hooks.waiting += 1
        if hooks.waiting == 1:
            hooks.post(UiPromptStart(kind, title))
        try:
            yield
        finally:
            hooks.waiting -= 1
            if hooks.waiting == 0:
                hooks.post(UiPromptEnd())


def _text(value: Any, what: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not {value!r:.60}")


def _one_of(value: Any, kinds: Any, what: str) -> None:
    if value is not None and value not in get_args(kinds):
        known = " or ".join(f'"{each}"' for each in get_args(kinds))
        raise ValueError(f"{what} is {known}, not {value!r:.60}")


class _Question(Coroutine[Any, Any, Any]):
    """A coroutine that is not true before it is awaited: such a gate would let everything pass."""

    def __init__(self, name: str, asked: Coroutine[Any, Any, Any]) -> None:
        self._name, self._asked = name, asked

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._asked.__await__()

    def send(self, value: Any) -> Any:
        return self._asked.send(value)

    def throw(self, *error: Any) -> Any:
        return self._asked.throw(*error)

    def close(self) -> None:
        self._asked.close()

    def __bool__(self) -> bool:
        self._asked.close()
        raise TypeError(f"nobody was asked: write `await ctx.ui.{self._name}(…)`")


class _Setup:
    """The store of a session that is about to begin: a message that is none would end its runs."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append_message(self, message: Any) -> Any:
        problem = messages_problem([message])
        needed = ("api", "provider", "model", "usage", "stopReason")
        if problem is None and message["role"] == "assistant":
            missing = [name for name in needed if name not in message]
            problem = f"an assistant message needs {', '.join(missing)}" if missing else None
        if problem is not None:
            raise ValueError(problem)
        return self._store.append_message(message)


class Context:
    """Everything here belongs to the session that is open; afterwards it raises StaleContext."""

    def __init__(self, stage: Stage, hooks: Hooks, owner: str) -> None:
        self._stage = stage
        self._hooks = hooks
        self._owner = owner
        self.session = SessionView(stage)
        self.models = Models(stage)
        # Asking a model beside the conversation is what most want of it.
        self.stream = self.models.stream
        self.complete = self.models.complete
        self.ui = cast(UI, _Asking(stage, hooks))

    # Where

    @property
    def mode(self) -> Mode:
        """ "tui", "rpc", "json" or "print"."""
        return self._stage.ground.ui.mode

    @property
    def has_ui(self) -> bool:
        """Whether somebody can answer questions and see notices: in the terminal and over RPC."""
        return self._stage.ground.ui.has_ui

    @property
    def cwd(self) -> Path:
        return self._stage.ground.paths.cwd

    @property
    def project_dir(self) -> Path:
        """The project's `.pi` folder; read it only if `project_trusted`."""
        return self._stage.ground.paths.project

    @property
    def agent_dir(self) -> Path:
        """The person's folder, `~/.pi/agent`."""
        return self._stage.ground.paths.agent

    @property
    def project_trusted(self) -> bool:
        """Whether what the project brings counts; what came after the decision does not."""
        return self._stage.ground.services.project_counts()

    async def sessions(self, *, everywhere: bool = False) -> list[SessionFacts]:
        """The sessions of this folder, or of all; the last used first."""
        storage = self._stage.host.storage

        def read() -> list[SessionFacts]:
            with storage.index() as index:
                found = index.sessions(storage.root if everywhere else storage.folder)
            return [
                SessionFacts(
                    one.path,
                    one.summary.id,
                    one.summary.cwd,
                    one.summary.name,
                    one.summary.first,
                    one.summary.messages,
                    one.used,
                )
                for one in found
                if everywhere or storage.is_here(one)
            ]

        return await asyncio.to_thread(read)

    # Which model

    @property
    def model(self) -> Model | None:
        """None while there is none that can be used."""
        return self._stage.host.model

    @property
    def thinking_level(self) -> ThinkingLevel:
        return self._stage.host.session.thinking

    @property
    def scoped_models(self) -> tuple[ScopedModel, ...]:
        """Those of --models or enabledModels; empty where nothing was chosen."""
        return self._stage.host.scope.models

    @staticmethod
    def text_of(message: Any) -> str:
        """The text of a message."""
        return text_of(message["content"])

    # The run

    @property
    def is_idle(self) -> bool:
        """Whether no run, retry or compaction is under way."""
        return not self._stage.host.session.is_busy

    @property
    def aborted(self) -> bool:
        """Whether what is under way is being ended."""
        return self._stage.host.session.is_aborted

    @property
    def has_pending_messages(self) -> bool:
        return bool(self._stage.host.session.queues)

    def abort(self) -> None:
        """End what is under way, as Escape does. Does not wait for it."""
        self._stage.host.stop()

    def shutdown(self) -> None:
        """Ask for the end of the program. In print and JSON mode it ends by itself."""
        host = self._stage.host
        if host.on_shutdown is not None:
            host.extending.afterwards(host.on_shutdown)

    @property
    def context_tokens(self) -> int:
        """How much is in the context, as far as the provider told; the rest is estimated."""
        return self._stage.host.session.transcript.tokens

    @property
    def context_window(self) -> int:
        return self._stage.host.session.limits.context_window

    def compact(
        self,
        instructions: str | None = None,
        *,
        on_complete: Callable[[CompactionResult | None], Any] | None = None,
        on_error: Callable[[Exception], Any] | None = None,
    ) -> None:
        """Compact the conversation, in the background: what is under way is aborted first."""
        host, hooks, owner = self._stage.host, self._hooks, self._owner

        async def run() -> None:
            try:
                try:
                    result = await host.compact(instructions)
                except Exception as error:
                    if on_error is None:
                        raise
                    on_error(error)
                else:
                    if on_complete is not None:
                        on_complete(result)
            except BaseException as error:  # nobody waits for it: it is reported
                if not is_fault(error):
                    raise
                hooks.report(HookFailure(owner, "compact", text_of_error(error), error))

        hooks.keep(asyncio.create_task(run()))

    @property
    def system_prompt(self) -> str:
        """As it is now; while before_agent_start is under way, as handlers left it so far."""
        if self._hooks.system_prompt is not None:
            return self._hooks.system_prompt
        return "\n\n".join(self._stage.host.session.sections.values())

    # Showing

    @contextmanager
    def status(self, key: str, text: str) -> Iterator[Callable[[str], None]]:
        """A text in the footer while this is open; call what it gives for another text."""
        ui = self._stage.host.ui
        ui.set_status(key, text)
        try:
            yield lambda other: ui.set_status(key, other)
        finally:
            ui.set_status(key, None)


class CommandContext(Context):
    """Commands may do what would block a handler: wait for the end of a run, open another session.

    What opens another session returns its context, and None where an extension kept this one. The
    old context, and the old `pi`, are of no use then.
    """

    def system_prompt_options(self) -> PromptOptions:
        """What the system prompt is made of now. Holds texts of files: not for logs."""
        parts = self._hooks.prompt
        assert parts is not None, "set with the session"
        return parts.options()

    async def wait_for_idle(self) -> None:
        """Until the agent has settled, its retries and queued messages included."""
        host = self._stage.host
        while host.is_running or host.session.is_busy:
            if host.is_running:
                await host.settled()
            else:
                await host.session.idle()

    async def new_session(
        self,
        *,
        parent: Path | str | None = None,
        setup: "Callable[[SessionStore], Any] | None" = None,
    ) -> "FreshContext | None":
        """Begin a session. parent: the file it comes from. setup: appends to it beforehand."""
        host = self._stage.host
        begin = None if setup is None else lambda store: setup(cast("SessionStore", _Setup(store)))
        opened = await host.new_session(parent=None if parent is None else str(parent), setup=begin)
        return self._fresh(host) if opened else None

    async def switch_session(self, path: Path | str) -> "FreshContext | None":
        """Open the session in a file. Raises SessionError."""
        host = self._stage.host
        return self._fresh(host) if await host.switch(Path(path)) else None

    async def fork(
        self, entry_id: str, *, position: Literal["before", "at"] = "before"
    ) -> "FreshContext | None":
        """A session of what came before a message of the person's, or of all up to an entry.

        Raises SessionError.
        """
        host = self._stage.host
        if position not in ("before", "at"):
            raise ValueError(f'position is "before" or "at", not {position!r:.60}')
        if position == "at":
            return self._fresh(host) if await host.clone(entry_id) else None
        text = await host.fork(entry_id)
        if text is None:
            return None
        host.ui.set_editor_text(text)
        return self._fresh(host)

    async def reload(self) -> "FreshContext":
        """Read extensions, settings, skills, prompts and instructions again; same conversation."""
        host = self._stage.host
        await host.reload()
        return self._fresh(host)

    async def navigate_tree(
        self,
        target_id: str,
        *,
        summarize: bool = False,
        instructions: str | None = None,
        replace_instructions: bool = False,
        label: str | None = None,
    ) -> "Navigation":
        """Go on from another entry of this session; before it, if it is a message of the person's.

        summarize: take a summary of the branch that is left along. instructions: for that summary;
        with replace_instructions, in place of pi's own. label: for the summary, or for the entry.

        Raises BusyError during other work, SessionError for an unknown entry.
        """
        return await self._stage.host.session.navigate(
            target_id,
            summarise=summarize,
            instructions=instructions,
            replace=replace_instructions,
            label=label,
        )

    def _fresh(self, host: Any) -> "FreshContext":
        additions = host.additions
        stage = Stage(host, loaded=True)
        hooks = self._hooks
        if additions is not None:
            additions.at_close(stage.strike)
            hooks = additions.hooks
        return FreshContext(stage, hooks, self._owner)


class FreshContext(CommandContext):
    """Of a session that a command opened; it can speak there, as `pi` does."""

    def __init__(self, stage: Stage, hooks: Hooks, owner: str) -> None:
        super().__init__(stage, hooks, owner)
        from pi.extensions.speaking import Speaker  # noqa: PLC0415  (it imports this module's kin)

        self._speaker = Speaker(stage, hooks, owner)

    async def send_user_message(
        self,
        content: str | Sequence[UserContent],
        *,
        deliver_as: Literal["steer", "followUp"] | None = None,
    ) -> None:
        """See Pi.send_user_message; returns once the run has begun or the message waits."""
        await self._speaker.say(content, deliver_as=deliver_as)

    async def send_message(self, message: Any, **options: Any) -> None:
        """See Pi.send_message."""
        self._speaker.send(message, **options)
