"""The session that is open, and another in its place: what RPC, SDK and terminal drive.

A host owns one agent session at a time. Prompts run in the background; every event goes to those
who subscribed, whichever session it comes from. Replacing the session (new, switch, fork, clone,
import) ends what is under way, closes the old one and opens the next in the folder it belongs to.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pi.agent.queues import MessageQueues, QueueMode
from pi.agent.session import AgentSession, BusyError
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.errors import SessionError
from pi.models.resolution import Scope, ScopedModel
from pi.models.selection import Selection
from pi.providers.http import HttpClient
from pi.runtime.network import http_options
from pi.runtime.opening import Opened, open_session
from pi.runtime.options import RunOptions
from pi.runtime.prompts import Prompt
from pi.runtime.requests import model_request, tool_context
from pi.runtime.services import Services, image_limits, read_services, warn
from pi.session.context import SessionContext
from pi.session.locate import require_cwd, session_folder
from pi.session.store import SessionStore
from pi.tools.base import ToolContext, ToolResult
from pi.wire.events import AgentEvent, CompactionResult
from pi.wire.messages import ImageContent, ThinkingLevel, UserContent
from pi.wire.model import Model

__all__ = ["NO_MODEL", "Disposition", "Host", "Listener", "WhileRunning", "open_host"]

log = logging.getLogger(__name__)

Disposition = Literal["started", "queued", "handled"]
"""What became of a prompt: a run began with it, it waits for one, or it needed none."""

WhileRunning = Literal["steer", "followUp"]
Listener = Callable[[AgentEvent], None]

NO_MODEL = Model(
    id="unknown",
    provider="unknown",
    api="unknown",
    base_url="",
    name="unknown",
    input=(),
    context_window=0,
    max_tokens=0,
)
"""Stands in a session until there is a model that can be used. Requests are refused before it."""


class Host:
    """One open session after another. Use `open_host`, and close it.

    services, session, scope: of the session that is open now. scope: the models to cycle through.
    on_replaced: called when another session is open. drain: awaited before each event of a run, so
        that a reader that is slow slows the run down.
    """

    def __init__(self, services: Services, opened: Opened) -> None:
        self.services = services
        self.on_replaced: list[Callable[[], None]] = []
        self.drain: Callable[[], Awaitable[None]] | None = None
        self._name = services.options.name  # of the first session only
        self._listeners: list[Listener] = []
        self._run: asyncio.Task[None] | None = None
        self._accepting = asyncio.Lock()
        self._http = HttpClient(http_options(services.environment, services.settings))
        self._install(opened)

    # What is open

    @property
    def store(self) -> SessionStore:
        return self.session.store

    @property
    def model(self) -> Model | None:
        """None until there is one that can be used."""
        return None if self.session.model is NO_MODEL else self.session.model

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Get every event from now on; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def begin(self) -> None:
        """Tell those who extend pi that the session is open. Once, when the mode is ready."""

    # Prompts

    async def prompt(
        self,
        text: str,
        images: Sequence[ImageContent] = (),
        *,
        while_running: WhileRunning | None = None,
    ) -> Disposition:
        """Take a prompt; the run it starts goes on in the background (see `settled`).

        images: made to fit the model. while_running: what to do with it during a run. Raises
        BusyError without that, AuthError where no request can be tried.
        """
        async with self._accepting:  # in the order they came, whatever their images take
            self._check_idle(while_running)
            content = await self._fitted(text, images)
            if self._check_idle(while_running):
                self._record()
                self._start(self.session.prompt(content))
                return "started"
            assert while_running is not None
            self.queue(content, while_running)
            return "queued"

    def _check_idle(self, while_running: WhileRunning | None) -> bool:
        """Whether a run can begin with a prompt; False if it is to be queued. Raises otherwise."""
        if self.is_running:
            if while_running is not None:
                return False
            raise BusyError("the agent is at work", hint="Say whether to steer it or to follow up.")
        if self.session.is_busy:
            doing = "compacting" if self.session.is_compacting else "busy"
            raise BusyError(f"the session is {doing}", hint="Wait, or abort that first.")
        self.services.check_key(self.model)
        return True

    async def say(
        self, text: str, images: Sequence[ImageContent] = (), *, when: WhileRunning
    ) -> None:
        """Queue a message whether or not there is a run; without one it goes with the next."""
        async with self._accepting:
            self.queue(await self._fitted(text, images), when)

    async def _fitted(self, text: str, images: Sequence[ImageContent]) -> list[UserContent]:
        text = self.expand(text)
        if not images:
            return Prompt(text).content
        # Most prompts have none.
        from pi.runtime.images import fit_images  # noqa: PLC0415

        settings = self.services.settings
        fitted = await asyncio.to_thread(
            fit_images, text, images, image_limits(self.model), settings.images.auto_resize
        )
        return fitted.content

    def expand(self, text: str) -> str:
        """A prompt as the model gets it: skills and prompt templates it names, in full."""
        return self.services.resources.expand(text, lambda problem: warn([problem]))

    def queue(self, content: Sequence[UserContent], when: WhileRunning) -> None:
        """Let it wait for the next turn, or for the end of the run."""
        if when == "steer":
            self.session.steer(content)
        else:
            self.session.follow_up(content)

    def resume(self) -> None:
        """Go on without a prompt, in the background. Raises as AgentSession.resume does."""
        self._record()
        self._start(self.session.resume())

    @property
    def is_running(self) -> bool:
        """Whether a run that was started here is under way."""
        return self._run is not None and not self._run.done()

    async def settled(self) -> None:
        """Wait for the end of the run. Raises what ended it, if it was no ordinary end.

        Cancelling this cancels the run, at once and without its last events.
        """
        if self._run is not None:
            await self._run

    def stop(self) -> None:
        """Begin to end what is under way; see `abort`."""
        self.session.abort()

    async def abort(self) -> None:
        """End what is under way, and wait until it has ended."""
        self.session.abort()
        await self.session.idle()
        if self._run is not None:
            await asyncio.wait([self._run])

    async def compact(self, instructions: str | None = None) -> CompactionResult:
        """Summarise the older part now. Raises CompactionError when it does not come about."""
        self.services.check_key(self.model)
        result: CompactionResult | None = None
        async with aclosing(self.session.compact(instructions)) as events:
            async for event in events:
                if event["type"] == "compaction_end":
                    result = event.get("result")
                await self._publish(event)
        assert result is not None, "without a result it raises"
        return result

    # Settings that are kept for this and later sessions

    def set_steering_mode(self, mode: QueueMode) -> None:
        self.session.queues.steering_mode = mode
        self._keep("steeringMode", mode)

    def set_follow_up_mode(self, mode: QueueMode) -> None:
        self.session.queues.follow_up_mode = mode
        self._keep("followUpMode", mode)

    def set_auto_compaction(self, enabled: bool) -> None:
        self.session.set_auto_compaction(enabled)
        self._keep(("compaction", "enabled"), enabled)

    def set_auto_retry(self, enabled: bool) -> None:
        self.session.set_auto_retry(enabled)
        self._keep(("retry", "enabled"), enabled)

    def _keep(self, key: str | Sequence[str], value: Any) -> None:
        """Write a setting of the person's, and let it hold from now on. Raises ConfigError."""
        # Settings are written rarely.
        from pi.config.settings_write import write_setting  # noqa: PLC0415

        write_setting(self.paths, "user", key, value)
        services = self.services
        settings = read_settings(services.paths).resolve(trusted=services.settings.trusted)
        self.services = replace(services, settings=settings)

    # Model and thinking

    def set_model(self, model: Model) -> None:
        """Use another model from the next request on. Raises AuthError without a key for it."""
        self.services.check_key(model)
        self._record()
        level = self.services.settings.model_thinking_levels.get(model.reference)
        self.session.set_model(model)
        if level is not None:
            self.session.set_thinking(level)

    def cycle_model(self, step: int = 1) -> ScopedModel | None:
        """The next model of the scope, or of all that can be used; None where there is no other."""
        candidates = self.scope.models or tuple(
            ScopedModel(model)
            for model in self.services.registry.available(self.services.credentials)
        )
        if len(candidates) < 2:
            return None
        references = [candidate.model.reference for candidate in candidates]
        current = self.session.model.reference
        at = references.index(current) if current in references else -1 if step > 0 else 0
        chosen = candidates[(at + step) % len(candidates)]
        self.set_model(chosen.model)
        if chosen.thinking is not None:
            self.set_thinking(chosen.thinking)
        return chosen

    def set_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level, or the nearest the model has; that one is returned."""
        self._record()
        return self.session.set_thinking(level)

    def cycle_thinking(self) -> ThinkingLevel | None:
        """The model's next level; None for a model that does not think."""
        model = self.session.model
        if not model.reasoning:
            return None
        levels = model.thinking_levels()
        current = self.session.thinking
        at = levels.index(current) if current in levels else -1
        return self.set_thinking(levels[(at + 1) % len(levels)])

    # Another session

    async def new_session(self, *, parent: str | None = None) -> None:
        """Begin a session in this folder. parent: the file to name as where it comes from."""
        cwd = str(self.services.paths.cwd)
        if self.services.options.no_session or self.store.path is None:
            store = SessionStore.in_memory(cwd)
        else:
            store = SessionStore.create(cwd, self.folder, parent=parent)
        await self._replace(Opened(store, self.services.paths.cwd, False))

    async def switch(self, path: Path, *, cwd: Path | None = None) -> None:
        """Open the session in a file. cwd: the folder to work in, where its own is gone.

        Raises SessionError, and leaves this session open, when that cannot be done.
        """
        path = self.services.paths.absolute(str(path))
        if self.store.saved and self.store.path is not None and _same(path, self.store.path):
            await self._settle()
            return
        store = SessionStore.open(path, cwd=str(self.services.paths.cwd))
        try:
            home = cwd or (require_cwd(store.cwd, path) if store.cwd else self.services.paths.cwd)
        except SessionError:
            store.close()
            raise
        await self._replace(Opened(store, home, store.leaf_id is not None))

    async def fork(self, entry_id: str) -> str:
        """A new session with what came before a message of the user; the text of that message."""
        # Sessions are forked rarely.
        from pi.session.fork import fork_before  # noqa: PLC0415

        store, text = fork_before(self.store, entry_id, self.folder)
        await self._replace(Opened(store, self.services.paths.cwd, True))
        return text

    async def clone(self) -> None:
        """A new session with the active branch."""
        from pi.session.fork import clone_session  # noqa: PLC0415  (as above)

        store = clone_session(self.store, self.folder)
        await self._replace(Opened(store, self.services.paths.cwd, True))

    async def import_session(self, path: Path, *, cwd: Path | None = None) -> None:
        """Copy a session file among this folder's sessions and open it; id and folder stay.

        cwd: as for `switch`. Raises SessionError; a session of that file name is never replaced.
        """
        from pi.session.copy import write_copy  # noqa: PLC0415  (as above)

        path = self.paths.absolute(str(path))
        target = self.folder / path.name
        if not _same(path, target):
            await asyncio.to_thread(write_copy, path, target)
        await self.switch(target, cwd=cwd)

    async def reload(self) -> None:
        """Read settings, models, keys and instructions again; the conversation goes on."""
        await self._settle()
        services = self.services
        services = await asyncio.to_thread(
            read_services, services.options, services.environment, services.paths
        )
        await self._renew_http(services)
        self.services = services
        session = self.session
        session.set_tools(session.tools, services.prompt_sections(session.tools))
        warn(services.diagnostics())

    @property
    def folder(self) -> Path:
        """Where the sessions of this folder are kept."""
        chosen = _chosen_folder(self.services.options, self.services.environment, self.paths)
        return chosen or session_folder(self.paths.sessions, str(self.paths.cwd))

    @property
    def paths(self) -> Paths:
        return self.services.paths

    async def close(self) -> None:
        """End what is under way and give the session's file back. Safe to call twice."""
        try:
            await self._settle()
        finally:
            self.store.close()
            await self._http.aclose()

    # Within

    def _install(self, opened: Opened) -> None:
        """Make an agent session of an opened store."""
        services, store = self.services, opened.store
        context = store.build_context()
        warn(store.notices)
        warn(opened.warnings)
        chosen = services.choose_model(context)
        warn(chosen.warnings)
        tools = services.choose_tools(context if opened.resumed else None)
        settings = services.settings

        def new_context(call_id: str, update: Callable[[ToolResult], None]) -> ToolContext:
            return tool_context(self.services, session, call_id, update)

        session = AgentSession(
            store,
            model=chosen.model or NO_MODEL,
            thinking=chosen.thinking,
            sections=services.prompt_sections(tools),
            tools=tools,
            request=model_request(self._reach, store.id),
            tool_context=new_context,
            one_off=model_request(self._reach, store.id, cached=False),
            retry=services.retry_policy(),
            compaction=settings.compaction,
            branch_reserve=settings.branch_summary.reserve_tokens,
            queues=MessageQueues(settings.steering_mode, settings.follow_up_mode),
            on_event=self._tell,
        )
        self.session = session
        self.scope: Scope = chosen.scope
        self._unrecorded: tuple[Opened, SessionContext, Selection] | None = (
            opened,
            context,
            chosen,
        )
        if not opened.resumed:
            self._record()

    def _reach(self) -> tuple[Services, HttpClient]:
        """What a request works with: both may be others after a reload."""
        return self.services, self._http

    def _record(self) -> None:
        """The entries before the first message: name, model, thinking level.

        A resumed session is not written to before something happens in it.
        """
        if self._unrecorded is None:
            return
        opened, context, chosen = self._unrecorded
        options, store = self.services.options, opened.store
        if self._name is not None:
            store.append_session_info(self._name)
            self._name = None
        if not opened.resumed:
            if chosen.model is not None:  # else told when one is chosen
                store.append_model_change(chosen.model.provider, chosen.model.id)
            store.append_thinking_level(chosen.thinking)
        elif context.thinking_level is None or (
            options.thinking is not None and chosen.thinking != context.thinking_level
        ):
            store.append_thinking_level(chosen.thinking)
        self._unrecorded = None

    def _start(self, events: AsyncGenerator[AgentEvent, None]) -> None:
        self._run = asyncio.create_task(self._follow(events))
        self._run.add_done_callback(_retrieve)

    async def _follow(self, events: AsyncGenerator[AgentEvent, None]) -> None:
        async with aclosing(events):
            async for event in events:
                await self._publish(event)

    async def _publish(self, event: AgentEvent) -> None:
        if self.drain is not None:
            # Before, so that nothing is waited for after the last event: it tells that all is done.
            await self.drain()
        self._tell(event)

    def _tell(self, event: AgentEvent) -> None:
        for listener in self._listeners:
            listener(event)

    async def _settle(self) -> None:
        """End whatever is under way in the session that is open."""
        while True:
            self.session.abort_shell()
            self.session.queues.clear()
            await self.session.shells_ended()
            await self.abort()
            if not (self.is_running or self.session.is_busy):
                return

    async def _replace(self, opened: Opened) -> None:
        """Put another session in the place of this one."""
        await self._settle()
        before = self.session
        try:
            if opened.cwd != self.paths.cwd:
                services = self.services
                paths = find_paths(services.environment, opened.cwd)
                services = await asyncio.to_thread(
                    read_services, services.options, services.environment, paths
                )
                await self._renew_http(services)
                self.services = services
                warn(services.diagnostics())
                await self._settle()  # what began meanwhile
            self._install(opened)
        except BaseException:
            opened.store.close()
            raise
        before.store.close()
        for replaced in self.on_replaced:
            replaced()

    async def _renew_http(self, services: Services) -> None:
        options = http_options(services.environment, services.settings)
        if options != http_options(self.services.environment, self.services.settings):
            await self._http.aclose()
            self._http = HttpClient(options)


