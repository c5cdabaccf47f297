"""OpenAI Responses: what a sign-in, a service or a model leaves out or is told in another way."""

import pytest

from pi.providers.base import Context, StreamOptions
from pi.providers.http import HttpClient
from pi.providers.openai_responses import request
from pi.providers.responses_reader import service_rates
from pi.wire.model import Model
from tests.providers.exchange import RESPONSES, TOOL, system, user

API = RESPONSES
OTHER = {**TOOL, "name": "other"}
SEARCH = {"supportsMidConvoSystemMessages": True, "supportsToolSearch": True}


def asked(key, **options):
    """The request at OpenAI's own address, which no test may reach."""
    compat = {"supportsMidConvoEffort": True, "supportsExplicitPromptCacheMode": True}
    model = Model(
        id="m1",
        provider="openai",
        api=RESPONSES,
        base_url="https://api.openai.com/v1",
        reasoning=True,
        compat=compat,
    )
    known = StreamOptions(HttpClient(), api_key=key, thinking="low", **options)
    return request(model, Context([user("go")]), known).body


def test_a_plan_s_sign_in_takes_fewer_fields():
    key, plan = (asked(key, cache_retention="long") for key in ("sk-1", "token"))
    assert key["max_output_tokens"] and key["prompt_cache_options"] == {"ttl": "30m"}
    assert key["input"][-1]["type"] == "configuration_update"
    assert key["reasoning"]["effort"] == "medium"
    assert not {"max_output_tokens", "prompt_cache_options"} & plan.keys()
    assert plan["input"][-1]["role"] == "user" and plan["reasoning"]["effort"] == "low"


def test_no_cache_is_said_where_it_can_be():
    told = asked("sk-1", cache_retention="none")
    assert told["prompt_cache_options"] == {"mode": "explicit"}
    assert "prompt_cache_options" not in asked("token", cache_retention="none")


def test_copilot_is_not_told_that_thinking_is_off(exchange):
    exchange.ask(thinking="off", model={"provider": "github-copilot"})
    assert "reasoning" not in exchange.body
    exchange.ask(thinking="off")
    assert exchange.body["reasoning"] == {"effort": "none"}


@pytest.mark.parametrize(("model", "fast"), [("gpt-5.5", 2.5), ("gpt-6", 2)])
def test_prices_of_faster_tiers(model, fast):
    known = Model(id=model, provider="openai", api=RESPONSES, base_url="")
    assert service_rates(known) == {"flex": 0.5, "priority": fast, "fast": fast}


def test_tools_that_a_search_would_have_found(exchange):
    history = [system(toolsAdded=[TOOL]), user("q"), system(toolsAdded=[OTHER]), user("go")]
    exchange.ask(history, model={"compat": SEARCH})
    assert [tool["name"] for tool in exchange.body["tools"]] == ["read"]
    _, asked_for, found, _ = exchange.body["input"]
    assert asked_for["type"] == "tool_search_call"
    assert asked_for["arguments"] == {"query": "other", "limit": 1}
    assert found["call_id"] == asked_for["call_id"]
    (tool,) = found["tools"]
    assert tool["name"] == "other" and tool["defer_loading"] is True


def test_after_a_removal_the_list_is_right_and_later_tools_are_found(exchange):
    history = [
        system(toolsAdded=[TOOL]),
        user("q"),
        system(toolsAdded=[OTHER], toolsRemoved=[{"name": "read"}]),
        user("r"),
        system(toolsAdded=[{**TOOL, "name": "third"}]),
        user("go"),
    ]
    exchange.ask(history, model={"compat": SEARCH})
    assert [tool["name"] for tool in exchange.body["tools"]] == ["other"]
    kinds = [item.get("type", item.get("role")) for item in exchange.body["input"]]
    assert kinds == ["user", "user", "tool_search_call", "tool_search_output", "user"]
