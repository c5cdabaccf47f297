"""Google Generative AI: what is sent, and what only this API can answer."""

from functools import partial

import pytest

from pi.errors import InvalidRequestError, OverloadedError, StreamFormatError
from pi.wire.model import Prices
from tests.providers.exchange import (
    GOOGLE,
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

API = GOOGLE
reply = partial(assistant, api=API)

SIGNATURE = "c2ln"


def think(words, signature=None):
    signed = {} if signature is None else {"thinkingSignature": signature}
    return {"type": "thinking", "thinking": words, **signed}


def test_the_request(exchange):
    exchange.ask([PROMPT, user("go")], thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1beta/models/m1:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == "key"
    assert request.headers["x-extra"] == "1"
    assert "s1" not in request.headers.values()
    assert request.body == {
        "contents": [{"parts": [{"text": "go"}], "role": "user"}],
        "systemInstruction": {"parts": [{"text": "AAA\n\nBBB"}], "role": "user"},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "read",
                        "description": "reads",
                        "parametersJsonSchema": TOOL["parameters"],
                    }
                ]
            }
        ],
        "generationConfig": {
            "maxOutputTokens": 16384,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": -1},
        },
    }


def test_headers_of_the_options_win(exchange):
    exchange.ask(headers={"X-Goog-Api-Key": "other"})
    assert exchange.headers["x-goog-api-key"] == "other"
    exchange.ask(api_key=None)
    assert "x-goog-api-key" not in exchange.headers


@pytest.mark.parametrize(
    ("model", "level", "told"),
    [
        ("m1", "high", -1),
        ("gemini-2.5-pro", "minimal", 128),
        ("gemini-2.5-pro", "low", 2048),
        ("gemini-2.5-pro", "high", 32768),
        ("gemini-2.5-pro", "max", 32768),
        ("gemini-2.5-flash", "high", 24576),
        ("gemini-2.5-flash-lite", "minimal", 512),
        ("gemini-2.5-computer-use-preview", "high", -1),
        ("gemini-2.0-flash", "high", -1),
        ("gemini-pro-latest", "high", -1),
        ("gemma-3-27b", "high", -1),
        ("gemini-3-pro-preview", "minimal", "MINIMAL"),
        ("gemini-3.1-flash-lite", "medium", "MEDIUM"),
        ("gemini-4-argon", "high", "HIGH"),
        ("gemini-10-pro", "max", "HIGH"),
        ("models/gemini-3-pro", "low", "LOW"),
        ("gemini-flash-latest", "low", "LOW"),
        ("gemini-flash-lite-latest", "low", "LOW"),
        ("gemma-4-31b-it", "high", "HIGH"),
    ],
)
def test_thinking(exchange, model, level, told):
    exchange.ask(model={"id": model}, thinking=level)
    key = "thinkingBudget" if isinstance(told, int) else "thinkingLevel"
    config = exchange.body["generationConfig"]["thinkingConfig"]
    assert config == {"includeThoughts": True, key: told}


