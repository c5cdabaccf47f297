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
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pi.agent.abort import is_cancelled
from pi.agent.queues import MessageQueues
from pi.agent.session import AgentSession, BusyError
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.errors import PiError, SessionError
from pi.models.resolution import Scope
from pi.providers.http import HttpClient
from pi.runtime.choices import Choices
from pi.runtime.extending import Extend, Extending
from pi.runtime.network import http_options
from pi.runtime.opening import FirstEntries, Opened, open_session
from pi.runtime.options import RunOptions
from pi.runtime.prompts import Prompt
from pi.runtime.requests import Warmth, model_request, tool_context
from pi.runtime.routing import HostRoutes
from pi.runtime.services import Services, image_limits, read_services, tools_of, warn
from pi.runtime.storage import Storage
from pi.runtime.ui import UI
from pi.session.context import SessionContext
from pi.session.locate import require_cwd
from pi.session.store import SessionStore
from pi.tools.base import ToolContext, Update
from pi.wire.events import AgentEvent, CompactionResult
from pi.wire.messages import ImageContent, UserContent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.runtime.additions import Additions

__all__ = [
    "NO_MODEL",
    "Disposition",
    "Host",
    "Listener",
    "WhileRunning",
    "open_host",
]

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


class Host(Choices):
    """One open session after another. Use `open_host`, and close it.

    services, session, scope, warmth: of the session that is open now. scope: the models to cycle
        through. warmth: whether its prompt cache is kept warm.
    on_replaced: called when another session is open. drain: awaited before each event of a run, so
        that a reader that is slow slows the run down.
    ui: how extensions reach the person. on_shutdown: called when an extension asks for the end of
        the program.
    """

    def __init__(self, services: Services, extend: Extend | None = None) -> None:
        self.services = services
        self.extending = Extending(self, extend)
        self.ui = UI()
        self.on_shutdown: Callable[[], None] | None = None
        self.on_replaced: list[Callable[[], None]] = []
        self.drain: Callable[[], Awaitable[None]] | None = None
        self._name = services.options.name  # of the first session only
        self._listeners: list[Listener] = []
        self._run: asyncio.Task[None] | None = None
        self._accepting = asyncio.Lock()
        self._http = HttpClient(http_options(services.environment, services.settings))
        self._routes = HostRoutes(lambda: self.services)

    # What is open

    @property
    def additions(self) -> "Additions | None":
        """What extensions added, None while there are none."""
        return self.extending.additions

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
        await self.extending.announce("startup", None)

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
        await self.extending.told()
        await self.extending.wake_for(text)
        if self.additions is not None:
            called = self.extending.command(text)
            if called is not None:
                await self.extending.invoke(*called)
                return "handled"
            heard = await self.extending.hear(text, images, while_running)
            if heard is None:
                return "handled"
            text, images = heard
        async with self._accepting:  # in the order they came, whatever their images take
            self._check_idle(while_running)
            content = await self._fitted(text, images)
            if self._check_idle(while_running):
                self.start(self.session.prompt(content))
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
    ) -> Disposition:
        """Queue a message whether or not there is a run; without one it goes with the next.

        Raises PiError for a command of an extension: those do not wait.
        """
        if self.additions is not None:
            if self.extending.command(text) is not None:
                raise PiError("a command of an extension cannot wait", hint="Use a prompt for it.")
            heard = await self.extending.hear(text, images, when)
            if heard is None:
                return "handled"
            text, images = heard
        async with self._accepting:
            self.queue(await self._fitted(text, images), when)
        return "queued"

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

    def start(self, events: AsyncGenerator[AgentEvent, None]) -> None:
        """Begin a run of the session, in the background. Raises AuthError where that is no use."""
        self.services.check_key(self.model)
        self._record()
        self._start(events)

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
        if self._run is None:
            return
        try:
            await self._run
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            raise PiError("an extension cancelled the run that it took part in") from None

    async def ended(self) -> None:
        """As `settled`; but cancelling this leaves the run going."""
        if self._run is not None:
            await asyncio.shield(self._run)

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

    # Another session

    async def new_session(
        self, *, parent: str | None = None, setup: Callable[[SessionStore], Any] | None = None
    ) -> bool:
        """Begin a session in this folder; False if an extension keeps this one.

        parent: the file to name as where it comes from. setup: adds to it before anybody sees it.
        """
        if await self.extending.keeps("new", None):
            return False
        cwd = str(self.services.paths.cwd)
        if self.services.options.no_session or self.store.path is None:
            store = SessionStore.in_memory(cwd)
        else:
            store = SessionStore.create(cwd, self.storage.folder, parent=parent)
        if setup is not None:
            try:
                await _maybe(setup(store))
            except BaseException:
                store.close()
                raise
        await self._replace(Opened(store, self.services.paths.cwd, setup is not None), "new")
        return True

    async def switch(self, path: Path, *, cwd: Path | None = None) -> bool:
        """Open the session in a file; False if an extension keeps this one.

        cwd: the folder to work in, where its own is gone. Raises SessionError, and leaves this
        session open, when that cannot be done.
        """
        path = self.services.paths.absolute(str(path))
        if self.store.saved and self.store.path is not None and _same(path, self.store.path):
            await self._settle()
            return True
        if await self.extending.keeps("resume", str(path)):
            return False
        store = SessionStore.open(path, cwd=str(self.services.paths.cwd))
        try:
            home = cwd or (require_cwd(store.cwd, path) if store.cwd else self.services.paths.cwd)
        except SessionError:
            store.close()
            raise
        await self._replace(Opened(store, home, store.leaf_id is not None), "resume")
        return True

    async def fork(self, entry_id: str) -> str | None:
        """A new session with what came before a message of the user; the text of that message.

        None if an extension keeps this session.
        """
        if await self.extending.keeps_from_fork(entry_id, "before"):
            return None
        # Sessions are forked rarely.
        from pi.session.fork import fork_before  # noqa: PLC0415

        store, text = fork_before(self.store, entry_id, self.storage.folder)
        await self._replace(Opened(store, self.services.paths.cwd, True), "fork")
        return text

    async def clone(self, entry_id: str | None = None) -> bool:
        """A new session with the active branch, up to an entry if one is given.

        False if an extension keeps this one.
        """
        if await self.extending.keeps_from_fork(entry_id or self.store.leaf_id or "", "at"):
            return False
        from pi.session.fork import clone_session  # noqa: PLC0415  (as above)

        store = clone_session(self.store, self.storage.folder, entry_id)
        await self._replace(Opened(store, self.services.paths.cwd, True), "fork")
        return True

    async def import_session(self, path: Path, *, cwd: Path | None = None) -> None:
        """Copy a session file among this folder's sessions and open it; id and folder stay.

        cwd: as for `switch`. Raises SessionError; a session of that file name is never replaced.
        """
        from pi.session.copy import write_copy  # noqa: PLC0415  (as above)

        path = self.paths.absolute(str(path))
        target = self.storage.folder / path.name
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
        session, before = self.session, self.extending.tool_names()
        defaults = self.services.default_tools()
        await self.extending.unload("reload", None)
        self.services = services
        # What was switched on or off stays so; what is new is as it would be at the start.
        names = [tool.name for tool in session.tools]
        names += [name for name in services.default_tools() if name not in defaults]
        await self.extending.load(names)
        session.use_hooks(None if self.additions is None else self.additions.hooks)
        names += [name for name in self.extending.active_tools() if name not in before]
        self.extending.use_tools(names)
        self._apply_settings()
        self.renew_model(session.model.provider)
        warn(services.diagnostics())
        await self.extending.announce("reload", None)

    async def decide_trust(self, trusted: bool) -> bool:
        """Take a decision on this folder for this run; whether that makes its services others."""
        services = self.services
        options = services.options.trusting(self.paths.cwd, trusted)
        if services.settings.trusted == trusted:
            self.services = replace(services, options=options)
            return False
        services = await asyncio.to_thread(
            read_services, options, services.environment, services.paths
        )
        await self._renew_http(services)
        self.services = services
        return True

    @property
    def storage(self) -> Storage:
        services = self.services
        return Storage.of(self.paths, services.environment, services.options.session_dir)

    @property
    def paths(self) -> Paths:
        return self.services.paths

    async def close(self) -> None:
        """End what is under way and give the session's file back. Safe to call twice."""
        try:
            await self._settle()
            await self.extending.unload("quit", None)
        finally:
            self.warmth.stop()
            self.store.close()
            await self._http.aclose()

    async def open(self, opened: Opened) -> None:
        """Open the first session; `open_host` does."""
        context = await self._extended(opened)
        self._install(opened, context)

    # Within

    async def _extended(self, opened: Opened) -> SessionContext:
        """Load the extensions for a session; what it is about."""
        context = opened.store.build_context()
        await self.extending.load(tools_of(context.messages) if opened.resumed else None)
        return context

    def _install(self, opened: Opened, context: SessionContext) -> None:
        """Make an agent session of an opened store."""
        services, store = self.services, opened.store
        warn(store.notices)
        warn(opened.warnings)
        chosen = services.choose_model(store, context)
        warn(chosen.warnings)
        shown = self.extending.choose_tools(tools_of(context.messages) if opened.resumed else None)
        settings = services.settings

        def new_context(call_id: str, update: Update) -> ToolContext:
            return tool_context(self.services, session, call_id, update)

        watch = self.extending.watch
        self.warmth = Warmth(lambda: session, self.reach, watch)
        session = AgentSession(
            store,
            model=chosen.model or NO_MODEL,
            thinking=chosen.thinking,
            tools=shown,
            callable_tools=self.extending.runnable,
            request=model_request(self.reach, store.id, watch=watch, warmth=self.warmth),
            tool_context=new_context,
            one_off=model_request(self.reach, store.id, cached=False, watch=watch),
            retry=services.retry_policy(),
            compaction=settings.compaction,
            branch_reserve=settings.branch_summary.reserve_tokens,
            queues=MessageQueues(settings.steering_mode, settings.follow_up_mode),
            on_event=self._tell,
            hooks=None if self.additions is None else self.additions.hooks,
            context=context,
            routes=self._routes,
        )
        self.session = session
        session.on_moved = self.extending.follow
        self.scope: Scope = chosen.scope
        self._first = FirstEntries(opened, context, chosen, services.options.thinking is not None)
        if not opened.resumed:
            self._record()

    def reach(self) -> tuple[Services, HttpClient]:
        """What a request works with: both may be others after a reload."""
        return self.services, self._http

    def _record(self) -> None:
        if self._first.write(self._name):
            self._name = None

    def _start(self, events: AsyncGenerator[AgentEvent, None]) -> None:
        self._run = asyncio.create_task(self._follow(events))
        self._run.add_done_callback(_retrieve)
        self._run.add_done_callback(lambda _: self.extending.ran())

    async def _follow(self, events: AsyncGenerator[AgentEvent, None]) -> None:
        async with aclosing(events):
            async for event in events:
                await self._publish(event)

    def tell(self, event: AgentEvent) -> None:
        """Let those who subscribed know of something that no run brings about."""
        self._tell(event)

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

    async def _replace(self, opened: Opened, reason: Literal["new", "resume", "fork"]) -> None:
        """Put another session in the place of this one."""
        await self._settle()
        self.warmth.stop()
        before = self.session
        old, new = (None if s.path is None else str(s.path) for s in (before.store, opened.store))
        await self.extending.unload(reason, new)
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
            context = await self._extended(opened)
            await self._settle()  # what began meanwhile
            self._install(opened, context)
        except BaseException as error:
            opened.store.close()
            if isinstance(error, PiError):  # the old session goes on, and so do its extensions
                await self.extending.load([tool.name for tool in before.tools])
                before.use_hooks(None if self.additions is None else self.additions.hooks)
                await self.extending.announce("reload", None)
            raise
        before.store.close()
        for replaced in self.on_replaced:
            replaced()
        await self.extending.announce(reason, old)

    async def _renew_http(self, services: Services) -> None:
        options = http_options(services.environment, services.settings)
        if options != http_options(self.services.environment, self.services.settings):
            await self._http.aclose()
            self._http = HttpClient(options)


