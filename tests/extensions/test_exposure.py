"""Who reaches a tool: the model, other tools, both or nobody; and what the model is told."""

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, calls
from tests.extensions.test_examples_tools import EXAMPLES, declared, needs_examples, text_of

MANY = """
from pi.extensions import Namespace, ToolContext

TRACKER = Namespace("mcp__tracker", ["tracker"], "The tracker.", "Ask it nicely.")

def extend(pi):
    for exposure in ("direct", "model-only", "codemode", "deferred", "hidden"):
        def act(exposure=exposure) -> str:
            return "did " + exposure
        pi.tool(
            name=exposure.replace("-", "_"), description="Does things", exposure=exposure,
            snippet="it does", parameters={"type": "object"}, guidelines=[f"Mind {exposure}."],
        )(lambda args, act=act: act())
    pi.tool(name="off", description="x", active=False)(lambda: "off")

    @pi.tool(exposure="codemode", namespace=TRACKER, annotations={"readOnlyHint": True},
             output_schema={"type": "object"})
    def issues() -> dict:
        '''Issues'''
        return {"open": 3}

    @pi.tool(exposure="model-only", reaches_tools=lambda args: "all")
    async def caller(call: ToolContext) -> str:
        '''Call everything'''
        said = [" ".join(tool.name for tool in call.tools())]
        for name in ("direct", "model_only", "codemode", "deferred", "hidden", "off", "caller"):
            done = await call.call_tool(name, {})
            said.append(f"{name}: {done.is_error}")
        said.append(str((await call.call_tool("issues", {})).structured))
        return chr(10).join(said)
"""


def test_who_may_call_what(extend: Extend) -> None:
    pi = extend(MANY, turns=[calls("caller", {}), SAYS_DONE])
    assert pi.run("--tools", "+grep", "-p", "go").code == 0
    assert declared(pi) == [
        *("read", "bash", "edit", "write", "grep", "direct", "model_only", "caller"),
    ]
    reachable, *answers = text_of(pi.tool_results()[0]).splitlines()
    assert reachable == "read bash edit write grep direct codemode deferred issues"
    assert answers == [
        "direct: False",
        "model_only: True",
        "codemode: False",
        "deferred: False",
        "hidden: True",
        "off: True",
        "caller: True",
        "{'open': 3}",
    ]


def test_the_model_does_not_reach_what_it_was_not_told_of(extend: Extend) -> None:
    pi = extend(MANY, turns=[calls("codemode", {}), SAYS_DONE])
    pi.run("-p", "go")
    assert pi.tool_results()[0]["isError"]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (("--tools", "read,codemode,deferred,hidden,off"), "read codemode deferred off"),
        (("--tools", "read,d*,hid*"), "read direct"),
        (("--tools", "+codemode"), "read bash edit write codemode direct model_only caller"),
        (("-nbt", "-xt", "c*"), "direct model_only"),
        (("-nt", "--tools", "+off"), "off"),
        (("-nt",), ""),
    ],
)
def test_switched_on_by_name(extend: Extend, chosen: tuple[str, ...], told: str) -> None:
    pi = extend(MANY)
    pi.run(*chosen, "-p", "go")
    assert declared(pi) == told.split()


def test_what_extensions_hear_of_tools(extend: Extend) -> None:
    looks = """
def extend(pi):
    @pi.on("session_start")
    def look():
        by_name = {tool["name"]: tool for tool in pi.all_tools()}
        issues = by_name["issues"]
        assert issues["namespace"].aliases == ["tracker"], issues
        assert issues["annotations"] == {"readOnlyHint": True}
        assert issues["outputSchema"] == {"type": "object"}
        assert by_name["caller"]["reachesTools"]({}) == "all"
        assert by_name["hidden"]["exposure"] == "hidden"
        assert by_name["read"]["sourceInfo"]["path"] == "builtin:read"
        pi.set_active_tools(["hidden", "codemode", "nothing"])
        assert pi.active_tools == ["codemode"], pi.active_tools
        try:
            pi.tool(name="x", description="x", exposure="none")(lambda: "")
        except ValueError as error:
            assert "'none' is no exposure" in str(error)
        else:
            raise AssertionError
"""
    pi = extend(MANY, looks)
    done = pi.run("-p", "go")
    assert (done.code, done.stderr) == (0, "")
    assert declared(pi) == ["codemode"]


PREPARES = """
from pi.extensions import Loadout, LoadoutChange

def extend(pi):
    def prepare(loadout: Loadout) -> LoadoutChange:
        assert [tool.name for tool in loadout.registered][:2] == ["read", "bash"]
        names = " ".join(tool.name for tool in loadout.callable)
        advice = " ".join(rule for tool in loadout.declared for rule in tool.guidelines)
        assert advice
        return LoadoutChange({"broker": f"Reaches {names}", "bash": "Other"}, {"read", "write"})

    @pi.tool(exposure="model-only", prepare_loadout=prepare, snippet="brokers", active=False)
    def broker() -> str:
        '''Broker'''
        return "x"

    pi.on("session_start", lambda: pi.set_active_tools(["read", "bash", "write", "broker"]))
    pi.command("off")(lambda: pi.set_active_tools(["read", "bash"]))
    pi.on("before_agent_start", lambda event: event.system_prompt_options.prompt_guidelines.append(
        "Be kind."))
"""


def test_a_tool_decides_what_the_model_is_told(extend: Extend) -> None:
    turns = [calls("read", {"path": "a.txt"}), SAYS_DONE, SAYS_DONE]
    pi = extend(PREPARES, turns=turns)
    (pi.machine.project / "a.txt").write_text("here")
    with pi.rpc() as person:
        person.ask("go")
        person.ask("/off")
        person.ask("go on")
        person.finish()
    first = pi.bodies[0]
    assert [(t["name"], t["description"]) for t in first["tools"]] == [
        ("bash", "Other"),
        ("broker", "Reaches read bash write"),
    ]
    prompt = first["system"][0]["text"]
    assert "- broker: brokers" in prompt
    assert "- read:" not in prompt
    assert "with read" not in prompt
    assert "- Be kind." in prompt
    # Hidden it is, not off: a model that knows of it may call it.
    assert text_of(pi.tool_results()[0]) == "here"
    assert declared(pi, -1) == ["read", "bash"]
    assert pi.bodies[-1]["tools"][1]["description"] != "Other"


def test_one_that_fails_at_it_is_told(extend: Extend) -> None:
    pi = extend(
        "def extend(pi):\n"
        "    pi.tool(name='odd', description='Odd', prepare_loadout=lambda loadout: 1 / 0)"
        "(lambda: 'x')\n"
    )
    done = pi.run("-p", "go")
    assert done.code == 0
    assert "prepare_loadout of odd" in done.stderr
    assert declared(pi)[-1] == "odd"


@needs_examples
def test_many_tools(extend: Extend) -> None:
    turns = [
        calls("compare_towns", {"towns": ["Rome", "Oslo", "Atlantis"]}),
        calls("tool_search", {"query": "how warm is it"}),
        calls("temperature", {"town": "Cairo"}),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "many_tools.py", turns=turns)
    done = pi.run("--tools", "+tool_search", "-p", "go")
    assert (done.code, done.stderr) == (0, "")
    compared, found, measured = pi.tool_results()
    assert text_of(compared) == "Oslo, Rome"
    assert [call["status"] for call in compared["nestedCalls"]["calls"]] == ["ok", "ok", "error"]
    assert found["details"]["loaded"][0] == "temperature"
    assert text_of(measured) == "27 °C"
    assert "temperature" not in declared(pi)