def test_thinking_levels_of_the_map(exchange):
    model = {"id": "gemini-3-pro", "thinking_level_map": {"max": "medium", "xhigh": "extreme"}}
    exchange.ask(model=model, thinking="max")
    assert exchange.body["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "MEDIUM"
    exchange.ask(model=model, thinking="xhigh")
    assert exchange.body["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "HIGH"


@pytest.mark.parametrize(
    ("model", "told"),
    [("m1", {"thinkingBudget": 777}), ("gemini-3-pro", {"thinkingLevel": "LOW"})],
)
def test_thinking_budgets_of_the_settings(exchange, model, told):
    exchange.ask(model={"id": model}, thinking="low", thinking_budgets={"low": 777})
    config = exchange.body["generationConfig"]["thinkingConfig"]
    assert config == {"includeThoughts": True, **told}


def test_no_thinking(exchange):
    exchange.ask(model={"id": "gemini-3-pro"}, thinking="off")
    assert exchange.body["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 0}
    exchange.ask(model={"reasoning": False})
    assert "thinkingConfig" not in exchange.body["generationConfig"]


def test_newer_models_are_held_to_strict_schemas(exchange):
    free = {**TOOL, "name": "free", "parameters": {"type": "object"}}
    exchange.ask(
        [system(toolsAdded=[TOOL, free]), user("go")], model={"id": "gemini-3-flash-preview"}
    )
    (group,) = exchange.body["tools"]
    strict, plain = (tool["parametersJsonSchema"] for tool in group["functionDeclarations"])
    assert strict["required"] == ["path", "limit"] and plain == {"type": "object"}
    assert exchange.body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    exchange.ask([system(toolsAdded=[free]), user("go")], model={"id": "gemini-3-flash-preview"})
    assert "toolConfig" not in exchange.body


def test_constants_become_enumerations(exchange):
    schema = {
        "type": "object",
        "properties": {
            "const": {"const": "a"},
            "kind": {"anyOf": [{"const": 1}, {"type": "array", "items": {"const": None}}]},
            "free": {"type": "object", "default": {"const": 1}, "examples": [{"const": 2}]},
        },
    }
    exchange.ask([system(toolsAdded=[{**TOOL, "parameters": schema}]), user("go")])
    declared = exchange.body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]
    assert declared["properties"] == {
        "const": {"enum": ["a"]},
        "kind": {"anyOf": [{"enum": [1]}, {"type": "array", "items": {"enum": [None]}}]},
        "free": schema["properties"]["free"],
    }


PICTURE = {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}


def history(model):
    return [
        user([text("see"), image()]),
        reply(
            think("hmm", SIGNATURE),
            think("unsigned"),
            text("A", textSignature=SIGNATURE),
            call("c1", arguments={"path": "a"}, thoughtSignature=SIGNATURE),
            call("c2", thoughtSignature="not base64!"),
            model=model,
        ),
        result("c1", text("1"), image()),
        result("c2", image(), error=True),
        result("c3", text(" \r\n")),
        user("go"),
    ]


def responses(contents):
    return [
        part["functionResponse"]
        for content in contents
        for part in content["parts"]
        if "functionResponse" in part
    ]


@pytest.mark.parametrize("model", ["m1", "gemini-3-pro-preview"])
def test_a_conversation(exchange, model):
    contents = sent(exchange, history(model), model={"id": model, "input": ("text", "image")})
    assert [content["role"] for content in contents] == ["user", "model", "user", "user"]
    assert contents[0]["parts"] == [{"text": "see"}, PICTURE]
    ids = [{"id": f"c{n}"} if model != "m1" else {} for n in (1, 2, 3)]
    assert contents[1]["parts"] == [
        {"text": "hmm", "thought": True, "thoughtSignature": SIGNATURE},
        {"text": "unsigned", "thought": True},
        {"text": "A", "thoughtSignature": SIGNATURE},
        {
            "functionCall": {"name": "read", "args": {"path": "a"}, **ids[0]},
            "thoughtSignature": SIGNATURE,
        },
        {"functionCall": {"name": "read", "args": {}, **ids[1]}},
    ]
    assert responses(contents) == [
        {"name": "read", "response": {"output": "1"}, "parts": [PICTURE], **ids[0]},
        {
            "name": "read",
            "response": {"error": "(the image is attached)"},
            "parts": [PICTURE],
            **ids[1],
        },
        {"name": "read", "response": {"output": ""}, **ids[2]},
    ]


def test_older_models_see_images_of_results_beside_them(exchange):
    model = "gemini-2.5-pro"
    contents = sent(exchange, history(model), model={"id": model, "input": ("text", "image")})
    assert not [r for r in responses(contents) if "parts" in r or "id" in r]
    assert [len(content["parts"]) for content in contents[2:]] == [1, 2, 1, 2, 1, 1]
    assert contents[3]["parts"][1] == contents[5]["parts"][1] == PICTURE


def test_another_model_s_marks_are_gone(exchange):
    made = reply(
        think("hmm", SIGNATURE),
        text("A", textSignature=SIGNATURE),
        call("a|b.c", thoughtSignature=SIGNATURE),
        model="gemini-x",
    )
    asked = [user("q"), made, result("a|b.c"), user("go")]
    contents = sent(exchange, asked, model={"id": "gemini-3-pro"})
    assert contents[1]["parts"] == [
        {"text": "A"},
        {"functionCall": {"name": "read", "args": {}, "id": "a_b_c"}},
    ]
    assert responses(contents)[0]["id"] == "a_b_c"


def chunk(*parts, reason=None, **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}}
    if reason is not None:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], **fields}


