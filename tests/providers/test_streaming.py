"""What the wire formats share: events, failures, time-outs, retries, cancellation."""

import asyncio
import json
import time

import pytest

from pi.errors import (
    AuthenticationError,
    ContextOverflowError,
    InvalidRequestError,
    ModelError,
    NetworkError,
    OverloadedError,
    RateLimitError,
    StreamFormatError,
)
from pi.providers.base import Context, StreamOptions
from pi.providers.http import HttpClient, HttpOptions
from pi.providers.registry import stream_function
from pi.wire.model import Model, Prices, PriceTier
from tests.providers.exchange import ANTHROPIC, BEDROCK, COMPLETIONS, GOOGLE, RESPONSES, user
from tests.scripted_provider import ScriptedProvider

CALLS = {
    "blocks": [
        {"thinking": "let me think about it"},
        {"text": "Two files to read, žluťoučký 😀."},
        {"tool": "read", "id": "c1", "args": {"path": "a.txt"}},
        {"tool": "read", "id": "c2", "args": {"path": "b.txt"}},
    ],
    "stop": "toolUse",
    "usage": {"input": 100, "output": 50, "cacheRead": 7, "cacheWrite": 9},
}


def shape(events):
    return [(event["type"], event.get("contentIndex")) for event in events]


def test_blocks_become_events_and_a_message(script, api):
    exchange = script(api, {**CALLS, "piece": 1000})
    events = exchange.ask(thinking="low")
    deltas = [e["delta"] for e in events if e["type"].endswith("_delta")]
    words, calls = [d for d in deltas if d.strip()][:2], [d for d in deltas if d.strip()][2:]
    assert words == ["let me think about it", "Two files to read, žluťoučký 😀."]
    assert [json.loads(call) for call in calls] == [{"path": "a.txt"}, {"path": "b.txt"}]
    call_id = "c1|fc_2" if api == RESPONSES else "c1"
    assert shape(events)[0] == ("start", None)
    assert shape(events)[-1] == ("done", None)
    starts = [e for e in events if e["type"].endswith("_start")]
    ends = [e for e in events if e["type"].endswith("_end")]
    assert [e["type"] for e in starts] == ["thinking_start", "text_start", *["toolcall_start"] * 2]
    assert [e["contentIndex"] for e in starts] == [0, 1, 2, 3]
    assert [e["contentIndex"] for e in ends] == [0, 1, 2, 3]
    assert starts[2] == {
        "type": "toolcall_start",
        "contentIndex": 2,
        "id": call_id,
        "toolName": "read",
    }
    message = exchange.message
    assert message is events[0]["partial"]
    assert events[-1]["reason"] == message["stopReason"] == "toolUse"
    thinking, said, first, second = message["content"]
    assert thinking["thinking"] == "let me think about it" and thinking["thinkingSignature"]
    marks = {"textSignature": '{"v":1,"id":"msg_1"}'} if api == RESPONSES else {}
    assert said == {"type": "text", "text": "Two files to read, žluťoučký 😀.", **marks}
    assert first == {
        "type": "toolCall",
        "id": call_id,
        "name": "read",
        "arguments": {"path": "a.txt"},
    }
    assert second["arguments"] == {"path": "b.txt"}
    assert (message["api"], message["provider"], message["model"]) == (api, "mock", "m1")
    assert "errorMessage" not in message


@pytest.mark.parametrize("chunk", [1, 2, 7, 100])
def test_chunks_may_be_cut_anywhere(script, api, chunk):
    exchange = script(api, {**CALLS, "chunk": chunk, "pings": True})
    exchange.ask()
    assert exchange.message["stopReason"] == "toolUse"
    assert exchange.message["content"][1]["text"] == "Two files to read, žluťoučký 😀."
    assert exchange.message["content"][3]["arguments"] == {"path": "b.txt"}


@pytest.mark.parametrize("events", [0, 1, 3, 6])
def test_a_cut_stream_keeps_what_came(script, api, events):
    exchange = script(api, {**CALLS, "cut": events})
    asked = exchange.ask()
    assert asked[0]["type"] == "start"
    assert isinstance(exchange.failure, NetworkError) and exchange.failure.retryable
    assert exchange.message["stopReason"] == "error"
    assert "lost" in exchange.message["errorMessage"]
    heard = "".join(e["delta"] for e in asked if e["type"] in ("text_delta", "thinking_delta"))
    kept = "".join(b.get("text", "") + b.get("thinking", "") for b in exchange.message["content"])
    # Responses ends each part of a summary with a blank line, and then has one too many.
    assert kept == (heard.rstrip("\n") if kept[-1:] != "\n" else heard)


