"""Tools called by a grammar, in both of OpenAI's APIs: declared, called, told again."""

import json

import pytest

from pi.errors import InvalidRequestError
from tests.providers.exchange import (
    COMPLETIONS,
    RESPONSES,
    TOOL,
    assistant,
    call,
    result,
    system,
    user,
)

PATCH = {
    "name": "patch",
    "description": "patches",
    "parameters": {
        "type": "object",
        "properties": {"diff": {"type": "string"}},
        "required": ["diff"],
    },
    "constrainedSampling": {"type": "grammar", "variants": {"openai_lark": "start: X"}},
}
ABLE = {"compat": {"supportsOpenAIGrammarTools": True}}
ASKED = [system(toolsAdded=[PATCH, TOOL]), user("go")]
TEXT = 'a "b"\n€'


@pytest.fixture(params=[COMPLETIONS, RESPONSES])
def openai(request):
    return request.param


def spec(tool):
    return tool.get("custom", tool)


def test_declared(script, openai):
    exchange = script(openai)
    exchange.ask(ASKED, model=ABLE)
    patch, plain = exchange.body["tools"]
    assert patch["type"] == "custom" and plain["type"] == "function"
    told = spec(patch)
    assert (told["name"], told["description"]) == ("patch", "patches")
    form = told["format"]
    assert form["type"] == "grammar"
    assert form.get("grammar", form)["syntax"] == "lark"
    assert form.get("grammar", form)["definition"] == "start: X"
    assert "parameters" not in told


def test_an_ordinary_tool_for_other_models(script, openai):
    exchange = script(openai)
    exchange.ask(ASKED)
    patch = exchange.body["tools"][0]
    assert patch["type"] == "function"
    assert patch.get("function", patch)["parameters"] == PATCH["parameters"]


def test_a_grammar_of_no_use(script, openai):
    bad = {**PATCH, "constrainedSampling": {"type": "grammar", "variants": {}}}
    exchange = script(openai)
    exchange.ask([system(toolsAdded=[bad]), user("go")], model=ABLE)
    assert isinstance(exchange.failure, InvalidRequestError)
    assert exchange.server.requests == []


def replies(openai, pieces, name="patch"):
    """A stream in which a call by grammar comes in pieces."""
    if openai == COMPLETIONS:
        first = {"index": 0, "id": "c1", "type": "custom", "custom": {"name": name, "input": ""}}
        parts = [first, *({"index": 0, "custom": {"input": piece}} for piece in pieces)]
        chunks = [{"choices": [{"delta": {"tool_calls": [part]}}]} for part in parts]
        return [*chunks, {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}]
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": name, "input": ""}
    at = {"output_index": 0}
    deltas = [
        {"type": "response.custom_tool_call_input.delta", **at, "delta": piece} for piece in pieces
    ]
    return [
        {"type": "response.output_item.added", **at, "item": item},
        *deltas,
        {"type": "response.output_item.done", **at, "item": {**item, "input": "".join(pieces)}},
        {"type": "response.completed", "response": {"id": "r", "status": "completed"}},
    ]


@pytest.mark.parametrize("pieces", [[TEXT], list(TEXT), []])
def test_called(script, openai, pieces):
    exchange = script(openai, {"events": replies(openai, pieces)})
    events = exchange.ask(ASKED, model=ABLE)
    (made,) = exchange.message["content"]
    assert made["arguments"] == {"diff": "".join(pieces)}
    assert made["id"] == ("c1" if openai == COMPLETIONS else "c1|ctc_1")
    assert exchange.message["stopReason"] == "toolUse"
    deltas = "".join(event["delta"] for event in events if event["type"] == "toolcall_delta")
    assert json.loads(deltas) == made["arguments"]


def test_a_tool_nobody_declared(script, openai):
    exchange = script(openai, {"events": replies(openai, ["x"], "other")})
    exchange.ask(ASKED, model=ABLE)
    assert exchange.message["content"][0]["arguments"] == {"input": "x"}


def test_a_call_that_is_cut_off(script, openai):
    events = replies(openai, ["abc", "def"])
    exchange = script(openai, {"events": events, "cut": 3})
    exchange.ask(ASKED, model=ABLE)
    assert exchange.message["content"][0]["arguments"]["diff"] in ("abc", "abcdef")
    assert exchange.events[-1]["type"] == "error"


def test_told_again(script, openai):
    exchange = script(openai)
    known = exchange.model(**ABLE)
    history = [
        system(toolsAdded=[PATCH]),
        user("q"),
        assistant(
            call("c1|ctc_1", "patch", arguments={"diff": TEXT}),
            api=openai,
            provider=known.provider,
        ),
        {**result("c1|ctc_1"), "toolName": "patch"},
        user("go"),
    ]
    exchange.ask(history, model=ABLE)
    if openai == COMPLETIONS:
        made = exchange.body["messages"][1]["tool_calls"][0]
        assert made["type"] == "custom"
        assert made["custom"] == {"name": "patch", "input": TEXT}
        return
    made, answer = exchange.body["input"][1:3]
    assert made == {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "c1",
        "name": "patch",
        "input": TEXT,
    }
    assert (answer["type"], answer["call_id"]) == ("custom_tool_call_output", "c1")


def test_a_call_without_its_text(script, openai):
    def ask(arguments):
        exchange = script(openai)
        made = call("c1", "patch", arguments=arguments)
        exchange.ask([*ASKED, assistant(made, api=openai), user("go")], model=ABLE)
        return exchange

    assert isinstance(ask({"other": 1}).failure, InvalidRequestError)
    assert ask({}).events[-1]["type"] == "done"


def test_an_item_of_the_other_kind_loses_its_id(script):
    exchange = script(RESPONSES)
    history = [
        *ASKED,
        assistant(call("c1|fc_1", "patch", arguments={"diff": "x"}), api=RESPONSES),
        user("go"),
    ]
    exchange.ask(history, model=ABLE)
    made = exchange.body["input"][1]
    assert made["type"] == "custom_tool_call" and "id" not in made
