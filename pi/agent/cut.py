"""Where to cut a conversation in two: what a summary is to stand for, and what stays as it is.

A cut never separates a tool call from its result. Where one request of the user alone is larger
than what may stay, the cut falls into it: its beginning is then summarised on its own.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from pi.agent.tokens import estimate
from pi.session.context import ActiveEntries, project
from pi.wire.entries import SessionEntry
from pi.wire.messages import AgentMessage

__all__ = ["Cut", "find_cut"]

_OPENING = ("user", "bashExecution", "custom", "branchSummary")
"""Roles that begin a span: a request of the user, or what came from outside between two."""

_METADATA = ("model_change", "thinking_level_change", "session_info", "label", "custom", "usage")


class Cut(NamedTuple):
    """history: messages before the span that is cut into, or before the cut.

    prefix: the beginning of that span, empty when the cut falls between two.
    kept: what stays. first_kept: id of the entry it begins with, None when nothing stays.
    """

    history: list[AgentMessage]
    prefix: list[AgentMessage]
    kept: list[AgentMessage]
    first_kept: str | None


class _Item(NamedTuple):
    """An entry and the messages it comes to; system messages and compactions come to none."""

    entry: SessionEntry
    messages: list[AgentMessage]

    @property
    def role(self) -> str:
        """The role of what it shows, empty for nothing."""
        return self.messages[0]["role"] if self.messages else ""

    @property
    def omitted_answer(self) -> bool:
        """Whether it is an answer that an edit took out of the context."""
        message = cast("dict[str, Any]", self.entry).get("message")
        return (
            not self.messages and isinstance(message, dict) and message.get("role") == "assistant"
        )


def find_cut(active: ActiveEntries, keep: int, room: int | None = None) -> Cut | None:
    """Keep about `keep` tokens of the newest; None where nothing would be left to summarise.

    room: tokens that what stays may have at most, where that can be reached by keeping less, down
    to nothing at all.
    """
    items = [_Item(entry, _shown(messages)) for entry, messages in project(active.entries)]
    at = _place(items, keep)
    if at is None:
        return None
    if room is not None:
        while at < len(items) and estimate(_messages(items[at:])) > room:
            at = next((i for i in range(at + 1, len(items)) if _may_cut(items[i])), len(items))
    opening = _span_start(items, at)
    split = at if opening is None else opening
    cut = Cut(
        history=_messages(items[:split]),
        prefix=_messages(items[split:at]),
        kept=_messages(items[at:]),
        first_kept=_first_kept(items, at),
    )
    return cut if cut.history or cut.prefix else None


def _place(items: Sequence[_Item], keep: int) -> int | None:
    """The item before which to cut; None when all of it may stay."""
    total = 0
    for at in range(len(items) - 1, -1, -1):
        if not items[at].messages:
            continue
        total += estimate(items[at].messages)
        if total >= keep:
            break
    else:
        return None
    rest = items[at + 1 :]
    omitted = any(item.omitted_answer for item in rest)
    if omitted and not any(item.messages for item in rest) and not _replaced(items, at):
        return at + 1  # what was answered with "too long" would only fail again
    later = (i for i in range(at, len(items)) if _may_cut(items[i]))
    earlier = (i for i in range(at - 1, -1, -1) if _may_cut(items[i]))
    return next(later, next(earlier, None))


def _may_cut(item: _Item) -> bool:
    return item.role in ("assistant", *_OPENING)


def _span_start(items: Sequence[_Item], at: int) -> int | None:
    """Where the span begins that a cut before `at` falls into; None for a cut between spans."""
    if at < len(items) and items[at].role in _OPENING:
        return None
    return next((i for i in range(at - 1, -1, -1) if items[i].role in _OPENING), None)


def _first_kept(items: Sequence[_Item], at: int) -> str | None:
    """Id of the entry before which to cut: changes of model, level or name right before stay."""
    if at == len(items):
        return None
    while at > 0 and items[at - 1].entry["type"] in _METADATA:
        at -= 1
    return items[at].entry["id"]


def _replaced(items: Sequence[_Item], at: int) -> bool:
    """Whether an item up to `at` has other content by now: an answer to the old says nothing."""
    ids = {item.entry["id"] for item in items[: at + 1]}
    return any(
        item.entry["type"] == "context_edit"
        and item.entry["targetId"] in ids
        and item.entry["replacement"] is not None
        for item in items
    )


def _shown(messages: list[AgentMessage]) -> list[AgentMessage]:
    return [m for m in messages if m["role"] not in ("system", "compactionSummary")]


def _messages(items: Sequence[_Item]) -> list[AgentMessage]:
    return [message for item in items for message in item.messages]
