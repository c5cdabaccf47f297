"""OpenAI Responses: what is sent, and what only this API can answer."""

import json
from functools import partial

import pytest

from pi.errors import InvalidRequestError, OverloadedError, ProviderError, RateLimitError
from pi.providers.transform import short_hash
from pi.wire.model import Prices
from tests.providers.exchange import (
    PROMPT,
    RESPONSES,
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

API = RESPONSES
reply = partial(assistant, api=API)

REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "enc"}


def think(item=None, words="hmm"):
    signature = {} if item is None else {"thinkingSignature": json.dumps(item)}
    return {"type": "thinking", "thinking": words, **signature}


def tool(name):
    return {"name": name, "description": "does", "parameters": {"type": "object"}}


def test_the_request(exchange):
    exchange.ask([PROMPT, user("go")], thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1/responses"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["session-id"] == "s1"
    assert request.headers["x-client-request-id"] == "s1"
    assert request.headers["x-extra"] == "1"
    assert request.headers["user-agent"].startswith("pi/")
    assert request.body == {
        "model": "m1",
        "input": [
            {"role": "developer", "content": "AAA\n\nBBB"},
            {"role": "user", "content": [{"type": "input_text", "text": "go"}]},
        ],
        "stream": True,
        "prompt_cache_key": "s1",
        "store": False,
        "max_output_tokens": 16384,
        "tools": [
            {
                "type": "function",
                "name": "read",
                "description": "reads",
                "parameters": TOOL["parameters"],
            }
        ],
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }


def test_headers_of_the_options_win(exchange):
    exchange.ask(headers={"Authorization": "Other", "Session-Id": "x"}, session_id="s1")
    assert exchange.headers["authorization"] == "Other"
    assert exchange.headers["session-id"] == "x"
    exchange.ask(api_key=None)
    assert "authorization" not in exchange.headers


@pytest.mark.parametrize(
    ("level", "mapped", "expected"),
    [
        ("off", {}, {"effort": "none"}),
        ("off", {"off": "zero"}, {"effort": "zero"}),
        ("off", {"off": None}, None),
        ("minimal", {}, {"effort": "minimal", "summary": "auto"}),
        ("minimal", {"minimal": "low"}, {"effort": "low", "summary": "auto"}),
        ("max", {"max": "top"}, {"effort": "top", "summary": "auto"}),
    ],
)
def test_thinking_levels(exchange, level, mapped, expected):
    exchange.ask(model={"thinking_level_map": mapped}, thinking=level)
    assert exchange.body.get("reasoning") == expected
    assert ("include" in exchange.body) == (level != "off")


def test_a_model_that_does_not_reason(exchange):
    exchange.ask([PROMPT, user("go")], model={"reasoning": False})
    assert exchange.body["input"][0]["role"] == "system"
    assert "reasoning" not in exchange.body and "include" not in exchange.body


def test_xai_always_sends_its_reasoning_back(exchange):
    exchange.ask(model={"provider": "xai"}, thinking="off")
    assert exchange.body["include"] == ["reasoning.encrypted_content"]


def test_the_least_output(exchange):
    exchange.ask(max_tokens=5)
    assert exchange.body["max_output_tokens"] == 16
    exchange.ask(model={"compat": {"supportsMaxOutputTokens": False}})
    assert "max_output_tokens" not in exchange.body


def test_sampling_params_win(exchange):
    exchange.ask(
        model={
            "sampling_params": {"temperature": 0.3, "store": True},
            "sampling_params_by_level": {"low": {"top_p": 0.5}},
        },
        thinking="low",
    )
    body = exchange.body
    assert (body["temperature"], body["store"], body["top_p"]) == (0.3, True, 0.5)


@pytest.mark.parametrize(
    ("retention", "compat", "fields"),
    [
        ("none", {}, {}),
        ("short", {}, {"prompt_cache_key": "s1"}),
        ("short", {"promptCacheKeyMode": "disabled"}, {}),
        ("short", {"supportsExplicitPromptCacheMode": True}, {"prompt_cache_key": "s1"}),
        ("long", {}, {"prompt_cache_key": "s1", "prompt_cache_retention": "24h"}),
        ("long", {"supportsLongCacheRetention": False}, {"prompt_cache_key": "s1"}),
        (
            "long",
            {"supportsExplicitPromptCacheMode": True},
            {"prompt_cache_key": "s1", "prompt_cache_options": {"ttl": "30m"}},
        ),
    ],
)
def test_cache_fields(exchange, retention, compat, fields):
    exchange.ask(model={"compat": compat}, cache_retention=retention, session_id="s1")
    assert {k: v for k, v in exchange.body.items() if k.startswith("prompt_cache")} == fields


def test_a_long_session_id_is_cut_to_the_limit(exchange):
    exchange.ask(session_id="s" * 100)
    assert exchange.body["prompt_cache_key"] == "s" * 64


@pytest.mark.parametrize(
    ("compat", "provider", "names"),
    [
        ({}, "mock", {"session-id", "x-client-request-id"}),
        ({"sessionAffinityFormat": "openai-nosession"}, "mock", {"x-client-request-id"}),
        ({"sessionAffinityFormat": "openrouter"}, "mock", {"x-session-id"}),
        ({}, "openrouter", {"x-session-id"}),
        ({"sessionAffinityFormat": "openai"}, "openrouter", {"session-id", "x-client-request-id"}),
    ],
)
def test_session_affinity(exchange, compat, provider, names):
    exchange.ask(model={"compat": compat, "provider": provider}, session_id="s1")
    assert {name for name, value in exchange.headers.items() if value == "s1"} == names
    exchange.ask(model={"compat": compat}, session_id="s1", cache_retention="none")
    assert "s1" not in exchange.headers.values()


def test_strict_tools(exchange):
    free = {**TOOL, "name": "free", "parameters": {"type": "object"}}
    asked = [system(toolsAdded=[TOOL, free]), user("go")]
    exchange.ask(asked, model={"compat": {"supportsStrictMode": True}})
    strict, plain = exchange.body["tools"]
    assert strict["strict"] is True and strict["parameters"]["required"] == ["path", "limit"]
    assert plain["strict"] is False and plain["parameters"] == {"type": "object"}


def test_a_conversation(exchange):
    items = sent(
        exchange,
        [
            user([text("see"), image()]),
            reply(
                think(REASONING),
                text("A", textSignature='{"v":1,"id":"msg_1","phase":"commentary"}'),
                text("B", textSignature="msg_old"),
                text("C"),
                text("D", textSignature=json.dumps({"v": 1, "id": "m" * 80})),
                call("call_1|fc_1", arguments={"path": "ä"}, namespace="ns"),
                call("call_2|ws_2"),
                call("call_3"),
            ),
            result("call_1|fc_1", text("1"), text("2")),
            result("call_2|ws_2", text("seen"), image()),
            result("call_3", text(" \r\n"), error=True),
            user("next"),
        ],
        model={"input": ("text", "image")},
    )
    picture = {
        "type": "input_image",
        "detail": "auto",
        "image_url": "data:image/png;base64,QUJD",
    }
    assert items[0]["content"] == [{"type": "input_text", "text": "see"}, picture]
    assert items[1] == REASONING
    said = items[2:6]
    assert [item["content"][0]["text"] for item in said] == ["A", "B", "C", "D"]
    assert said[0] == {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "A", "annotations": []}],
        "status": "completed",
        "id": "msg_1",
        "phase": "commentary",
    }
    assert [item["id"] for item in said[1:3]] == ["msg_old", "msg_pi_1_2"]
    assert said[3]["id"].startswith("msg_") and len(said[3]["id"]) <= 64
    assert items[6] == {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "read",
        "arguments": '{"path":"ä"}',
        "namespace": "ns",
    }
    assert [(i["call_id"], i.get("id")) for i in items[7:9]] == [("call_2", None), ("call_3", None)]
    outputs = items[9:12]
    assert [i["call_id"] for i in outputs] == ["call_1", "call_2", "call_3"]
    assert outputs[0]["output"] == "1\n2"
    assert outputs[1]["output"] == [{"type": "input_text", "text": "seen"}, picture]
    assert outputs[2]["output"] == "(the tool returned nothing)"
    assert items[12] == {"role": "user", "content": [{"type": "input_text", "text": "next"}]}


