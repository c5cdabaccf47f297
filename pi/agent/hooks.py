"""The seam where pi is extended: who listens to what, and how answers are put together.

The agent publishes and asks; those who subscribed are called one after the other, in the order in
which extensions were loaded, then in which they subscribed. A handler that fails is reported and
the rest goes on; where its answer was to decide whether something dangerous happens, it does not
happen. Nothing here is loaded, and nothing called, while nobody extends pi.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from pi.agent import hook_events as ev
from pi.agent.checks import content_problem, headers_problem, json_problem, messages_problem
from pi.wire.events import AgentEvent
from pi.wire.messages import AgentMessage, now_ms

__all__ = ["SLOW", "HookFailure", "Hooks", "PromptParts"]

SLOW = 5.0
"""Seconds after which a handler that has not answered is named, unless it waits for the person."""

BLOCKING = 0.5
"""Seconds in which a handler may keep everything else from going on before it is named."""

Handler = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class HookFailure:
    """What to tell the person. owner: file of the extension. error: None for a slow handler.

    place: where in the extension, `file:line`, as far as that is known.
    """

    owner: str
    event: str
    text: str
    error: BaseException | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class _Listener:
    rank: int
    owner: str
    call: Handler


class PromptParts(Protocol):
    """Makes the system prompt out of its parts, and shows the parts."""

    def options(self) -> ev.PromptOptions: ...
    def text(self, options: ev.PromptOptions) -> str: ...
    def apply(self, options: ev.PromptOptions) -> tuple[Sequence[Any], Mapping[str, str]]:
        """The tools and sections for these parts."""
        ...


@dataclass(slots=True)
class Hooks:
    """Who listens.

    report: is told what goes wrong. prompt: set by whoever builds the system prompt.
    waiting: how many dialogs wait for the person: handlers are not slow then.
    """

    report: Callable[[HookFailure], None]
    prompt: PromptParts | None = None
    waiting: int = 0
    system_prompt: str | None = None
    """As it stands while before_agent_start is under way."""
    _listeners: dict[str, tuple[_Listener, ...]] = field(default_factory=dict)
    _turn: int = 0
    _partial: AgentMessage | None = None
    _posted: asyncio.Task[None] | None = None
    _background: set["asyncio.Task[None]"] = field(default_factory=set)

    # Who listens

    def on(self, event: str, call: Handler, *, owner: str, rank: int = 0) -> Callable[[], None]:
        """Subscribe; the returned function ends that. A dispatch under way is not changed.

        rank: the order among owners. Raises ValueError for an event that does not exist.
        """
        if event not in ev.EVENTS:
            raise ValueError(f"there is no event {event!r}")
        listener = _Listener(rank, owner, call)
        # sorted is stable: of one rank, who came first stays first
        known = (*self._listeners.get(event, ()), listener)
        self._listeners[event] = tuple(sorted(known, key=lambda each: each.rank))

        def off() -> None:
            left = tuple(each for each in self._listeners.get(event, ()) if each is not listener)
            self._set(event, left)

        return off

    def drop(self, owner: str) -> None:
        """Forget all that one extension subscribed to."""
        for event, listeners in list(self._listeners.items()):
            self._set(event, tuple(each for each in listeners if each.owner != owner))

    def wants(self, event: str) -> bool:
        """Whether anybody listens."""
        return event in self._listeners

    def _set(self, event: str, listeners: tuple[_Listener, ...]) -> None:
        if listeners:
            self._listeners[event] = listeners
        else:
            self._listeners.pop(event, None)

    # Dispatch

    async def notify(self, event: ev.Event) -> None:
        """Tell everybody; answers do not count."""
        for listener in self._listeners.get(event.name, ()):
            await self._ask(listener, event)

    def post(self, event: ev.Event) -> None:
        """Tell everybody soon, in the order of the posts, from where nothing can be awaited."""
        if not self.wants(event.name):
            return
        before = self._posted

        async def told() -> None:
            if before is not None and not before.done():
                await asyncio.wait([before])
            await self.notify(event)

        self._posted = asyncio.get_running_loop().create_task(told())

    def keep(self, task: "asyncio.Task[None]") -> None:
        """Hold on to something that goes on in the background; it ends with the session."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def close(self) -> None:
        """End what goes on in the background, but for who closes it."""
        for task in self._background - {asyncio.current_task()}:
            task.cancel()

    async def posted(self) -> None:
        """Wait until everything posted so far was told."""
        if self._posted is not None and self._posted is not asyncio.current_task():
            await asyncio.wait([self._posted])

    async def _answers(
        self,
        event: ev.Event,
        *kinds: type,
        take: Callable[[Any], bool],
        closed: bool = False,
    ) -> None:
        """Give `take` each answer of these kinds, until it returns True.

        closed: a failure raises _Failed instead of leaving it to the others.
        """
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event, closed=closed)
            if answer is None:
                continue
            if isinstance(answer, kinds):
                if take(answer):
                    return
                continue
            wanted = " or ".join(kind.__name__ for kind in kinds)
            error = TypeError(f"an answer to {event.name} is {wanted}, not {answer!r:.80}")
            self.report(HookFailure(listener.owner, event.name, str(error), error))
            if closed:
                raise _Failed(str(error))

    async def _first(self, event: ev.Event, *kinds: type, closed: bool = False) -> Any:
        """The first answer of these kinds."""
        found: list[Any] = []

        def take(answer: Any) -> bool:
            found.append(answer)
            return True

        await self._answers(event, *kinds, take=take, closed=closed)
        return found[0] if found else None

    async def _last_unless_cancelled(self, event: ev.Event, kind: type) -> Any:
        found: list[Any] = [None]

        def take(answer: Any) -> bool:
            found.append(answer)
            return isinstance(answer, ev.Cancel)

        await self._answers(event, ev.Cancel, kind, take=take)
        return found[-1]

    async def _ask(self, listener: _Listener, event: ev.Event, *, closed: bool = False) -> Any:
        began = time.monotonic()
        try:
            answer = listener.call(event)
            took = time.monotonic() - began
            if took > BLOCKING:
                text = f"kept everything waiting for {took:.1f} s"
                self.report(HookFailure(listener.owner, event.name, text))
            if answer is None or not inspect.isawaitable(answer):
                return answer
            watch = self._watch(listener, event.name)
            try:
                return await answer
            finally:
                watch.cancel()
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            # Nobody cancelled the run: the handler waited for something that was cancelled.
            self.report(HookFailure(listener.owner, event.name, _text(error), error))
            if closed:
                raise _Failed(_text(error)) from error
            return None
        except (Exception, SystemExit) as error:
            self.report(HookFailure(listener.owner, event.name, _text(error), error))
            if closed:
                raise _Failed(_text(error)) from error
            return None

    def _watch(self, listener: _Listener, name: str) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()

        def slow() -> None:
            if self.waiting == 0:
                text = f"has not answered for {SLOW:g} s; pi waits for it"
                self.report(HookFailure(listener.owner, name, text))

        return loop.call_later(SLOW, slow)

    def fault(self, event: str, error: Exception, owner: str = "") -> None:
        """Report an answer that turned out to be of no use."""
        self.report(HookFailure(owner, event, _text(error), error))

    # What the agent's own events become

    async def observe(self, event: AgentEvent) -> None:
        """Tell of an event of the agent, if it is one that is told."""
        fields: Any = event
        kind = event["type"]
        if kind == "agent_start":
            self._turn = -1
        elif kind == "turn_start":
            self._turn += 1
        elif kind == "message_start":
            self._partial = fields["message"]
        make = _OBSERVED.get(kind)
        if make is not None and kind in self._listeners:
            await self.notify(make(self, event))

    # Questions of the agent, each with the rule by which answers are put together

    async def input(self, event: ev.InputEvent) -> ev.InputEvent | None:
        """The input as it is now; None when it was handled."""
        handled = False

        def take(answer: Any) -> bool:
            nonlocal handled
            if isinstance(answer, ev.Handled):
                handled = True
                return True
            if not isinstance(answer.text, str):
                self.fault(event.name, TypeError(f"a text, not {answer.text!r:.60}"))
                return False
            event.text = answer.text
            if answer.images is not None:
                event.images = answer.images
            return False

        await self._answers(event, ev.Transform, ev.Handled, take=take)
        return None if handled else event

    async def before_agent_start(self, event: ev.BeforeAgentStart) -> list[Mapping[str, Any]]:
        """The messages to add. The event's system_prompt and options are changed."""
        messages: list[Mapping[str, Any]] = []
        self.system_prompt = event.system_prompt
        parts = self.prompt
        try:
            for listener in self._listeners.get(event.name, ()):
                answer = await self._ask(listener, event)
                if isinstance(answer, ev.Start):
                    if answer.message is not None:
                        messages.append(answer.message)
                    if answer.system_prompt is not None:
                        event.system_prompt_options.force_system_prompt = answer.system_prompt
                elif answer is not None:
                    text = f"an answer to {event.name} is Start, not {answer!r:.80}"
                    self.report(HookFailure(listener.owner, event.name, text))
                if parts is not None:
                    try:
                        event.system_prompt = parts.text(event.system_prompt_options)
                    except Exception as error:  # noqa: BLE001  (what handlers left there)
                        self.fault(event.name, error, listener.owner)
                        event.system_prompt_options = parts.options()
                    self.system_prompt = event.system_prompt
        finally:
            self.system_prompt = None
        return messages

    async def message_end(self, message: AgentMessage) -> bool:
        """Let handlers replace a finished message; True if one did. The same object is changed."""
        changed = False
        event = ev.MessageEnd(message)
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event)
            if answer is None or answer is message:
                continue
            if not isinstance(answer, Mapping) or answer.get("role") != message["role"]:
                text = f"a message for message_end must keep the role {message['role']}"
                self.report(HookFailure(listener.owner, event.name, text))
                continue
            other = dict(answer)
            problem = messages_problem([other]) or json_problem(other)
            if problem is not None or not {*_LASTING} & message.keys() <= other.keys():
                text = problem or "a message must keep its usage, stopReason and ids"
                self.report(HookFailure(listener.owner, event.name, text))
                continue
            kept = cast("dict[str, Any]", message)
            kept.clear()
            kept.update(other)
            changed = True
        return changed

    async def context(self, messages: Sequence[AgentMessage]) -> list[AgentMessage] | None:
        """What to send instead of these, system messages apart; None for the same."""
        if not self.wants("context"):
            return None
        shown = deepcopy([each for each in messages if each["role"] != "system"])
        event = ev.ContextEvent(cast("list[AgentMessage]", shown))
        original = deepcopy(shown)

        def take(answer: Any) -> bool:
            problem = messages_problem(answer)
            if problem is None:
                event.messages = answer
            else:
                self.fault(event.name, ValueError(problem))
            return False

        await self._answers(event, list, take=take)
        return None if event.messages == original else event.messages

    async def context_with_system(self, messages: list[AgentMessage]) -> list[AgentMessage]:
        event = ev.ContextWithSystem(deepcopy(messages))
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event)
            if answer is None:
                continue
            if not isinstance(answer, list) or not answer or answer[0].get("role") != "system":
                text = "the messages must be a list that begins with a system message"
                self.report(HookFailure(listener.owner, event.name, text))
                continue
            if (problem := messages_problem(answer)) is not None:
                self.report(HookFailure(listener.owner, event.name, problem))
                continue
            event.messages = answer
        return event.messages

    async def headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Request headers, changed; names in lower case."""
        event = ev.BeforeProviderHeaders(dict(headers))
        await self.notify(event)
        problem = headers_problem(event.headers)
        if problem is not None:
            self.fault(event.name, ValueError(problem))
            return headers
        return {name.lower(): value for name, value in event.headers.items() if value is not None}

    async def payload(self, payload: Any) -> Any:
        event = ev.BeforeProviderRequest(payload)

        def take(answer: Any) -> bool:
            problem = json_problem(answer)
            if problem is None:
                event.payload = answer
            else:
                self.fault(event.name, ValueError(problem))
            return False

        await self._answers(event, object, take=take)
        if (problem := json_problem(event.payload)) is not None:  # changed in place
            self.fault(event.name, ValueError(problem))
            return payload
        return event.payload

    async def tool_call(self, event: ev.ToolCall) -> ev.Block | None:
        """Whether the call is blocked; what fails to decide blocks."""
        try:
            found: ev.Block | None = await self._first(event, ev.Block, closed=True)
        except _Failed as failed:
            return ev.Block(f"An extension failed to decide on this call: {failed}")
        return found

    async def tool_result(self, event: ev.ToolResultEvent) -> bool:
        """Let handlers change the event's result; True if one did."""
        changed = False

        def take(patch: Any) -> bool:
            nonlocal changed
            problem = _patch_problem(patch)
            if problem is not None:
                self.fault(event.name, ValueError(problem))
                return False
            changed = True
            if patch.content is not ev.UNCHANGED:
                event.content = patch.content
                event.structured_content = None
            for name in ("details", "structured_content", "is_error", "usage"):
                value = getattr(patch, name)
                if value is not ev.UNCHANGED:
                    setattr(event, name, value)
            return False

        await self._answers(event, ev.ResultPatch, take=take)
        return changed

    async def user_bash(self, event: ev.UserBash) -> ev.RunAs | ev.BashDone | None:
        """Raises PermissionError when a handler failed: the command must not run then."""
        try:
            found: ev.RunAs | ev.BashDone | None = await self._first(
                event, ev.RunAs, ev.BashDone, closed=True
            )
        except _Failed as failed:
            raise PermissionError(f"an extension failed to decide on it: {failed}") from failed
        return found

    async def cancels(self, event: ev.SessionBeforeSwitch | ev.SessionBeforeFork) -> bool:
        """Whether somebody keeps the session that is open."""
        return await self._first(event, ev.Cancel) is not None

    async def before_compact(
        self, event: ev.SessionBeforeCompact
    ) -> ev.Cancel | ev.CustomCompaction | None:
        last: ev.Cancel | ev.CustomCompaction | None = await self._last_unless_cancelled(
            event, ev.CustomCompaction
        )
        return last

    async def before_tree(self, event: ev.SessionBeforeTree) -> ev.Cancel | ev.CustomTree | None:
        last: ev.Cancel | ev.CustomTree | None = await self._last_unless_cancelled(
            event, ev.CustomTree
        )
        return last

    async def boundary(
        self,
        event: ev.TurnEnd | ev.AgentBeforeSettle,
        preview: Callable[[Sequence[Mapping[str, Any]]], Sequence[AgentMessage]],
    ) -> None:
        """Chain proposals: the event's `entries` and `go_on` are what came of it.

        preview: the context with these entries; raises ValueError for entries that cannot be.
        """
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event)
            if answer is None:
                continue
            if not isinstance(answer, ev.Boundary):
                text = f"an answer to {event.name} is Boundary, not {answer!r:.80}"
                self.report(HookFailure(listener.owner, event.name, text))
                continue
            if answer.entries is not None:
                entries = [dict(entry) for entry in answer.entries]
                try:
                    event.context = preview(entries)
                except ValueError as error:
                    self.report(HookFailure(listener.owner, event.name, str(error), error))
                    continue
                event.entries = entries
            if answer.go_on is not None:
                event.go_on = answer.go_on

    async def trust(self, cwd: str) -> ev.Trust | None:
        """The first decision, yes or no."""
        found: list[ev.Trust] = []

        def take(answer: Any) -> bool:
            if answer.trusted != "undecided":
                found.append(answer)
            return bool(found)

        await self._answers(ev.ProjectTrust(cwd), ev.Trust, take=take)
        return found[0] if found else None

    async def resources(self, event: ev.ResourcesDiscover) -> list[tuple[str, ev.Resources]]:
        """What there is more, each with the file of the extension that says so."""
        found = []
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event)
            if isinstance(answer, ev.Resources):
                found.append((listener.owner, answer))
            elif answer is not None:
                text = f"an answer to {event.name} is Resources, not {answer!r:.80}"
                self.report(HookFailure(listener.owner, event.name, text))
        return found

    def turn_index(self) -> int:
        """Of the turn under way, 0 for the first of a run."""
        return max(self._turn, 0)