def test_a_cut_call_keeps_the_arguments_so_far(script, text_api):
    blocks = [{"tool": "read", "id": "c1", "args": {"path": "abcdefghijkl", "limit": 3}}]
    exchange = script(text_api, {"blocks": blocks, "stop": "toolUse", "piece": 5, "cut": 5})
    exchange.ask()
    (kept,) = exchange.message["content"]
    assert kept["arguments"] and "abcdefghijkl".startswith(kept["arguments"]["path"])


@pytest.mark.parametrize(
    ("text", "arguments", "error"),
    [
        ("", {}, None),
        ('{"path": "a"}', {"path": "a"}, None),
        ('{"path": "a\nb\tc"}', {"path": "a\nb\tc"}, None),
        (r'{"path": "C:\dir\q"}', {"path": "C:\\dir\\q"}, None),
        ('{"path": ', {}, "not valid JSON"),
        ('{"a": 1,}', {}, "not valid JSON"),
        ('{"a": 1} x', {}, "not valid JSON"),
        ("[1]", {}, "not a JSON object"),
        ("null", {}, "not a JSON object"),
    ],
)
def test_arguments(script, text_api, text, arguments, error):
    exchange = script(
        text_api, {"blocks": [{"tool": "read", "id": "c", "args_text": text}], "stop": "toolUse"}
    )
    exchange.ask()
    (call,) = exchange.message["content"]
    assert call["arguments"] == arguments
    assert exchange.message["stopReason"] == "toolUse"
    if error is None:
        assert "argumentsError" not in call
    else:
        assert error in call["argumentsError"] and call["argumentsError"].endswith("\n" + text)


def test_cost_with_tiers_and_cache(script, api):
    tiers = (PriceTier(1000, 30, 40, 50, 60), PriceTier(100_000, 1, 1, 1, 1))
    exchange = script(
        api,
        {"blocks": [], "usage": {"input": 1000, "output": 10, "cacheRead": 0, "cacheWrite": 0}},
        {"blocks": [], "usage": {"input": 1001, "output": 10, "cacheRead": 0, "cacheWrite": 0}},
    )
    prices = Prices(3, 4, 5, 6, tiers)
    exchange.ask(model={"prices": prices})
    assert exchange.message["usage"]["cost"]["total"] == pytest.approx((3000 + 40) / 1e6)
    exchange.ask(model={"prices": prices})
    cost = exchange.message["usage"]["cost"]
    assert cost["input"] == pytest.approx(30 * 1001 / 1e6)
    assert cost["output"] == pytest.approx(40 * 10 / 1e6)
    assert cost["totalFromProvider"] is False


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ({"raw": []}, "ended"),
        ({"raw": [b"<p>hello"]}, "ended"),
        ({"blocks": [{"text": "hello"}], "raw_stop": None}, "ended"),
    ],
)
def test_an_answer_that_never_ends_properly(script, api, turn, text):
    exchange = script(api, turn)
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError) and exchange.failure.retryable
    assert text in exchange.message["errorMessage"]


NO_EVENTS = [b"{not json", b"[1]", b'"text"']
WRONG_SHAPES = {
    ANTHROPIC: [
        b'{"type": "content_block_delta"}',
        b'{"type": "content_block_start"}',
        b'{"type": "message_start", "message": 7}',
    ],
    COMPLETIONS: [b'{"choices": 5}', b'{"choices": [5]}', b'{"choices": [{"delta": 7}]}'],
    RESPONSES: [
        b'{"type": "response.output_item.added", "item": 5}',
        b'{"type": "response.created", "response": 7}',
        b'{"type": "response.completed"}',
    ],
    GOOGLE: [
        b'{"candidates": 5}',
        b'{"candidates": [5]}',
        b'{"candidates": [{"content": {"parts": [7]}}]}',
    ],
}


