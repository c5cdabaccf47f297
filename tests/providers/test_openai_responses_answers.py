"""Answers of the Responses API: stop reasons, failures, items in any order, usage."""

import json
from functools import partial

import pytest

from pi.errors import InvalidRequestError, OverloadedError, ProviderError, RateLimitError
from pi.wire.model import Prices
from tests.providers.exchange import (
    RESPONSES,
    assistant,
    call,
    text,
)

API = RESPONSES
reply = partial(assistant, api=API)

REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "enc"}


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
