"""Where those who extend pi take part in a run: its beginning, its turns, its end, its requests.

Loaded only when somebody does. Which answers count is in hooks.py.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pi.agent import hook_events as ev
from pi.agent.abort import Abort, Aborted
from pi.agent.boundary import commit, preview
from pi.agent.checks import content_problem, json_problem
from pi.agent.faults import NOT_WHOLE, Whole, text_of_error
from pi.agent.hooks import Hooks, PromptParts
from pi.agent.navigation import AskedMove, Move, Navigation
from pi.agent.toolset import ToolSet
from pi.agent.transcript import Transcript, system_in_force
from pi.errors import ContextOverflowError, PiError
from pi.providers.base import Context
from pi.providers.errors import is_overflow
from pi.session.context import to_model_messages
from pi.session.store import SessionStore
from pi.wire.entries import SessionEntry
from pi.wire.events import AssistantEvent, TurnEnd
from pi.wire.messages import (
    AgentMessage,
    CustomMessage,
    SystemMessage,
    UserMessage,
    now_ms,
    text_of,
)

__all__ = [
    "Beginning",
    "around_move",
    "before_run",
    "before_settle",
    "changes_context",
    "custom_message",
    "open_changed",
    "replaced",
    "turn_ended",
]


async def around_move(
    hooks: Hooks,
    store: SessionStore,
    move: Move,
    make: Callable[[Move, AskedMove], Awaitable[Navigation]],
) -> Navigation:
    """A move in the tree as those who extend pi want it; they are told of it afterwards.

    make: makes it, once it was asked how, with nothing else under way.
    """
    old = store.leaf_id
    asked = _Asked(move)
    done = await make(move, asked.by(hooks, old))
    if not done.cancelled:
        event = ev.SessionTree(store.leaf_id, old, done.summary, asked.move.custom is not None)
        await hooks.notify(event)
    return done


@dataclass(slots=True)
class _Asked:
    """move: as it was left."""

    move: Move

    async def by(self, hooks: Hooks, old: str | None) -> Move | None:
        """None where somebody does not want it."""
        move = self.move
        if not hooks.wants("session_before_tree"):
            return move
        first = move.entries[0]["parentId"] if move.entries else old
        plan = ev.TreePlan(
            move.target_id,
            old,
            first,
            move.entries,
            move.summarise,
            move.instructions,
            move.replace,
            move.label,
        )
        answer = await hooks.before_tree(ev.SessionBeforeTree(plan))
        if isinstance(answer, ev.Cancel):
            return None
        if answer is not None:
            self.move = move._replace(
                custom=answer if move.summarise and answer.summary else None,
                instructions=answer.custom_instructions or move.instructions,
                replace=move.replace
                if answer.replace_instructions is None
                else answer.replace_instructions,
                label=answer.label or move.label,
            )
        return self.move


def custom_message(fields: Any) -> CustomMessage:
    """An extension's message, complete. Raises ValueError for what cannot be one."""
    if not isinstance(fields, Mapping):
        raise ValueError(f'a message is {{"customType": …, "content": …}}, not {fields!r:.60}')
    kind: Any = fields.get("customType")
    content: Any = fields.get("content")
    if not isinstance(kind, str) or not kind:
        raise ValueError("a message needs a customType")
    problem = content_problem(content, text=True) or json_problem(fields.get("details"))
    if problem is not None:
        raise ValueError(f"a {kind} message: {problem}")
    message: CustomMessage = {
        "role": "custom",
        "customType": kind,
        "content": content,
        "display": bool(fields.get("display", True)),
        "timestamp": now_ms(),
    }
    if fields.get("details") is not None:
        message["details"] = fields["details"]
    return message


@dataclass(frozen=True, slots=True)
class Beginning:
    """messages: to begin a run with, besides the one that opens it.

    forced: a system prompt in place of the whole. prompt: tools and sections for this run, None for
    those that are in force.
    """

    messages: Sequence[CustomMessage] = ()
    forced: str | None = None
    prompt: ToolSet | None = None


async def before_run(hooks: Hooks, opening: UserMessage | CustomMessage, abort: Abort) -> Beginning:
    """What a run is to begin with, and with which prompt."""
    parts = hooks.prompt
    if parts is None or not hooks.wants("before_agent_start"):
        return Beginning()
    options, untouched = parts.options(), parts.options()
    try:
        messages, options = await abort.wait(_before_start(hooks, parts, opening, options))
    except Aborted:
        return Beginning()
    prompt = None
    if options != untouched:
        try:
            prompt = parts.apply(options)
        except (TypeError, ValueError, AttributeError) as error:  # what handlers left there
            hooks.fault("before_agent_start", error)
    forced = options.force_system_prompt
    return Beginning(messages, forced if isinstance(forced, str) else None, prompt)


