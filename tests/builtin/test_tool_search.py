"""The tool with which a model finds tools it was not told of."""

import json

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, calls, extend, machine, scripted
from tests.extensions.test_examples_tools import declared, text_of

__all__ = ["extend", "machine", "scripted"]

MANY = """
def extend(pi):
    def add(name, description, exposure, **more):
        pi.tool(name=name, description=description, exposure=exposure, parameters={
            "type": "object", "properties": {"city": {"type": "string"}}}, **more)(lambda a: name)

    add("weather_direct", "Weather now", "direct")
    add("weather_later", "Forecast the weather\\nof a week", "deferred", snippet="forecasts")
    add("issues", "Search issues", "codemode")
    add("gone", "Weather that is gone", "hidden")
    add("off", "Weather that is off", "direct", active=False)
    add("mcp__x__direct", "Weather of a server", "direct")
"""
ON = ("--tools", "+tool_search")


def search(query: str, call_id: str = "call_1", **more: object) -> dict[str, object]:
    return {"tool": "tool_search", "id": call_id, "args": {"query": query, **more}}


def test_it_is_off_and_not_even_loaded(extend: Extend) -> None:
    pi = extend(MANY)
    pi.run("-p", "go")
    assert "tool_search" not in declared(pi)
    plain = extend()
    plain.run("-p", "go")
    assert declared(plain) == ["read", "bash", "edit", "write"]


def test_what_it_finds_is_declared_and_stays_so(extend: Extend) -> None:
    turns = [calls("tool_search", {"query": "weather"}), calls("weather_later", {}), SAYS_DONE]
    pi = extend(MANY, turns=turns)
    done = pi.json(*ON, "-p", "go")
    assert (done.code, done.stderr) == (0, "")
    found, used = pi.tool_results()
    assert found["details"] == {"loaded": ["weather_later"]}
    assert text_of(found).splitlines()[1:] == ["- weather_later: Forecast the weather"]
    assert text_of(used) == "weather_later"
    assert "weather_later" not in declared(pi)
    assert declared(pi, 1)[-1] == "weather_later"
    later = [
        m
        for m in pi.machine.messages()
        if m["role"] == "system" and "preamble" not in m["sections"]
    ]
    assert [[tool["name"] for tool in m["toolsAdded"]] for m in later] == [["weather_later"]]
    assert "- weather_later: forecasts" in later[0]["sections"]["tools"]
    pi.run("-c", "-p", "go on")
    assert declared(pi, -1)[-1] == "weather_later"
    assert "tool_search" in declared(pi, -1)


def test_settings_switch_it_on(extend: Extend) -> None:
    pi = extend()
    settings = pi.machine.agent / "settings.json"
    settings.write_text(json.dumps({"defaultTools": ["+tool_search"]}))
    pi.run("-p", "go")
    assert declared(pi)[-1] == "tool_search"
    settings.write_text(
        json.dumps({**json.loads(settings.read_text()), "extensions": ["-builtin:tool-search"]})
    )
    pi.run("-p", "go")
    assert "tool_search" not in declared(pi, -1)


@pytest.mark.parametrize(
    ("arguments", "failed", "loaded"),
    [
        ({"query": "nothing"}, False, []),
        ({"query": " "}, True, None),
        ({"query": "weather", "limit": 0}, True, None),
        ({"query": "weather", "limit": 1.5}, True, None),
        ({"query": "forecast issues", "limit": 1}, False, ["issues"]),
    ],
)
def test_answers(
    extend: Extend, arguments: dict[str, object], failed: bool, loaded: list[str] | None
) -> None:
    pi = extend(MANY, turns=[calls("tool_search", arguments), SAYS_DONE])
    pi.run(*ON, "-p", "go")
    (result,) = pi.tool_results()
    assert result["isError"] is failed
    assert (result["details"] or {}).get("loaded") == loaded


def test_two_searches_at_once_keep_each_others_finds(extend: Extend) -> None:
    both = {"blocks": [search("issues"), search("forecast", "call_2")], "stop": "toolUse"}
    pi = extend(MANY, turns=[both, SAYS_DONE])
    pi.run(*ON, "-p", "go")
    assert {"issues", "weather_later"} <= set(declared(pi, 1))


def test_a_list_of_tools_leaves_it_mcp_tools_to_find(extend: Extend) -> None:
    turns = [calls("tool_search", {"query": "weather server"}), SAYS_DONE]
    pi = extend(MANY, turns=turns)
    pi.run("--tools", "read,tool_search", "-p", "go")
    assert declared(pi) == ["read", "tool_search"]
    assert pi.tool_results()[0]["details"] == {"loaded": ["mcp__x__direct"]}
    assert declared(pi, 1) == ["read", "tool_search", "mcp__x__direct"]


NAVIGATES = """
def extend(pi):
    left = []

    @pi.command("nav")
    async def nav(arguments, ctx):
        if not left:
            left.append(ctx.session.leaf_id)
        entries = ctx.session.entries()
        said = [e for e in entries if e["type"] == "message" and e["message"]["role"] == "user"]
        await ctx.navigate_tree(left[0] if arguments == "back" else said[0]["id"])
"""


def test_each_branch_has_its_own(extend: Extend) -> None:
    turns = [calls("tool_search", {"query": "forecast"}), SAYS_DONE, SAYS_DONE, SAYS_DONE]
    pi = extend(MANY, NAVIGATES, turns=turns)
    with pi.rpc(*ON) as person:
        for message in ("one", "/nav first", "two", "/nav back", "three"):
            person.ask(message)
        person.finish()
    told = ["weather_later" in declared(pi, number) for number in range(4)]
    assert told == [False, True, False, True]