def test_thinking_without_its_item_is_left_out(exchange):
    odd = {"type": "thinking", "thinking": "x", "thinkingSignature": "not json"}
    items = sent(exchange, [user("q"), reply(think(), odd, text("A")), user("go")])
    assert [item.get("type", item.get("role")) for item in items] == ["user", "message", "user"]


@pytest.mark.parametrize(
    ("provider", "made_by", "expected"),
    [
        ("mock", {"provider": "mock", "model": "m0"}, ("call_1_fc_1", None)),
        ("openai", {"provider": "openai", "model": "m0"}, ("call_1", None)),
        ("openai", {"provider": "elsewhere"}, ("call_1", f"fc_{short_hash('fc_1')}")),
    ],
)
def test_calls_of_other_models(exchange, provider, made_by, expected):
    history = [
        user("q"),
        reply(
            think(REASONING),
            text("A", textSignature='{"v":1,"id":"x"}'),
            call("call_1|fc_1"),
            **made_by,
        ),
        result("call_1|fc_1"),
        user("go"),
    ]
    _, said, called, output, _ = sent(exchange, history, model={"provider": provider})
    assert said["id"] == "msg_pi_1"
    assert (called["call_id"], called.get("id")) == expected
    assert output["call_id"] == expected[0]


def test_ids_of_other_apis(exchange):
    odd = ["toolu.a:b", "T" * 80, "call_2|item.x"]
    made = assistant(*map(call, odd), api="anthropic-messages", provider="anthropic")
    history = [user("q"), made, *map(result, odd), user("go")]
    for provider in ("mock", "openai"):
        items = sent(exchange, history, model={"provider": provider})
        ids = [item["call_id"] for item in items if item.get("type") == "function_call"]
        assert ids == [i["call_id"] for i in items if i.get("type") == "function_call_output"]
        assert ids[:2] == ["toolu_a_b", "T" * 64]
    assert ids[2] == "call_2"
    assert items[3]["id"].startswith("fc_")


