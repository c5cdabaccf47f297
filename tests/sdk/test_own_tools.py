"""Tools that a program brings: what they may tell and return, and what comes of the rest."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pi


@dataclass
class Row:
    number: int
    name: str


@pi.tool
async def slow(context: pi.ToolContext) -> pi.ToolResult:
    """Tell a text, then a result."""
    context.update("half")
    context.update(pi.ToolResult("three quarters", details={"left": 1}))
    return pi.ToolResult("all", details={"left": 0})


@pi.tool
def threaded(context: pi.ToolContext) -> list[Row]:
    """Tell from a thread."""
    assert threading.current_thread() is not threading.main_thread()
    for number in range(3):
        context.update(f"row {number}")
    return [Row(1, "one")]


@pi.tool
def one() -> Row:
    """Give a row."""
    return Row(2, "two")


@pi.tool
async def wrong(context: pi.ToolContext) -> str:
    """Tell what cannot be told."""
    context.update({"no": "result"})  # type: ignore[arg-type]
    return "never"


@pi.tool
def wrong_threaded(context: pi.ToolContext) -> str:
    """The same from a thread."""
    context.update(5)  # type: ignore[arg-type]
    return "never"


@pi.tool
async def unkeepable(context: pi.ToolContext) -> str:
    """Tell what no JSON can hold."""
    context.update(pi.ToolResult("x", details={1, 2}))
    return "never"


class Bare:
    """An object that only looks like a tool."""

    name = "bare"
    description = "Give plain text."
    snippet = ""
    rules = ()

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {"type": "object", "properties": {}}

    async def run(self, args: dict[str, Any], context: pi.ToolContext) -> Any:
        return "plain text"


def answering(name: str) -> pi.Provider:
    async def answer(model: Any, context: Any, options: Any) -> AsyncIterator[Any]:
        if context.messages[-1]["role"] == "user":
            yield pi.Call(name, {"more": "than was asked for", "context": 1})
        else:
            yield "done"

    return pi.Provider("own", ["m"], answer)


@pytest.mark.parametrize(
    ("name", "told", "said", "failed"),
    [
        ("slow", ["half", "three quarters"], "all", False),
        ("threaded", ["row 0", "row 1", "row 2"], '[{"number":1,"name":"one"}]', False),
        ("one", [], '{"number":2,"name":"two"}', False),
        ("wrong", [], "update takes text or a ToolResult", True),
        ("wrong_threaded", [], "update takes text or a ToolResult", True),
        ("unkeepable", [], "it is no JSON", True),
        ("bare", [], "it is no ToolResult, but 'plain text'", True),
    ],
)
def test_a_tool(
    home: Path, tmp_path: Path, name: str, told: list[str], said: str, failed: bool
) -> None:
    """Whatever it does is a result, and the run goes on."""

    async def work() -> None:
        tools = [slow, threaded, one, wrong, wrong_threaded, unkeepable, Bare()]
        async with pi.new_session(
            model="own/m", providers=[answering(name)], tools=tools, cwd=tmp_path
        ) as session:
            partial = []
            async for event in session.prompt("go"):
                if event["type"] == "tool_execution_update":
                    partial.append(event["partialResult"]["content"][0]["text"])
            assert partial == told
            result = session.messages[-2]
            assert result["role"] == "toolResult"
            assert result["isError"] is failed
            (block,) = result["content"]
            assert block["type"] == "text"
            assert said in block["text"] if failed else said == block["text"]
            if name == "slow":
                assert result["details"] == {"left": 0}
            assert session.last_text == "done"
            json.dumps(session.messages)

    async def limited() -> None:
        async with asyncio.timeout(60):
            await work()

    asyncio.run(limited(), debug=True)
