"""Bedrock's ConverseStream: what is sent, and what only this API can answer."""

import base64
from functools import partial

import pytest

from pi.errors import (
    ContextOverflowError,
    InvalidRequestError,
    NetworkError,
    OverloadedError,
    RateLimitError,
    StreamFormatError,
)
from pi.wire.model import Prices
from tests.providers.exchange import (
    BEDROCK,
    PROMPT,
    TOOL,
    assistant,
    call,
    image,
    result,
    text,
    user,
)
from tests.providers.exchange import sent as sent_as

API = BEDROCK
reply = partial(assistant, api=API)
sent = partial(sent_as, cache_retention="none")

POINT = {"cachePoint": {"type": "default"}}
CLAUDE = {"id": "us.anthropic.claude-opus-4-5-v1:0", "input": ("text", "image")}


def test_the_request(exchange):
    headers = {"X-Extra": "1", "X-Amz-Date": "no", "Host": "no", "Authorization": "no"}
    exchange.ask([PROMPT, user("go")], model=CLAUDE, thinking="low", headers=headers)
    request = exchange.server.requests[0]
    assert request.target == "/model/us.anthropic.claude-opus-4-5-v1%3A0/converse-stream"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["x-extra"] == "1" and "x-amz-date" not in request.headers
    assert request.headers["host"].startswith("127.0.0.1")
    schema = {"json": TOOL["parameters"]}
    spec = {"name": "read", "description": "reads", "inputSchema": schema}
    thinking = {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}
    assert request.body == {
        "messages": [{"role": "user", "content": [{"text": "go"}, POINT]}],
        "system": [{"text": "AAA\n\nBBB"}, POINT],
        "inferenceConfig": {"maxTokens": 16384},
        "toolConfig": {"tools": [{"toolSpec": spec}]},
        "additionalModelRequestFields": {
            "thinking": thinking,
            "anthropic_beta": ["interleaved-thinking-2025-05-14"],
        },
    }


@pytest.mark.parametrize(
    ("model", "retention", "point"),
    [
        ("anthropic.claude-opus-5-v1", "short", POINT),
        ("anthropic.claude-opus-5-v1", "long", {"cachePoint": {"type": "default", "ttl": "1h"}}),
        ("anthropic.claude-opus-5-v1", "none", None),
        ("anthropic.claude-3-haiku-v1", "short", None),
        ("amazon.nova-pro-v1:0", "short", None),
    ],
)
def test_cache_points(exchange, model, retention, point):
    exchange.ask([PROMPT, user("go")], model={"id": model}, cache_retention=retention)
    points = [block for block in exchange.body["system"] if "cachePoint" in block]
    assert points == ([] if point is None else [point])
    assert exchange.body["messages"][0]["content"][1:] == points


def test_an_inference_profile_is_known_by_its_name(exchange):
    arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x1"
    model = {"id": arn, "name": "Claude Opus 4.7", "reasoning": True}
    exchange.ask([PROMPT, user("go")], model=model, thinking="high")
    assert exchange.server.requests[0].path.startswith("/model/arn%3Aaws%3Abedrock%3Aeu-west-1")
    assert exchange.body["system"][1] == POINT
    assert exchange.body["additionalModelRequestFields"]["thinking"]["type"] == "adaptive"


BOUND = {"prefix_mismatch_behavior": "drop_block"}
ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "level", "fields"),
    [
        ({"id": "anthropic.claude-opus-5-5"}, "off", None),
        ({"id": "anthropic.claude-opus-5-5", "reasoning": False}, "high", None),
        (
            {"id": "anthropic.claude-sonnet-4-6"},
            "minimal",
            {"thinking": ADAPTIVE, "output_config": {"effort": "low"}},
        ),
        (
            {"id": "anthropic.claude-opus-5-5", "thinking_level_map": {"max": "max"}},
            "max",
            {
                "thinking": {**ADAPTIVE, "block_binding": BOUND},
                "output_config": {"effort": "max"},
                "anthropic_beta": ["thinking-binding-controls-2026-08-01"],
            },
        ),
        (
            {"id": "us-gov.anthropic.claude-opus-5-5"},
            "medium",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
        ),
        (
            {"id": "anthropic.claude-haiku-4-5", "max_tokens": 3000},
            "max",
            {
                "thinking": {"type": "enabled", "budget_tokens": 1976, "display": "summarized"},
                "anthropic_beta": ["interleaved-thinking-2025-05-14"],
            },
        ),
        ({"id": "openai.gpt-oss-120b"}, "xhigh", {"reasoning_effort": "high"}),
        ({"id": "openai.gpt-6-sol"}, "minimal", {"reasoning": {"effort": "low"}}),
        ({"id": "openai.gpt-6-sol"}, "max", {"reasoning": {"effort": "max"}}),
        ({"id": "amazon.nova-2-lite-v1:0"}, "high", None),
    ],
)
def test_thinking(exchange, model, level, fields):
    exchange.ask(model={"reasoning": True, **model}, thinking=level)
    assert exchange.body.get("additionalModelRequestFields") == fields