class TestSystemMessages:
    """Changes of prompt and tools inside a conversation, as far as the model's compat goes."""

    HISTORY = (
        system(sections={"a": "AAA", "b": "BBB"}, toolsAdded=[tool("one"), tool("two")]),
        user("q1"),
        reply(text("r1")),
        system(sections={"b": "B2"}, toolsAdded=[tool("three")]),
        user("q2"),
        reply(text("r2")),
        system(
            content="free",
            sections={"a": None},
            toolsRemoved=[{"name": "two"}, {"name": "one"}],
            toolsAdded=[tool("one")],
        ),
        user("q3"),
    )

    def ask(self, exchange, *compat, history=HISTORY):
        exchange.ask(history, model={"compat": dict.fromkeys(compat, True)})
        items = exchange.body["input"]
        words = [
            item["content"]
            for item in items
            if item.get("role") == "developer"
            if "content" in item
        ]
        names = [t["name"] for t in exchange.body.get("tools", [])]
        return items, words, names

    def test_folded(self, exchange):
        _, words, names = self.ask(exchange, "supportsAdditionalTools", "supportsToolSearch")
        assert words == ["free\n\nB2"]
        assert names == ["three", "one"]

    def test_where_they_stand(self, exchange):
        items, words, names = self.ask(exchange, "supportsMidConvoSystemMessages")
        assert words[0] == "AAA\n\nBBB"
        assert '"b"' in words[1] and words[1].endswith("B2")
        assert words[2].startswith("free\n\n") and '"a"' in words[2] and "two" not in words[2]
        assert names == ["three", "one"]
        # System messages count where a text has no id of its own.
        assert [i["id"] for i in items if i.get("type") == "message"] == ["msg_pi_1", "msg_pi_4"]

    def test_tools_where_they_come(self, exchange):
        items, words, names = self.ask(
            exchange, "supportsMidConvoSystemMessages", "supportsAdditionalTools"
        )
        anchored = [i for i in items if i.get("type") == "additional_tools"]
        assert [[t["name"] for t in i["tools"]] for i in anchored] == [
            ["one", "two"],
            ["three"],
            ["one"],
        ]
        assert items[0] == anchored[0] and names == []
        assert [words.index(w) for w in words if w.endswith("- two")] == [4]

    def test_tools_that_are_still_gone_are_named(self, exchange):
        history = [
            *self.HISTORY,
            reply(text("r3")),
            system(toolsAdded=[tool("four")]),
            user("q4"),
        ]
        _, words, _ = self.ask(
            exchange,
            "supportsMidConvoSystemMessages",
            "supportsAdditionalTools",
            history=history,
        )
        assert words[-1].endswith("Not there: two.")

    def test_tools_as_found(self, exchange):
        items, _, names = self.ask(
            exchange,
            "supportsMidConvoSystemMessages",
            "supportsToolSearch",
            history=self.HISTORY[:5],
        )
        asked, found = items[3:5]
        assert asked["type"] == "tool_search_call" and found["type"] == "tool_search_output"
        assert asked["call_id"] == found["call_id"] and asked["execution"] == "client"
        assert asked["arguments"] == {"query": "three", "limit": 1}
        assert [t["name"] for t in found["tools"]] == ["three"]
        assert names == ["one", "two"]
        _, _, names = self.ask(exchange, "supportsMidConvoSystemMessages", "supportsToolSearch")
        assert names == ["three", "one"]  # a search cannot take a tool away