async def open_host(options: RunOptions, environment: Environment) -> Host:
    """Open the session that the options name, with the services of the folder it belongs to.

    The session comes first: it may belong to another folder, whose settings then hold. Raises
    PiError. To be followed by `Host.begin`, once somebody listens.
    """
    paths = find_paths(environment)
    opened = open_session(options, paths, _chosen_folder(options, environment, paths))
    try:
        if opened.cwd != paths.cwd:
            paths = find_paths(environment, opened.cwd)
        services = read_services(options, environment, paths)
        # Told as soon as they are known: the next step may fail because of one of them.
        warn(services.diagnostics())
        return Host(services, opened)
    except BaseException:
        opened.store.close()
        raise


def _chosen_folder(options: RunOptions, environment: Environment, paths: Paths) -> Path | None:
    """The folder for sessions that somebody named, if anybody did.

    `sessionDir` is the one project setting that counts before trust is known.
    """
    setting = read_settings(paths).resolve(trusted=False).session_dir
    return paths.session_storage(
        flag=options.session_dir, variable=environment.session_dir, setting=setting
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _retrieve(run: "asyncio.Task[None]") -> None:
    """Take the exception of a run nobody waits for; those who wait get it all the same."""
    if not run.cancelled() and run.exception() is not None:
        log.debug("a run ended with %r", run.exception())
