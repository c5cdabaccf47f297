"""pi's own protocol: the conversation as it is kept, and a reply told in events."""

import json

import pytest

from pi.errors import AuthenticationError, InvalidRequestError, OverloadedError, StreamFormatError
from tests.providers.exchange import PI, TOOL, assistant, call, result, system, text, user

USAGE = {
    "input": 10,
    "output": 5,
    "cacheRead": 1,
    "cacheWrite": 0,
    "totalTokens": 16,
    "cost": {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0, "total": 3},
}


def told(*events):
    return {"raw": [f"data: {json.dumps(event)}\n\n".encode() for event in events]}


def block(kind, index, *deltas, **end):
    return [
        {"type": f"{kind}_start", "contentIndex": index},
        *({"type": f"{kind}_delta", "contentIndex": index, "delta": delta} for delta in deltas),
        {"type": f"{kind}_end", "contentIndex": index, **end},
    ]


def done(reason="stop", **more):
    return {"type": "done", "reason": reason, "usage": USAGE, "responseId": "r1", **more}


CALL = {"type": "toolCall", "id": "c1", "name": "read", "arguments": {"path": "a"}, "extra": 1}
REPLY = [
    {"type": "start"},
    *block("thinking", 0, "h", "m", content="hm", contentSignature="S"),
    *block("text", 1, "Lo", "ok", content="Look", contentSignature="T"),
    {"type": "toolcall_start", "contentIndex": 2, "id": "c1", "toolName": "read"},
    {"type": "toolcall_delta", "contentIndex": 2, "delta": '{"path":"a"}'},
    {"type": "toolcall_end", "contentIndex": 2, "toolCall": CALL},
]


def test_the_request(script):
    exchange = script(PI, told(done()))
    history = [
        system(sections={"a": "A"}, toolsAdded=[TOOL]),
        user("q"),
        assistant(call("c|1"), api="openai-responses", provider="else"),
        result("c|1"),
        system(sections={"a": None}),
        user("go"),
    ]
    exchange.ask(history, thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/v1/messages"
    assert request.headers["authorization"] == "Bearer key" and request.headers["x-extra"] == "1"
    assert request.body == {
        "model": "m1",
        "context": {"messages": history},
        "options": {"reasoning": "low", "sessionId": "s1"},
    }
    exchange.ask(cache_retention="none", max_tokens=9)
    assert exchange.body["options"] == {"maxTokens": 9, "cacheRetention": "none"}


def test_the_reply(script):
    more = {"responseModel": "z", "providerThinkingLevel": "high", "rewrite": {"a": 1}}
    exchange = script(PI, told(*REPLY, done("toolUse", **more)))
    events = exchange.ask()
    kinds = [event["type"] for event in events]
    assert kinds[0] == "start" and kinds[-1] == "done" and kinds.count("thinking_delta") == 2
    message = exchange.message
    assert message["content"] == [
        {"type": "thinking", "thinking": "hm", "thinkingSignature": "S"},
        text("Look", textSignature="T"),
        CALL,
    ]
    assert message["usage"] == USAGE and message["stopReason"] == "toolUse"
    assert (message["responseId"], message["responseModel"]) == ("r1", "z")
    assert message["providerThinkingLevel"] == "high"
    (noted,) = message["diagnostics"]
    assert (noted["type"], noted["details"]) == ("pi_messages_rewrite", {"a": 1})


def test_withheld_thinking(script):
    events = block("thinking", 0, content="[x]", contentSignature="enc", redacted=True)
    exchange = script(PI, told(*events, done()))
    exchange.ask()
    assert exchange.message["content"][0]["redacted"] is True


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "text_start", "contentIndex": 1}],
        [{"type": "text_start", "contentIndex": -1}],
        [{"type": "text_start", "contentIndex": "__proto__"}],
        [{"type": "text_delta", "contentIndex": 0, "delta": "x"}],
        [*block("text", 0, content="x"), {"type": "text_end", "contentIndex": 0, "content": "y"}],
        [
            {"type": "text_start", "contentIndex": 0},
            {"type": "thinking_delta", "contentIndex": 0, "delta": "x"},
        ],
        [{"type": "toolcall_start", "contentIndex": 0}],
    ],
)
def test_events_out_of_order(script, events):
    exchange = script(PI, told(*events, done()))
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError)


def test_an_error_told(script):
    error = {"type": "error", "reason": "error", "usage": USAGE, "errorMessage": "overloaded"}
    exchange = script(PI, told(*block("text", 0, "par", content="par"), error))
    exchange.ask()
    assert isinstance(exchange.failure, OverloadedError)
    assert exchange.message["content"] == [text("par")] and exchange.message["usage"] == USAGE


@pytest.mark.parametrize(("reason", "error"), [("aborted", InvalidRequestError)])
def test_another_end(script, reason, error):
    exchange = script(PI, told(done(reason)))
    exchange.ask()
    assert isinstance(exchange.failure, error)


def test_no_end(script):
    exchange = script(PI, told(*REPLY))
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError) and exchange.failure.retryable


def test_a_refusal(script):
    exchange = script(PI, {"status": 401, "body": {"error": {"message": "no", "code": "x"}}})
    exchange.ask()
    assert isinstance(exchange.failure, AuthenticationError)