def test_blocks_end_where_the_kind_changes(script):
    events = [
        chunk({"text": "t1", "thought": True}),
        chunk({"text": "t2", "thought": True, "thoughtSignature": SIGNATURE}),
        chunk({"text": "A"}, {"executableCode": {}}, {"text": "B", "thoughtSignature": "b25l"}),
        chunk({"text": "", "thoughtSignature": "dHdv"}),
        chunk({"text": "later", "thought": True}, reason="STOP", responseId="r"),
    ]
    exchange = script(GOOGLE, {"events": events})
    exchange.ask()
    assert exchange.message["content"] == [
        think("t1t2", SIGNATURE),
        text("AB", textSignature="dHdv"),
        think("later"),
    ]
    assert exchange.message["responseId"] == "r"
    assert exchange.message["rawStopReason"] == "STOP"


def test_calls_get_ids_of_their_own(script):
    called = {"functionCall": {"name": "read", "args": {"path": "a"}}}
    named = {"functionCall": {"name": "read", "id": "x"}}
    events = [chunk({**called, "thoughtSignature": SIGNATURE}, called, named, named, reason="STOP")]
    exchange = script(GOOGLE, {"events": events})
    asked = exchange.ask()
    blocks = exchange.message["content"]
    ids = [block["id"] for block in blocks]
    assert len(set(ids)) == 4 and ids[2] == "x"
    assert all(i.startswith("read_") for i in (ids[0], ids[1], ids[3]))
    assert [block.get("thoughtSignature") for block in blocks] == [SIGNATURE, None, None, None]
    assert [block["arguments"] for block in blocks] == [{"path": "a"}, {"path": "a"}, {}, {}]
    assert exchange.message["stopReason"] == "toolUse"
    ended = [event for event in asked if event["type"] == "toolcall_end"]
    assert ended[0]["toolCall"]["thoughtSignature"] == SIGNATURE


@pytest.mark.parametrize(
    "reason", ["SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL", "OTHER", "BRAND_NEW"]
)
def test_refused_answers(script, reason):
    exchange = script(GOOGLE, {"blocks": [{"text": "hi"}], "raw_stop": reason})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError) and not exchange.failure.retryable
    assert reason in exchange.message["errorMessage"]
    assert exchange.message["rawStopReason"] == reason
    assert exchange.message["content"] == [text("hi")]


def test_a_length_stop(script):
    events = [chunk({"functionCall": {"name": "read", "args": {}}}, reason="MAX_TOKENS")]
    exchange = script(GOOGLE, {"events": events})
    exchange.ask()
    assert exchange.message["stopReason"] == "length"


def test_a_blocked_request(script):
    exchange = script(GOOGLE, {"events": [{"promptFeedback": {"blockReason": "SAFETY"}}]})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError)
    assert "SAFETY" in exchange.message["errorMessage"]


def test_an_early_end(script):
    exchange = script(GOOGLE, {"events": [chunk({"text": "hi"})]})
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError) and exchange.failure.retryable


@pytest.mark.parametrize("error", [{"code": 503, "message": "overloaded"}, "overloaded"])
def test_an_error_inside_the_stream(script, error):
    exchange = script(GOOGLE, {"events": [chunk({"text": "hi"}), {"error": error}]})
    exchange.ask()
    assert isinstance(exchange.failure, OverloadedError)
    assert exchange.message["errorMessage"] == "overloaded"


def test_usage(script):
    counts = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 30,
        "candidatesTokenCount": 40,
        "thoughtsTokenCount": 10,
    }
    events = [
        chunk({"text": "hi"}, usageMetadata={"promptTokenCount": 5}),
        chunk(reason="STOP", usageMetadata=counts),
    ]
    exchange = script(GOOGLE, {"events": events})
    exchange.ask(model={"prices": Prices(1, 2, 0.5, 3)})
    usage = exchange.message["usage"]
    cost = usage.pop("cost")
    assert usage == {
        "input": 70,
        "output": 50,
        "cacheRead": 30,
        "cacheWrite": 0,
        "totalTokens": 150,
        "reasoning": 10,
    }
    assert cost["total"] == pytest.approx((70 + 100 + 15) / 1e6)


def test_counts_may_follow_the_reason(script):
    events = [chunk({"text": "hi"}, reason="STOP"), {"usageMetadata": {"promptTokenCount": 7}}]
    exchange = script(GOOGLE, {"events": events})
    exchange.ask()
    assert exchange.message["usage"]["input"] == 7
