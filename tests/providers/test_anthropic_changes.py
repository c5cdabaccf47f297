"""Anthropic Messages: changes told where they happened, threads, fallbacks, strict tools."""

import asyncio
from functools import partial

import pytest

from pi.errors import InvalidRequestError
from pi.providers.http import HttpClient
from pi.wire.model import Prices
from tests.providers.exchange import (
    ANTHROPIC,
    TOOL,
    assistant,
    call,
    collect_all,
    result,
    system,
    text,
    user,
)

API = ANTHROPIC
reply = partial(assistant, api=API)

OTHER = {**TOOL, "name": "other", "description": "does"}
SYSTEM = {"supportsMidConvoSystemMessages": True}
TOOLS = {**SYSTEM, "supportsMidConvoToolChanges": True}
EFFORT = {"forceAdaptiveThinking": True, "supportsMidConvoEffort": True}
SHORT = {"type": "ephemeral"}


FIRST = system(sections={"a": "AAA"}, toolsAdded=[TOOL])
CHANGE = system(sections={"a": "A2"}, toolsAdded=[OTHER], toolsRemoved=[{"name": "read"}])


def test_changes_wait_for_the_next_reply(exchange):
    history = [FIRST, user("q"), reply(call("c1")), CHANGE, result("c1"), user("go")]
    exchange.ask(history, model={"compat": SYSTEM}, thinking="off")
    roles = [message["role"] for message in exchange.body["messages"]]
    assert roles == ["user", "assistant", "user", "user", "system"]
    said = exchange.body["messages"][-1]["content"]
    assert len(said) == 1 and said[0]["text"].endswith("A2")
    assert said[0]["cache_control"] == SHORT
    assert exchange.body["system"][0]["text"] == "AAA"
    assert [tool["name"] for tool in exchange.body["tools"]] == ["other"]
    exchange.ask([*history, reply(text("r")), user("more")], model={"compat": SYSTEM})
    roles = [message["role"] for message in exchange.body["messages"]]
    assert roles == ["user", "assistant", "user", "user", "system", "assistant", "user"]


def test_changes_of_tools(exchange):
    again = system(toolsAdded=[{**TOOL, "description": "new"}], toolsRemoved=[{"name": "read"}])
    history = [FIRST, user("q"), CHANGE, again, reply(text("r")), user("go")]
    exchange.ask(history, model={"compat": TOOLS}, thinking="off")
    assert exchange.headers["anthropic-beta"] == "inline-tools-2026-09-15"
    told, placeholder = exchange.body["tools"]
    assert told["name"] == "read" and told["cache_control"] == SHORT
    assert placeholder["defer_loading"] is True
    _, first, second, _, _ = exchange.body["messages"]
    words, removed, added = first["content"]
    assert words["type"] == "text"
    gone = {"type": "tool_reference", "name": "read"}
    assert removed == {"type": "tool_removal", "tool": gone}
    assert added["type"] == "tool_addition"
    assert added["tool"]["type"] == "tool_definition"
    assert added["tool"]["definition"]["name"] == "other"
    # declared anew under the same name: no removal
    (added,) = second["content"]
    assert added["tool"]["definition"]["description"] == "new"


def test_without_tools_at_first_the_list_is_the_request_s(exchange):
    history = [system(content="P"), user("q"), system(toolsAdded=[TOOL]), user("go")]
    exchange.ask(history, model={"compat": TOOLS}, thinking="off")
    assert [tool["name"] for tool in exchange.body["tools"]] == ["read"]
    assert all(message["role"] == "user" for message in exchange.body["messages"])


def test_models_without_are_told_the_sum(exchange):
    exchange.ask([FIRST, user("q"), CHANGE, user("go")], thinking="off")
    assert exchange.body["system"][0]["text"] == "A2"
    assert [tool["name"] for tool in exchange.body["tools"]] == ["other"]


def test_efforts_in_the_conversation(exchange):
    history = [
        user("q"),
        reply(text("1"), providerThinkingLevel="high"),
        user("q"),
        reply(text("2"), providerThinkingLevel="high", provider="else"),
        user("q"),
        reply(text("3"), providerThinkingLevel="silly"),
        user("go"),
    ]
    exchange.ask(history, model={"compat": EFFORT}, thinking="low")
    told = exchange.body["messages"]
    efforts = {
        place: message["output_config"]["effort"]
        for place, message in enumerate(told)
        if message["role"] == "system"
    }
    assert efforts == {1: "high", 8: "low"}
    assert all(told[place]["content"] == [] for place in efforts)
    assert told[7]["content"][0]["cache_control"] == SHORT
    assert exchange.body["output_config"] == {"effort": "low"}
    assert exchange.body["thinking"] == {
        "type": "adaptive",
        "display": "summarized",
        "block_binding": {"prefix_mismatch_behavior": "drop_block"},
    }
    betas = "mid-conversation-output-config-2026-07-01,thinking-binding-controls-2026-08-01"
    assert exchange.headers["anthropic-beta"] == betas
    assert exchange.message["providerThinkingLevel"] == "low"


