"""OpenAI's models by a ChatGPT sign-in: what differs from OpenAI's own Responses API."""

import base64
import json

import pytest

from pi.errors import AuthenticationError, RateLimitError
from pi.wire.model import Prices
from tests.providers.exchange import CODEX, TOOL, assistant, call, result, system, text, user


def token(claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


KEY = token({"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}})
SSE = {"api_key": KEY, "transport": "sse"}  # the other one: test_codex_websocket.py


@pytest.fixture
def exchange(script):
    exchange = script(CODEX)
    ask = exchange.ask
    exchange.ask = lambda *args, **options: ask(*args, **{**SSE, **options})
    return exchange


def test_the_request(exchange):
    asked = [system(content="P", toolsAdded=[TOOL]), user("go")]
    exchange.ask(asked, thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/codex/responses"
    wanted = {
        "authorization": f"Bearer {KEY}",
        "chatgpt-account-id": "acc-1",
        "openai-beta": "responses=experimental",
        "originator": "pi",
        "session-id": "s1",
        "x-client-request-id": "s1",
        "x-extra": "1",
    }
    assert {name: request.headers.get(name) for name in wanted} == wanted
    (tool,) = request.body.pop("tools")
    assert tool["strict"] is True and tool["parameters"]["required"] == ["path", "limit"]
    assert request.body == {
        "model": "m1",
        "store": False,
        "stream": True,
        "instructions": "P",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "go"}]}],
        "text": {"verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "s1",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "low", "summary": "auto"},
    }
    assert exchange.message["api"] == CODEX and exchange.message["stopReason"] == "stop"


def test_there_are_always_instructions(exchange):
    exchange.ask(thinking="off")
    assert exchange.body["instructions"]
    assert exchange.body["reasoning"] == {"effort": "none"}
    assert exchange.body["include"] == ["reasoning.encrypted_content"]


def test_a_long_session_id_is_cut_to_the_limit(exchange):
    exchange.ask(session_id="s" * 100)
    assert exchange.body["prompt_cache_key"] == exchange.headers["session-id"] == "s" * 64


def test_no_cache_no_affinity(exchange):
    exchange.ask(session_id="s1", cache_retention="none")
    assert "prompt_cache_key" not in exchange.body and "session-id" not in exchange.headers


@pytest.mark.parametrize("path", ["", "/", "/codex", "/codex/", "/codex/responses"])
def test_addresses(exchange, path):
    exchange.ask(model={"base_url": exchange.server.url + path})
    assert exchange.server.requests[0].target == "/codex/responses"


@pytest.mark.parametrize(
    "key",
    ["sk-plain", "a.b", "a.!!.c", "a.é.c", token([1]), token({}), token({"sub": "x"}),
     token({"https://api.openai.com/auth": {"chatgpt_account_id": ""}})],
)  # fmt: skip
def test_a_key_that_is_no_token(exchange, key):
    exchange.ask(api_key=key)
    assert isinstance(exchange.failure, AuthenticationError) and exchange.failure.hint
    assert key not in str(exchange.failure)
    assert exchange.server.requests == []


def test_prompt_changes_where_they_stand(exchange):
    history = [
        system(sections={"a": "AAA"}, toolsAdded=[TOOL]),
        user("q"),
        assistant(text("r"), call("c|fc_1"), api=CODEX),
        result("c|fc_1"),
        system(sections={"a": "A2"}),
        user("go"),
    ]
    compat = {"supportsMidConvoSystemMessages": True, "supportsAdditionalTools": True}
    exchange.ask(history, model={"compat": compat})
    assert exchange.body["instructions"] == "AAA" and "tools" not in exchange.body
    first, *_, changed, _ = exchange.body["input"]
    assert first["type"] == "additional_tools"
    assert changed["role"] == "developer" and changed["content"].endswith("A2")


def test_what_only_this_endpoint_says(script):
    response = {
        "id": "r",
        "status": "completed",
        "end_turn": False,
        "service_tier": "priority",
        "usage": {"input_tokens": 100, "output_tokens": 50},
    }
    exchange = script(CODEX, {"events": [{"type": "response.done", "response": response}]})
    exchange.ask(api_key=KEY, model={"prices": Prices(1, 2, 0.5, 3)})
    assert exchange.message["endTurn"] is False
    assert exchange.message["stopReason"] == "stop"
    assert exchange.message["usage"]["cost"]["total"] == pytest.approx(400 / 1e6)


def test_a_spent_plan_is_not_asked_again(script):
    error = {"type": "usage_limit_reached", "message": "limit", "plan_type": "plus"}
    exchange = script(CODEX, {"status": 429, "body": {"error": error}})
    exchange.ask(**SSE, max_retries=2)
    assert len(exchange.server.requests) == 1
    assert isinstance(exchange.failure, RateLimitError) and not exchange.failure.retryable
