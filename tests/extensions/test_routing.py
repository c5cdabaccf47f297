"""Virtual models: who is asked, what is written down, and what happens when routing fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls
from tests.scripted_provider import Turn

EXAMPLES = Path(__file__).parents[2] / "examples" / "extensions"

MODELS = {
    "models": [
        {"id": "small", "reasoning": True, "contextWindow": 20_000, "maxTokens": 1000},
        {"id": "big", "reasoning": True, "contextWindow": 200_000, "maxTokens": 8000},
    ]
}
ROUTER = """
import json, os
from pi.errors import PiError
from pi.extensions import Route

def extend(pi):
    @pi.register_virtual_model("router", "auto", thinking_levels=("low", "high"))
    async def route(request, ctx):
        said = str(request.messages[-1]["content"])
        if "fails" in said:
            raise PiError("no way")
        if "breaks" in said:
            return 1 / 0
        if "exits" in said:
            raise SystemExit("no more")
        if "to itself" in said:
            return Route(request.model)
        if "nowhere" in said:
            return Route("mock/none")
        if "no key" in said:
            return Route("anthropic/claude-haiku-4-5")
        if "nothing" in said:
            return None
        if "unkeepable" in said:
            return Route("mock/small", state={1, 2})
        state = request.state or []
        state.append(request.reason)
        level = "max" if request.thinking == "high" else "low"
        return Route("mock/big" if request.thinking == "high" else "mock/small", level, state)

    pi.register_virtual_model("mock", "same", lambda request: Route("mock/big"), context_window=777)
    pi.register_virtual_model("anthropic", "same", lambda request: Route("mock/big"))

    @pi.command("taken")
    async def taken():
        pi.register_virtual_model("mock", "small", lambda request: Route("mock/big"))

    @pi.command("drop")
    async def drop():
        pi.unregister_virtual_model("router", "auto")
"""
OVERLOADED: Turn = {
    "status": 529,
    "body": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
}
LOOKS = calls("read", {"path": "a.txt"})


def start(extend: Extend, *turns: Turn, source: str | Path = ROUTER) -> Extended:
    pi = extend(source, turns=turns or (SAYS_DONE,), provider=MODELS)
    (pi.machine.project / "a.txt").write_text("hello\n")
    pi.script.options = ("--model", "router/auto:low")
    return pi


def kept(pi: Extended) -> list[Any]:
    entries = [e for e in pi.entries() if e["type"] == "custom"]
    assert all(e["customType"] == "pi.virtual-model-state" for e in entries)
    assert all(e["data"]["provider"] == "router" for e in entries)
    return [e["data"]["state"] for e in entries]


def answers(pi: Extended) -> list[tuple[str, str | None]]:
    return [
        (f"{m['provider']}/{m['model']}", m.get("thinkingLevel"))
        for m in pi.machine.messages()
        if m["role"] == "assistant"
    ]


def test_selection_and_dispatch(extend: Extend) -> None:
    pi = start(extend, LOOKS, OVERLOADED, SAYS_DONE)
    assert pi.run("-p", "go").text == "done\n"
    assert answers(pi) == [("mock/small", "low")] * 3
    changes = [e for e in pi.entries() if e["type"] == "model_change"]
    assert [(e["provider"], e["modelId"]) for e in changes] == [("router", "auto")]
    assert kept(pi)[-1] == ["user", "continuation", "retry"], "changed in place, kept all the same"
    assert [body["model"] for body in pi.bodies] == ["small"] * 3


def test_it_goes_on_where_it_was(extend: Extend) -> None:
    pi = start(extend)
    pi.run("-p", "one")
    pi.script.options = ()
    pi.run("-c", "-p", "two", "--thinking", "high")
    assert answers(pi) == [("mock/small", "low"), ("mock/big", "high")]
    assert kept(pi)[-1] == ["user", "user"]
    pi.options = ()
    pi.run("-c", "-p", "three")
    assert answers(pi)[-1][0] == "mock/big", "without the router, who answered last"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("fails", "no way"),
        ("breaks", "the router of router/auto failed: ZeroDivisionError: division by zero"),
        ("exits", "the router of router/auto failed: SystemExit: no more"),
        ("to itself", "was routed to router/auto, which is no model"),
        ("nowhere", "was routed to mock/none, which is no model"),
        ("no key", "was routed to anthropic/claude-haiku-4-5, which there is no key for"),
        ("nothing", "was routed to no Route, but to None"),
        ("unkeepable", "JSON"),
    ],
)
def test_a_route_that_is_none(extend: Extend, said: str, error: str) -> None:
    pi = start(extend)
    done = pi.run("-p", said)
    assert done.code == 1 and error in done.stderr
    assert said != "breaks" or "extension_0.py:13" in done.stderr
    (message,) = [m for m in pi.machine.messages() if m["role"] == "assistant"]
    assert (message["api"], message["model"]) == ("pi-virtual", "auto")
    assert message["content"] == [{"type": "text", "text": ""}]
    assert error in message["errorMessage"]
    assert pi.bodies == []


ASKS = """
import json
from pi.extensions import Route