def test_effort_is_told_inside_the_conversation(exchange):
    model = {"compat": {"supportsMidConvoEffort": True}, "thinking_level_map": {"low": "LOW"}}
    history = [
        user("q"),
        reply(text("a"), providerThinkingLevel="high"),
        user("r"),
        reply(text("b"), providerThinkingLevel="high", model="m0"),
        user("s"),
    ]
    items = sent(exchange, history, model=model, thinking="low")
    changes = [(n, i["reasoning"]["effort"]) for n, i in enumerate(items) if "reasoning" in i]
    assert changes == [(1, "high"), (6, "LOW")]
    assert exchange.body["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert exchange.message["providerThinkingLevel"] == "LOW"
    items = sent(exchange, history, model=model, thinking="off")
    assert not [i for i in items if "reasoning" in i]
    assert exchange.body["reasoning"] == {"effort": "none"}
    assert "providerThinkingLevel" not in exchange.message


def test_what_comes_back_can_be_sent_again(script):
    turn = {
        "blocks": [
            {"thinking": "hmm", "signature": "E"},
            {"text": "A"},
            {"tool": "read", "id": "call_1", "args": {"path": "a"}},
        ],
        "stop": "toolUse",
    }
    exchange = script(RESPONSES, turn)
    exchange.ask()
    message = exchange.message
    assert message["responseId"] == "resp_scripted" and message["rawStopReason"] == "completed"
    assert "responseModel" not in message
    items = sent(exchange, [user("q"), message, result("call_1|fc_2"), user("go")])
    assert items[1] == {
        "id": "rs_0",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hmm"}],
        "encrypted_content": "E",
    }
    assert items[2]["id"] == "msg_1" and items[3]["id"] == "fc_2"


def ended(status="completed", **fields):
    kind = "incomplete" if status == "incomplete" else "completed"
    return {"type": f"response.{kind}", "response": {"id": "r", "status": status, **fields}}


def item(kind, index=0, **fields):
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.output_item.{kind}", **place, "item": fields}


SAID = [
    item("added", id="msg_0", type="message", content=[]),
    {"type": "response.output_text.delta", "output_index": 0, "delta": "hi"},
    item("done", id="msg_0", type="message", content=[{"type": "output_text", "text": "hi"}]),
]


@pytest.mark.parametrize(
    ("end", "reason", "raw"),
    [
        (ended(), "stop", "completed"),
        (ended("queued"), "stop", "queued"),
        (
            ended("incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "length",
            "incomplete.max_output_tokens",
        ),
    ],
)
def test_stop_reasons(script, end, reason, raw):
    exchange = script(RESPONSES, {"events": [*SAID, end]})
    exchange.ask()
    assert exchange.message["stopReason"] == reason
    assert exchange.message["rawStopReason"] == raw


@pytest.mark.parametrize(
    ("end", "raw", "words"),
    [
        (
            ended("incomplete", incomplete_details={"reason": "content_filter"}),
            "incomplete.content_filter",
            "content_filter",
        ),
        (ended("incomplete"), "incomplete", "incomplete"),
        (ended("cancelled"), "cancelled", "cancelled"),
        (ended("failed"), "failed", "failed"),
        (
            {
                "type": "response.failed",
                "response": {
                    "id": "r",
                    "status": "failed",
                    "error": {"code": "server_error", "message": "boom"},
                },
            },
            "failed",
            "server_error: boom",
        ),
    ],
)
def test_failed_answers(script, end, raw, words):
    exchange = script(RESPONSES, {"events": [*SAID, end]})
    exchange.ask()
    assert isinstance(exchange.failure, ProviderError)
    assert exchange.message["rawStopReason"] == raw
    assert exchange.message["responseId"] == "r"
    assert words in exchange.message["errorMessage"]
    assert exchange.message["content"][0]["text"] == "hi"


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow down"}, RateLimitError, "slow down"),
        ({"error": {"code": "server_error", "message": "m"}}, OverloadedError, "m"),
        ({"code": "odd"}, ProviderError, "odd"),
    ],
)
def test_an_error_inside_the_stream(script, event, kind, words):
    exchange = script(RESPONSES, {"events": [*SAID, {"type": "error", **event}]})
    exchange.ask()
    assert isinstance(exchange.failure, kind)
    assert exchange.message["errorMessage"] == words


