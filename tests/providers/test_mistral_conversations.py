"""Mistral: what is sent, and what only this API can answer."""

import json
from functools import partial

import pytest

from pi.errors import InvalidRequestError, NetworkError, OverloadedError, StreamFormatError
from pi.wire.model import Prices
from tests.providers.exchange import (
    MISTRAL,
    PROMPT,
    TOOL,
    assistant,
    call,
    image,
    result,
    sent,
    system,
    text,
    user,
)

API = MISTRAL
reply = partial(assistant, api=API)


def think(words):
    return {"type": "thinking", "thinking": words}


def test_the_request(exchange):
    free = {**TOOL, "name": "free", "parameters": {"type": "object"}}
    asked = [{**PROMPT, "toolsAdded": [TOOL, free]}, user("go")]
    exchange.ask(asked, thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["x-affinity"] == "s1"
    assert request.headers["x-extra"] == "1"
    body = dict(request.body)
    strict, plain = (tool["function"] for tool in body.pop("tools"))
    assert strict["strict"] is True and strict["parameters"]["required"] == ["path", "limit"]
    free = {"name": "free", "description": "reads", "parameters": {"type": "object"}}
    assert plain == {**free, "strict": False}
    assert body == {
        "model": "m1",
        "stream": True,
        "messages": [
            {"role": "system", "content": "AAA\n\nBBB"},
            {"role": "user", "content": "go"},
        ],
        "max_tokens": 16384,
        "prompt_mode": "reasoning",
        "prompt_cache_key": "s1",
    }


def test_no_cache_no_affinity(exchange):
    exchange.ask(session_id="s1", cache_retention="none", api_key=None)
    assert "prompt_cache_key" not in exchange.body
    assert "x-affinity" not in exchange.headers and "authorization" not in exchange.headers


@pytest.mark.parametrize(
    ("level", "mapped", "fields"),
    [
        ("off", {}, {}),
        ("off", {"off": "none"}, {"reasoning_effort": "none"}),
        ("high", {}, {"prompt_mode": "reasoning"}),
        ("high", {"high": "HIGH"}, {"reasoning_effort": "HIGH"}),
    ],
)
def test_thinking(exchange, level, mapped, fields):
    exchange.ask(model={"thinking_level_map": mapped}, thinking=level)
    told = {k: v for k, v in exchange.body.items() if k in ("prompt_mode", "reasoning_effort")}
    assert told == fields
    exchange.ask(model={"thinking_level_map": mapped, "reasoning": False}, thinking=level)
    assert not {"prompt_mode", "reasoning_effort"} & set(exchange.body)


def test_a_conversation(exchange):
    messages = sent(
        exchange,
        [
            user([text("see"), image()]),
            reply(think("hmm"), text("A"), think(" "), call("abc123XYZ", arguments={"path": "a"})),
            result("abc123XYZ", text("1"), text("2"), image()),
            result("c2", image(), error=True),
            result("c3", text(" ")),
            user("next"),
            reply(call("000000000")),
            result("000000000", error=True),
        ],
        model={"input": ("text", "image")},
    )
    picture = {"type": "image_url", "image_url": "data:image/png;base64,QUJD"}
    assert messages[0]["content"] == [text("see"), picture]
    assert messages[1] == {
        "role": "assistant",
        "prefix": False,
        "content": [{"type": "thinking", "thinking": [text("hmm")]}, text("A")],
        "tool_calls": [
            {
                "id": "abc123XYZ",
                "type": "function",
                "function": {"name": "read", "arguments": '{"path":"a"}'},
                "index": 0,
            }
        ],
    }
    assert messages[2] == {
        "role": "tool",
        "name": "read",
        "content": [text("1\n2"), picture],
        "tool_call_id": "abc123XYZ",
    }
    assert messages[3]["content"] == [text("[tool error] (the image is attached)"), picture]
    assert messages[4]["content"] == [text("(the tool returned nothing)")]
    assert "content" not in messages[6]
    assert messages[7]["content"] == [text("[tool error] out")]


def test_foreign_ids_become_nine_characters(exchange):
    ids = ["call_1|fc_1", "toolu_1.a", "abcdefghi"]
    made = assistant(think("hmm"), *map(call, ids), api="openai-responses")
    messages = sent(exchange, [user("q"), made, *map(result, ids), user("go")])
    replaced = [made["id"] for made in messages[1]["tool_calls"]]
    assert replaced == [message["tool_call_id"] for message in messages[2:5]]
    assert all(len(i) == 9 and i.isalnum() for i in replaced) and len(set(replaced)) == 3
    assert replaced[2] == "abcdefghi"
    assert "content" not in messages[1]


def test_system_messages_where_they_stand(exchange):
    history = [
        PROMPT,
        user("q"),
        reply(text("a")),
        system(sections={"b": "B2"}, toolsRemoved=[{"name": "read"}]),
        system(),
        user("go"),
    ]
    compat = {"supportsMidConvoSystemMessages": True}
    messages = sent(exchange, history, model={"compat": compat})
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "system", "user"]
    assert messages[0]["content"] == "AAA\n\nBBB" and messages[3]["content"].endswith("B2")
    assert "tools" not in exchange.body
    messages = sent(exchange, history)
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"] == "AAA\n\nB2"


