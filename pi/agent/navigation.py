"""Moving about in the tree of a session, with a summary of the branch that is left."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pi.agent.serialize import Files, conversation_parts, with_files
from pi.agent.summary import Summariser
from pi.agent.tokens import message_tokens
from pi.agent.transcript import Transcript
from pi.errors import SessionError
from pi.session.context import project
from pi.wire.entries import BranchSummaryEntry, SessionEntry
from pi.wire.events import AgentEvent
from pi.wire.messages import AgentMessage, text_of

if TYPE_CHECKING:
    from pi.agent.hook_events import CustomTree

__all__ = [
    "AskedMove",
    "Move",
    "Navigation",
    "landing",
    "left_behind",
    "make",
    "make_summarised",
    "summarise_branch",
]


class Move(NamedTuple):
    """A move that is wanted.

    entries: those of the branch that is left. custom: an extension's summary, in place of ours.
    replace: whether the instructions stand in place of pi's own. label: goes to the summary if
    there is one, else to the target.
    """

    target_id: str
    entries: list[SessionEntry]
    summarise: bool = False
    instructions: str | None = None
    replace: bool = False
    label: str | None = None
    custom: "CustomTree | None" = None


AskedMove = Coroutine[Any, Any, Move | None]
"""Asks those who extend pi; the move as they want it, None where one of them does not."""


@dataclass(frozen=True, slots=True)
class Navigation:
    """Where a move led.

    text: of the user's message that was chosen, to be changed and said again; None for any other
    entry. summary: what was written of the branch that was left. cancelled: nothing moved.
    """

    text: str | None = None
    summary: BranchSummaryEntry | None = None
    cancelled: bool = False


def landing(transcript: Transcript, target_id: str) -> tuple[str | None, str | None]:
    """The entry to go on from, and the text to edit: before a message of the user, else after.

    Raises SessionError for an unknown entry.
    """
    entry = transcript.store.get(target_id)
    if entry is None:
        raise SessionError(f"no entry {target_id!r} in session {transcript.store.id}")
    fields = cast("dict[str, Any]", entry)
    if entry["type"] == "message" and fields["message"].get("role") == "user":
        return entry["parentId"], text_of(fields["message"]["content"])
    if entry["type"] == "custom_message":
        return entry["parentId"], text_of(entry["content"])
    return target_id, None


def left_behind(transcript: Transcript, target_id: str) -> list[SessionEntry]:
    """The entries of the active branch that are not on the way to another, oldest first."""
    store = transcript.store
    index = store.history.index()
    row = index.row(target_id)
    shared = set() if row is None else {index.id(at) for at in index.up(row)}
    return [entry for entry in store.path_to() if entry["id"] not in shared]


async def summarise_branch(
    entries: list[SessionEntry],
    summariser: Summariser,
    budget: int,
    instructions: str | None,
    *,
    replace: bool = False,
) -> AsyncGenerator[AgentEvent, None]:
    """Retry events; afterwards `summariser.text` is the summary, empty for nothing to tell.

    budget: tokens of the newest to read. Results of tools are left out: what they led to is told.
    """
    messages: list[AgentMessage] = []
    for message in reversed([m for _, shown in project(entries) for m in shown]):
        if message["role"] in ("system", "toolResult"):
            continue
        budget -= message_tokens(message)
        if budget < 0 and messages:
            break
        messages.append(message)
    parts = conversation_parts(reversed(messages))
    if not parts:
        return
    summarising = summariser.summarise("branch", parts, None, instructions, replace=replace)
    async with aclosing(summarising) as events:
        async for event in events:
            yield event


async def make_summarised(
    transcript: Transcript,
    move: Move,
    summariser: Summariser,
    tell: Callable[[AgentEvent], None],
) -> Navigation:
    """Make the move after a summary of what is left. tell: hears of retries.

    Raises SummaryError and Aborted, and then nothing has moved.
    """
    window, reserve = summariser.model.context_window, summariser.reply_tokens
    budget = window - reserve if reserve < window else window // 2
    summarising = summarise_branch(
        move.entries, summariser, budget, move.instructions, replace=move.replace
    )
    async with aclosing(summarising) as events:
        async for event in events:
            tell(event)
    return make(transcript, move, summariser)


def make(transcript: Transcript, move: Move, summariser: Summariser | None) -> Navigation:
    """Make the move, with the summary if there is one."""
    store, custom = transcript.store, move.custom
    place, text = landing(transcript, move.target_id)
    summary: BranchSummaryEntry | None = None
    if custom is not None and custom.summary:
        summary = store.append_branch_summary(
            place,
            custom.summary,
            details=custom.details,
            usage=custom.usage,
            from_hook=True,
        )
    elif summariser is not None and summariser.text:
        files = Files()
        files.note_calls(message for _, shown in project(move.entries) for message in shown)
        for entry in move.entries:
            if entry["type"] == "branch_summary":
                files.note_summary(cast("dict[str, Any]", entry))
        details = files.details()
        summary = store.append_branch_summary(
            place,
            with_files(summariser.text, details),
            details=details,
            usage=summariser.usage,
            from_hook=False,
        )
    else:
        store.branch(place)
    if move.label:
        target = summary["id"] if summary is not None else move.target_id
        store.append_label(target, move.label)
    transcript.reload()
    return Navigation(text, summary)
