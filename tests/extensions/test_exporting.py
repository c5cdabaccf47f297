"""A page of a session, with what extensions draw of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine
from tests.session.export.test_export_document import parse

from .conftest import SAYS_DONE, Extend, Extended, calls

DRAWS = """
from pi.extensions import Pi, Rendering

def extend(pi: Pi):
    def call(args, drawing, theme):
        assert not drawing.partial and drawing.tool_call_id == "call_1"
        drawing.state["path"] = args["path"]
        return theme.fg("accent", f"look at <{args['path']}>")

    def result(result, drawing, theme):
        more = ["", *result["content"][0]["text"].split("|"), ""] if drawing.expanded else []
        return [f"{drawing.state['path']} {result['details']} {drawing.width}", *more]

    @pi.tool(render_call=call, render_result=result)
    def look(path: str):
        "Look."
        return "one|two\x1b[2J"

    @pi.tool(render_result=lambda *given: 1 / 0)
    def other(path: str):
        "Other."
        return "as it is"

    @pi.tool_renderer
    def all(name, following):
        if name == "read":
            return Rendering(lambda *given: "READ", lambda *given: "")
        return following()

    @pi.entry_renderer("card")
    def card(entry, drawing, theme):
        return [f"card {entry['data']}"]

    @pi.message_renderer("note")
    def note(message, drawing, theme):
        return "NOTE"

    @pi.on("agent_end")
    def end(event):
        pi.append_entry("card", 7)
        pi.append_entry("unknown", 8)
        note = {"customType": "note", "content": "*hi*", "display": True}
        pi.send_message(note, trigger_turn=False)
"""


def played(extend: Extend) -> Extended:
    turns = [
        calls("look", {"path": "a"}),
        calls("other", {"path": "b"}, "call_2"),
        calls("read", {"path": "none"}, "call_3"),
        SAYS_DONE,
    ]
    return extend(DRAWS, turns=turns)


def messages(entries: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    return [e["message"] for e in entries if e.get("message", {}).get("role") == role]


def test_a_page_has_what_extensions_draw(extend: Extend, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    pi = played(extend)
    with pi.rpc() as person:
        person.ask("go")
        done = person.request({"type": "export_html", "outputPath": str(page)})
        assert done["success"]
        person.finish()
    entries = parse(page).entries
    drawn = [block.get("drawn") for m in messages(entries, "assistant") for block in m["content"]]
    assert drawn == [{"rows": ["\x1b[34mlook at <a>\x1b[39m"]}, None, None, None]
    look, other, read = messages(entries, "toolResult")
    assert look["drawn"] == {"rows": ["a None 100", "", "one", "two"], "folded": ["a None 100"]}
    assert "drawn" not in other
    assert "drawn" not in read
    cards = [entry.get("drawn") for entry in entries if entry["type"] == "custom"]
    assert cards == [{"rows": ["card 7"]}, None]
    (note,) = (entry for entry in entries if entry["type"] == "custom_message")
    assert (note["content"], note.get("drawn")) == ("*hi*", None)
    assert "y" in parse(page).index["kinds"]
    assert [error["event"] for error in person.errors_of_extensions()] == ["render_result of other"]


def test_the_command_line_runs_no_extension(extend: Extend, tmp_path: Path) -> None:
    pi = played(extend)
    pi.run("-p", "go")
    page = tmp_path / "page.html"
    (session,) = pi.machine.agent.glob("sessions/*/*.jsonl")
    pi.run("--export", str(session), str(page))
    assert '"drawn":' not in "".join(map(str, parse(page).entries))
    assert messages(parse(page).entries, "toolResult")[0]["content"][0]["text"] == "one|two\x1b[2J"


PROGRAM = """
import asyncio, sys
import pi
from pi.extensions import load_for

async def answer(model, context, options):
    if context.messages[-1]["role"] == "user":
        yield pi.Call("look", {"path": "a"})
    else:
        yield "done"

async def main():
    providers = [pi.Provider("own", ["m"], answer)]
    async with pi.new_session(
        model="own/m", providers=providers, extend=load_for, in_memory=sys.argv[1] == "memory"
    ) as session:
        await session.prompt("go")
        await session.export_html(sys.argv[2])

asyncio.run(main())
"""


@pytest.mark.parametrize("kept", ["memory", "file"])
def test_so_has_one_of_a_program(machine: Machine, tmp_path: Path, kept: str) -> None:
    machine.write("extensions/draws.py", DRAWS.replace('== "call_1"', ""))
    program, page = tmp_path / "program.py", tmp_path / "page.html"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), kept, str(page)],
        cwd=machine.project,
        env=machine.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (look,) = messages(parse(page).entries, "toolResult")
    assert look["drawn"] == {"rows": ["a None 100", "", "one", "two"], "folded": ["a None 100"]}