def test_thinking_comes_in_the_content(script):
    turn = {
        "blocks": [
            {"thinking": "let me think", "field": "content"},
            {"text": "so"},
            {"tool": "read", "id": "abc123XYZ", "args": {"path": "a"}},
        ],
        "stop": "toolUse",
        "piece": 5,
    }
    exchange = script(MISTRAL, turn)
    events = exchange.ask()
    assert exchange.message["content"] == [
        think("let me think"),
        text("so"),
        call("abc123XYZ", arguments={"path": "a"}),
    ]
    order = [e["type"] for e in events if e["type"].endswith(("_start", "_end"))]
    assert order == [
        f"{kind}_{at}" for kind in ("thinking", "text", "toolcall") for at in ("start", "end")
    ]
    assert exchange.message["stopReason"] == "toolUse"


def chunk(delta=None, reason=None, **fields):
    return {
        "id": "c",
        "model": "real",
        "choices": [{"delta": delta or {}, "finish_reason": reason}],
        **fields,
    }


def test_odd_content(script):
    parts = [
        {"type": "reference", "reference_ids": [1]},
        text("A"),
        {"type": "thinking", "thinking": "t"},
    ]
    exchange = script(MISTRAL, {"events": [chunk({"content": parts}), chunk(reason="stop")]})
    exchange.ask()
    assert exchange.message["content"] == [text("A"), think("t")]
    assert exchange.message["responseId"] == "c" and "responseModel" not in exchange.message


@pytest.mark.parametrize("call_id", ["null", None, ""])
def test_calls_without_an_id_get_one_that_can_be_sent(script, call_id):
    part = {"id": call_id, "index": 0, "function": {"name": "read", "arguments": {"path": "a"}}}
    exchange = script(
        MISTRAL, {"events": [chunk({"tool_calls": [part]}), chunk(reason="tool_calls")]}
    )
    exchange.ask()
    (made,) = exchange.message["content"]
    assert len(made["id"]) == 9 and made["id"].isalnum()
    assert made["arguments"] == {"path": "a"}


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("stop", "stop"), ("length", "length"), ("model_length", "length"), ("tool_calls", "toolUse")],
)
def test_stop_reasons(script, reason, stop):
    exchange = script(MISTRAL, {"blocks": [{"text": "a"}], "raw_stop": reason})
    exchange.ask()
    assert exchange.message["stopReason"] == stop and exchange.message["rawStopReason"] == reason


@pytest.mark.parametrize(
    ("reason", "kind", "retryable"),
    [
        ("error", OverloadedError, True),
        ("content_filter", InvalidRequestError, False),
        (None, StreamFormatError, True),
    ],
)
def test_failed_answers(script, reason, kind, retryable):
    exchange = script(MISTRAL, {"blocks": [{"text": "a"}], "raw_stop": reason})
    exchange.ask()
    assert isinstance(exchange.failure, kind) and exchange.failure.retryable is retryable
    assert exchange.message["content"] == [text("a")]


@pytest.mark.parametrize(
    "error", [{"error": {"message": "overloaded"}}, {"object": "error", "message": "overloaded"}]
)
def test_an_error_inside_the_stream(script, error):
    exchange = script(MISTRAL, {"events": [chunk({"content": "a"}), error]})
    exchange.ask()
    assert isinstance(exchange.failure, OverloadedError)
    assert exchange.message["errorMessage"] == "overloaded"


def test_a_cut_stream(script):
    exchange = script(MISTRAL, {"blocks": [{"text": "some words to say"}], "piece": 4, "cut": 3})
    exchange.ask()
    assert isinstance(exchange.failure, NetworkError)
    assert exchange.message["content"] == [text("some wor")]


def test_malformed_arguments(script):
    blocks = [{"tool": "read", "id": "abc123XYZ", "args_text": '{"pa'}]
    exchange = script(MISTRAL, {"blocks": blocks, "stop": "toolUse"})
    exchange.ask()
    (made,) = exchange.message["content"]
    assert made["arguments"] == {} and made["argumentsError"].endswith('{"pa')
    messages = sent(exchange, [user("q"), exchange.message, result("abc123XYZ"), user("go")])
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"]) == {}


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 30}},
        {"prompt_token_details": {"cached_tokens": 30}},
        {"num_cached_tokens": 30},
    ],
)
def test_usage(script, cached):
    usage = {"prompt_tokens": 100, "completion_tokens": 50, **cached}
    exchange = script(MISTRAL, {"events": [chunk({"content": "a"}, "stop", usage=usage)]})
    exchange.ask(model={"prices": Prices(1, 2, 0.5, 3)})
    counted = exchange.message["usage"]
    assert counted.pop("cost")["total"] == pytest.approx((70 + 100 + 15) / 1e6)
    assert counted == {
        "input": 70,
        "output": 50,
        "cacheRead": 30,
        "cacheWrite": 0,
        "totalTokens": 150,
    }
