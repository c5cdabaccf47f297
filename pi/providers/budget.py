"""How many tokens a request may ask for: thinking budgets, and room left in the window."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pi.wire.messages import AgentMessage, ThinkingLevel, text_of
from pi.wire.model import Model
from pi.wire.size import content_units, json_units, text_units

__all__ = ["THINKING_BUDGETS", "output_limit", "thinking_budget"]

THINKING_BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384}
ANSWER_ROOM = 1024
"""Tokens of the output that thinking must leave for the answer."""

RESERVE = 4096
RESERVE_SHARE = 0.15
"""Tokens of the window kept free, at least, and as a share of what is in it: servers count with
tokenizers of their own, and some refuse a request that might not fit by their count."""

ENOUGH_OUTPUT = 32_768
"""Where the share would leave less than this, only the fixed reserve is kept, and no more than this
is asked for."""

UNITS_PER_TOKEN = 3.5


def thinking_budget(
    level: ThinkingLevel, budgets: Mapping[str, int], max_tokens: int
) -> int | None:
    """Tokens to think with at `level`; None for "off", or where an answer would have no room.

    The levels above high have high's budget.
    """
    if level == "off":
        return None
    name = level if level in THINKING_BUDGETS else "high"
    room = max_tokens - ANSWER_ROOM
    wanted = budgets.get(name, THINKING_BUDGETS[name])
    return min(wanted, room) if room > 0 else None


def output_limit(model: Model, messages: Sequence[AgentMessage], asked: int | None) -> int:
    """Tokens to allow for the reply: what was asked or the model's maximum, within its window."""
    limit = model.max_tokens if asked is None else asked
    window = model.context_window
    if window <= 0:
        return max(1, limit)
    used = _tokens(messages)
    room = window - used - max(RESERVE, math.ceil(used * RESERVE_SHARE))
    if room < ENOUGH_OUTPUT:
        room = min(ENOUGH_OUTPUT, window - used - RESERVE)
    return min(limit, max(1, room))


def _tokens(messages: Sequence[AgentMessage]) -> int:
    """The size of a conversation: as last reported, and a guess at what came after."""
    measured = _last_measured(messages)
    guessed = messages if measured is None else messages[measured + 1 :]
    total = sum(map(_guess, guessed))
    if measured is not None:
        total += _reported(messages[measured])
    return total


def _last_measured(messages: Sequence[AgentMessage]) -> int | None:
    """The last reply whose usage counts everything before it."""
    found = None
    newest: float = -math.inf
    for place, message in enumerate(messages):
        written = _written(message)
        if (
            message["role"] == "assistant"
            and message["stopReason"] not in ("aborted", "error")
            # Something newer stands before it, such as a summary: it was measured without that.
            and written >= newest
            and _reported(message) > 0
        ):
            found = place
        newest = max(newest, written)
    return found


def _written(message: Any) -> float:
    written = message.get("timestamp")
    return written if isinstance(written, int | float) else 0


def _reported(message: Any) -> int:
    usage = message.get("usage")
    known = {
        key: count
        for key, count in (usage.items() if isinstance(usage, dict) else ())
        if isinstance(count, int)  # sessions are written by many programs
    }
    parts = ("input", "output", "cacheRead", "cacheWrite")
    return known.get("totalTokens") or sum(known.get(part, 0) for part in parts)


def _guess(message: Any) -> int:
    if message["role"] != "system":
        return _of_units(content_units(message["content"]))
    texts = [text_of(message.get("content") or ""), *(message.get("sections") or {}).values()]
    total = _of_units(text_units("\n\n".join(text for text in texts if text)))
    for key in ("toolsAdded", "toolsRemoved"):
        if message.get(key):
            total += _of_units(json_units(message[key]))
    return total


def _of_units(units: int) -> int:
    return math.ceil(units / UNITS_PER_TOKEN)
