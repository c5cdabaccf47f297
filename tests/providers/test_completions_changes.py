"""Chat Completions: changes amid a conversation, bills of OpenRouter, reasoning sent again."""

import json

import pytest

from pi.wire.model import Prices
from tests.providers.exchange import COMPLETIONS, TOOL, assistant, call, result, system, text, user

API = COMPLETIONS

OTHER = {**TOOL, "name": "other"}
SYSTEM = {"supportsMidConvoSystemMessages": True}
TOOLS = {**SYSTEM, "supportsMidConvoToolAdditions": True}
FIRST = system(sections={"a": "AAA"}, toolsAdded=[TOOL])


def sent(exchange, history, compat, **options):
    exchange.ask(history, model={"compat": compat}, thinking="off", **options)
    return exchange.body["messages"]


def names(tools):
    return [tool["function"]["name"] for tool in tools]


def test_changes_where_they_happened(exchange):
    history = [
        FIRST,
        user("q"),
        assistant(call("c1"), api=COMPLETIONS),
        system(sections={"a": "A2"}, toolsAdded=[OTHER]),
        result("c1"),
        user("go"),
    ]
    messages = sent(exchange, history, SYSTEM)
    roles = [message["role"] for message in messages]
    assert roles == ["developer", "user", "assistant", "tool", "developer", "user"]
    assert messages[0]["content"] == "AAA" and messages[4]["content"].endswith("A2")
    assert names(exchange.body["tools"]) == ["read", "other"]


def test_tools_are_added_where_they_came(exchange):
    history = [FIRST, user("q"), system(content="new", toolsAdded=[OTHER]), user("go")]
    messages = sent(exchange, history, TOOLS)
    assert names(exchange.body["tools"]) == ["read"]
    assert [message["role"] for message in messages] == [
        "developer",
        "user",
        "system",
        "developer",
        "user",
    ]
    assert names(messages[2]["tools"]) == ["other"] and "content" not in messages[2]
    assert messages[3]["content"] == "new"


@pytest.mark.parametrize(
    "change",
    [
        system(toolsRemoved=[{"name": "read"}]),
        system(toolsAdded=[{**TOOL, "description": "d2"}], toolsRemoved=[{"name": "read"}]),
        system(toolsAdded=[{**TOOL, "description": "d2"}]),
    ],
)
def test_up_to_the_last_change_that_is_no_addition_the_list_is_the_request_s(exchange, change):
    later = system(toolsAdded=[{**TOOL, "name": "third"}])
    history = [FIRST, user("q"), system(toolsAdded=[OTHER]), change, user("r"), later, user("go")]
    messages = sent(exchange, history, TOOLS)
    listed = names(exchange.body["tools"])
    assert "other" in listed and "third" not in listed
    told = [message for message in messages if "tools" in message]
    assert [names(message["tools"]) for message in told] == [["third"]]


def test_models_without_are_told_the_sum(exchange):
    history = [FIRST, user("q"), system(sections={"a": "A2"}, toolsAdded=[OTHER]), user("go")]
    messages = sent(exchange, history, {"supportsMidConvoToolAdditions": True})
    assert [message["role"] for message in messages] == ["developer", "user", "user"]
    assert messages[0]["content"] == "A2" and names(exchange.body["tools"]) == ["read", "other"]


BILLS = [
    ({"cost": 0.5, "is_byok": False}, 0.5),
    ({"cost": 0.5}, None),
    ({"cost": -1, "is_byok": False}, None),
    ({"cost": True, "is_byok": False}, None),
    ({"is_byok": False}, None),
    ({"cost": 0.1, "is_byok": True}, None),
    ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.4}}, 0.5),
    (
        {
            "cost": 0.1,
            "is_byok": True,
            "cost_details": {
                "upstream_inference_cost": None,
                "upstream_inference_prompt_cost": 0.3,
                "upstream_inference_completions_cost": 0.1,
            },
        },
        0.5,
    ),
    (
        {"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
        None,
    ),
]