def test_a_content_filter_is_no_reason_to_try_again(script):
    end = ended("incomplete", incomplete_details={"reason": "content_filter"})
    exchange = script(RESPONSES, {"events": [*SAID, end]})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError) and not exchange.failure.retryable


def test_a_refusal_is_text(script):
    events = [
        item("added", id="msg_0", type="message", content=[]),
        {"type": "response.refusal.delta", "output_index": 0, "delta": "no"},
        item("done", id="msg_0", type="message", content=[{"type": "refusal", "refusal": "no"}]),
        ended(),
    ]
    exchange = script(RESPONSES, {"events": events})
    exchange.ask()
    assert exchange.message["content"] == [text("no", textSignature='{"v":1,"id":"msg_0"}')]


@pytest.mark.parametrize("content", [None, []])
def test_a_finished_item_without_text_keeps_its_pieces(script, content):
    events = [*SAID[:2], item("done", id="msg_0", type="message", content=content), ended()]
    exchange = script(RESPONSES, {"events": events})
    exchange.ask()
    assert exchange.message["content"][0]["text"] == "hi"


def test_items_may_come_whole_and_unknown_ones_are_passed_over(script):
    events = [
        item("added", id="ws_1", type="web_search_call"),
        item("done", id="ws_1", type="web_search_call"),
        item("done", 1, **SAID[2]["item"]),
        item("done", 2, id="fc_1", type="function_call", call_id="c", name="read", arguments="{}"),
        ended(),
    ]
    exchange = script(RESPONSES, {"events": events})
    exchange.ask()
    said, called = exchange.message["content"]
    assert said["text"] == "hi" and called == call("c|fc_1")
    assert exchange.message["stopReason"] == "toolUse"


