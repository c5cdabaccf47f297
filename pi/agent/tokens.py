"""How many tokens a context has: what a provider reported, and a guess at what came after.

The guess is four characters a token, the same everywhere that compaction decides anything, so that
its numbers can be compared with each other.
"""

from collections.abc import Sequence
from typing import Any

from pi.wire.messages import AgentMessage, Usage
from pi.wire.model import Model
from pi.wire.size import content_units, json_units, text_units

__all__ = [
    "CHARS_PER_TOKEN",
    "add_usage",
    "context_tokens",
    "estimate",
    "message_tokens",
    "overflows",
    "text_tokens",
    "used_tokens",
]

CHARS_PER_TOKEN = 4
_COUNTS = ("input", "output", "cacheRead", "cacheWrite", "totalTokens")
_OPTIONAL_COUNTS = ("cacheWrite1h", "reasoning")
_COSTS = ("input", "output", "cacheRead", "cacheWrite", "total")


def text_tokens(text: str) -> int:
    """A guess at the tokens of a text."""
    return -(-text_units(text) // CHARS_PER_TOKEN)


def message_tokens(message: AgentMessage) -> int:
    """A guess at the tokens of one message, whatever its role."""
    fields: dict[str, Any] = message  # type: ignore[assignment]
    match fields.get("role"):
        case "bashExecution":
            chars = text_units(fields.get("command")) + text_units(fields.get("output"))
        case "branchSummary" | "compactionSummary":
            chars = text_units(fields.get("summary"))
        case "system":
            sections = fields.get("sections") or {}
            chars = content_units(fields.get("content")) + sum(map(text_units, sections.values()))
            for key in ("toolsAdded", "toolsRemoved"):
                if fields.get(key):
                    chars += json_units(fields[key])
        case _:
            chars = content_units(fields.get("content"))
    return -(-chars // CHARS_PER_TOKEN)


def estimate(messages: Sequence[AgentMessage]) -> int:
    """A guess at the tokens of these messages, nothing reported taken into account."""
    return sum(map(message_tokens, messages))


def used_tokens(usage: Usage) -> int:
    """The size of the context after an answer, from what its provider reported."""
    counts: dict[str, Any] = usage  # type: ignore[assignment]
    total: int = counts.get("totalTokens") or sum(counts.get(part) or 0 for part in _COUNTS[:-1])
    return total


def context_tokens(messages: Sequence[AgentMessage], measured: int | None) -> int:
    """The size of a context: reported up to message `measured`, guessed from there on."""
    if measured is None:
        return estimate(messages)
    message = messages[measured]
    assert message["role"] == "assistant"
    return used_tokens(message["usage"]) + estimate(messages[measured + 1 :])


def add_usage(one: Usage, other: Usage) -> Usage:
    """Two usages as one."""
    left: dict[str, Any] = one  # type: ignore[assignment]
    right: dict[str, Any] = other  # type: ignore[assignment]
    total: dict[str, Any] = {key: (left.get(key) or 0) + (right.get(key) or 0) for key in _COUNTS}
    for key in _OPTIONAL_COUNTS:
        if key in left or key in right:
            total[key] = (left.get(key) or 0) + (right.get(key) or 0)
    costs: list[dict[str, Any]] = [usage.get("cost") or {} for usage in (left, right)]
    cost: dict[str, Any] = {key: sum(part.get(key) or 0 for part in costs) for key in _COSTS}
    # Of a sum only where it is of every part.
    cost["totalFromProvider"] = all(part.get("totalFromProvider") is True for part in costs)
    total["cost"] = cost
    return total  # type: ignore[return-value]


def overflows(model: Model, usage: Usage) -> bool:
    """Whether an answer was given although its request did not fit: some servers cut silently."""
    return (usage.get("input") or 0) + (usage.get("cacheRead") or 0) > model.context_window
