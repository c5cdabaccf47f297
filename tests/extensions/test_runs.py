"""What extensions are told of runs, moves and compactions that do not go straight on."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls

WITNESS = """
from pi.extensions import CustomTree
def extend(pi):
    told = []

    def asked(ctx):
        return [e["id"] for e in ctx.session.entries()
                if e["type"] == "message" and e["message"]["role"] == "user"]

    @pi.on("agent_before_settle")
    def settles(event):
        told.append(["settles", event.outcome])

    @pi.on("session_compact_failed")
    def failed(event):
        told.append(["failed", event.reason, event.aborted, "compacted" in event.error_message])

    @pi.on("session_before_tree")
    def moves(event):
        plan = event.preparation
        told.append(["moves", plan.custom_instructions, plan.replace_instructions])
        if plan.label == "mine":
            return CustomTree(custom_instructions="Only colours.", replace_instructions=True)

    @pi.on("tool_result")
    def hide(event):
        from pi.extensions import ResultPatch
        text = event.content[0]["text"].replace("hunter2", "<hidden>")
        return ResultPatch(content=[{"type": "text", "text": text}])

    @pi.command("told")
    def tell():
        pi.append_entry("told", list(told))

    @pi.command("aside")
    def aside():
        note = {"customType": "note", "content": "by the way"}
        pi.send_message(note, trigger_turn=False)

    @pi.command("leave")
    async def leave(how, ctx):
        await ctx.navigate_tree(
            asked(ctx)[0], summarize=True, instructions="Only names.",
            replace_instructions=how == "replace", label=how,
        )

    @pi.command("tree")
    async def tree(args, ctx):
        first = asked(ctx)[0]
        pi.set_label(first, "start")
        def shape(node):
            entry = node.entry
            kind = entry["message"]["role"] if entry["type"] == "message" else entry["type"]
            return [kind, node.label, *map(shape, node.children)]
        (root,) = ctx.session.tree()
        pi.append_entry("tree", shape(root))
        pi.append_entry("label", [ctx.session.label(first), ctx.session.label("nobody")])

    @pi.command("others")
    async def others(args, ctx):
        pi.append_entry("others", [
            [one.first_message, one.messages, one.path == ctx.session.file]
            for one in await ctx.sessions(everywhere=bool(args))
        ])
"""


def kept(pi: Extended, kind: str) -> Any:
    return [e["data"] for e in pi.entries() if e.get("customType") == kind][-1]


def test_how_the_last_turn_went(extend: Extend) -> None:
    refused = {"status": 400, "body": {"error": {"message": "no"}}}
    pi = extend(WITNESS, turns=[refused, SAYS_DONE])
    with pi.rpc() as person:
        person.ask("one")
        person.ask("two")
        person.ask("/told")
        person.finish()
    assert kept(pi, "told") == [["settles", "error"], ["settles", "completed"]]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_what_an_aborted_tool_printed_is_shown_to_extensions(extend: Extend) -> None:
    command = {"command": "echo the password is hunter$((1 + 1)); sleep 60"}
    pi = extend(WITNESS, turns=[calls("bash", command), SAYS_DONE])
    with pi.rpc() as person:
        person.begin({"type": "prompt", "message": "go"})
        person.wait(lambda r: r["type"] == "tool_execution_update" and "hunter2" in json.dumps(r))
        person.request({"type": "abort"})
        person.until("agent_settled")
        person.ask("go on")
        person.finish()
    (result,) = pi.tool_results()
    assert result["isError"]
    assert result["content"][0]["text"].startswith("the password is <hidden>\n")
    assert "hunter2" not in json.dumps(pi.bodies[-1])


def test_a_compaction_of_nothing_has_failed(extend: Extend) -> None:
    pi = extend(WITNESS)
    pi.machine.write("settings.json", {"compaction": {"keepRecentTokens": 10}})
    with pi.rpc() as person:
        person.ask("one " * 50)
        person.ask("two " * 50)
        assert person.request({"type": "compact"})["success"]
        assert not person.request({"type": "compact"})["success"]
        person.ask("/told")
        person.finish()
    failed = [each for each in kept(pi, "told") if each[0] == "failed"]
    assert failed == [["failed", "manual", False, True]]


def test_a_message_that_starts_nothing_is_stored_when_the_turn_is_over(extend: Extend) -> None:
    wait = f'{sys.executable} -c "import time; time.sleep(1)"'
    pi = extend(WITNESS, turns=[calls("bash", {"command": wait}), SAYS_DONE])
    with pi.rpc() as person:
        name = person.begin({"type": "prompt", "message": "go"})
        person.response(name)
        person.until("tool_execution_start")
        assert person.request({"type": "prompt", "message": "/aside"})["success"]
        person.until("agent_settled")
        person.finish()
    kinds = [e["message"]["role"] if e["type"] == "message" else e["type"] for e in pi.entries()]
    assert kinds[-4:] == ["assistant", "toolResult", "custom_message", "assistant"]
    assert "by the way" in json.dumps(pi.bodies[1]["messages"])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("stress", "Pay special attention to this: Only names."),
        ("replace", "Only names."),
        ("mine", "Only colours."),
    ],
)
def test_instructions_for_a_summary(extend: Extend, how: str, said: str) -> None:
    pi = extend(WITNESS)
    with pi.rpc() as person:
        person.ask("one")
        person.ask("two")
        person.ask(f"/leave {how}")
        person.ask("/told")
        person.finish()
    assert kept(pi, "told")[-1] == ["moves", "Only names.", how == "replace"]
    (message,) = pi.bodies[2]["messages"]
    text = message["content"][0]["text"]
    assert text.endswith(said)
    assert ("## Goal" in text) is (how == "stress")


HIDING = """
from pi.extensions import LoadoutChange
def extend(pi):
    @pi.tool(prepare_loadout=lambda loadout: LoadoutChange({}, ["read", "nobody"]))
    def through(path: str) -> str:
        "Read through this."
        return path

    @pi.on("before_agent_start")
    def start(event):
        options = event.system_prompt_options
        pi.append_entry("told", ["read" in options.selected_tools, list(options.hidden_tools)])
