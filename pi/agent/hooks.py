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
from pi.agent.checks import headers_problem, json_problem, messages_problem, shown
from pi.agent.dispatch import Dispatch, Undecided
from pi.agent.faults import NOT_WHOLE, HookFailure, Whole, patch_problem, put_back
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
        await self.notify(make(self, event))
        if put_back(record, before):
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
            if not isinstance(answer.text, str):
                self.fault(event.name, TypeError(f"a text, not {answer.text!r:.60}"))
                return False
            text = event.text = answer.text
            if answer.images is not None:
                images = event.images = answer.images
            return False

        await self._answers(event, ev.Transform, ev.Handled, take=take)
        event.text, event.images = text, images  # only answers count
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
                    text = f"an answer to {event.name} is Start, not {shown(answer)}"
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
            with Whole(message) as whole:
                answer = await self._ask(listener, event)
            if whole.broken:
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
            problem = messages_problem(answer)
            if problem is None and (not answer or answer[0]["role"] != "system"):
                problem = "the messages must be a list that begins with a system message"
            if problem is not None:
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

        await self._answers(event, dict, take=take)
        if (problem := json_problem(event.payload)) is not None:  # changed in place
            self.fault(event.name, ValueError(problem))
            return payload
        return event.payload

    async def tool_call(self, event: ev.ToolCall) -> ev.Block | None:
        """Whether the call is blocked; what fails to decide blocks."""
        try:
            found: ev.Block | None = await self._first(event, ev.Block, closed=True)
        except Undecided as failed:
            return ev.Block(f"An extension failed to decide on this call: {failed}")
        return found

    async def tool_result(self, event: ev.ToolResultEvent) -> bool:
        """Let handlers change the event's result; True if one did."""
        changed = False

        def take(patch: Any) -> bool:
            nonlocal changed
            problem = patch_problem(patch)
            if problem is not None:
                self.fault(event.name, ValueError(problem))
                return False
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
            if answer is None:
                continue
            if not isinstance(answer, ev.Boundary):
                text = f"an answer to {event.name} is Boundary, not {shown(answer)}"
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
                text = f"an answer to {event.name} is Resources, not {shown(answer)}"
                self.report(HookFailure(listener.owner, event.name, text))
        return found

    async def cache_warming(self, event: ev.CacheWarmingDecision) -> Literal["warm", "stop"]:
        """Whether a prompt cache is refreshed: the last answer, pi's own decision without one."""
        chosen = event.action

        def take(answer: ev.WarmCache) -> bool:
            nonlocal chosen
            if answer.action in ("warm", "stop"):
                chosen = answer.action
            else:
                self.fault(event.name, ValueError(f'"warm" or "stop", not {answer.action!r:.60}'))
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
