"""The agent session: a conversation that is stored as it happens.

It announces the prompt, runs the turn loop, writes every finished message to the session file
before anyone sees its `message_end`, tries again after failures that may pass, and keeps the
conversation within the model's context window.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from pi.agent.abort import Abort, Aborted
from pi.agent.activity import Activity, BusyError
from pi.agent.aside import Aside
from pi.agent.compaction import Compactor
from pi.agent.loop import TurnLoop
from pi.agent.queues import MessageQueues, user_message
from pi.agent.recovery import Recovery
from pi.agent.retry import RetryPolicy
from pi.agent.selecting import Selecting
from pi.agent.summary import Request, Summariser
from pi.agent.toolcalls import NewContext, ToolRunner
from pi.agent.toolset import Told, ToolSet
from pi.agent.transcript import Transcript
from pi.config.settings_types import Compaction
from pi.errors import PiError
from pi.providers.base import Context
from pi.session.context import SessionContext, to_model_messages
from pi.session.store import SessionStore
from pi.tools.base import Tool
from pi.wire.events import AgentEvent, AssistantEvent, SessionInfoChanged
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    BashExecutionMessage,
    CustomMessage,
    ThinkingLevel,
    UserContent,
    UserMessage,
)
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.hooks import Hooks
    from pi.agent.navigation import AskedMove, Move, Navigation
    from pi.agent.statistics import SessionStatistics
    from pi.models.virtual import Routes
    from pi.session.statistics import Statistics

__all__ = ["AgentSession", "BusyError", "Request"]

log = logging.getLogger(__name__)


class AgentSession(Selecting):
    """One conversation on one session store.

    tools: those that are switched on, and the prompt that goes with them.
    one_off: starts requests whose prompt will not be sent again, for summaries; `request` unless
        given.
    branch_reserve: tokens of the window to leave free when a branch is summarised.
    on_event: is told what happens outside of a run, or from outside during one.
    hooks: who extends pi, None while nobody does. routes: where requests for virtual models go.
    context: the store's as it is now, where it has been built already. callable_tools: see
        ToolRunner.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        model: Model,
        thinking: ThinkingLevel,
        tools: ToolSet,
        request: Request,
        tool_context: NewContext,
        one_off: Request | None = None,
        retry: RetryPolicy | None = None,
        compaction: Compaction | None = None,
        branch_reserve: int = 16_384,
        queues: MessageQueues | None = None,
        on_event: Callable[[AgentEvent], None] | None = None,
        hooks: "Hooks | None" = None,
        context: SessionContext | None = None,
        callable_tools: Callable[[], Mapping[str, Tool]] | None = None,
        routes: "Routes | None" = None,
    ) -> None:
        super().__init__(model, thinking, routes)
        self.store = store
        self.queues = MessageQueues() if queues is None else queues  # an empty one is falsy
        self.transcript = Transcript(store, context)
        self.retry = retry or RetryPolicy()
        self.compactor = Compactor(
            self.transcript, one_off or request, compaction or Compaction(), self.retry, model
        )
        self.compactor.route = self.for_summaries
        self.on_event = on_event or _ignore
        self.on_moved: Callable[[], None] = lambda: None
        self.hooks = self.compactor.hooks = hooks
        self._branch_reserve = branch_reserve
        self._told = Told(self.transcript, tools)
        self._request = request
        self._runner = ToolRunner(tools.by_name(), tool_context, hooks, callable_tools)
        self._forced_prompt: str | None = None
        self._next_turn: list[CustomMessage] = []
        self._recovery = Recovery(self.transcript, self.compactor)
        self._activity = Activity()
        self._loop: TurnLoop | None = None
        self._last: AssistantMessage | None = None
        self._pause: Abort | None = None  # while it waits to try again
        self._aside = Aside(self.transcript, self._tell, lambda: self.is_busy)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those that are switched on, in order."""
        return tuple(self._told.now.tools)

    @property
    def sections(self) -> Mapping[str, str]:
        """The system prompt by section name, as the next request will have it."""
        return self._told.now.sections

    @property
    def last_reply(self) -> AssistantMessage | None:
        """The newest assistant message of this process's runs, failed ones included."""
        return self._last

    @property
    def is_busy(self) -> bool:
        """Whether a run or a compaction is under way."""
        return self._activity.busy

    @property
    def is_aborted(self) -> bool:
        """Whether what is under way was told to end."""
        return self.is_busy and self._activity.abort.triggered

    @property
    def is_compacting(self) -> bool:
        return self._activity.compacting or self.compactor.running

    def abort(self) -> None:
        """End what is under way: running tools are stopped, what came so far is kept.

        Messages in the queues stay there for the next prompt.
        """
        self._activity.abort.trigger()
        self.abort_retry()

    def abort_retry(self) -> None:
        """Do not try again after the failure that is being waited out, if one is."""
        if self._pause is not None:
            self._pause.trigger()

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await self._activity.idle.wait()

    def set_tools(self, chosen: ToolSet) -> None:
        """Use these tools, and the prompt that goes with them, from the next request on."""
        self._told.use(chosen)
        self._runner = replace(self._runner, tools=chosen.by_name())
        if self._loop is not None:
            self._loop.tools = self._runner

    def pending_patch(self) -> list[AgentMessage]:
        """What of prompt and tools the next request tells anew, as it is now."""
        return self._told.pending()

    def use_hooks(self, hooks: "Hooks | None") -> None:
        """Others extend pi from now on. Not during a run."""
        self.hooks = self.compactor.hooks = hooks
        self._runner = replace(self._runner, hooks=hooks)

    def set_name(self, name: str) -> None:
        """Name the session; an empty name takes the name away."""
        self.store.append_session_info(name)
        event: SessionInfoChanged = {"type": "session_info_changed"}
        if self.store.name is not None:
            event["name"] = self.store.name
        self.on_event(event)
        if self.hooks is not None and self.hooks.wants("session_info_changed"):
            from pi.agent import hook_events as ev  # noqa: PLC0415  (loaded by the hooks)

            self.hooks.post(ev.SessionInfoChanged(self.store.name))

    def set_auto_compaction(self, enabled: bool) -> None:
        self.compactor.enabled = enabled

    def set_auto_retry(self, enabled: bool) -> None:
        self.retry = self.compactor.retry = self.retry._replace(enabled=enabled)

    def statistics(self, counted: "Statistics | None" = None) -> "SessionStatistics":
        """What the whole session adds up to, and how full the context is.

        counted: pi.session.statistics.measure of it, where that was made already.
        """
        # Only when somebody asks: it reads the whole session.
        from pi.agent.statistics import session_statistics  # noqa: PLC0415

        return session_statistics(self.transcript, self.limits, counted)

    async def shell(
        self,
        command: str,
        *,
        exclude: bool = False,
        on_output: Callable[[str], None] = lambda _: None,
        drain: Callable[[], Awaitable[None]] | None = None,
    ) -> BashExecutionMessage:
        """Run a command of the person's. The model sees it with the next prompt, unless `exclude`.

        on_output, drain: see shell.run_shell. During a run it is stored when that is over: nothing
        may come between calls and results.
        """

        return await self._aside.shell(
            command,
            self._runner.new_context("", lambda _: None),
            exclude=exclude,
            on_output=on_output,
            drain=drain,
            hooks=self.hooks if self.hooks is not None and self.hooks.wants("user_bash") else None,
        )

    def abort_shell(self) -> None:
        """End all commands of the person's that still run."""
        self._aside.abort_shells()

    async def shells_ended(self) -> None:
        """Wait until none of them runs, and all are stored that can be now."""
        await self._aside.shells_ended()

    def steer(self, content: Sequence[UserContent]) -> None:
        """Say something that is heard at the next turn."""
        self.on_event(self.queues.steer(content))

    def follow_up(self, content: Sequence[UserContent]) -> None:
        """Say something that is heard when the agent would stop."""
        self.on_event(self.queues.follow_up(content))

    def prompt(self, content: Sequence[UserContent]) -> AsyncGenerator[AgentEvent, None]:
        """Run one prompt to the end of all work it causes; the last event is agent_settled.

        Raises SessionError when the session file cannot be written, BusyError during other work.
        """
        return self._run_settled(user_message(content))

    def prompt_custom(self, message: CustomMessage) -> AsyncGenerator[AgentEvent, None]:
        """The same, begun by an extension's message."""
        return self._run_settled(message)

    def add_custom(self, message: CustomMessage) -> None:
        """Store an extension's message and show it. During a run: when its turn is over."""
        self._aside.add(message)

    def add_to_next(self, message: CustomMessage) -> None:
        """Let an extension's message go with the next prompt."""
        self._next_turn.append(message)

    def resume(self) -> AsyncGenerator[AgentEvent, None]:
        """Go on without a prompt: answer what was left unanswered, or what is in the queues.

        Raises BusyError during other work, PiError where there is nothing to answer.
        """
        return self._run_settled(None)

    async def compact(self, instructions: str | None = None) -> AsyncGenerator[AgentEvent, None]:
        """Summarise the older part of the conversation now.

        What is under way is aborted first. Raises CompactionError when it does not come about.
        """
        while self.is_busy:
            self.abort()
            await self.idle()
        abort = self._activity.begin(compacting=True)
        try:
            compacting = self.compactor.run(
                "manual", self.limits, self.thinking, abort, instructions=instructions
            )
            async with aclosing(compacting) as events:
                async for event in events:
                    yield event
        finally:
            self._end()

    async def navigate(
        self,
        target_id: str,
        *,
        summarise: bool = False,
        instructions: str | None = None,
        replace: bool = False,
        label: str | None = None,
    ) -> "Navigation":
        """Go on from another entry; before it, if it is a message of the user.

        summarise: take a summary of the branch that is left along; its retries are told to
        `on_event`. replace: the instructions stand in place of pi's own. Aborted, or failed with
        SummaryError, everything stays as it is.
        Raises BusyError during other work, SessionError for an unknown entry.
        """
        # Branches are left rarely.
        from pi.agent import navigation as tree  # noqa: PLC0415

        if self.is_busy:
            raise BusyError("the session is busy", hint="Wait, or abort that first.")
        tree.landing(self.transcript, target_id)
        if target_id == self.store.leaf_id:
            return tree.Navigation()
        entries = tree.left_behind(self.transcript, target_id)
        move = tree.Move(target_id, entries, summarise, instructions, replace, label)
        if self.hooks is None:
            return await self._move(move)
        from pi.agent.extended import around_move  # noqa: PLC0415  (only with extensions)

        return await around_move(self.hooks, self.store, move, self._move)

    async def _move(self, move: "Move", asked: "AskedMove | None" = None) -> "Navigation":
        """Nothing else begins meanwhile."""
        from pi.agent import navigation as tree  # noqa: PLC0415  (by now)

        abort = self._activity.begin()
        try:
            wanted = move if asked is None else await abort.wait(asked)
            if wanted is None:
                return tree.Navigation(cancelled=True)
            self._unsure = "moved"
            if not wanted.summarise or wanted.custom is not None:
                return self._moved(tree.make(self.transcript, wanted, None))
            model, thinking = await self.for_summaries(abort)
            summariser = Summariser(
                *(self.compactor.request, model, thinking, self.retry, abort),
                self._branch_reserve,
            )
            summarised = tree.make_summarised(self.transcript, wanted, summariser, self.on_event)
            return self._moved(await summarised)
        except Aborted:
            return tree.Navigation(cancelled=True)
        finally:
            self._end()

    def _moved(self, done: "Navigation") -> "Navigation":
        if not done.cancelled:
            self.on_moved()
        return done

    async def _run_settled(
        self, opening: UserMessage | CustomMessage | None
    ) -> AsyncGenerator[AgentEvent, None]:
        if self.is_busy:
            doing = "compacting" if self.is_compacting else "at work"
            raise BusyError(f"the session is {doing}", hint="Wait, or queue the message.")
        if opening is None and self.transcript.last_answer and not self.queues:
            raise PiError("there is nothing to go on with: the last message is an answer")
        abort, hooks = self._activity.begin(), self.hooks
        if hooks is not None:
            hooks.abort = abort
        try:
            async with aclosing(self._run_all(opening, abort)) as events:
                if hooks is None:
                    async for event in events:
                        yield event
                else:
                    async for event in events:
                        await hooks.observe(event)
                        yield event
            settled: AgentEvent = {"type": "agent_settled", "aborted": abort.triggered}
            if hooks is None:
                yield settled
        finally:
            if hooks is not None:
                hooks.abort = None
            self._end()
        if hooks is not None:
            # Its handlers find the session idle: they may ask for another run.
            await hooks.observe(settled)
            yield settled

    def _end(self) -> None:
        self._loop = None
        self._forced_prompt = None
        if self._told.before is not None:
            self.set_tools(self._told.before)
        self._activity.end()
        self._aside.store_waiting()

    async def _run_all(
        self, opening: UserMessage | CustomMessage | None, abort: Abort
    ) -> AsyncGenerator[AgentEvent, None]:
        """Runs, until neither a failure, a full context nor a queued message asks for another."""
        recovery = self._recovery
        announced: list[AgentMessage] = (
            [] if opening is None else [*self._told.patch(), opening, *self._next_turn]
        )
        self.failed = None
        if opening is not None:
            self.record_selection()
        async with aclosing(
            recovery.before_prompt(self.limits, self.thinking, abort, announced)
        ) as events:
            async for event in events:
                yield event
        if opening is not None:
            added = [*self._next_turn, *await self._before_start(opening, abort)]
            self._next_turn.clear()
            # A compaction may have changed what there is to be patched.
            announced = [*self._told.patch(), opening, *added]
        again = True
        while again:
            again = False
            async with aclosing(self._run_retried(announced, abort)) as events:
                async for event in events:
                    yield event
            announced = []
            async with aclosing(
                recovery.after_run(
                    self.limits_of(self._last), self.thinking, abort, self._loop, self._last
                )
            ) as events:
                async for event in events:
                    yield event
            if recovery.wants_retry:
                self.failed = self._last
            if abort.triggered:
                return
            again = recovery.wants_retry or (self._succeeded() and self.queues.waiting(at_end=True))
            if not again and self.hooks is not None and self.hooks.wants("agent_before_settle"):
                from pi.agent.extended import before_settle  # noqa: PLC0415  (as below)

                succeeded = self._succeeded()
                go_on, written = await before_settle(
                    self.hooks, self.transcript, "completed" if succeeded else "error"
                )
                for entry in written:
                    yield {"type": "entry_appended", "entry": entry}
                again = go_on and succeeded and not abort.triggered

    async def _run_retried(
        self, announced: Sequence[AgentMessage], abort: Abort
    ) -> AsyncGenerator[AgentEvent, None]:
        """One low-level run, and others in its place while its failure is one that may pass."""
        retries = 0
        while True:
            produced: list[AgentMessage] = []
            loop = self._loop = TurnLoop(
                self.model,
                self.thinking,
                self._runner,
                self._open_stream,
                abort,
                self.queues,
                self._between_turns,
                self._told.patch_if_changed,
                self._route,
            )
            async with aclosing(self._run(loop, announced, produced)) as events:
                async for event in events:
                    yield event
                    if retries and event["type"] == "message_end" and self._succeeded():
                        yield {"type": "auto_retry_end", "success": True, "attempt": retries}
                        retries = 0
            announced = []
            again = not abort.triggered and self.retry.allows(loop.failure, retries)
            yield {"type": "agent_end", "messages": produced, "willRetry": again}
            error = self._last.get("errorMessage", "") if self._last is not None else ""
            if not again:
                if retries:
                    yield {
                        "type": "auto_retry_end",
                        "success": False,
                        "attempt": retries,
                        "finalError": error,
                    }
                return
            retries += 1
            pause = self._pause = Abort()
            delay = self.retry.delay(loop.failure, retries)
            log.info("retry %d of %d in %.1f s: %s", retries, self.retry.max_retries, delay, error)
            yield {
                "type": "auto_retry_start",
                "attempt": retries,
                "maxAttempts": self.retry.max_retries,
                "delayMs": round(delay * 1000),
                "errorMessage": error,
            }
            yield {"type": "entry_appended", "entry": self.transcript.omit_last()}
            self.failed = self._last
            try:
                await pause.wait(asyncio.sleep(delay))
            except Aborted:
                yield {
                    "type": "auto_retry_end",
                    "success": False,
                    "attempt": retries,
                    "finalError": "Aborted while waiting to retry",
                }
                return
            finally:
                self._pause = None

    async def _run(
        self, loop: TurnLoop, announced: Sequence[AgentMessage], produced: list[AgentMessage]
    ) -> AsyncGenerator[AgentEvent, None]:
        """One low-level run, its finished messages stored; agent_end is left to the caller."""
        hooks = self.hooks
        if hooks is not None:
            from pi.agent import extended  # noqa: PLC0415  (only with extensions)
        yield {"type": "agent_start"}
        yield {"type": "turn_start"}
        for message in announced:
            yield {"type": "message_start", "message": message}
            if hooks is not None and hooks.wants("message_end"):
                await hooks.message_end(message)
            self._store(message, produced)
            yield {"type": "message_end", "message": message}
        answered = not announced and self.transcript.last_answer is not None
        async with aclosing(loop.run(at_end=answered)) as events:
            async for event in events:
                if event["type"] == "message_end":
                    if hooks is not None and hooks.wants("message_end"):
                        loop.failure = (
                            await extended.replaced(hooks, event["message"]) or loop.failure
                        )
                    self._store(event["message"], produced)
                elif event["type"] == "turn_end" and hooks is not None:
                    loop.go_on, added = await extended.turn_ended(hooks, self.transcript, event)
                    for entry in added:
                        yield {"type": "entry_appended", "entry": entry}
                yield event
                if event["type"] == "turn_end" and self._succeeded():
                    self._aside.store_messages()

    async def _between_turns(self) -> AsyncGenerator[AgentEvent, None]:
        # With a virtual model, once it is known where the request goes.
        if not self.model.is_virtual and self.compactor.is_due(self.model):
            abort = self._activity.abort
            compacting = self.compactor.run("threshold", self.model, self.thinking, abort)
            async with aclosing(compacting) as events:
                async for event in events:
                    yield event

    async def _before_start(
        self, opening: UserMessage | CustomMessage, abort: Abort
    ) -> Sequence[CustomMessage]:
        """Ask those who extend pi what this run is to begin with, and with which prompt."""
        if self.hooks is None:
            return ()
        from pi.agent.extended import before_run  # noqa: PLC0415  (only with extensions)

        begun = await before_run(self.hooks, opening, abort)
        self._forced_prompt = begun.forced
        if begun.prompt is not None:
            before = self._told.now
            self.set_tools(begun.prompt)
            self._told.before = before
        return begun.messages

    def _open_stream(self) -> AsyncGenerator[AssistantEvent, None]:
        hooks, messages = self.hooks, self.transcript.messages
        if hooks is not None:
            from pi.agent import extended  # noqa: PLC0415  (only with extensions)

            forced = self._forced_prompt
            if forced is not None or extended.changes_context(hooks):
                return extended.open_changed(hooks, messages, forced, self._ask)
        return self._ask(Context(to_model_messages(messages)))

    def _ask(self, context: Context) -> AsyncGenerator[AssistantEvent, None]:
        assert self._loop is not None, "there is a run"
        model, thinking = self._loop.asked
        if self._told.now.hidden:
            context = Context(self._told.now.visible(context.messages))
        return self._request(model, context, thinking)

    def _store(self, message: AgentMessage, produced: list[AgentMessage]) -> None:
        self.transcript.add(message)
        produced.append(message)
        if message["role"] == "assistant":
            self._last = message

    def _tell(self, event: AgentEvent) -> None:
        self.on_event(event)

    def _succeeded(self) -> bool:
        """Whether the newest answer is one that did not fail."""
        return self._last is not None and self._last["stopReason"] not in ("error", "aborted")


def _ignore(event: AgentEvent) -> None:
    """For those who only follow the runs."""