@pytest.mark.parametrize(
    ("wire", "data"),
    [(wire, data) for wire, shapes in WRONG_SHAPES.items() for data in NO_EVENTS + shapes],
)
def test_malformed_events_are_errors(script, wire, data):
    exchange = script(wire, {"raw": [b"event: x\ndata: " + data + b"\n\n"]})
    exchange.ask()
    assert isinstance(exchange.failure, StreamFormatError)
    assert not exchange.failure.retryable
    assert data[:20].decode() in exchange.message["errorMessage"]


OVERFLOWS = [
    "prompt is too long: 250000 tokens > 200000 maximum",
    "This model's maximum context length is 128000 tokens. However, you requested 130000",
    "context_length_exceeded",
    "Your input exceeds the context window of this model",
    "The input token count (1200000) exceeds the maximum number of tokens allowed",
    "Please reduce the length of the messages or completion",
    "the request exceeds the available context size, try increasing it",
    "Input is too long for requested model.",
    "Invalid request: Your request exceeded model token limit: 262144",
]


@pytest.mark.parametrize(
    ("status", "message", "kind", "retryable"),
    [
        (401, "invalid key", AuthenticationError, False),
        (403, "no", AuthenticationError, False),
        (400, "bad", InvalidRequestError, False),
        (404, "no such model", InvalidRequestError, False),
        (402, "payment required", InvalidRequestError, False),
        (409, "conflict", InvalidRequestError, False),
        (422, "no", InvalidRequestError, False),
        (408, "slow", NetworkError, True),
        (429, "slow down", RateLimitError, True),
        (429, "You exceeded your current quota, check your billing details", RateLimitError, False),
        (429, "insufficient_quota", RateLimitError, False),
        (429, "GoUsageLimitError: limit reached", RateLimitError, False),
        (429, "available balance is too low", RateLimitError, False),
        (500, "oops", OverloadedError, True),
        (502, "oops", OverloadedError, True),
        (503, "oops", OverloadedError, True),
        (504, "oops", OverloadedError, True),
        (529, "Overloaded", OverloadedError, True),
        (599, "oops", OverloadedError, False),
        (500, "insufficient_quota", RateLimitError, False),
        (400, "overloaded", OverloadedError, True),
        (400, "rate limit", RateLimitError, True),
        (400, "fetch failed", NetworkError, True),
        (418, "service unavailable", OverloadedError, True),
        (429, "rate limit: too many tokens in the context window", RateLimitError, True),
        (413, "too large", ContextOverflowError, False),
        *((400, text, ContextOverflowError, False) for text in OVERFLOWS),
    ],
)
def test_refusals(script, api, status, message, kind, retryable):
    body = {"error": {"message": message, "code": None}}
    exchange = script(
        api, {"status": status, "body": body, "headers": {"x-request-id": "r1", "retry-after": "7"}}
    )
    events = exchange.ask()
    assert [event["type"] for event in events] == ["error"]
    failure = exchange.failure
    assert type(failure) is kind
    assert failure.retryable is retryable
    assert (failure.status, failure.request_id, failure.retry_after) == (status, "r1", 7)
    whole = api in (ANTHROPIC, BEDROCK)
    separator = " " if whole else ": "
    shown = json.dumps(body if whole else body["error"], separators=(",", ":"))
    assert exchange.message["errorMessage"] == f"{status}{separator}{shown}"
    assert exchange.message["content"] == [] and exchange.message["stopReason"] == "error"
    assert exchange.message["usage"]["totalTokens"] == 0


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ({"status": 502, "body": "<html>Bad</html>"}, "502 <html>Bad</html>"),
        ({"status": 503, "body": ""}, "503 (an empty answer)"),
        ({"status": 500, "body": [1, 2]}, "500 [1,2]"),
        ({"status": 599, "body": {"detail": "x"}}, '599 {"detail":"x"}'),
        (
            {"status": 302, "body": "", "headers": {"location": "https://x.test/"}},
            "302 the server redirects to https://x.test/; name that address as baseUrl",
        ),
    ],
)
def test_refusals_in_other_forms(script, api, turn, text):
    exchange = script(api, turn)
    exchange.ask()
    assert exchange.message["errorMessage"] == text


def test_a_long_error_page_is_cut(script, api):
    exchange = script(api, {"status": 500, "body": "x" * 200_000})
    exchange.ask()
    assert len(exchange.message["errorMessage"]) < 5000