def extend(pi):
    pi.register_virtual_model("router", "auto", lambda request: Route("mock/small"))

    @pi.command("ask")
    async def ask(argument, ctx):
        await ctx.complete("hi", **json.loads(argument))
"""


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        ("mock/small", 300, 300),
        ("mock/small", 5000, 1000),
        ("mock/small", None, 1000),
        ("router/auto", 300, 300),
        ("router/auto", 5000, 1000),
        ("router/auto", None, 1000),
    ],
)
def test_the_length_of_an_answer(extend: Extend, name: str, asked: int | None, sent: int) -> None:
    """It is limited by the model that answers, which a router may choose."""
    pi = start(extend, source=ASKS)
    arguments = json.dumps({"model": name, "max_tokens": asked})
    done = pi.run("-p", f"/ask {arguments}")
    assert done.code == 0, done.stderr
    (body,) = pi.bodies
    assert (body["model"], body["max_tokens"]) == ("small", sent)


def test_where_it_is_listed(extend: Extend) -> None:
    pi = start(extend)
    pi.script.options = ()
    lines = [line.split() for line in pi.run("--list-models").text.splitlines()]
    assert ["router", "auto", "0", "0", "yes", "yes"] in lines
    assert ["mock", "same", "777", "0", "no", "yes"] in lines
    assert not any(line[0] == "anthropic" for line in lines), "there is no key for that"
    assert "no model matches" in pi.run("--model", "router/other", "-p", "hi").stderr


def test_over_rpc(extend: Extend) -> None:
    pi = start(extend)
    with pi.rpc() as person:
        assert person.request({"type": "get_state"})["data"]["model"]["api"] == "pi-virtual"
        person.ask("one")
        usage = person.request({"type": "get_session_stats"})["data"]["contextUsage"]
        assert usage["contextWindow"] == 20_000, "of the model that answered"
        person.request({"type": "set_thinking_level", "level": "high"})
        levels = person.request({"type": "get_available_thinking_levels"})["data"]["levels"]
        assert levels == ["low", "high"]
        person.ask("/taken")
        person.ask("/drop")
        response = person.request({"type": "prompt", "message": "two"})
        assert not response["success"] and "router" in response["error"]
        person.finish()
    (failure,) = person.errors_of_extensions()
    assert "virtual model mock/small: there is a model of that id" in failure["error"]


LARGE: Turn = {"blocks": [{"text": "word " * 3000}], "usage": {"input": 30_000, "output": 3000}}
SUMMARY: Turn = {"blocks": [{"text": "What came before."}], "usage": {"input": 50, "output": 5}}


def test_compaction_before_a_smaller_model(extend: Extend) -> None:
    pi = start(extend, LARGE, LARGE, SUMMARY, SAYS_DONE)
    settings = {"compaction": {"keepRecentTokens": 500, "reserveTokens": 2000}}
    pi.machine.write("settings.json", settings)
    with pi.rpc() as person:
        person.request({"type": "set_thinking_level", "level": "high"})
        person.ask("one " + "x" * 8000)
        person.ask("two " + "x" * 8000)
        person.request({"type": "set_thinking_level", "level": "low"})
        person.ask("three")
        person.finish()
    assert [e["type"] for e in pi.entries()].count("compaction") == 1
    assert [body["model"] for body in pi.bodies][:2] == ["big", "big"]
    assert pi.bodies[-1]["model"] == "small"
    assert "What came before." in str(pi.bodies[-1]["messages"])
    assert kept(pi)[-1][-1] == "user", "what is asked directly keeps nothing"


def test_the_tree_has_a_state_for_each_branch(extend: Extend) -> None:
    pi = start(extend)
    with pi.rpc() as person:
        person.ask("one")
        person.ask("two")
        points = person.request({"type": "get_fork_messages"})["data"]["messages"]
        person.request({"type": "fork", "entryId": points[-1]["entryId"]})
        person.ask("instead")
        person.finish()
    _, second = pi.machine.sessions()
    states = [line for line in second.read_text().splitlines() if "virtual-model-state" in line]
    assert '["user","user"]' in states[-1].replace(" ", "")
    assert len(states) == 2


PLANNED = [
    calls("read", {"path": "a.txt"}),
    calls("write", {"path": "b.txt", "content": "x"}, "c2"),
]


def test_the_example(extend: Extend) -> None:
    pi = start(extend, *PLANNED, SAYS_DONE, source=EXAMPLES / "plan_router.py")
    pi.script.options = ("--model", "plan/auto:high")
    models = ("--planner", "mock/big", "--builder", "mock/small")
    assert pi.run(*models, "-p", "go").text == "done\n"
    assert [body["model"] for body in pi.bodies] == ["big", "big", "small"]
    pi.run(*models, "-c", "-p", "and more")
    assert pi.bodies[-1]["model"] == "small", "it stays with the builder"
    with pi.rpc(*models, "-c") as person:
        person.ask("/phase")
        person.finish()
    assert person.notices() == ["build"]
    missing = pi.run("-p", "go")
    assert missing.code == 1 and "--planner" in missing.stderr


def test_the_example_while_the_planner_is_overloaded(extend: Extend) -> None:
    pi = start(extend, OVERLOADED, SAYS_DONE, source=EXAMPLES / "plan_router.py")
    pi.script.options = ("--model", "plan/auto")
    done = pi.run("--planner", "mock/big", "--builder", "mock/small", "-p", "go")
    assert done.text == "done\n"
    assert [body["model"] for body in pi.bodies] == ["big", "small"]


PRESETS = {
    "look": {"model": "mock/big", "thinking": "high", "tools": ["read"], "advice": "Only look."},
    "quick": {"model": "mock/small"},
    "gone": {"model": "mock/none"},
}


def test_presets(extend: Extend) -> None:
    pi = start(extend, source=EXAMPLES / "presets.py")
    pi.script.options = ("--model", "mock/small")
    pi.machine.write("presets.json", PRESETS)
    assert pi.run("--preset", "look", "-p", "hi").text == "done\n"
    pi.script.options = ()
    with pi.rpc("-c") as person:
        person.ask("go on")
        person.ask("/preset quick")
        person.ask("and now")
        person.ask("/preset gone")
        person.ask("/preset other")
        person.finish()
    assert [body["model"] for body in pi.bodies] == ["big", "big", "small"]
    told = [json.dumps(body["system"]) for body in pi.bodies]
    assert ["Only look." in text for text in told] == [True, True, False]
    assert [len(body["tools"]) for body in pi.bodies] == [1, 1, 4]
    assert person.notices() == ["mock/none cannot be used", "There is no preset 'other'"]
    kept = [e["data"]["name"] for e in pi.entries() if e.get("customType") == "preset"]
    assert kept == ["look", "quick"]