@pytest.mark.parametrize("indexed", [True, False])
def test_calls_side_by_side(script, indexed):
    def place(number):
        return {"output_index": number} if indexed else {"item_id": f"fc_{number}"}

    def event(kind, number, **fields):
        known = {"id": f"fc_{number}", "type": "function_call", "call_id": f"c{number}"}
        shown = {"name": "read", "arguments": "", **known, **fields}
        place_of = place(number) if indexed else {}
        return {"type": f"response.output_item.{kind}", **place_of, "item": shown}

    def delta(number, words):
        kind = "response.function_call_arguments.delta"
        return {"type": kind, **place(number), "delta": words}

    events = [
        event("added", 0),
        event("added", 1),
        delta(1, '{"path": '),
        delta(0, '{"path": "a"}'),
        {
            "type": "response.function_call_arguments.done",
            **place(1),
            "arguments": '{"path": "b"}',
        },
        event("done", 1, arguments='{"path": "b"}'),
        event("done", 0, arguments='{"path": "a"}'),
        ended(),
    ]
    exchange = script(RESPONSES, {"events": events})
    asked = exchange.ask()
    assert exchange.message["content"] == [
        call("c0|fc_0", arguments={"path": "a"}),
        call("c1|fc_1", arguments={"path": "b"}),
    ]
    deltas = [e["delta"] for e in asked if e["type"] == "toolcall_delta" if e["contentIndex"] == 1]
    assert deltas == ['{"path": ', '"b"}']


def test_a_call_without_an_item_id(script):
    called = {"type": "function_call", "call_id": "c", "name": "read", "arguments": "{}"}
    exchange = script(RESPONSES, {"events": [item("done", **called), ended()]})
    exchange.ask()
    assert exchange.message["content"] == [call("c")]


def test_reasoning_in_parts_and_raw(script):
    def part(words):
        return {"type": "summary_text", "text": words}

    summary = "response.reasoning_summary"
    events = [
        item("added", id="rs_0", type="reasoning", summary=[]),
        {"type": f"{summary}_text.delta", "output_index": 0, "delta": "one"},
        {"type": f"{summary}_part.done", "output_index": 0},
        {"type": f"{summary}_text.delta", "output_index": 0, "delta": "two"},
        {"type": f"{summary}_part.done", "output_index": 0},
        item("done", id="rs_0", type="reasoning", summary=[part("one"), part("two")]),
        item("added", 1, id="rs_1", type="reasoning", summary=[]),
        {"type": "response.reasoning_text.delta", "output_index": 1, "delta": "raw"},
        item("done", 1, id="rs_1", type="reasoning", summary=[], content=[{"text": "raw"}]),
        ended(output=[{"id": "rs_0", "type": "reasoning", "encrypted_content": "LATE"}]),
    ]
    exchange = script(RESPONSES, {"events": events})
    exchange.ask()
    first, second = exchange.message["content"]
    assert (first["thinking"], second["thinking"]) == ("one\n\ntwo", "raw")
    # What replay needs may come with the whole response only.
    assert json.loads(first["thinkingSignature"])["encrypted_content"] == "LATE"
    assert "encrypted_content" not in json.loads(second["thinkingSignature"])


@pytest.mark.parametrize(
    ("tier", "rate"), [("default", 1), (None, 1), ("flex", 0.5), ("priority", 2)]
)
def test_usage_and_service_tiers(script, tier, rate):
    usage = {
        "input_tokens": 100,
        "output_tokens": 50,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens_details": {"reasoning_tokens": 7},
    }
    exchange = script(RESPONSES, {"events": [*SAID, ended(usage=usage, service_tier=tier)]})
    exchange.ask(model={"prices": Prices(1, 2, 0.5, 3)})
    counted = exchange.message["usage"]
    cost = counted.pop("cost")
    assert counted == {
        "input": 50,
        "output": 50,
        "cacheRead": 30,
        "cacheWrite": 20,
        "totalTokens": 150,
        "reasoning": 7,
    }
    assert cost["total"] == pytest.approx(rate * (50 + 100 + 15 + 60) / 1e6)


def test_no_usage_is_no_failure(script):
    exchange = script(RESPONSES, {"events": [*SAID, ended()]})
    exchange.ask()
    assert exchange.message["stopReason"] == "stop"
    assert exchange.message["usage"]["totalTokens"] == 0