def test_thinking_budget_of_the_settings(exchange):
    exchange.ask(model=CLAUDE, thinking="low", thinking_budgets={"low": 777})
    assert exchange.body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 777


def test_strict_tools(exchange):
    model = {"compat": {"supportsStrictMode": True}}
    exchange.ask([PROMPT, user("go")], model=model)
    (tool,) = exchange.body["toolConfig"]["tools"]
    assert tool["toolSpec"]["strict"] is True
    assert tool["toolSpec"]["inputSchema"]["json"]["required"] == ["path", "limit"]


def test_a_conversation(exchange):
    history = [
        user([text("see"), image(), text(" ")]),
        reply(
            {"type": "thinking", "thinking": "hm", "thinkingSignature": "SIG"},
            {"type": "thinking", "thinking": "unsigned"},
            text("ok"),
            call("c|1", arguments={"path": "a", "": 1, "x": [{"": 2, "y": 3}]}),
            call("c2"),
        ),
        result("c|1", text("1"), text(" ")),
        result("c2", text("no"), image(), error=True),
        user(" "),
    ]
    messages = sent(exchange, history, model={**CLAUDE, "provider": "mock", "id": "m1-claude"})
    assert messages[0]["content"][1] == {"image": {"source": {"bytes": "QUJD"}, "format": "png"}}
    assert len(messages[0]["content"]) == 2
    assert messages[-1]["content"][0]["text"].strip()
    own = sent(
        exchange,
        [{**m, "model": "anthropic.claude-x"} if m["role"] == "assistant" else m for m in history],
        model={"id": "anthropic.claude-x", "input": ("text", "image")},
    )
    thought, unsigned, said, first, second = own[1]["content"]
    signed = {"text": "hm", "signature": "SIG"}
    assert thought == {"reasoningContent": {"reasoningText": signed}}
    assert unsigned == {"text": "unsigned"} and said == {"text": "ok"}
    assert first["toolUse"]["input"] == {"path": "a", "x": [{"y": 3}]}
    assert second["toolUse"]["toolUseId"] == "c2"
    results = own[2]["content"]
    assert results[0]["toolResult"] == {
        "toolUseId": first["toolUse"]["toolUseId"],
        "content": [{"text": "1"}],
        "status": "success",
    }
    assert results[1]["toolResult"]["status"] == "error"
    assert all("image" not in block for block in results[1]["toolResult"]["content"])
    assert "c2" in results[2]["text"] and "image" in results[3]


def test_other_models_take_images_in_failed_results(exchange):
    history = [user("q"), reply(call("c1")), result("c1", image(), error=True)]
    messages = sent(exchange, history, model={"input": ("text", "image")})
    (answer,) = messages[2]["content"]
    assert "image" in answer["toolResult"]["content"][0]


def test_thinking_of_other_models_has_no_signature(exchange):
    thought = {"type": "thinking", "thinking": "hm", "thinkingSignature": "SIG"}
    messages = sent(exchange, [user("q"), reply(thought, text("r")), user("go")])
    assert messages[1]["content"][0] == {"reasoningContent": {"reasoningText": {"text": "hm"}}}


@pytest.mark.parametrize(("payload", "kept"), [("QUJD", True), ("no base64!", False), ("", False)])
def test_withheld_thinking(exchange, payload, kept):
    thought = {
        "type": "thinking",
        "thinking": "[x]",
        "thinkingSignature": payload,
        "redacted": True,
    }
    messages = sent(exchange, [user("q"), reply(thought, text("r")), user("go")])
    blocks = [{"text": "r"}]
    if kept:
        blocks.insert(0, {"reasoningContent": {"redactedContent": payload}})
    assert messages[1]["content"] == blocks


def test_an_image_of_another_kind(exchange):
    picture = {**image(), "mimeType": "image/tiff"}
    exchange.ask([user([picture])], model={"input": ("text", "image")})
    assert isinstance(exchange.failure, InvalidRequestError)
    assert exchange.server.requests == []


def test_usage_and_cost(script):
    usage = {"input": 1000, "output": 200, "cacheRead": 50, "cacheWrite": 30, "cacheWrite1h": 10}
    exchange = script(BEDROCK, {"blocks": [{"text": "x"}], "usage": usage})
    exchange.ask(model={"prices": Prices(input=10, output=100, cache_read=1, cache_write=20)})
    counted = dict(exchange.message["usage"])
    cost = counted.pop("cost")
    assert counted == {**usage, "totalTokens": 1280}
    assert cost["total"] == pytest.approx(0.01 + 0.02 + 0.00005 + 0.0004 + 0.0002)