_LASTING = (
    "usage",
    "stopReason",
    "provider",
    "model",
    "api",
    "toolCallId",
    "toolName",
    "customType",
)
"""Fields of messages that others rely on."""


def _patch_problem(patch: ev.ResultPatch) -> str | None:
    """Why a result cannot be changed like this."""
    if patch.content is not ev.UNCHANGED:
        problem = content_problem(patch.content)
        if problem is not None:
            return problem
    given = (patch.details, patch.structured_content, patch.usage)
    return json_problem([value for value in given if value is not ev.UNCHANGED])


class _Failed(Exception):
    """A handler failed whose answer decides."""


def _is_cancelled() -> bool:
    """Whether somebody wants this task to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _updated(hooks: Hooks, event: Any) -> ev.Event:
    assert hooks._partial is not None, "message_start comes first"
    return ev.MessageUpdate(hooks._partial, event["assistantMessageEvent"])


_OBSERVED: Mapping[str, Callable[[Hooks, Any], ev.Event]] = {
    "agent_start": lambda hooks, event: ev.AgentStart(),
    "agent_end": lambda hooks, event: ev.AgentEnd(event["messages"]),
    "agent_settled": lambda hooks, event: ev.AgentSettled(event["aborted"]),
    "turn_start": lambda hooks, event: ev.TurnStart(hooks.turn_index(), now_ms()),
    "message_start": lambda hooks, event: ev.MessageStart(event["message"]),
    "message_update": _updated,
    "tool_execution_start": lambda hooks, event: ev.ToolExecutionStart(
        event["toolCallId"], event["toolName"], event["args"], event.get("parentToolCallId")
    ),
    "tool_execution_update": lambda hooks, event: ev.ToolExecutionUpdate(
        event["toolCallId"],
        event["toolName"],
        event["args"],
        event["partialResult"],
        event.get("parentToolCallId"),
    ),
    "tool_execution_end": lambda hooks, event: ev.ToolExecutionEnd(
        event["toolCallId"],
        event["toolName"],
        event["result"],
        event["isError"],
        event.get("durationMs"),
        event.get("parentToolCallId"),
    ),
}
