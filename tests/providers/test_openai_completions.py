"""Chat Completions: what is sent, to whom, and what only this API can answer."""

import json
from functools import partial

import pytest

from pi.errors import InvalidRequestError, NetworkError, OverloadedError
from pi.providers.hosts import completions_compat, service_of
from pi.wire.model import Model
from tests.providers.exchange import (
    COMPLETIONS,
    TOOL,
    assistant,
    call,
    image,
    result,
    system,
    text,
    user,
)

API = COMPLETIONS
reply = partial(assistant, api=API)

PROMPT = system(sections={"a": "AAA"}, toolsAdded=[TOOL])


def think(words, signature="reasoning_content"):
    return {"type": "thinking", "thinking": words, "thinkingSignature": signature}


def sent(exchange, messages, compat=None, **options):
    exchange.ask(messages, model={"compat": compat or {}, "input": ("text", "image")}, **options)
    return exchange.body["messages"]


def test_the_request(exchange):
    exchange.ask([PROMPT, user("go")], thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["x-extra"] == "1"
    assert request.body == {
        "model": "m1",
        "messages": [{"role": "developer", "content": "AAA"}, {"role": "user", "content": "go"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "store": False,
        "max_completion_tokens": 16384,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "read",
                    "description": "reads",
                    "parameters": TOOL["parameters"],
                },
            }
        ],
        "reasoning_effort": "low",
    }


def test_a_model_without_reasoning(exchange):
    exchange.ask([PROMPT, user("go")], model={"reasoning": False}, thinking="off", api_key=None)
    assert exchange.body["messages"][0]["role"] == "system"
    assert "reasoning_effort" not in exchange.body
    assert "authorization" not in exchange.headers


@pytest.mark.parametrize(
    ("compat", "gone", "added"),
    [
        ({"supportsStore": False}, {"store"}, {}),
        ({"supportsReasoningEffort": False}, {"reasoning_effort"}, {}),
        ({"supportsUsageInStreaming": False}, {"stream_options"}, {}),
        ({"maxTokensField": "max_tokens"}, {"max_completion_tokens"}, {"max_tokens": 16384}),
        ({"openRouterRouting": {"only": ["a"]}}, set(), {"provider": {"only": ["a"]}}),
        (
            {"vercelGatewayRouting": {"only": ["a"]}},
            set(),
            {"providerOptions": {"gateway": {"only": ["a"]}}},
        ),
        ({"zaiToolStream": True}, set(), {"tool_stream": True}),
        ({"vllmPriority": 0}, set(), {"priority": 0}),
        ({"thinkingTokenBudgetField": "thinking_budget"}, set(), {"thinking_budget": 8192}),
        ({"supportsThinkingTokenBudget": True}, set(), {"thinking_token_budget": 8192}),
        ({"promptCacheKeyMode": "enabled"}, set(), {"prompt_cache_key": "s1"}),
    ],
)
def test_compat_fields(exchange, compat, gone, added):
    exchange.ask([PROMPT, user("go")], thinking="medium", session_id="s1")
    plain = exchange.body
    exchange.ask([PROMPT, user("go")], model={"compat": compat}, thinking="medium", session_id="s1")
    assert exchange.body == {k: v for k, v in plain.items() if k not in gone} | added


def test_developer_role_may_be_unknown(exchange):
    assert sent(exchange, [PROMPT], {"supportsDeveloperRole": False})[0]["role"] == "system"