BUSY = {"status": 500, "body": {"error": {"message": "x"}}, "headers": {"retry-after-ms": "20"}}


class TestRetries:
    def test_none_unless_asked_for(self, script, api):
        exchange = script(api, BUSY, CALLS)
        exchange.ask()
        assert len(exchange.server.requests) == 1 and exchange.failure.retry_after == 0.02

    def test_until_it_works(self, script, api):
        exchange = script(api, BUSY, BUSY, CALLS)
        exchange.ask(max_retries=2)
        assert exchange.message["stopReason"] == "toolUse"
        bodies = exchange.server.bodies
        assert len(bodies) == 3 and bodies[0] == bodies[2]

    def test_not_for_ever(self, script, api):
        exchange = script(api, BUSY)
        exchange.ask(max_retries=2)
        assert len(exchange.server.requests) == 3 and exchange.failure.status == 500

    def test_not_what_cannot_succeed(self, script, api):
        exchange = script(api, {**BUSY, "status": 400})
        exchange.ask(max_retries=2)
        assert len(exchange.server.requests) == 1

    @pytest.mark.parametrize(
        ("status", "word", "requests"), [(400, "true", 2), (503, "false", 1), (503, "maybe", 2)]
    )
    def test_the_server_s_own_word(self, script, api, status, word, requests):
        headers = {"x-should-retry": word, "retry-after-ms": "20"}
        exchange = script(api, {**BUSY, "status": status, "headers": headers}, CALLS)
        exchange.ask(max_retries=1)
        assert len(exchange.server.requests) == requests

    def test_not_after_a_reply_began(self, script, api):
        exchange = script(api, {**CALLS, "cut": 3}, CALLS)
        exchange.ask(max_retries=2)
        assert len(exchange.server.requests) == 1

    def test_a_wait_over_the_limit_is_an_error_at_once(self, script, api):
        slow = {
            "status": 429,
            "body": {"error": {"message": "x"}},
            "headers": {"retry-after": "90"},
        }
        exchange = script(api, slow, CALLS)
        exchange.ask(max_retries=2, max_retry_delay=60)
        assert len(exchange.server.requests) == 1
        assert isinstance(exchange.failure, RateLimitError) and exchange.failure.retry_after == 90
        text = exchange.message["errorMessage"]
        assert "90s" in text and "60s" in text and "429" in text

    def test_a_wait_in_the_body_counts(self, script, api):
        slow = {"status": 429, "body": {"error": {"message": "Please try again in 2m5.5s."}}}
        exchange = script(api, slow, CALLS)
        exchange.ask(max_retries=1)
        assert exchange.failure.retry_after == 125.5
        assert len(exchange.server.requests) == 1


class TestStalls:
    # Long enough for a busy machine to send what comes before the stall.
    QUICK = HttpOptions(idle_timeout=1.0)

    def test_before_the_headers(self, script, api):
        exchange = script(api, {**CALLS, "hang": "headers"})
        events = exchange.ask(http=self.QUICK)
        assert [event["type"] for event in events] == ["error"]
        assert isinstance(exchange.failure, NetworkError)
        assert "timeout" in exchange.message["errorMessage"]

    def test_a_time_for_the_headers_alone(self, script, api):
        exchange = script(api, {**CALLS, "hang": "headers"}, {**CALLS, "piece": 10, "delay": 0.25})
        exchange.ask(http=HttpOptions(idle_timeout=60), timeout=0.3)
        assert isinstance(exchange.failure, NetworkError) and exchange.failure.retryable
        assert "0.3s" in exchange.message["errorMessage"]
        limit = 2.0  # enough for a busy machine
        started = time.monotonic()
        exchange.ask(http=HttpOptions(idle_timeout=60), timeout=limit)
        assert time.monotonic() - started > limit
        assert exchange.message["stopReason"] == "toolUse"

    @pytest.mark.parametrize("ping", [None, 0.05])
    def test_in_the_stream_pings_or_not(self, script, api, ping):
        exchange = script(api, {**CALLS, "hang": 3, "ping": ping})
        exchange.ask(http=self.QUICK)
        assert isinstance(exchange.failure, NetworkError) and exchange.failure.retryable
        assert "timeout" in exchange.message["errorMessage"]
        assert exchange.message["content"][0]["thinking"].startswith("let me think")

    def test_named_pings_are_no_sign_of_life(self, script):
        pings = [b'event: ping\ndata: {"type": "ping"}\n\n'] * 40
        exchange = script(ANTHROPIC, {"raw": pings, "delay": 0.05})
        exchange.ask(http=self.QUICK)
        assert "timeout" in exchange.message["errorMessage"]

    def test_a_slow_stream_is_no_stall(self, script, api):
        exchange = script(api, {"blocks": [{"text": "abcdefgh"}], "piece": 2, "delay": 0.1})
        exchange.ask(http=self.QUICK)
        assert exchange.message["stopReason"] == "stop"

    def test_a_server_that_does_not_hang_up_is_not_waited_for(self, script, api):
        exchange = script(api, {"blocks": [{"text": "ok"}], "hang": 99})
        started = time.monotonic()
        exchange.ask(http=HttpOptions(idle_timeout=60))
        assert exchange.message["stopReason"] == "stop"
        assert time.monotonic() - started < 30


