"""Anthropic Messages: what is sent, and what only this API can answer."""

from functools import partial

import pytest

from pi.errors import InvalidRequestError, OverloadedError
from tests.providers.exchange import (
    ANTHROPIC,
    PROMPT,
    TOOL,
    assistant,
    call,
    image,
    result,
    system,
    text,
    user,
)
from tests.providers.exchange import sent as sent_as

API = ANTHROPIC
reply = partial(assistant, api=API)
sent = partial(sent_as, cache_retention="none")

NO_CACHE = {"cache_retention": "none"}


def think(words, signature=None, **extra):
    signed = {} if signature is None else {"thinkingSignature": signature}
    return {"type": "thinking", "thinking": words, **signed, **extra}


def test_the_request(exchange):
    exchange.ask([PROMPT, user("go")], thinking="low", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1/messages?beta=true"
    assert request.headers["x-api-key"] == "key"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-beta"] == "interleaved-thinking-2025-05-14"
    assert request.headers["x-extra"] == "1"
    assert request.headers["user-agent"].startswith("pi/")
    short = {"type": "ephemeral"}
    assert request.body == {
        "model": "m1",
        "max_tokens": 16384,
        "stream": True,
        "system": [{"type": "text", "text": "AAA\n\nBBB", "cache_control": short}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "go", "cache_control": short}]}
        ],
        "tools": [
            {
                "name": "read",
                "description": "reads",
                "eager_input_streaming": True,
                "input_schema": TOOL["parameters"],
                "cache_control": short,
            }
        ],
        "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
    }


def test_headers_of_the_options_win(exchange):
    exchange.ask(headers={"X-Api-Key": "other", "Anthropic-Beta": "b"}, thinking="low")
    assert exchange.headers["x-api-key"] == "other"
    assert exchange.headers["anthropic-beta"] == "b"


def test_no_key_no_header(exchange):
    exchange.ask(api_key=None)
    assert "x-api-key" not in exchange.headers