@pytest.mark.parametrize(("bill", "total"), BILLS)
@pytest.mark.parametrize("provider", ["openrouter", "mock"])
def test_what_openrouter_bills(script, provider, bill, total):
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, **bill}
    end = {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    exchange = script(COMPLETIONS, {"events": [end]})
    exchange.ask(model={"provider": provider, "prices": Prices(input=10)})
    cost = exchange.message["usage"]["cost"]
    billed = total is not None and provider == "openrouter"
    assert cost["total"] == pytest.approx(total if billed else 0.01)
    assert cost["totalFromProvider"] is billed


def details(*items):
    return [{"choices": [{"delta": {"reasoning_details": list(items)}}]}]


END = {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}


def test_reasoning_items_are_joined_and_kept(script):
    events = [
        *details({"type": "reasoning.text", "text": "a", "index": 0}),
        *details({"type": "reasoning.text", "text": "b", "signature": "S"}),
        *details({"type": "reasoning.summary", "summary": "c"}),
        *details({"type": "reasoning.summary", "summary": "d"}),
        *details({"type": "reasoning.encrypted", "data": "e"}, {"type": "odd"}, 5),
        *details({"type": "reasoning.encrypted", "data": "f"}),
        END,
    ]
    exchange = script(COMPLETIONS, {"events": events})
    exchange.ask()
    thought, _ = exchange.message["content"]
    assert json.loads(thought["thinkingSignature"]) == [
        {"type": "reasoning.text", "text": "ab", "index": 0, "signature": "S"},
        {"type": "reasoning.summary", "summary": "cd"},
        {"type": "reasoning.encrypted", "data": "e"},
        {"type": "reasoning.encrypted", "data": "f"},
    ]


def thinking(words, signature):
    return {"type": "thinking", "thinking": words, "thinkingSignature": signature}


ITEM = {"type": "reasoning.encrypted", "data": "e", "id": "r"}


@pytest.mark.parametrize(
    ("blocks", "fields"),
    [
        ([thinking("a", "reasoning"), thinking("b", "reasoning")], {"reasoning": "a\nb"}),
        ([thinking("a", json.dumps([ITEM]))], {"reasoning_details": [ITEM]}),
        ([thinking("", ""), thinking("", json.dumps([ITEM]))], {"reasoning_details": [ITEM]}),
        ([thinking("a", '[{"type": "odd"}]')], {}),
        ([thinking("a", "[broken")], {}),
        ([call("c1", thoughtSignature=json.dumps(ITEM))], {"reasoning_details": [ITEM]}),
        ([call("c1", thoughtSignature="opaque")], {}),
    ],
)
def test_reasoning_that_is_sent_again(exchange, blocks, fields):
    history = [user("q"), assistant(*blocks, text("r"), api=COMPLETIONS), user("go")]
    (reply,) = (m for m in sent(exchange, history, {}) if m["role"] == "assistant")
    assert {key: value for key, value in reply.items() if key.startswith("reasoning")} == fields


def test_a_server_that_takes_it_back_under_another_name(exchange):
    history = [
        user("q"),
        assistant(thinking("a", "reasoning"), text("r"), api=COMPLETIONS, provider="opencode-go"),
        user("go"),
    ]
    exchange.ask(history, model={"provider": "opencode-go"})
    assert exchange.body["messages"][1]["reasoning_content"] == "a"


def test_thinking_comes_before_the_answer_it_came_with(script):
    both = {"content": "x", "reasoning_content": "hm"}
    exchange = script(COMPLETIONS, {"events": [{"choices": [{"delta": both}]}, END]})
    exchange.ask()
    assert [block["type"] for block in exchange.message["content"]] == ["thinking", "text"]


@pytest.mark.parametrize(
    ("routing", "told"),
    [
        ({"only": ["a"], "order": [], "other": 1}, {"gateway": {"only": ["a"]}}),
        ({"other": 1}, None),
    ],
)
def test_routing_of_the_vercel_gateway(exchange, routing, told):
    exchange.ask(model={"compat": {"vercelGatewayRouting": routing}})
    assert exchange.body.get("providerOptions") == told


@pytest.mark.parametrize("style", ["openrouter", "deepseek", "string-thinking", "openai"])
def test_off_may_have_no_word(exchange, style):
    model = {"compat": {"thinkingFormat": style}, "thinking_level_map": {"off": None}}
    exchange.ask(model=model, thinking="off")
    assert not {"reasoning", "thinking", "reasoning_effort"} & set(exchange.body)


def test_members_of_a_chat_template(exchange):
    template = {
        "fixed": 1,
        "on": {"$var": "thinking.enabled"},
        "effort": {"$var": "thinking.effort"},
        "only_on": {"$var": "thinking.enabled", "omitWhenOff": True},
        "unknown": {"$var": "thinking.colour"},
    }
    compat = {"thinkingFormat": "chat-template", "chatTemplateKwargs": template}
    model = {"compat": compat, "thinking_level_map": {"off": "nothing", "low": "little"}}
    exchange.ask(model=model, thinking="low")
    assert exchange.body["chat_template_kwargs"] == {
        "fixed": 1,
        "on": True,
        "effort": "little",
        "only_on": True,
    }
    exchange.ask(model=model, thinking="off")
    assert exchange.body["chat_template_kwargs"] == {"fixed": 1, "on": False, "effort": "nothing"}


def test_a_long_session_id_is_cut_to_the_limit(exchange):
    exchange.ask(session_id="s" * 100, model={"compat": {"promptCacheKeyMode": "enabled"}})
    assert exchange.body["prompt_cache_key"] == "s" * 64