def test_strict_tools(exchange):
    sent(exchange, [PROMPT, user("go")], {"supportsStrictMode": True})
    function = exchange.body["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["path", "limit"]


def test_tools_for_a_tool_history(exchange):
    history = [user("q"), reply(call("c1")), result("c1"), user("go")]
    sent(exchange, history)
    assert "tools" not in exchange.body
    sent(exchange, history, {"requiresToolsWithToolHistory": True})
    assert exchange.body["tools"] == []
    sent(exchange, [user("go")], {"requiresToolsWithToolHistory": True})
    assert "tools" not in exchange.body


@pytest.mark.parametrize(
    ("retention", "compat", "fields"),
    [
        ("short", {}, {}),
        ("long", {}, {"prompt_cache_key": "s1", "prompt_cache_retention": "24h"}),
        ("long", {"supportsLongCacheRetention": False}, {}),
        ("long", {"promptCacheKeyMode": "disabled"}, {"prompt_cache_retention": "24h"}),
        ("none", {"promptCacheKeyMode": "enabled"}, {}),
    ],
)
def test_cache_fields(exchange, retention, compat, fields):
    exchange.ask(model={"compat": compat}, cache_retention=retention, session_id="s1")
    assert {k: v for k, v in exchange.body.items() if k.startswith("prompt_cache")} == fields


def test_cache_markers(exchange):
    history = [PROMPT, user("q"), reply(text("a"), call("c1")), result("c1")]
    exchange.ask(history, model={"compat": {"cacheControlFormat": "anthropic"}})
    body = exchange.body
    marker = {"type": "ephemeral"}
    assert body["messages"][0]["content"] == [text("AAA", cache_control=marker)]
    assert body["messages"][-1]["content"] == [text("out", cache_control=marker)]
    assert body["tools"][-1]["cache_control"] == marker
    assert str(body).count("cache_control") == 3


@pytest.mark.parametrize(
    ("style", "headers"),
    [
        ("openai", {"session_id", "x-client-request-id", "x-session-affinity"}),
        ("openai-nosession", {"x-client-request-id", "x-session-affinity"}),
        ("openrouter", {"x-session-id"}),
    ],
)
def test_session_affinity(exchange, style, headers):
    compat = {"sendSessionAffinityHeaders": True, "sessionAffinityFormat": style}
    exchange.ask(model={"compat": compat}, session_id="s1")
    assert {name for name, value in exchange.headers.items() if value == "s1"} == headers


ON_OFF = {
    "openai": ({"reasoning_effort": "medium"}, {}),
    "openrouter": ({"reasoning": {"effort": "medium"}}, {"reasoning": {"effort": "none"}}),
    "deepseek": (
        {"thinking": {"type": "enabled"}, "reasoning_effort": "medium"},
        {"thinking": {"type": "disabled"}},
    ),
    "together": (
        {"reasoning": {"enabled": True}, "reasoning_effort": "medium"},
        {"reasoning": {"enabled": False}},
    ),
    "baseten": (
        {"chat_template_args": {"on": True, "n": 8192, "x": 1}, "reasoning_effort": "medium"},
        {"chat_template_args": {"on": False, "x": 1}},
    ),
    "zai": (
        {"thinking": {"type": "enabled", "clear_thinking": False}, "reasoning_effort": "medium"},
        {"thinking": {"type": "disabled"}},
    ),
    "qwen": ({"enable_thinking": True, "reasoning_effort": "medium"}, {"enable_thinking": False}),
    "chat-template": (
        {"chat_template_kwargs": {"on": True, "how": "medium"}},
        {"chat_template_kwargs": {"on": False}},
    ),
    "qwen-chat-template": (
        {"chat_template_kwargs": {"enable_thinking": True, "preserve_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False, "preserve_thinking": True}},
    ),
    "string-thinking": ({"thinking": "medium"}, {"thinking": "none"}),
    "ant-ling": ({}, {}),
}


@pytest.mark.parametrize("style", ON_OFF)
def test_thinking_formats(exchange, style):
    compat = {
        "thinkingFormat": style,
        "chatTemplateKwargs": {
            "on": {"$var": "thinking.enabled"},
            "how": {"$var": "thinking.effort"},
        },
        "chatTemplateArgs": {
            "on": {"$var": "thinking.enabled"},
            "n": {"$var": "thinking.budget"},
            "x": 1,
        },
    }
    usual = {"model", "messages", "stream", "stream_options", "store", "max_completion_tokens"}
    for level, expected in zip(("medium", "off"), ON_OFF[style], strict=True):
        exchange.ask(model={"compat": compat}, thinking=level)
        assert {k: v for k, v in exchange.body.items() if k not in usual} == expected


@pytest.mark.parametrize(
    ("style", "level", "fields"),
    [
        ("openai", "off", {"reasoning_effort": "none"}),
        ("openai", "xhigh", {"reasoning_effort": "most"}),
        ("openrouter", "xhigh", {"reasoning": {"effort": "most"}}),
        ("ant-ling", "xhigh", {"reasoning": {"effort": "most"}}),
        ("string-thinking", "xhigh", {"thinking": "most"}),
    ],
)
def test_mapped_levels(exchange, style, level, fields):
    exchange.ask(
        model={
            "compat": {"thinkingFormat": style},
            "thinking_level_map": {"off": "none", "xhigh": "most"},
        },
        thinking=level,
    )
    assert {k: exchange.body.get(k) for k in fields} == fields


def test_sampling_parameters_win(exchange):
    model = {
        "sampling_params": {"temperature": 1, "store": True},
        "sampling_params_by_level": {"high": {"temperature": 0.5, "top_k": 20}},
    }
    exchange.ask(model=model, thinking="high")
    body = exchange.body
    assert (body["temperature"], body["store"], body["top_k"]) == (0.5, True, 20)


def test_the_history(exchange):
    messages = sent(
        exchange,
        [
            user([text("see"), image()]),
            reply(think("hm"), text("a"), text("b"), call("c1", arguments={"p": "ž"}), call("c2")),
            result("c1", text("1"), image()),
            result("c2", image()),
            user("next"),
            reply(think("only")),
            reply(call("c3")),
            result("c3", text("")),
        ],
    )
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    assert messages[0]["content"] == [text("see"), picture]
    calls = messages[1].pop("tool_calls")
    assert messages[1] == {"role": "assistant", "content": "ab", "reasoning_content": "hm"}
    assert calls[0]["type"] == "function" and calls[0]["id"] == "c1"
    assert calls[0]["function"] == {"name": "read", "arguments": '{"p":"ž"}'}
    assert messages[2] == {"role": "tool", "content": "1", "tool_call_id": "c1"}
    assert messages[3]["role"] == "tool" and messages[3]["content"]
    assert messages[4]["content"][1:] == [picture, picture]
    assert messages[5] == {"role": "user", "content": "next"}
    assert messages[6]["content"] is None and messages[6]["tool_calls"][0]["id"] == "c3"
    assert messages[7]["content"]
    assert len(messages) == 8


HISTORY = [user("q"), reply(think("hm", "reasoning"), call("c1")), result("c1"), user("go")]


def test_compat_of_the_history(exchange):
    assert sent(exchange, HISTORY)[1]["reasoning"] == "hm"
    named = sent(exchange, HISTORY, {"requiresToolResultName": True})
    assert named[2]["name"] == "read"
    never_null = sent(exchange, HISTORY, {"requiresNonNullAssistantContent": True})
    assert never_null[1]["content"] == ""
    between = sent(exchange, HISTORY, {"requiresAssistantAfterToolResult": True})
    assert [m["role"] for m in between] == ["user", "assistant", "tool", "assistant", "user"]
    as_text = sent(exchange, HISTORY, {"requiresThinkingAsText": True})
    assert as_text[1]["content"] == [text("hm")] and "reasoning" not in as_text[1]
    filled = sent(exchange, HISTORY, {"requiresReasoningContentOnAssistantMessages": True})
    assert filled[1]["reasoning_content"] == ""


@pytest.mark.parametrize("signature", ["", "sig", "[broken", '{"a":1}'])
def test_thinking_without_a_known_field_is_left_out(exchange, signature):
    messages = sent(exchange, [user("q"), reply(think("hm", signature), text("x")), user("go")])
    assert messages[1] == {"role": "assistant", "content": "x"}


def test_reasoning_details_return(script):
    details = [
        {"type": "reasoning.text", "text": "ab", "index": 0},
        {"type": "reasoning.text", "text": "c", "signature": "S", "index": 0},
        {"type": "reasoning.encrypted", "data": "E", "id": "c1"},
    ]
    events = [
        {"choices": [{"delta": {"reasoning": "abc", "reasoning_details": [detail]}}]}
        for detail in details
    ]
    end = {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}
    exchange = script(COMPLETIONS, {"events": [*events, end]})
    exchange.ask()
    thinking = exchange.message["content"][0]
    joined = [{**details[0], "text": "abc", "signature": "S"}, details[2]]
    assert json.loads(thinking["thinkingSignature"]) == joined
    messages = sent(exchange, [user("q"), exchange.message, user("go")])
    assert messages[1]["reasoning_details"] == joined


def test_ids(script):
    long = "call_" + "x" * 80
    odd = ["a" * 70 + "|" + "b" * 70, "call|fc_1", "a.b", long]
    history = [
        user("q"),
        assistant(*map(call, odd), api="openai-responses"),
        *map(result, odd),
        user("go"),
    ]
    exchange = script(COMPLETIONS)
    for provider, last in (("mock", long), ("openai", None)):
        exchange.ask(history, model={"provider": provider})
        messages = exchange.body["messages"]
        ids = [made["id"] for made in messages[1]["tool_calls"]]
        assert ids == [message["tool_call_id"] for message in messages[2:6]]
        assert len(ids[0]) == 40 and ids[0].startswith("aaaa")
        assert ids[1:3] == ["call_fc_1", "a.b"]
        assert ids[3] == last or (last is None and len(ids[3]) == 40)


@pytest.mark.parametrize(
    ("base_url", "provider", "service"),
    [
        ("https://api.deepseek.com/v1", "mine", "deepseek"),
        ("http://127.0.0.1/v1", "deepseek", "deepseek"),
        ("https://openrouter.ai/api/v1", "mine", "openrouter"),
        ("https://llm.chutes.ai/v1", "mine", "chutes"),
        ("https://api.z.ai/api/paas/v4", "mine", "zai"),
        ("https://api.openai.com/v1", "openai", None),
        ("https://notdeepseek.com.example/v1", "mine", None),
        ("http://deepseek.com.evil.test/", "mine", None),
    ],
)
def test_services_are_known_by_host_or_id(base_url, provider, service):
    model = Model(id="m", provider=provider, api=COMPLETIONS, base_url=base_url)
    assert service_of(model) == service


def test_explicit_compat_wins_over_what_is_known():
    model = Model(
        id="m",
        provider="deepseek",
        api=COMPLETIONS,
        base_url="http://127.0.0.1",
        compat={"supportsStore": True, "maxTokensField": None},
    )
    compat = completions_compat(model)
    assert compat["supportsStore"] is True
    assert compat["maxTokensField"] == "max_tokens"
    assert compat["thinkingFormat"] == "deepseek"


def test_openrouter_knows_the_families_behind_it():
    def compat(model_id):
        return completions_compat(
            Model(id=model_id, provider="openrouter", api=COMPLETIONS, base_url="")
        )

    assert compat("anthropic/claude")["cacheControlFormat"] == "anthropic"
    assert compat("anthropic/claude")["supportsDeveloperRole"] is True
    assert "cacheControlFormat" not in compat("openai/gpt")
    assert compat("qwen/q")["supportsDeveloperRole"] is False


def choice(delta, finish=None, **extra):
    return {
        "id": "r1",
        "model": extra.pop("model", "m1"),
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **extra,
    }


def answered(script, *events, **model):
    exchange = script(COMPLETIONS, {"events": list(events)})
    exchange.ask(model=model)
    return exchange


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        ("end", "stop"),
        ("length", "length"),
        ("tool_calls", "toolUse"),
        ("function_call", "toolUse"),
    ],
)
def test_finish_reasons(script, finish, reason):
    exchange = answered(script, choice({"content": "a"}, finish), "[DONE]")
    assert exchange.message["stopReason"] == reason
    assert exchange.message["rawStopReason"] == finish
    assert exchange.message["responseId"] == "r1"


@pytest.mark.parametrize("finish", ["content_filter", "error", "brand_new"])
def test_refused_answers(script, finish):
    exchange = answered(script, choice({"content": "a"}), choice({}, finish), "[DONE]")
    assert isinstance(exchange.failure, InvalidRequestError)
    assert finish in exchange.message["errorMessage"]
    assert exchange.events[-2] == {"type": "text_end", "contentIndex": 0, "content": "a"}


def test_a_lost_upstream_may_be_asked_again(script):
    exchange = answered(script, choice({"content": "a"}, "network_error"))
    assert isinstance(exchange.failure, NetworkError) and exchange.failure.retryable


@pytest.mark.parametrize(
    ("delta", "reason"),
    [
        ({"content": "a"}, "stop"),
        (
            {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]},
            "toolUse",
        ),
    ],
)
def test_servers_without_finish_reasons(script, delta, reason):
    exchange = answered(script, choice(delta), compat={"supportsFinishReason": False})
    assert exchange.message["stopReason"] == reason


