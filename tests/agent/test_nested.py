"""The record of the calls that a tool makes to others, and its limits."""

import asyncio
from typing import Any

import pytest

from pi.agent.nested import NestedCalls
from pi.agent.serialize import Files
from pi.tools.base import CallTool, ToolResult, text_block
from pi.wire.messages import ToolCall, ToolResultMessage, Usage


def used(tokens: int) -> Usage:
    cost = {"input": 0.0, "output": 0.0, "cacheRead": 0.0, "cacheWrite": 0.0, "total": 0.5}
    counts = {"input": tokens, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    return {**counts, "totalTokens": tokens, "cost": cost}  # type: ignore[typeddict-item]


async def run(
    call: ToolCall, tell: Any, call_tool: CallTool, on_update: Any
) -> tuple[ToolResult, int]:
    """What the tools of these tests do, by their names."""
    args = call["arguments"]
    if call["name"] == "fails":
        return ToolResult([text_block("é" * args["n"])], is_error=True), 0
    if call["name"] == "deeper":
        await call_tool("echo", {"s": "x"})
        return ToolResult([text_block("deep")], usage=used(1)), 1
    if call["name"] == "waits":
        await asyncio.Event().wait()
    return ToolResult([text_block("ok")], usage=used(10)), 2


def record(*named: tuple[str, dict[str, Any]]) -> ToolResultMessage:
    message: Any = {"role": "toolResult"}

    async def play() -> None:
        nested = NestedCalls("c", run, lambda event: None)
        for name, args in named:
            await nested.call(name, args)
        nested.note(message)

    asyncio.run(play())
    return message  # type: ignore[no-any-return]


def calls_of(message: ToolResultMessage) -> list[dict[str, Any]]:
    return message["nestedCalls"]["calls"]  # type: ignore[no-any-return]


def test_nothing_is_recorded_where_nothing_is_called() -> None:
    assert list(record()) == ["role"]


def test_every_depth_is_recorded_and_counted() -> None:
    message = record(("deeper", {}), ("echo", {"s": "x"}))
    assert [call["id"] for call in calls_of(message)] == ["c/1", "c/1/1", "c/2"]
    assert calls_of(message)[2] == {
        "id": "c/2",
        "name": "echo",
        "status": "ok",
        "arguments": {"s": "x"},
        "durationMs": 2,
    }
    assert message["nestedCalls"]["complete"] is True
    assert (message["usage"]["totalTokens"], message["usage"]["cost"]["total"]) == (21, 1.5)


def test_the_first_256_calls_are_kept() -> None:
    message = record(*(("echo", {"s": str(n)}) for n in range(300)))
    assert [calls_of(message)[0]["id"], calls_of(message)[-1]["id"]] == ["c/1", "c/256"]
    assert message["nestedCalls"]["complete"] is False
    assert message["usage"]["totalTokens"] == 3000


def test_large_arguments_are_left_out() -> None:
    """8 KiB each, 32 KiB together; what is small may still follow what was left out."""
    sizes = (8183, 8184, 8185, 8000, 8000, 8000, 9000, 100, 600, 10)
    message = record(*(("echo", {"s": "x" * size}) for size in sizes), ("echo", {"s": "é" * 5000}))
    left_out = [call.get("argumentsBytes") for call in calls_of(message)]
    assert left_out == [None, None, 8193, None, None, 8008, 9008, None, 608, None, 10_008]
    assert message["nestedCalls"]["complete"] is False


@pytest.mark.parametrize(("length", "kept"), [(10, 10), (500, 500), (2000, 500)])
def test_errors_are_cut(length: int, kept: int) -> None:
    message = record(("fails", {"n": length}))
    assert calls_of(message)[0]["error"] == "é" * kept
    assert message["nestedCalls"]["complete"] is True
    assert "usage" not in message


def test_what_was_not_awaited_is_unfinished_and_what_was_cancelled_failed() -> None:
    message: Any = {"role": "toolResult"}

    async def play() -> None:
        nested = NestedCalls("c", run, lambda event: None)
        left, ended = (asyncio.ensure_future(nested.call("waits", {})) for _ in range(2))
        await asyncio.sleep(0)
        ended.cancel()
        await asyncio.wait([ended])
        nested.note(message)
        left.cancel()
        await asyncio.wait([left])

    asyncio.run(play())
    assert [call["status"] for call in calls_of(message)] == ["unfinished", "error"]
    assert message["nestedCalls"]["complete"] is False


def test_files_they_touched_are_listed_in_summaries() -> None:
    def nested(name: str, path: str, status: str = "ok") -> dict[str, Any]:
        return {"id": "c/1", "name": name, "status": status, "arguments": {"path": path}}

    calls = [nested("read", "a"), nested("edit", "b"), nested("write", "c", "error")]
    message: Any = {"role": "toolResult", "nestedCalls": {"calls": [*calls, {"name": "read"}, 7]}}
    files = Files()
    other: Any = {"role": "toolResult", "nestedCalls": None}
    files.note_calls([message, other])
    assert files.details() == {"readFiles": ["a"], "modifiedFiles": ["b", "c"]}
