"""OpenAI's models on Azure: what differs from OpenAI's own Responses API."""

import pytest

from pi.wire.model import Prices
from tests.providers.exchange import (
    AZURE,
    COMPLETIONS,
    TOOL,
    assistant,
    call,
    result,
    system,
    text,
    user,
)

API = AZURE


def test_the_request(exchange):
    asked = [system(content="P", toolsAdded=[TOOL]), user("go")]
    exchange.ask(asked, thinking="low", session_id="s1", headers={"X-Extra": "1"})
    request = exchange.server.requests[0]
    assert request.target == "/openai/v1/responses?api-version=v1"
    assert request.headers["api-key"] == "key"
    assert request.headers["x-extra"] == "1"
    assert "authorization" not in request.headers and "s1" not in request.headers.values()
    (tool,) = request.body.pop("tools")
    assert tool["strict"] is True and tool["parameters"]["required"] == ["path", "limit"]
    assert request.body == {
        "model": "m1",
        "input": [
            {"role": "developer", "content": "P"},
            {"role": "user", "content": [{"type": "input_text", "text": "go"}]},
        ],
        "stream": True,
        "prompt_cache_key": "s1",
        "store": False,
        "max_output_tokens": 16384,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }
    assert exchange.message["api"] == AZURE and exchange.message["stopReason"] == "stop"


def test_a_version_of_the_account_s_own(exchange):
    base = exchange.server.base_url(AZURE)
    exchange.ask(model={"base_url": f"{base}?api-version=2025-01-01"})
    assert exchange.server.requests[0].target == "/openai/v1/responses?api-version=2025-01-01"


@pytest.mark.parametrize("api", [AZURE, COMPLETIONS])
def test_a_deployment_s_name_is_sent_and_the_model_s_kept(script, api):
    exchange = script(api)
    exchange.ask(deployment="mine")
    assert exchange.body["model"] == "mine"
    assert exchange.message["model"] == "m1"


def test_tools_need_not_be_strict(exchange):
    asked = [system(toolsAdded=[TOOL]), user("go")]
    exchange.ask(asked, model={"compat": {"supportsStrictMode": False}})
    assert "strict" not in exchange.body["tools"][0]


def test_headers_of_the_options_win(exchange):
    exchange.ask(headers={"Api-Key": "other"})
    assert exchange.headers["api-key"] == "other"
    exchange.ask(api_key=None)
    assert "api-key" not in exchange.headers


@pytest.mark.parametrize(
    ("retention", "fields"),
    [("none", set()), ("short", {"prompt_cache_key"}), ("long", {"prompt_cache_key"})],
)
def test_cache_fields(exchange, retention, fields):
    exchange.ask(cache_retention=retention, session_id="s1")
    assert {name for name in exchange.body if name.startswith("prompt_cache")} == fields


def test_effort_stays_in_the_request(exchange):
    exchange.ask(model={"compat": {"supportsMidConvoEffort": True}}, thinking="high")
    assert exchange.body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert "providerThinkingLevel" not in exchange.message


def test_call_ids_of_another_api(exchange):
    made = assistant(text("A"), call("call_1|fc_2"), api="openai-responses", provider="openai")
    history = [user("q"), made, result("call_1|fc_2"), user("go")]
    exchange.ask(history, model={"provider": "azure"})
    called = next(i for i in exchange.body["input"] if i.get("type") == "function_call")
    assert called["call_id"] == "call_1"
    assert called["id"].startswith("fc_") and called["id"] != "fc_2"


def test_service_tiers_cost_the_same(script):
    usage = {"input_tokens": 100, "output_tokens": 50}
    response = {"id": "r", "status": "completed", "service_tier": "priority", "usage": usage}
    exchange = script(AZURE, {"events": [{"type": "response.completed", "response": response}]})
    exchange.ask(model={"prices": Prices(1, 2, 0.5, 3)})
    assert exchange.message["usage"]["cost"]["total"] == pytest.approx(200 / 1e6)