async def open_host(
    options: RunOptions,
    environment: Environment,
    extend: Extend | None = None,
    *,
    cwd: Path | None = None,
    prepare: Callable[[Paths], Awaitable[None]] | None = None,
) -> Host:
    """Open the session that the options name, with the services of the folder it belongs to.

    The session comes first: it may belong to another folder, whose settings then hold. Raises
    PiError. To be followed by `Host.begin`, once somebody listens. cwd: the folder to start from,
    the process's own unless given. prepare: is awaited before the services are read.
    """
    paths = find_paths(environment, cwd)
    storage = Storage.of(paths, environment, options.session_dir)
    opened = open_session(options, paths, storage.chosen)
    try:
        if opened.cwd != paths.cwd:
            paths = find_paths(environment, opened.cwd)
        if prepare is not None:
            await prepare(paths)
        services = read_services(options, environment, paths)
        # Told as soon as they are known: the next step may fail because of one of them.
        warn(services.diagnostics())
        host = Host(services, extend)
        await host.open(opened)
        return host
    except BaseException:
        opened.store.close()
        raise


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


async def _maybe(value: Any) -> Any:
    return await value if isawaitable(value) else value


def _retrieve(run: "asyncio.Task[None]") -> None:
    """Take the exception of a run nobody waits for; those who wait get it all the same."""
    if not run.cancelled() and run.exception() is not None:
        log.debug("a run ended with %r", run.exception())