def test_nothing_after_done_counts(script):
    exchange = answered(
        script, choice({"content": "a"}, "stop"), "[DONE]", choice({"content": "b"})
    )
    assert exchange.message["content"] == [text("a")]


@pytest.mark.parametrize(
    ("error", "shown", "kind", "retryable"),
    [
        (
            {"message": "Provider overloaded", "code": 502},
            "Provider overloaded",
            OverloadedError,
            True,
        ),
        ({"message": "bad thing", "type": "x"}, "bad thing", Exception, False),
        ("bad thing", '"bad thing"', Exception, False),
    ],
)
def test_an_error_inside_the_stream(script, error, shown, kind, retryable):
    exchange = answered(script, choice({"content": "a"}), {"error": error})
    assert exchange.message["errorMessage"] == shown
    assert isinstance(exchange.failure, kind) and exchange.failure.retryable is retryable
    assert exchange.message["content"] == [text("a")]


def call_piece(index, call_id=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    return {
        "index": index,
        "id": call_id,
        "function": {k: v for k, v in function.items() if v is not None},
    }


def test_pieces_may_alternate(script):
    exchange = answered(
        script,
        choice({"content": "a"}),
        choice({"reasoning_content": "r", "reasoning": "r"}),
        choice({"content": "b"}),
        choice({"tool_calls": [call_piece(0, "c1", "read", "")]}),
        choice({"tool_calls": [call_piece(1, "c2", "read", '{"p":2}')]}),
        choice({"tool_calls": [call_piece(0, None, None, '{"p":1}')]}),
        choice({"content": "c"}, "tool_calls"),
    )
    assert exchange.message["content"] == [
        text("abc"),
        {"type": "thinking", "thinking": "r", "thinkingSignature": "reasoning_content"},
        call("c1", arguments={"p": 1}),
        call("c2", arguments={"p": 2}),
    ]
    assert [e["contentIndex"] for e in exchange.events if e["type"].endswith("_end")] == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        [call_piece(None, "a", "f", '{"p":1}'), call_piece(None, "b", "f", '{"p":2}')],
        [call_piece(0, "a", "f", '{"p":1}'), call_piece(0, "b", "f", '{"p":2}')],
        [call_piece(0, "a", "f", {"p": 1}), call_piece(1, "b", "f", {"p": 2})],
    ],
    ids=["no index", "one index", "objects"],
)
def test_calls_of_careless_servers(script, pieces):
    events = [choice({"tool_calls": [piece]}) for piece in pieces]
    exchange = answered(script, *events, choice({}, "tool_calls"))
    assert exchange.message["content"] == [
        call("a", "f", arguments={"p": 1}),
        call("b", "f", arguments={"p": 2}),
    ]


