"""Tools of extensions: by their signatures, by the command line, and called by one another."""

import json

from tests.extensions.conftest import SAYS_DONE, Extend, calls, last_json
from tests.extensions.test_examples_tools import declared, text_of

SCHEMA = """
from enum import StrEnum
from typing import Annotated, Literal
from pi.extensions import Pi, ToolContext, ToolResult
class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"
def extend(pi: Pi):
    @pi.tool(name="all_types", guidelines=["Use all_types always."], sequential=True)
    async def types(a: int, mode: Mode, call: ToolContext, b: list[str] | None = None,
                    c: Annotated[dict[str, float], "a map"] = {}, d: str | int = 3) -> dict:
        '''Take everything.

        Args:
            a: the first,
                on two lines
        '''
        call.update(ToolResult([{"type": "text", "text": "half"}]))
        return {"a": a, "fast": mode is Mode.FAST, "b": b, "id": call.call_id}
"""


def test_tools_by_their_signatures(extend: Extend) -> None:
    pi = extend(
        SCHEMA,
        turns=[
            calls("all_types", {"a": "7", "mode": "fast", "b": None, "more": 1, "call": {}}),
            SAYS_DONE,
        ],
    )
    done = pi.json("-p", "go")
    assert done.code == 0
    tool = next(t for t in pi.bodies[0]["tools"] if t["name"] == "all_types")
    assert tool["description"] == "Take everything."
    schema = tool["input_schema"]
    assert schema["required"] == ["a", "mode"]
    assert schema["properties"]["a"] == {
        "type": "integer",
        "description": "the first, on two lines",
    }
    assert schema["properties"]["mode"] == {"enum": ["fast", "slow"]}
    assert schema["properties"]["b"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["c"]["description"] == "a map"
    assert last_json(text_of(pi.tool_results()[0])) == {
        "a": 7,
        "fast": True,
        "b": None,
        "id": "call_1",
    }
    assert "Use all_types always." in json.dumps(pi.bodies[0]["system"])
    (update,) = (e for e in done.events if e["type"] == "tool_execution_update")
    assert update["partialResult"]["content"][0]["text"] == "half"


def test_a_tool_without_types_is_refused_by_name(extend: Extend) -> None:
    done = extend("def extend(pi):\n    @pi.tool\n    def bad(x):\n        '''Bad'''\n").run(
        "-p", "x"
    )
    assert done.code == 1
    assert "bad: the parameter x needs a type" in done.stderr


def test_tools_of_extensions_obey_the_command_line(extend: Extend) -> None:
    tool = "def extend(pi):\n    @pi.tool\n    def mine(x: str) -> str:\n        '''Mine'''\n"
    pi = extend(tool)
    for options, expected in (
        (("-t", "read"), ["read"]),
        (("-t", "m*"), ["mine"]),
        (("-nbt",), ["mine"]),
        (("-nt",), []),
        (("-t", "-mine,-bash"), ["read", "edit", "write"]),
        (("-xt", "mine,edit,write"), ["read", "bash"]),
    ):
        before = len(pi.bodies)
        assert pi.run(*options, "-p", "hi").code == 0
        assert declared(pi, before) == expected, options


NESTING = """
from pi.extensions import Block, ToolContext, ToolResult
USED = {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 3,
    "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0}}

def extend(pi):
    @pi.tool
    async def inner(text: str, call: ToolContext) -> ToolResult:
        '''Inner'''
        call.update(ToolResult([{"type": "text", "text": "half"}]))
        done = await call.call_tool("bash", {"command": f"echo {text}"})
        return ToolResult(done.content, usage=USED)

    @pi.tool
    async def outer(n: int, call: ToolContext) -> ToolResult:
        '''Outer'''
        asked = [("inner", {"text": "hi"}), ("inner", {}), ("nothing", {}), ("write", {"path": "x",
            "content": "y" * 10000})]
        results = [await call.call_tool(name, args) for name, args in asked]
        text = "|".join(r.content[0]["text"].split(chr(10))[0] for r in results)
        return ToolResult([{"type": "text", "text": text}], details=[r.is_error for r in results])

    @pi.on("tool_call")
    def gate(event):
        if event.tool_name == "write":
            return Block(f"not below {event.parent_tool_call_id}")
"""


def test_a_tool_calls_others(extend: Extend) -> None:
    pi = extend(NESTING, turns=[calls("outer", {"n": 1}), SAYS_DONE])
    done = pi.json("-p", "go")
    assert (done.code, done.stderr) == (0, "")
    (result,) = pi.tool_results()
    assert result["details"] == [False, True, True, True]
    first, *others = text_of(result).split("|")
    assert first == "hi"
    assert others[1] == 'There is no tool named "nothing"'
    assert others[2] == "not below call_1"
    assert result["usage"]["totalTokens"] == 3
    nested = result["nestedCalls"]
    assert nested["complete"] is False
    assert [(c["id"], c["name"], c["status"]) for c in nested["calls"]] == [
        ("call_1/1", "inner", "ok"),
        ("call_1/1/1", "bash", "ok"),
        ("call_1/2", "inner", "error"),
        ("call_1/3", "nothing", "error"),
        ("call_1/4", "write", "error"),
    ]
    assert nested["calls"][0]["arguments"] == {"text": "hi"}
    assert nested["calls"][4]["argumentsBytes"] > 10_000
    assert nested["calls"][4]["error"] == "not below call_1"
    about = [e for e in done.events if e["type"].startswith("tool_execution")]
    parents = [(e["type"][15:], e["toolCallId"], e.get("parentToolCallId")) for e in about]
    assert ("update", "call_1/1", "call_1") in parents
    parents = [each for each in parents if each[0] != "update"]
    assert parents[:5] == [
        ("start", "call_1", None),
        ("start", "call_1/1", "call_1"),
        ("start", "call_1/1/1", "call_1/1"),
        ("end", "call_1/1/1", "call_1/1"),
        ("end", "call_1/1", "call_1"),
    ]
    assert parents[-1] == ("end", "call_1", None)
    assert not (pi.machine.project / "x").exists()