def test_withheld_thinking_comes_in_pieces(script):
    pieces = [base64.b64encode(part).decode() for part in (b"abcd", b"e")]
    events = [
        {"messageStart": {"role": "assistant"}},
        *(
            {
                "contentBlockDelta": {
                    "contentBlockIndex": 0,
                    "delta": {"reasoningContent": {"redactedContent": piece}},
                }
            }
            for piece in pieces
        ),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    exchange = script(BEDROCK, {"events": events})
    exchange.ask()
    (thought,) = exchange.message["content"]
    assert thought["redacted"] is True and thought["thinking"]
    assert base64.b64decode(thought["thinkingSignature"]) == b"abcde"


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "toolUse"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)
def test_stops(script, stop, reason):
    exchange = script(BEDROCK, {"blocks": [{"text": "x"}], "raw_stop": stop})
    exchange.ask()
    assert (exchange.message["stopReason"], exchange.message["rawStopReason"]) == (reason, stop)


@pytest.mark.parametrize("stop", ["guardrail_intervened", "content_filtered"])
def test_refusals(script, stop):
    exchange = script(BEDROCK, {"blocks": [{"text": "x"}], "raw_stop": stop})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError) and stop in str(exchange.failure)


@pytest.mark.parametrize(
    ("kind", "message", "error", "retryable"),
    [
        ("throttlingException", "slow down", RateLimitError, True),
        ("serviceUnavailableException", "later", OverloadedError, True),
        ("internalServerException", "oh", OverloadedError, True),
        ("modelStreamErrorException", "oh", OverloadedError, True),
        ("modelTimeoutException", "oh", NetworkError, True),
        ("validationException", "bad", InvalidRequestError, False),
        ("validationException", "Input is too long for requested model.",
         ContextOverflowError, False),
    ],
)  # fmt: skip
def test_failures_inside_the_stream(script, kind, message, error, retryable):
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "par"}}},
        {"exception": kind, "message": message},
    ]
    exchange = script(BEDROCK, {"events": events})
    exchange.ask()
    assert isinstance(exchange.failure, error) and exchange.failure.retryable is retryable
    assert message in str(exchange.failure)
    assert exchange.message["content"] == [text("par")]


def test_a_refused_request_names_its_kind(script):
    headers = {"x-amzn-errortype": "AccessDeniedException:http://x", "x-amzn-requestid": "r1"}
    turn = {"status": 403, "body": {"message": "no access"}, "headers": headers}
    exchange = script(BEDROCK, turn)
    exchange.ask()
    assert "no access" in str(exchange.failure) and "AccessDenied" in str(exchange.failure)
    assert exchange.failure.request_id == "r1"
    (noted,) = exchange.message["diagnostics"]
    assert noted["type"] == "bedrock_response_failure"
    details = {"status": 403, "errorCode": "AccessDeniedException", "requestId": "r1"}
    assert noted["details"] == details


def test_an_end_without_reason(script):
    exchange = script(BEDROCK, {"blocks": [{"text": "x"}], "raw_stop": None, "usage": None})
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError)


TOO_MANY = {"message": "Too many strict tools (25). The limit is 20."}


def test_too_many_strict_tools_are_sent_as_others(script):
    refused = {"status": 400, "body": TOO_MANY}
    exchange = script(BEDROCK, refused, {"blocks": [{"text": "x"}]})
    exchange.ask([PROMPT, user("go")], model={"compat": {"supportsStrictMode": True}})
    assert exchange.message["stopReason"] == "stop"
    first, second = (body["toolConfig"]["tools"][0]["toolSpec"] for body in exchange.server.bodies)
    assert first["strict"] is True and "strict" not in second
    (noted,) = exchange.message["diagnostics"]
    assert noted["type"] == "bedrock_strict_tools_fallback"
    assert noted["details"] == {"reason": "strict_tool_limits_exceeded"}
    assert "Too many" in noted["error"]["message"]


def test_a_signature_is_made_for_what_is_sent(exchange):
    seen = []

    def sign(method, url, headers, body):
        seen.append((method, url, dict(headers), body))
        return {**headers, "authorization": "AWS4 signed"}

    exchange.ask(api_key=None, sign=sign)
    ((method, url, headers, body),) = seen
    assert (method, url) == ("POST", f"{exchange.server.url}/model/m1/converse-stream")
    assert exchange.headers["authorization"] == "AWS4 signed"
    assert len(body) == int(exchange.headers["content-length"])
    assert "authorization" not in headers
