"""The seam where pi is extended: what is told and asked, and how answers are put together.

The agent publishes and asks; dispatch.py calls those who subscribed. A handler that fails is
reported and the rest goes on; where its answer was to decide whether something dangerous happens,
it does not happen. Nothing here is loaded, and nothing called, while nobody extends pi.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from pi.agent import hook_events as ev
from pi.agent.answers import options_problem
from pi.agent.checks import headers_problem, json_problem, messages_problem, shown
from pi.agent.dispatch import Dispatch, Undecided
from pi.agent.faults import NOT_WHOLE, HookFailure, put_back
from pi.agent.toolset import ToolSet
from pi.wire.events import AgentEvent
from pi.wire.messages import AgentMessage, now_ms

__all__ = ["HookFailure", "Hooks", "PromptParts"]


class PromptParts(Protocol):
    """Makes the system prompt out of its parts, and shows the parts."""

    def options(self) -> ev.PromptOptions: ...
    def text(self, options: ev.PromptOptions) -> str: ...
    def apply(self, options: ev.PromptOptions) -> ToolSet:
        """The tools and sections for these parts."""
        ...


@dataclass(slots=True)
class Hooks(Dispatch):
    """Those who extend pi. prompt: set by whoever builds the system prompt."""

    prompt: PromptParts | None = None
    system_prompt: str | None = None
    """As it stands while before_agent_start is under way."""
    _turn: int = 0
    _partial: AgentMessage | None = None

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
        if make is None or kind not in self._listeners:
            return
        # Not with Whole: that costs as much again as all of this, for each delta.
        record: dict[str, Any] = fields[_RECORDS[kind]] if kind in _RECORDS else {}
        before = record.copy()
        partial: Any = self._partial if kind == "message_update" else None
        content = None if partial is None else partial["content"]
        await self.notify(make(self, event))
        broken = put_back(record, before)
        if partial is not None and partial.get("content") is not content:
            partial["content"] = content
            broken = True
        if broken:
            self.fault(kind, ValueError(NOT_WHOLE))

    # Questions of the agent, each with the rule by which answers are put together

    async def input(self, event: ev.InputEvent) -> ev.InputEvent | None:
        """The input as it is now; None when it was handled."""
        handled = False
        text, images = event.text, event.images

        def take(answer: Any) -> bool:
            nonlocal handled, text, images
            if isinstance(answer, ev.Handled):
                handled = True
                return True
            text = event.text = answer.text
            if answer.images is not None:
                images = event.images = answer.images
            return False

        await self._answers(event, ev.Transform, ev.Handled, take=take)
        event.text, event.images = text, images  # only answers count
        return None if handled else event

    async def before_agent_start(
        self, event: ev.BeforeAgentStart
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """The messages to add, each with who adds it.

        The event's system_prompt and options are changed.
        """
        messages: list[tuple[str, Mapping[str, Any]]] = []
        self.system_prompt = event.system_prompt
        parts = self.prompt
        try:
            for listener in self._listeners.get(event.name, ()):
                before = deepcopy(event.system_prompt_options)
                answer = await self._ask(listener, event)
                problem = options_problem(event.system_prompt_options)
                if problem is not None:
                    self.report(HookFailure(listener.owner, event.name, problem))
                    event.system_prompt_options = before
                if answer is not None and not self.usable(
                    listener.owner, event, answer, (ev.Start,)
                ):
                    if answer.message is not None:
                        messages.append((listener.owner, answer.message))
                    if answer.system_prompt is not None:
                        event.system_prompt_options.force_system_prompt = answer.system_prompt
                if parts is not None:
                    try:
                        event.system_prompt = parts.text(event.system_prompt_options)
                    except Exception as error:  # noqa: BLE001  (what handlers left there)
                        self.fault(event.name, error, listener.owner)
                        event.system_prompt_options = before
                        event.system_prompt = parts.text(before)
                    self.system_prompt = event.system_prompt
        finally:
            self.system_prompt = None
        return messages

    async def message_end(self, message: AgentMessage) -> bool:
        """Let handlers replace a finished message; True if one did. The same object is changed."""
        changed = False
        event = ev.MessageEnd(message)
        for listener in self._listeners.get(event.name, ()):
            before = deepcopy(cast("dict[str, Any]", message))
            answer = await self._ask(listener, event)
            if put_back(cast("dict[str, Any]", message), before):
                self.report(HookFailure(listener.owner, event.name, NOT_WHOLE))
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
            event.messages = answer
            return False

        await self._answers(event, list, take=take, check=messages_problem)
        if event.messages == original:
            return None
        if (problem := messages_problem(event.messages)) is not None:  # changed in place
            self.fault(event.name, ValueError(problem))
            return None
        return event.messages

    async def context_with_system(self, messages: list[AgentMessage]) -> list[AgentMessage]:
        event = ev.ContextWithSystem(deepcopy(messages))
        # Not where a session was begun with messages of an extension's, before the first run.
        first = bool(messages) and messages[0]["role"] == "system"
        for listener in self._listeners.get(event.name, ()):
            answer = await self._ask(listener, event)
            if answer is None:
                continue
            if (problem := _no_whole_context(answer, first)) is not None:
                self.report(HookFailure(listener.owner, event.name, problem))
                continue
            event.messages = answer
        if (problem := _no_whole_context(event.messages, first)) is not None:  # changed in place
            self.fault(event.name, ValueError(problem))
            return messages
        return event.messages

    async def headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Request headers, changed; names in lower case."""
        event = ev.BeforeProviderHeaders(dict(headers))
        for listener in self._listeners.get(event.name, ()):
            before = dict(event.headers)
            await self._ask(listener, event)
            if (problem := headers_problem(event.headers)) is not None:
                self.report(HookFailure(listener.owner, event.name, problem))
                event.headers = dict(before)
        return {name.lower(): value for name, value in event.headers.items() if value is not None}

    async def payload(self, payload: Any) -> Any:
        """The body of a request, changed. It is large: where nobody is asked, it is not copied."""
        if not self.wants(ev.BeforeProviderRequest.name):
            return payload
        event = ev.BeforeProviderRequest(deepcopy(payload))

        def take(answer: Any) -> bool:
            event.payload = answer
            return False

        await self._answers(event, dict, take=take, check=json_problem)
        problem = json_problem(event.payload)  # changed in place
        if problem is None and not isinstance(event.payload, type(payload)):
            problem = f"the payload is {type(payload).__name__}, not {shown(event.payload)}"
        if problem is not None:
            self.fault(event.name, ValueError(problem))
            return payload
        return event.payload

    async def tool_call(self, event: ev.ToolCall) -> ev.Block | None:
        """Whether the call is blocked; what fails to decide blocks."""
        try:
            found: ev.Block | None = await self._first(event, ev.Block, closed=True)
        except Undecided as failed:
            return ev.Block(f"An extension failed to decide on this call: {failed}")
        given: Any = event.input
        if found is None and not isinstance(given, dict):  # put in its place
            error = TypeError(f"input is a dict, not {shown(given)}")
            self.fault(event.name, error)
            return ev.Block(f"An extension failed to decide on this call: {error}")
        return found

    async def tool_result(self, event: ev.ToolResultEvent) -> bool:
        """Let handlers change the event's result; True if one did."""
        changed = False

        def take(patch: Any) -> bool:
            nonlocal changed
            changed = True
            if patch.content is not ev.UNCHANGED:
                event.content = [*patch.content]
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
        except Undecided as failed:
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
            if answer is None or self.usable(listener.owner, event, answer, (ev.Boundary,)):
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
            if answer is not None and not self.usable(
                listener.owner, event, answer, (ev.Resources,)
            ):
                found.append((listener.owner, answer))
        return found

    async def cache_warming(self, event: ev.CacheWarmingDecision) -> Literal["warm", "stop"]:
        """Whether a prompt cache is refreshed: the last answer, pi's own decision without one."""
        chosen = event.action

        def take(answer: ev.WarmCache) -> bool:
            nonlocal chosen
            chosen = answer.action
            return False

        await self._answers(event, ev.WarmCache, take=take)
        return chosen

    def turn_index(self) -> int:
        """Of the turn under way, 0 for the first of a run."""
        return max(self._turn, 0)


_RECORDS = {"message_start": "message", "message_update": "assistantMessageEvent"}
"""What of an event that is observed must stay whole."""

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


def _no_whole_context(messages: Any, first: bool) -> str | None:
    """first: whether a system message must come first."""
    problem = messages_problem(messages)
    if problem is None and first and (not messages or messages[0]["role"] != "system"):
        problem = "the messages must be a list that begins with a system message"
    return problem


def _updated(hooks: Hooks, event: Any) -> ev.Event:
    assert hooks._partial is not None, "message_start comes first"
    return ev.MessageUpdate(hooks._partial, event["assistantMessageEvent"])


_OBSERVED: Mapping[str, Callable[[Hooks, Any], ev.Event]] = {
    "agent_start": lambda hooks, event: ev.AgentStart(),
    "agent_end": lambda hooks, event: ev.AgentEnd([*event["messages"]]),
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
