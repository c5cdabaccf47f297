"""What the page is told of an entry: its kind, one letter, and the entry without dead weight.

Left out is what only a provider or pi itself can use: signatures, response ids, a compaction's copy
of the system prompt, the patch beside a diff. Ids and parents are rows in the page.

`drawn` is what extensions draw, see Drawn; a session that brings such a key keeps it to itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, NotRequired, TypedDict

from pi.wire.jsonio import dumps

__all__ = ["OTHER", "Draw", "Drawn", "Spent", "kind_of", "spent_by", "view"]

OTHER = "?"
"""The kind of what is not understood, and of damaged lines."""

_KINDS = {
    "model_change": "m",
    "thinking_level_change": "l",
    "compaction": "c",
    "branch_summary": "b",
    "session_info": "n",
    "label": "g",
    "context_edit": "d",
    "usage": "$",
    "custom": "k",
}

_ROLES = {
    "user": "u",
    "toolResult": "r",
    "bashExecution": "!",
    "system": "s",
    "branchSummary": "b",
    "compactionSummary": "c",
}

_OPAQUE_IN_BLOCKS = ("textSignature", "thinkingSignature", "thoughtSignature", "drawn")
_OPAQUE_IN_MESSAGES = ("responseId", "deferred", "api", "rawStopReason", "drawn")
_OPAQUE_IN_ENTRIES = (
    *("id", "parentId", "systemMessage", "targetId", "firstKeptEntryId", "fromId"),
    "drawn",
)
_OPAQUE_IN_DETAILS = ("patch", "truncation")

MAX_DETAILS = 1 << 16
"""Bytes of JSON up to which details of tools and extensions are shown."""


class Drawn(TypedDict):
    """Rows as for a terminal, with escape sequences for colours and links.

    It stands in a view as `drawn`: in a toolCall block, in a toolResult message, in an entry.
    folded: fewer rows, where those are shown first.
    """

    rows: list[str]
    folded: NotRequired[list[str]]


Draw = Callable[[Mapping[str, Any], dict[str, Any]], None]
"""(entry, its view): puts what extensions draw into the view."""

Spent = tuple[float, float, float, float, float]
"""Tokens in, out, read from and written to the cache; US dollars."""


def kind_of(entry: Mapping[str, Any]) -> str:
    """One letter: what the page decides by without decoding the entry.

    u user, a assistant with text, t assistant with tool calls or thinking only, f assistant failed
    or aborted, r tool result, ! shell command of the person, s system, c compaction, b branch
    summary, x custom message, h the same when hidden, m model, l thinking level, n name, g label,
    d context edit, $ usage, k custom, y the same when drawn.
    """
    kind = entry.get("type")
    if kind == "message":
        message = entry.get("message")
        return _message_kind(message) if isinstance(message, dict) else OTHER
    if kind == "custom_message":
        return "x" if entry.get("display") else "h"
    if kind == "custom" and "drawn" in entry:
        return "y"
    return _KINDS.get(kind, OTHER) if isinstance(kind, str) else OTHER


def _message_kind(message: Mapping[str, Any]) -> str:
    role = message.get("role")
    if role == "assistant":
        if message.get("stopReason") in ("error", "aborted"):
            return "f"
        blocks = message.get("content")
        if isinstance(blocks, str):
            return "a" if blocks.strip() else "t"
        texts = (
            block.get("text")
            for block in (blocks if isinstance(blocks, list) else ())
            if isinstance(block, dict) and block.get("type") == "text"
        )
        return "a" if any(isinstance(text, str) and text.strip() for text in texts) else "t"
    if role in ("custom", "hookMessage"):
        return "x" if message.get("display") else "h"
    return _ROLES.get(role, OTHER) if isinstance(role, str) else OTHER


def view(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A copy as deep as what changes in it."""
    shown = {key: value for key, value in entry.items() if key not in _OPAQUE_IN_ENTRIES}
    message = shown.get("message")
    if isinstance(message, dict):
        message = {key: item for key, item in message.items() if key not in _OPAQUE_IN_MESSAGES}
        blocks = message.get("content")
        if isinstance(blocks, list):
            message["content"] = [_block(block) for block in blocks]
        _trim_details(message)
        shown["message"] = message
    _trim_details(shown)
    return shown


def _block(block: Any) -> Any:
    if not isinstance(block, dict) or not any(key in block for key in _OPAQUE_IN_BLOCKS):
        return block
    return {key: value for key, value in block.items() if key not in _OPAQUE_IN_BLOCKS}


def _trim_details(holder: dict[str, Any]) -> None:
    details = holder.get("details")
    if isinstance(details, dict):
        details = {key: item for key, item in details.items() if key not in _OPAQUE_IN_DETAILS}
        holder["details"] = details
    if not details:
        holder.pop("details", None)
    elif isinstance(details, dict) and isinstance(details.get("diff"), str):
        holder["details"] = {"diff": details["diff"]}
    elif len(dumps(details)) > MAX_DETAILS:
        del holder["details"]


def spent_by(entry: Mapping[str, Any]) -> Spent | None:
    """Usage that an entry reports, its own or its message's."""
    usage = entry.get("usage")
    message = entry.get("message")
    if usage is None and isinstance(message, dict):
        usage = message.get("usage")
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    dollars = cost.get("total") if isinstance(cost, dict) else 0
    tokens = [usage.get(key) for key in ("input", "output", "cacheRead", "cacheWrite")]
    found = [_number(value) for value in (*tokens, dollars)]
    return (found[0], found[1], found[2], found[3], found[4]) if any(found) else None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value < 1e15 else 0  # NaN is neither