async def _before_start(
    hooks: Hooks,
    parts: PromptParts,
    opening: UserMessage | CustomMessage,
    options: ev.PromptOptions,
) -> tuple[list[CustomMessage], ev.PromptOptions]:
    """The messages to add, and the options as handlers leave them."""
    custom = opening if opening["role"] == "custom" else None
    content = [] if custom is not None else opening["content"]
    event = ev.BeforeAgentStart(
        message_type="user" if custom is None else "custom",
        prompt=text_of(content),
        images=[block for block in content if isinstance(block, dict) and block["type"] == "image"],
        message=custom,
        system_prompt=parts.text(options),
        system_prompt_options=options,
    )
    added = []
    for owner, fields in await hooks.before_agent_start(event):
        try:
            added.append(custom_message(fields))
        except ValueError as error:
            hooks.fault(event.name, error, owner)
    return added, event.system_prompt_options


async def replaced(hooks: Hooks, message: AgentMessage) -> Exception | None:
    """Let a message be replaced; the failure that an answer turns out to be then."""
    if not await hooks.message_end(message) or message["role"] != "assistant":
        return None
    text = message.get("errorMessage", "")
    if message["stopReason"] == "error" and is_overflow(text):
        return ContextOverflowError(text)
    return None


async def turn_ended(
    hooks: Hooks, transcript: Transcript, turn: TurnEnd
) -> tuple[bool, Sequence[SessionEntry]]:
    """Whether one more request is wanted, and the entries that were added."""
    if not hooks.wants("turn_end"):
        return False, ()
    message, results = turn["message"], [*turn["toolResults"]]
    ids = transcript.ids_of_last(1 + len(results))
    reason = message["stopReason"]
    event = ev.TurnEnd(
        turn_index=hooks.turn_index(),
        message=message,
        tool_results=results,
        message_entry_id=ids[0],
        tool_result_entry_ids=ids[1:],
        outcome=reason if reason in ("error", "aborted") else "completed",
        entries=[],
        go_on=False,
        context=[*transcript.messages],
    )
    with Whole(message, *results) as whole:
        await hooks.boundary(event, lambda drafts: preview(transcript, drafts))
    if whole.broken:
        hooks.fault(event.name, ValueError(NOT_WHOLE))
    written = commit(transcript, event.entries) if event.entries else []
    return event.go_on, written


async def before_settle(
    hooks: Hooks, transcript: Transcript, outcome: ev.Outcome
) -> tuple[bool, Sequence[SessionEntry]]:
    """The same, when nothing is left to do."""
    event = ev.AgentBeforeSettle(
        outcome=outcome, entries=[], go_on=False, context=[*transcript.messages]
    )
    await hooks.boundary(event, lambda drafts: preview(transcript, drafts))
    written = commit(transcript, event.entries) if event.entries else []
    return event.go_on, written


def changes_context(hooks: Hooks) -> bool:
    """Whether somebody may send something else than the context."""
    return hooks.wants("context") or hooks.wants("context_with_system")


async def open_changed(
    hooks: Hooks,
    messages: Sequence[AgentMessage],
    forced: str | None,
    request: Callable[[Context], AsyncGenerator[AssistantEvent, None]],
) -> AsyncGenerator[AssistantEvent, None]:
    """A request with what those who extend pi make of the context. forced: see Beginning."""
    sent = await _changed_context(hooks, messages, forced)
    try:
        async with aclosing(request(Context(sent))) as events:
            async for event in events:
                yield event
    except PiError:
        raise
    except Exception as error:
        text = text_of_error(error)
        raise PiError(f"the context as extensions changed it cannot be sent: {text}") from error


async def _changed_context(
    hooks: Hooks, messages: Sequence[AgentMessage], forced: str | None
) -> list[AgentMessage]:
    """What is sent instead of these. forced: a system prompt in place of the whole."""
    sent = await hooks.context(messages)
    if sent is None:
        sent = list(messages)
    else:
        head = system_in_force(messages)
        sent = [head, *sent] if head is not None else sent
    if hooks.wants("context_with_system"):
        sent = await hooks.context_with_system(sent)
    if forced is not None:
        head = system_in_force(sent)
        tools = [] if head is None else head.get("toolsAdded", [])
        lead: SystemMessage = {"role": "system", "content": forced, "timestamp": now_ms()}
        if tools:
            lead["toolsAdded"] = tools
        sent = [lead, *(each for each in sent if each["role"] != "system")]
    return to_model_messages(sent)
