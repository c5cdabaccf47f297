"""What a session adds up to."""

from typing import Any

import pytest

from pi.session.history import History
from pi.session.source import MemorySource
from pi.session.statistics import Statistics, measure
from tests.session.session_lines import (
    assistant,
    compaction,
    entry,
    file_bytes,
    header,
    message,
    system,
    user,
)


def usage(amount: int, cost: float) -> dict[str, Any]:
    fields = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), amount)
    return {**fields, "totalTokens": 4 * amount, "cost": {"total": cost}}


def measured(*lines: Any) -> Statistics:
    return measure(History(MemorySource(file_bytes(header(), *lines))))


def test_all_of_it() -> None:
    call = {"type": "toolCall", "id": "c", "name": "read", "arguments": {}}
    text = {"type": "text", "text": "done"}
    counted = measured(
        system("s", None),
        user("u", "s", "please"),
        message(
            "a",
            "u",
            "assistant",
            [text, call, call],
            provider="p",
            model="m",
            usage=usage(1, 0.1),
        ),
        message("t1", "a", "toolResult", [text], toolCallId="c"),
        message("t2", "t1", "toolResult", [text], toolCallId="c", usage=usage(10, 1)),
        compaction("k", "t2", "u", usage=usage(100, 2)),
        entry("usage", "w", "k", kind="cache_warm", usage=usage(1000, 3)),
        entry("branch_summary", "b", "a", fromId="w", summary="x", usage=usage(10_000, 4)),
        assistant("z", "b", model="other"),
        entry("label", "l", "z", targetId="a", label="here"),
        entry("custom", "c", "u", customType="x", data={"usage": usage(5, 5)}),
    )
    assert (counted.entries, counted.messages) == (11, 6)
    assert (counted.users, counted.assistants) == (1, 2)
    assert (counted.tool_calls, counted.tool_results) == (2, 2)
    assert (counted.compactions, counted.labels) == (1, 1)
    assert counted.tokens.input == counted.tokens.cache_write == 11_111
    assert counted.tokens.total == 44_444
    assert counted.cost == pytest.approx(10.1)
    assert counted.models == {"p/m": 1, "mock/other": 1}
    assert counted.branches == 3
    assert counted.first == ("user", "please")
    assert counted.last == ("assistant", "z")


def test_nothing_yet() -> None:
    counted = measured()
    assert counted == Statistics()


def test_records_that_hold_nonsense_count_nothing() -> None:
    counted = measured(
        message("a", None, "assistant", "text", usage="much", model=3),
        message("b", "a", "assistant", 5, usage={"input": "x", "output": 2, "cost": 7}),
        entry("message", "c", "b", message="none"),
        entry("usage", "d", "c", usage=[1]),
        b"garbage",
    )
    assert (counted.messages, counted.tokens.total, counted.cost) == (2, 2, 0)