def model_at(server: ScriptedProvider, api: str) -> Model:
    return Model(id="m1", provider="mock", api=api, base_url=server.base_url(api), reasoning=True)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_leaving_closes_the_connection_and_keeps_the_text(api, how):
    turn = {"blocks": [{"text": "some words"}, *CALLS["blocks"][2:]], "hang": 5, "piece": 4}

    async def run(server):
        client = HttpClient()
        stream = stream_function(api)(
            model_at(server, api), Context([user("go")]), StreamOptions(http=client)
        )
        partial = (await anext(stream))["partial"]
        heard = []

        async def listen():
            async for event in stream:
                if event["type"] == "text_delta":
                    heard.append(event["delta"])

        task = asyncio.create_task(listen())
        while len(heard) < 3:
            await asyncio.sleep(0.005)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await stream.aclose()
        for _ in range(400):
            if server.dropped:
                break
            await asyncio.sleep(0.01)
        await client.aclose()
        return partial

    with ScriptedProvider([turn]) as server:
        partial = asyncio.run(run(server))
        assert server.dropped == [0]
    assert partial["content"][0]["text"] == "some words"
    assert partial["stopReason"] == "pending"


def test_a_connection_is_used_again(api):
    async def run(server):
        client = HttpClient()
        for _ in range(3):
            stream = stream_function(api)(
                model_at(server, api), Context([user("go")]), StreamOptions(http=client)
            )
            async for _event in stream:
                pass
        pools = [c._transport._pool for c in client._clients.values()]
        count = sum(len(pool.connections) for pool in pools)
        await client.aclose()
        return count

    with ScriptedProvider([CALLS]) as server:
        assert asyncio.run(run(server)) == 1
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("base_url", "kind"),
    [
        ("http://127.0.0.1:1", NetworkError),
        ("http://no-such-host.invalid", NetworkError),
        ("not a url", InvalidRequestError),
        ("ftp://127.0.0.1/", InvalidRequestError),
        ("", InvalidRequestError),
        ("http://", InvalidRequestError),
        ("http://127.0.0.1:99999", InvalidRequestError),
    ],
)
def test_unreachable(script, api, base_url, kind):
    exchange = script(api)
    events = exchange.ask(model={"base_url": base_url})
    assert [event["type"] for event in events] == ["error"]
    assert isinstance(exchange.failure, kind)
    assert exchange.failure.retryable is (kind is NetworkError)
    assert "\n" not in exchange.message["errorMessage"]


@pytest.mark.parametrize("key", ["k\ney", "k€y", "k\0", "k\x7f"])
def test_a_key_that_no_header_can_carry(script, api, key):
    exchange = script(api)
    exchange.ask(api_key=key)
    assert isinstance(exchange.failure, InvalidRequestError)
    assert key not in exchange.message["errorMessage"]
    assert exchange.server.requests == []


def test_long_streams_cost_their_length(script, api):
    exchange = script(api, {"blocks": [{"text": "x" * 60_000}], "piece": 3})
    events = exchange.ask()
    assert len(events) > 20_000 and len(exchange.message["content"][0]["text"]) == 60_000


def test_unknown_api():
    with pytest.raises(ModelError) as caught:
        stream_function("smoke-signals")
    assert "smoke-signals" in str(caught.value)
    assert COMPLETIONS in (caught.value.hint or "")
