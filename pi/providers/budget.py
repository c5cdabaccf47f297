"""How many tokens a request may ask for: thinking budgets, and room left in the window."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pi.providers.prompt import Prompt
from pi.wire.jsonio import dumps
from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model

__all__ = ["THINKING_BUDGETS", "output_limit", "thinking_budget"]

THINKING_BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384}
ANSWER_ROOM = 1024
"""Tokens of the output that thinking must leave for the answer."""

WINDOW_RESERVE = 4096
"""Tokens of the window kept free: the estimate of what is sent is only that."""

CHARS_PER_TOKEN = 3.5
IMAGE_TOKENS = 1200


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


def output_limit(model: Model, prompt: Prompt, messages: Sequence[Any], asked: int | None) -> int:
    """Tokens to allow for the reply: what was asked or the model's maximum, within its window."""
    limit = model.max_tokens if asked is None else min(asked, model.max_tokens)
    room = model.context_window - _tokens(prompt, messages) - WINDOW_RESERVE
    return max(1, min(limit, room))


def _tokens(prompt: Prompt, messages: Sequence[Any]) -> int:
    total = _count(prompt.text)
    if prompt.tools:
        total += _count(dumps(prompt.tools))
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            total += _count(content)
            continue
        for block in content:
            kind = block["type"]
            if kind == "text":
                total += _count(block["text"])
            elif kind == "thinking":
                total += _count(block["thinking"])
            elif kind == "toolCall":
                total += _count(block["name"]) + _count(dumps(block["arguments"]))
            elif kind == "image":
                total += IMAGE_TOKENS
    return total


def _count(text: str | bytes) -> int:
    return math.ceil(len(text) / CHARS_PER_TOKEN)