def test_a_call_without_an_id_gets_one(script):
    pieces = {"tool_calls": [call_piece(0, None, "f", "{}"), call_piece(1, None, "f", "{}")]}
    exchange = answered(script, choice(pieces, "tool_calls"))
    first, second = exchange.message["content"]
    assert first["id"] and second["id"] and first["id"] != second["id"]


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]},
        choice({"content": [{"type": "text", "text": "hi"}]}, "stop"),
    ],
    ids=["not streamed", "parts"],
)
def test_text_in_other_forms(script, event):
    assert answered(script, event).message["content"] == [text("hi")]


USAGE = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 999}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USAGE, (100, 5, 0, 0, 0)),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 40}}, (60, 5, 40, 0, 0)),
        ({**USAGE, "prompt_cache_hit_tokens": 40}, (60, 5, 40, 0, 0)),
        ({**USAGE, "cached_tokens": 40}, (60, 5, 40, 0, 0)),
        (
            {**USAGE, "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 20}},
            (40, 5, 40, 20, 0),
        ),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": 3}}, (100, 5, 0, 0, 3)),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}, (0, 5, 400, 0, 0)),
        ({**USAGE, "prompt_tokens_details": None}, (100, 5, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("place", ["last", "choice", "every"])
def test_usage(script, usage, expected, place):
    said, end = choice({"content": "a"}), choice({}, "stop")
    if place == "last":
        events = [said, end, {"choices": [], "usage": usage}]
    elif place == "choice":
        end["choices"][0]["usage"] = usage
        events = [said, end]
    else:
        events = [{**said, "usage": {**USAGE, "completion_tokens": 1}}, {**end, "usage": usage}]
    found = answered(script, *events).message["usage"]
    keys = ("input", "output", "cacheRead", "cacheWrite", "reasoning")
    assert tuple(found[key] for key in keys) == expected
    assert found["totalTokens"] == sum(expected[:4])


def test_the_model_that_answered(script):
    exchange = answered(script, choice({"content": "a"}, "stop", model="m1"))
    assert "responseModel" not in exchange.message
    exchange = answered(script, choice({"content": "a"}, "stop", model="other"))
    assert exchange.message["responseModel"] == "other"
