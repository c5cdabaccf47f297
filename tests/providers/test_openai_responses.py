"""OpenAI Responses: what is sent."""

import json
from functools import partial

import pytest

from pi.providers.transform import short_hash
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
        assert names == ["one", "three"]

    def test_where_they_stand(self, exchange):
        items, words, names = self.ask(exchange, "supportsMidConvoSystemMessages")
        assert words[0] == "AAA\n\nBBB"
        assert '"b"' in words[1] and words[1].endswith("B2")
        assert words[2].startswith("free\n\n") and '"a"' in words[2] and "two" not in words[2]
        assert names == ["one", "three"]
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
        assert names == ["one", "three"]  # a search cannot take a tool away


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