"""


def test_tools_that_requests_leave_out(extend: Extend) -> None:
    pi = extend(HIDING)
    assert pi.run("-p", "hi").code == 0
    assert kept(pi, "told") == [True, ["read"]]
    assert "read" not in [tool["name"] for tool in pi.bodies[0]["tools"]]


ASKING = """
def extend(pi):
    @pi.on("session_before_tree")
    async def sure(event, ctx):
        from pi.extensions import Cancel
        pi.append_entry("idle", ctx.is_idle)
        if not await ctx.ui.confirm("Leave?", "really"):
            return Cancel()

    @pi.on("session_tree")
    def moved(event, ctx):
        pi.append_entry("moved", ctx.is_idle)

    @pi.command("leave")
    async def leave(args, ctx):
        first = next(e for e in ctx.session.entries() if e["type"] == "message")
        went = await ctx.navigate_tree(first["id"])
        ctx.ui.notify(f"cancelled {went.cancelled}")
"""


@pytest.mark.parametrize("answer", [True, False, "abort"])
def test_nothing_begins_while_a_move_is_asked_about(extend: Extend, answer: bool | str) -> None:
    pi = extend(ASKING)
    with pi.rpc() as person:
        person.ask("one")
        person.skip()
        name = person.begin({"type": "prompt", "message": "/leave"})
        question = person.wait(lambda r: r.get("method") == "confirm")
        refused = person.request({"type": "prompt", "message": "two"})
        assert not refused["success"] and "busy" in refused["error"]
        if answer == "abort":
            person.request({"type": "abort"})
        else:
            about = {"type": "extension_ui_response", "id": question["id"]}
            person.send({**about, "confirmed": answer})
        assert person.response(name)["success"]
        person.ask("three")
        person.finish()
    assert person.errors_of_extensions() == []
    assert person.notices() == [f"cancelled {answer is not True}"]
    told = [(e["customType"], e["data"]) for e in pi.entries() if e["type"] == "custom"]
    assert told == [("idle", False), *([("moved", True)] if answer is True else [])]
    assert len(pi.bodies) == 2


def test_all_sessions_are_those_of_a_folder_that_was_chosen(extend: Extend, tmp_path: Path) -> None:
    pi = extend(WITNESS)
    chosen = tmp_path / "chosen"
    for prompt in ("one", "two", "/others all"):
        pi.run("--session-dir", str(chosen), "-p", prompt, *(["-c"] if prompt[0] == "/" else []))
    entries = [
        json.loads(line) for each in chosen.iterdir() for line in each.read_text().splitlines()
    ]
    (others,) = [e["data"] for e in entries if e.get("customType") == "others"]
    assert others == [["two", 3, True], ["one", 3, False]]


def test_the_tree_and_other_sessions(extend: Extend) -> None:
    pi = extend(WITNESS)
    with pi.rpc() as person:
        person.ask("one")
        person.request({"type": "new_session"})
        person.ask("two")
        person.ask("/tree")
        person.ask("/others")
        person.finish()
    last = max(pi.machine.sessions(), key=lambda path: path.stat().st_mtime)
    found = {
        entry["customType"]: entry["data"]
        for entry in map(json.loads, last.read_text().splitlines())
        if entry["type"] == "custom"
    }
    spine, node = [], found["tree"]
    while node:
        spine.append(tuple(node[:2]))
        (node,) = node[2:] or [None]
    assert spine[-4:] == [
        *(("system", None), ("user", "start"), ("assistant", None), ("label", None)),
    ]
    assert found["label"] == ["start", None]
    assert found["others"] == [["two", 3, True], ["one", 3, False]]