@pytest.mark.parametrize(
    ("level", "budget"),
    [("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16384), ("max", 16384)],
)
def test_thinking_budgets(exchange, level, budget):
    exchange.ask(model={"max_tokens": 64000}, thinking=level)
    assert exchange.body["thinking"]["budget_tokens"] == budget
    assert exchange.body["max_tokens"] == 64000


def test_thinking_leaves_room_for_the_answer(exchange):
    exchange.ask(model={"max_tokens": 4000}, thinking="high")
    assert exchange.body["thinking"]["budget_tokens"] == 2976


def test_thinking_budget_of_the_settings(exchange):
    exchange.ask(model={"max_tokens": 64000}, thinking="xhigh", thinking_budgets={"high": 30000})
    assert exchange.body["thinking"]["budget_tokens"] == 30000


def test_thinking_off(exchange):
    exchange.ask(thinking="off")
    assert exchange.body["thinking"] == {"type": "disabled"}
    assert "anthropic-beta" not in exchange.headers


def test_no_thinking_for_a_model_without(exchange):
    exchange.ask(model={"reasoning": False}, thinking="off")
    assert "thinking" not in exchange.body


@pytest.mark.parametrize(
    ("level", "effort"),
    [("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("max", "top")],
)
def test_adaptive_thinking(exchange, level, effort):
    exchange.ask(
        model={"compat": {"forceAdaptiveThinking": True}, "thinking_level_map": {"max": "top"}},
        thinking=level,
    )
    assert exchange.body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert exchange.body["output_config"] == {"effort": effort}
    assert "anthropic-beta" not in exchange.headers


@pytest.mark.parametrize(
    ("retention", "compat", "marker"),
    [
        ("none", {}, None),
        ("short", {}, {"type": "ephemeral"}),
        ("long", {}, {"type": "ephemeral", "ttl": "1h"}),
        ("long", {"supportsLongCacheRetention": False}, {"type": "ephemeral"}),
    ],
)
def test_cache_markers(exchange, retention, compat, marker):
    history = [PROMPT, user("q"), reply(call("c1")), result("c1"), result("c9")]
    exchange.ask(history, model={"compat": compat}, cache_retention=retention)
    body = exchange.body
    places = [body["system"][0], body["tools"][-1], body["messages"][-1]["content"][-1]]
    assert [place.get("cache_control") for place in places] == [marker] * 3
    assert str(body).count("cache_control") == (3 if marker else 0)


@pytest.mark.parametrize(
    ("compat", "headers"),
    [
        ({}, {}),
        ({"sendSessionAffinityHeaders": True}, {"x-session-affinity": "s1"}),
        (
            {"sendSessionAffinityHeaders": True, "sessionAffinityFormat": "openrouter"},
            {"x-session-id": "s1"},
        ),
    ],
)
def test_session_affinity(exchange, compat, headers):
    exchange.ask(model={"compat": compat}, session_id="s1")
    found = {name: value for name, value in exchange.headers.items() if "session" in name}
    assert found == headers
    exchange.ask(model={"compat": compat}, session_id="s1", cache_retention="none")
    assert not [name for name in exchange.headers if "session" in name]


def test_tool_compat(exchange):
    compat = {"supportsEagerToolInputStreaming": False, "supportsCacheControlOnTools": False}
    exchange.ask([PROMPT, user("go")], model={"compat": compat})
    assert set(exchange.body["tools"][0]) == {"name", "description", "input_schema"}
    assert exchange.headers["anthropic-beta"] == "fine-grained-tool-streaming-2025-05-14"


def test_strict_tools(exchange):
    exchange.ask([PROMPT, user("go")], model={"compat": {"supportsStrictTools": True}})
    (tool,) = exchange.body["tools"]
    assert tool["strict"] is True
    assert tool["input_schema"] == {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "limit": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "required": ["path", "limit"],
        "additionalProperties": False,
    }


def test_free_form_schemas_are_not_strict(exchange):
    free = {**TOOL, "parameters": {"type": "object", "additionalProperties": True}}
    asked = [system(toolsAdded=[free]), user("go")]
    exchange.ask(asked, model={"compat": {"supportsStrictTools": True}})
    assert "strict" not in exchange.body["tools"][0]


def test_results_share_a_message_and_failed_ones_hold_text_alone(exchange):
    messages = sent(
        exchange,
        [
            user([text("see"), image()]),
            reply(text("ok"), call("c1", arguments={"path": "a"}), call("c2")),
            result("c1", text("1"), text("2")),
            result("c2", text("no"), image(), error=True),
            user("next"),
        ],
        model={"input": ("text", "image")},
    )
    source = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
    assert messages[0]["content"] == [text("see"), {"type": "image", "source": source}]
    assert messages[1]["content"][1] == {
        "type": "tool_use",
        "id": "c1",
        "name": "read",
        "input": {"path": "a"},
    }
    first, second, caption, shown = messages[2]["content"]
    assert first == {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": "1\n2",
        "is_error": False,
    }
    assert second["is_error"] is True
    assert second["content"].startswith("no\n")
    assert "c2" in caption["text"] and shown == {"type": "image", "source": source}


def test_an_image_that_would_be_refused_is_left_out(exchange):
    """It is in the session for good: sent again, it would end every request."""
    big = {**image(), "data": "A" * (5 * 1024 * 1024 + 4)}
    history = [
        user([text("see"), big]),
        assistant(call("c1"), api=ANTHROPIC),
        result("c1", text("shot"), big),
        user("go"),
    ]
    exchange.ask(history, model={"input": ("text", "image")})
    first, _, third, *_ = exchange.body["messages"]
    note = {"type": "text", "text": "(an image was left out: it is larger than the API takes)"}
    assert first["content"] == [text("see"), note]
    assert third["content"][0]["content"] == [text("shot"), note]


def test_images_stay_in_results(exchange):
    history = [user("see"), reply(call("c1")), result("c1", image()), user("next")]
    messages = sent(exchange, history, model={"input": ("text", "image")})
    (answer,) = messages[2]["content"]
    assert [block["type"] for block in answer["content"]] == ["text", "image"]
    assert messages[3] == {"role": "user", "content": "next"}


@pytest.mark.parametrize(
    ("block", "extra", "compat", "expected"),
    [
        (think("t", "s"), {}, {}, [{"type": "thinking", "thinking": "t", "signature": "s"}]),
        (think("", "s"), {}, {}, [{"type": "thinking", "thinking": "", "signature": "s"}]),
        (think("t"), {}, {}, [text("t")]),
        (think("t", ""), {}, {}, [text("t")]),
        (think(" "), {}, {}, []),
        (
            think("t", ""),
            {},
            {"allowEmptySignature": True},
            [{"type": "thinking", "thinking": "t", "signature": ""}],
        ),
        (think("x", "e", redacted=True), {}, {}, [{"type": "redacted_thinking", "data": "e"}]),
        (think("t", "s"), {"model": "other"}, {}, []),
        (think("t", "s"), {"provider": "other"}, {}, []),
        (think("x", "e", redacted=True), {"model": "other"}, {}, []),
    ],
)
def test_thinking_in_the_history(exchange, block, extra, compat, expected):
    history = [user("q"), reply(block, text("x"), **extra), user("go")]
    messages = sent(exchange, history, model={"compat": compat})
    assert messages[1]["content"] == [*expected, text("x")]


def test_foreign_ids(exchange):
    odd = ["call|fc_1", "a.b", "a:b", "x" * 80, "é"]
    history = [
        user("q"),
        assistant(*map(call, odd), api="openai-responses"),
        *map(result, odd),
        user("go"),
    ]
    messages = sent(exchange, history)
    ids = [block["id"] for block in messages[1]["content"]]
    assert ids == [block["tool_use_id"] for block in messages[2]["content"]]
    assert len(set(ids)) == len(odd)
    assert ids[0] == "call_fc_1"
    assert all(len(i) <= 64 and i.replace("_", "a").replace("-", "a").isalnum() for i in ids)
    assert all(i.isascii() for i in ids)


def test_usage_is_cumulative_and_later_counts_win(script):
    events = [
        {
            "type": "message_start",
            "message": {"id": "m", "model": "real", "usage": {"input_tokens": 3}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {
                "input_tokens": 50,
                "output_tokens": 5,
                "cache_read_input_tokens": 7,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_1h_input_tokens": 4},
                "output_tokens_details": {"thinking_tokens": 3},
            },
        },
        {"type": "message_stop"},
    ]
    exchange = script(ANTHROPIC, {"events": events})
    exchange.ask()
    usage = exchange.message["usage"]
    del usage["cost"]
    assert usage == {
        "input": 50,
        "output": 5,
        "cacheRead": 7,
        "cacheWrite": 9,
        "totalTokens": 71,
        "cacheWrite1h": 4,
        "reasoning": 3,
    }
    assert exchange.message["responseModel"] == "real"
    assert exchange.message["responseId"] == "m"
    assert exchange.message["rawStopReason"] == "end_turn"
    assert exchange.message["content"] == [text("a")]


def test_no_usage_is_no_failure(script):
    exchange = script(ANTHROPIC, {"blocks": [{"text": "a"}], "usage": None})
    exchange.ask()
    assert exchange.message["stopReason"] == "stop"
    assert exchange.message["usage"]["totalTokens"] == 0


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "toolUse"),
    ],
)
def test_stop_reasons(script, raw, reason):
    exchange = script(ANTHROPIC, {"blocks": [{"text": "a"}], "raw_stop": raw})
    exchange.ask()
    assert exchange.events[-1]["reason"] == exchange.message["stopReason"] == reason
    assert exchange.message["rawStopReason"] == raw


@pytest.mark.parametrize("raw", ["refusal", "sensitive", "brand_new"])
def test_refused_answers(script, raw):
    exchange = script(ANTHROPIC, {"blocks": [{"text": "a"}], "raw_stop": raw})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError) and not exchange.failure.retryable
    assert exchange.message["content"] == [text("a")]
    assert exchange.message["rawStopReason"] == raw
    assert exchange.message["usage"]["output"] == 5


def test_an_explained_refusal(script):
    delta = {"stop_reason": "refusal", "stop_details": {"explanation": "because"}}
    events = [{"type": "message_delta", "delta": delta}, {"type": "message_stop"}]
    exchange = script(ANTHROPIC, {"events": events})
    exchange.ask()
    assert exchange.message["errorMessage"] == "because"


@pytest.mark.parametrize(
    ("kind", "error", "retryable"),
    [
        ("overloaded_error", OverloadedError, True),
        ("invalid_request_error", Exception, False),
    ],
)
def test_an_error_inside_the_stream(script, kind, error, retryable):
    event = {"type": "error", "error": {"type": kind, "message": "words"}}
    exchange = script(ANTHROPIC, {"events": [event]})
    exchange.ask()
    assert isinstance(exchange.failure, error) and exchange.failure.retryable is retryable
    assert kind in exchange.message["errorMessage"] and "words" in exchange.message["errorMessage"]


def test_redacted_thinking_comes_back_whole(script):
    exchange = script(ANTHROPIC, {"blocks": [{"redacted": "ENC"}, {"text": "a"}]})
    exchange.ask()
    block = exchange.message["content"][0]
    assert block["redacted"] is True and block["thinkingSignature"] == "ENC"
    assert sent(exchange, [user("q"), exchange.message, user("go")])[1]["content"][0] == {
        "type": "redacted_thinking",
        "data": "ENC",
    }


def test_arguments_that_come_with_the_start(script):
    events = [
        {
            "type": "content_block_start",
            "index": 3,
            "content_block": {
                "type": "tool_use",
                "id": "t",
                "name": "read",
                "input": {"path": "a"},
            },
        },
        {"type": "content_block_stop", "index": 3},
        {"type": "content_block_start", "index": 4, "content_block": {"type": "server_tool_use"}},
        {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta"}},
        {"type": "content_block_stop", "index": 4},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]
    exchange = script(ANTHROPIC, {"events": events})
    exchange.ask()
    assert exchange.message["content"] == [call("t", arguments={"path": "a"})]
