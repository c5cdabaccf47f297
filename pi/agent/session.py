"""The agent session: a conversation that is stored as it happens.

It announces the prompt, runs the turn loop, writes every finished message to the session file
before anyone sees its `message_end`, tries again after failures that may pass, and keeps the
conversation within the model's context window.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pi.agent.abort import Abort, Aborted
from pi.agent.compaction import Compactor
from pi.agent.loop import TurnLoop
from pi.agent.queues import MessageQueues, user_message
from pi.agent.recovery import Recovery
from pi.agent.retry import RetryPolicy
from pi.agent.summary import Request, Summariser
from pi.agent.toolcalls import NewContext, ToolRunner
from pi.agent.transcript import Transcript
from pi.config.settings_types import Compaction
from pi.errors import PiError
from pi.providers.base import Context
from pi.session.context import to_model_messages
from pi.session.store import SessionStore
from pi.tools.base import Tool, declaration
from pi.wire.events import AgentEvent, AssistantEvent, SessionInfoChanged
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    BashExecutionMessage,
    ThinkingLevel,
    UserContent,
)
from pi.wire.model import Model
from pi.wire.system import replay_system, system_change

if TYPE_CHECKING:
    from pi.agent.navigation import Navigation
    from pi.agent.statistics import SessionStatistics

__all__ = ["AgentSession", "BusyError", "Request"]

log = logging.getLogger(__name__)


class BusyError(PiError):
    """The session is at something else."""


@dataclass(slots=True)
class _Activity:
    """What the session is at. `idle` is set when it is at nothing."""

    abort: Abort = field(default_factory=Abort)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    compacting: bool = False

    def __post_init__(self) -> None:
        self.idle.set()


class AgentSession:
    """One conversation on one session store.

    sections: the system prompt by section name. tools: those that are switched on, in order.
    one_off: starts requests whose prompt will not be sent again, for summaries; `request` unless
        given.
    branch_reserve: tokens of the window to leave free when a branch is summarised.
    on_event: is told what happens outside of a run, or from outside during one.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        model: Model,
        thinking: ThinkingLevel,
        sections: Mapping[str, str],
        tools: Sequence[Tool],
        request: Request,
        tool_context: NewContext,
        one_off: Request | None = None,
        retry: RetryPolicy | None = None,
        compaction: Compaction | None = None,
        branch_reserve: int = 16_384,
        queues: MessageQueues | None = None,
        on_event: Callable[[AgentEvent], None] | None = None,
    ) -> None:
        self.store = store
        self.model = model
        self.thinking = thinking
        self.queues = MessageQueues() if queues is None else queues  # an empty one is falsy
        self.transcript = Transcript(store)
        self.retry = retry or RetryPolicy()
        self.compactor = Compactor(
            self.transcript, one_off or request, compaction or Compaction(), self.retry
        )
        self.on_event = on_event or _ignore
        self._branch_reserve = branch_reserve
        self._sections = sections
        self._tools = tools
        self._request = request
        self._runner = ToolRunner({tool.name: tool for tool in tools}, tool_context)
        self._recovery = Recovery(self.transcript, self.compactor)
        self._activity = _Activity()
        self._loop: TurnLoop | None = None
        self._last: AssistantMessage | None = None
        self._pause: Abort | None = None  # while it waits to try again
        self._shells: list[Abort] = []
        self._shells_ended = asyncio.Event()
        self._unstored: list[BashExecutionMessage] = []

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Those that are switched on, in order."""
        return tuple(self._tools)

    @property
    def sections(self) -> Mapping[str, str]:
        """The system prompt by section name, as the next request will have it."""
        return self._sections

    @property
    def last_reply(self) -> AssistantMessage | None:
        """The newest assistant message of this process's runs, failed ones included."""
        return self._last

    @property
    def is_busy(self) -> bool:
        """Whether a run or a compaction is under way."""
        return not self._activity.idle.is_set()

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

    def set_model(self, model: Model) -> None:
        """Use another model from the next request on; the thinking level becomes one it has."""
        self.model = model
        self.store.append_model_change(model.provider, model.id)
        if self._loop is not None:
            self._loop.model = model
        self.set_thinking(self.thinking)

    def set_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level, or the nearest the model has, from the next request on."""
        level = self.model.clamp_thinking(level)
        if level != self.thinking:
            self.thinking = level
            self.store.append_thinking_level(level)
            if self._loop is not None:
                self._loop.thinking = level
            self.on_event({"type": "thinking_level_changed", "level": level})
        return level

    def set_tools(self, tools: Sequence[Tool], sections: Mapping[str, str]) -> None:
        """Use these tools, and the prompt that goes with them, from the next prompt on."""
        self._tools = tools
        self._sections = sections
        self._runner = replace(self._runner, tools={tool.name: tool for tool in tools})

    def set_name(self, name: str) -> None:
        """Name the session; an empty name takes the name away."""
        self.store.append_session_info(name)
        event: SessionInfoChanged = {"type": "session_info_changed"}
        if self.store.name is not None:
            event["name"] = self.store.name
        self.on_event(event)

    def set_auto_compaction(self, enabled: bool) -> None:
        self.compactor.enabled = enabled

    def set_auto_retry(self, enabled: bool) -> None:
        self.retry = self.compactor.retry = replace(self.retry, enabled=enabled)

    def statistics(self) -> "SessionStatistics":
        """What the whole session adds up to, and how full the context is."""
        # Only when somebody asks: it reads the whole session.
        from pi.agent.statistics import session_statistics  # noqa: PLC0415

        return session_statistics(self.transcript, self.model)

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
        # Most runs have no command of the person's.
        from pi.agent.shell import run_shell  # noqa: PLC0415

        abort = Abort()
        self._shells.append(abort)
        self._shells_ended.clear()
        try:
            context = self._runner.new_context("", lambda _: None)
            message = await run_shell(
                command, context, abort, exclude=exclude, on_output=on_output, drain=drain
            )
            self._unstored.append(message)
            if not self.is_busy:
                self._store_shells()
            return message
        finally:
            self._shells.remove(abort)
            if not self._shells:
                self._shells_ended.set()

    def abort_shell(self) -> None:
        """End all commands of the person's that still run."""
        for abort in self._shells:
            abort.trigger()

    async def shells_ended(self) -> None:
        """Wait until none of them runs, and all are stored that can be now."""
        if self._shells:
            await self._shells_ended.wait()

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
        return self._run_settled(list(content))

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
        abort = self._begin(compacting=True)
        try:
            compacting = self.compactor.run(
                "manual", self.model, self.thinking, abort, instructions=instructions
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
        label: str | None = None,
    ) -> "Navigation":
        """Go on from another entry; before it, if it is a message of the user.

        summarise: take a summary of the branch that is left along; its retries are told to
        `on_event`. Aborted, or failed with SummaryError, everything stays as it is.
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
        if not summarise:
            return tree.move(self.transcript, target_id, entries, None, label)
        abort = self._begin()
        reserve = self._branch_reserve
        summariser = Summariser(
            self.compactor.request, self.model, self.thinking, self.retry, abort, reserve
        )
        window = self.model.context_window
        budget = window - reserve if reserve < window else window // 2
        try:
            summarising = tree.summarise_branch(entries, summariser, budget, instructions)
            async with aclosing(summarising) as events:
                async for event in events:
                    self.on_event(event)
            return tree.move(self.transcript, target_id, entries, summariser, label)
        except Aborted:
            return tree.Navigation(cancelled=True)
        finally:
            self._end()

    async def _run_settled(
        self, content: list[UserContent] | None
    ) -> AsyncGenerator[AgentEvent, None]:
        if self.is_busy:
            doing = "compacting" if self.is_compacting else "at work"
            raise BusyError(f"the session is {doing}", hint="Wait, or queue the message.")
        if content is None and self.transcript.last_answer and not self.queues:
            raise PiError("there is nothing to go on with: the last message is an answer")
        abort = self._begin()
        try:
            async with aclosing(self._run_all(content, abort)) as events:
                async for event in events:
                    yield event
            yield {"type": "agent_settled", "aborted": abort.triggered}
        finally:
            self._end()

    def _begin(self, *, compacting: bool = False) -> Abort:
        activity = self._activity
        activity.abort = Abort()
        activity.compacting = compacting
        activity.idle.clear()
        return activity.abort

    def _end(self) -> None:
        self._loop = None
        self._activity.compacting = False
        self._activity.idle.set()
        self._store_shells()

    async def _run_all(
        self, content: list[UserContent] | None, abort: Abort
    ) -> AsyncGenerator[AgentEvent, None]:
        """Runs, until neither a failure, a full context nor a queued message asks for another."""
        recovery = self._recovery
        announced = [] if content is None else self._announcement(content)
        async with aclosing(
            recovery.before_prompt(self.model, self.thinking, abort, announced)
        ) as events:
            async for event in events:
                yield event
        if announced:
            # A compaction may have changed what there is to be patched.
            announced = [*self._system_patch(), *announced[-1:]]
        again = True
        while again:
            again = False
            async with aclosing(self._run_retried(announced, abort)) as events:
                async for event in events:
                    yield event
            announced = []
            async with aclosing(
                recovery.after_run(self.model, self.thinking, abort, self._loop, self._last)
            ) as events:
                async for event in events:
                    yield event
            if abort.triggered:
                return
            again = recovery.wants_retry or (self._succeeded() and self.queues.waiting(at_end=True))

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
        yield {"type": "agent_start"}
        yield {"type": "turn_start"}
        for message in announced:
            yield {"type": "message_start", "message": message}
            self._store(message, produced)
            yield {"type": "message_end", "message": message}
        answered = not announced and self.transcript.last_answer is not None
        async with aclosing(loop.run(at_end=answered)) as events:
            async for event in events:
                if event["type"] == "message_end":
                    self._store(event["message"], produced)
                yield event

    async def _between_turns(self) -> AsyncGenerator[AgentEvent, None]:
        if self.compactor.is_due(self.model):
            abort = self._activity.abort
            compacting = self.compactor.run("threshold", self.model, self.thinking, abort)
            async with aclosing(compacting) as events:
                async for event in events:
                    yield event

    def _announcement(self, content: list[UserContent]) -> list[AgentMessage]:
        """The prompt, after a system message if prompt or tools are not what the session has."""
        return [*self._system_patch(), user_message(content)]

    def _system_patch(self) -> list[AgentMessage]:
        tools = [declaration(tool) for tool in self._tools]
        state = replay_system(self.transcript.messages)
        patch = system_change(state, self._sections, tools)
        return [] if patch is None else [patch]

    def _open_stream(self) -> AsyncGenerator[AssistantEvent, None]:
        context = Context(to_model_messages(self.transcript.messages))
        return self._request(self.model, context, self.thinking)

    def _store(self, message: AgentMessage, produced: list[AgentMessage]) -> None:
        self.transcript.add(message)
        produced.append(message)
        if message["role"] == "assistant":
            self._last = message

    def _store_shells(self) -> None:
        while self._unstored:
            self.transcript.add(self._unstored[0])
            self._unstored.pop(0)

    def _succeeded(self) -> bool:
        """Whether the newest answer is one that did not fail."""
        return self._last is not None and self._last["stopReason"] not in ("error", "aborted")


def _ignore(event: AgentEvent) -> None:
    """For those who only follow the runs."""