def test_no_efforts_when_thinking_is_off(exchange):
    exchange.ask(model={"compat": EFFORT}, thinking="off")
    assert exchange.body["thinking"] == {"type": "disabled"}
    assert [message["role"] for message in exchange.body["messages"]] == ["user"]
    assert "providerThinkingLevel" not in exchange.message


FALLBACK = {
    "allowedFallbackModels": [
        {
            "provider": "mock",
            "model": "m2",
            "cost": {"input": 10, "output": 100, "cacheRead": 1, "cacheWrite": 2},
        }
    ]
}


def test_another_model_may_answer(script):
    turn = {"blocks": [{"text": "x"}], "model": "m2", "usage": {"input": 1000, "output": 10}}
    exchange = script(ANTHROPIC, turn)
    exchange.ask(model={"compat": FALLBACK, "prices": Prices(input=1, output=1)})
    assert exchange.body["fallbacks"] == [{"model": "m2"}]
    assert exchange.headers["anthropic-beta"].endswith("server-side-fallback-2026-07-01")
    assert exchange.message["responseModel"] == "m2"
    assert exchange.message["usage"]["cost"]["total"] == pytest.approx(0.01 + 0.001)


def stream_with(*blocks):
    events = [{"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1}}}]
    for index, block in enumerate(blocks):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": block})
        events.append({"type": "content_block_stop", **at})
    delta = {"stop_reason": "end_turn"}
    return [*events, {"type": "message_delta", "delta": delta}, {"type": "message_stop"}]


def test_a_change_of_model_before_and_amid_an_answer(script):
    words = {"type": "text", "text": "hello"}
    exchange = script(ANTHROPIC, {"events": stream_with({"type": "fallback"}, words)})
    exchange.ask()
    assert exchange.message["content"] == [text("hello")]
    exchange = script(ANTHROPIC, {"events": stream_with(words, {"type": "fallback"})})
    exchange.ask()
    assert isinstance(exchange.failure, InvalidRequestError)


def test_what_the_server_changed_is_noted(script):
    events = stream_with({"type": "text", "text": "x"})
    change = {"type": "dropped", "path": "messages.1", "reason": "prefix", "extra": 1}
    events[-2]["input_transformations"] = [change, "?"]
    exchange = script(ANTHROPIC, {"events": events})
    exchange.ask()
    (noted,) = exchange.message["diagnostics"]
    assert noted["type"] == "anthropic_input_transformations"
    told = {"type": "dropped", "path": "messages.1", "reason": "prefix"}
    assert noted["details"] == {"transformations": [told]}


def refusal(message="no", code=None, kind="invalid_request_error"):
    error = {"type": kind, "message": message}
    if code is not None:
        error["details"] = {"error_code": code}
    return {"status": 400, "body": {"type": "error", "error": error}}


ANSWER = {"blocks": [{"text": "x"}]}
STRICT = {"supportsStrictTools": True}
THREADS = {"supportsMessageThreads": True}


def test_too_many_strict_tools_once_a_session(script):
    exchange = script(ANTHROPIC, refusal("Too many strict tools (25)"), ANSWER)
    asked = [[FIRST, user("go")]] * 2
    first, second = collect_all(
        exchange.model(compat=STRICT), asked, session_id="s1", cache_retention="none"
    )
    assert first[-1]["type"] == second[-1]["type"] == "done"
    tools = [body["tools"][0] for body in exchange.server.bodies]
    assert ["strict" in tool for tool in tools] == [True, False, False]
    assert tools[1]["input_schema"]["required"] == ["path"]
    (noted,) = first[-1]["message"]["diagnostics"]
    assert noted["type"] == "anthropic_strict_tools_fallback"
    assert "diagnostics" not in second[-1]["message"]


def test_another_refusal_is_one(script):
    exchange = script(ANTHROPIC, refusal("tools.0: something else"))
    exchange.ask([FIRST, user("go")], model={"compat": STRICT})
    assert isinstance(exchange.failure, InvalidRequestError)
    assert len(exchange.server.requests) == 1


@pytest.mark.parametrize(
    ("member", "strict"),
    [
        ({"type": "number", "minimum": 1}, False),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, False),
        ({"type": "string", "format": "email"}, True),
        ({"type": "string", "format": "colour"}, False),
    ],
)
def test_schemas_that_would_be_refused(exchange, member, strict):
    schema = {"type": "object", "properties": {"a": member}, "required": ["a"]}
    tool = {**TOOL, "parameters": schema}
    exchange.ask([system(toolsAdded=[tool]), user("go")], model={"compat": STRICT})
    assert ("strict" in exchange.body["tools"][0]) is strict


def test_the_root_of_a_schema(exchange):
    schema = {
        "type": "object",
        "anyOf": [{}],
        "additionalProperties": {},
        "properties": {"a": {"$ref": "#/$defs/x"}},
        "$defs": {"x": {"type": "string"}},
    }
    exchange.ask([system(toolsAdded=[{**TOOL, "parameters": schema}]), user("go")])
    assert exchange.body["tools"][0]["input_schema"] == {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x"}},
        "required": [],
        "$defs": {"x": {"type": "string"}},
    }


def test_a_sign_in_s_token(exchange):
    exchange.ask(api_key=None, headers={"Authorization": "Bearer sk-ant-oat01-x"}, thinking="low")
    betas = exchange.headers["anthropic-beta"].split(",")
    assert betas == ["interleaved-thinking-2025-05-14", "oauth-2025-04-20"]


def said(words="x"):
    return reply(text(words), responseId="msg_scripted")


class TestThreads:
    """Two or more requests of one session, by one client."""

    def run(self, script, turns, asked, compat=None, **options):
        exchange = script(ANTHROPIC, *turns)
        known = exchange.model(compat=THREADS if compat is None else compat)
        options.setdefault("session_id", "s1")
        self.replies = [
            events[-1]["message" if events[-1]["type"] == "done" else "error"]
            for events in collect_all(known, asked, **options)
        ]
        self.exchange = exchange
        return exchange.server.bodies

    def test_only_what_is_new_is_sent(self, script):
        asked = [[FIRST, user("one")], [FIRST, user("one"), said(), user("two")]]
        first, second = self.run(script, [ANSWER], asked)
        assert first["thread"] == {"type": "create"} and first["tools"] and first["system"]
        assert second["thread"] == {"type": "continue", "previous_message_id": "msg_scripted"}
        assert "tools" not in second and "system" not in second
        (new,) = second["messages"]
        assert new["content"] == [{"type": "text", "text": "two", "cache_control": SHORT}]
        assert "message-threads-2026-08-12" in self.exchange.headers["anthropic-beta"]

    def test_a_third_goes_on_from_the_second(self, script):
        asked = [
            [user("one")],
            [user("one"), said(), user("two")],
            [user("one"), said(), user("two"), said(), user("three")],
        ]
        bodies = self.run(script, [ANSWER], asked)
        assert [body["thread"]["type"] for body in bodies] == ["create", "continue", "continue"]
        assert [len(body["messages"]) for body in bodies] == [1, 1, 1]

    @pytest.mark.parametrize(
        "later",
        [
            [FIRST, user("another"), said("x"), user("two")],
            [FIRST, user("one"), said("y"), user("two")],
            [FIRST, user("one"), user("two")],
            [FIRST, user("one")],
            [system(content="P"), user("one"), said("x"), user("two")],
        ],
    )
    def test_another_past_begins_anew(self, script, later):
        bodies = self.run(script, [ANSWER], [[FIRST, user("one")], later])
        assert [body["thread"] for body in bodies] == [{"type": "create"}] * 2

    @pytest.mark.parametrize(
        "code",
        [
            "thread_not_found",
            "thread_already_continued",
            "thread_continue_in_flight",
            "thread_fingerprint_mismatch",
        ],
    )
    def test_a_thread_that_is_no_more(self, script, code):
        asked = [[user("one")], [user("one"), said(), user("two")]]
        bodies = self.run(script, [ANSWER, refusal(code=code), ANSWER], asked)
        kinds = [body["thread"]["type"] for body in bodies]
        assert kinds == ["create", "continue", "create"]
        assert len(bodies[2]["messages"]) == 3
        (noted,) = self.replies[1]["diagnostics"]
        assert noted["type"] == "anthropic_thread_fallback"
        assert noted["details"] == {"reason": code}

    @pytest.mark.parametrize(
        "told",
        [
            refusal(code="thread_unsupported_request"),
            refusal("thread: Extra inputs are not permitted"),
        ],
    )
    def test_a_server_that_knows_none(self, script, told):
        asked = [[user("one")], [user("one"), said(), user("two")]]
        bodies = self.run(script, [told, ANSWER], asked)
        assert ["thread" in body for body in bodies] == [True, False, False]
        assert [reply["stopReason"] for reply in self.replies] == ["stop", "stop"]

    def test_other_refusals_are_the_request_s(self, script):
        bodies = self.run(script, [refusal("bad")], [[user("one")]])
        assert len(bodies) == 1 and self.replies[0]["stopReason"] == "error"

    def test_too_many_strict_tools_in_a_thread(self, script):
        turns = [refusal("Too many strict tools (25)"), ANSWER]
        compat = {**THREADS, **STRICT}
        bodies = self.run(script, turns, [[FIRST, user("one")]], compat)
        assert ["strict" in body["tools"][0] for body in bodies] == [True, False]
        assert [body["thread"]["type"] for body in bodies] == ["create", "create"]

    def test_the_reply_of_another_model_is_not_gone_on_from(self, script):
        asked = [[user("one")], [user("one"), said(), user("two")]]
        bodies = self.run(script, [{**ANSWER, "model": "m2"}], asked)
        assert [body["thread"]["type"] for body in bodies] == ["create", "create"]

    @pytest.mark.parametrize(
        "options", [{"session_id": None}, {"cache_retention": "none"}, {"compat": {}}]
    )
    def test_none_without_session_cache_or_server(self, script, options):
        (body,) = self.run(script, [ANSWER], [[user("one")]], **options)
        assert "thread" not in body


def test_what_was_remembered_ends_with_the_client():
    client = HttpClient()
    client.memory["a", "b"] = 1
    asyncio.run(client.aclose())
    assert client.memory == {}
