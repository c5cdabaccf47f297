"""What extensions may do: with sessions, runs, the person, requests, models and programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Machine, ScriptedFactory
from tests.extensions.conftest import SAYS_DONE, SOUND, Extend, calls
from tests.extensions.test_examples_tools import text_of

SWITCHING = """
from pi.extensions import StaleContext
kept = {}
def extend(pi):
    @pi.on("session_start")
    def start(event, ctx):
        kept.setdefault("ctx", ctx)
        pi.append_entry("start", {"reason": event.reason, "before": event.previous_session_file})

    @pi.on("session_shutdown")
    def end(event):
        kept.setdefault("ended", []).append(event.reason)

    @pi.command("handoff")
    async def handoff(args, ctx):
        old = ctx.session.file
        fresh = await ctx.new_session(parent=old, setup=lambda store: store.append_custom("set up"))
        uses = lambda: ctx.session.id, lambda: pi.append_entry("x"), lambda: ctx.ui.notify("x")
        for use in uses:
            try:
                use()
            except StaleContext as error:
                fresh.ui.notify(f"{error}")
        assert fresh.session.file != old
        await fresh.send_user_message("Go on: " + args)

    @pi.command("again")
    async def again(args, ctx):
        fresh = await ctx.reload()
        fresh.ui.notify("reloaded")
"""


def test_a_session_is_replaced_and_old_contexts_say_so(extend: Extend) -> None:
    pi = extend(SWITCHING)
    with pi.rpc() as person:
        person.ask("first")
        person.ask("/handoff there")
        person.until("agent_settled")
        state = person.request({"type": "get_state"})["data"]
        person.ask("/again")
        person.finish()
    assert person.errors_of_extensions() == []
    notices = person.notices()
    assert len([n for n in notices if "was replaced or reloaded" in n]) == 3
    assert notices[-1] == "reloaded"
    assert "Go on: there" in json.dumps(pi.bodies[1]["messages"])
    first, second = pi.machine.sessions()
    entries = [json.loads(line) for line in Path(state["sessionFile"]).read_text().splitlines()]
    assert entries[0]["parentSession"] == str(first)
    starts = [e["data"] for e in entries if e.get("customType") == "start"]
    assert [s["reason"] for s in starts] == ["new", "reload"]
    assert starts[0]["before"] == str(first)
    assert any(e.get("customType") == "set up" for e in entries)
    assert second == Path(state["sessionFile"])


SPEAKING = """
def extend(pi):
    note = {"customType": "n", "display": False}

    @pi.tool
    def speak(x: str) -> str:
        '''Speak up'''
        pi.send_message({**note, "content": "steered"})
        pi.send_message({**note, "content": "at the end"}, deliver_as="followUp")
        pi.send_user_message("as the person", deliver_as="followUp")
        pi.send_user_message("refused")
        return "ok"

    @pi.command("start")
    def start(args, ctx):
        pi.send_message({**note, "content": "begin"}, trigger_turn=True)

    @pi.command("wait")
    async def wait(args, ctx):
        pi.send_user_message("hello")
        await __import__("asyncio").sleep(0)
        await ctx.wait_for_idle()
        ctx.ui.notify(f"idle {ctx.is_idle} {ctx.has_pending_messages} {ctx.context_tokens > 0}")
"""


def test_messages_and_when_they_are_heard(extend: Extend) -> None:
    pi = extend(SPEAKING, turns=[calls("speak", {"x": "1"}), SAYS_DONE])
    with pi.rpc() as person:
        person.ask("go")
        person.finish()
    said = [
        text_of(m) if isinstance(m["content"], list) else m["content"]
        for entry in pi.entries()
        if entry["type"] in ("message", "custom_message")
        for m in [entry.get("message", entry)]
        if m.get("role") in ("user", None)
    ]
    assert said == ["go", "steered", "at the end", "as the person"]
    assert ["at work" in e["error"] for e in person.errors_of_extensions()] == [True]


def test_an_extension_starts_a_run(extend: Extend) -> None:
    pi = extend(SPEAKING)
    with pi.rpc() as person:
        person.ask("/start")
        person.until("agent_settled")
        person.ask("/wait")
        person.finish()
    assert "begin" in json.dumps(pi.bodies[0]["messages"])
    assert person.notices() == ["idle True False True"]


def test_a_run_that_a_command_starts_is_waited_for_in_print_mode(extend: Extend) -> None:
    done = extend(SPEAKING).run("-p", "/start")
    assert (done.code, done.text) == (0, "done\n")


ALL_OF_UI = """
def extend(pi):
    @pi.command("ask")
    async def ask(args, ctx):
        ui = ctx.ui
        answers = [
            await ui.select("Which", ["a", "b"]),
            await ui.confirm("Sure", "really?"),
            await ui.input("Name", "type it"),
            await ui.editor("Text", "before"),
            await ui.select("Late", ["a"], seconds=0.05),
            await ui.custom(lambda *args: None),
        ]
        ui.set_status("k", "text"); ui.set_status("k", None)
        ui.set_widget("w", ["one", "two"], "belowEditor"); ui.set_widget("w", None)
        ui.set_title("title"); ui.set_editor_text("typed"); ui.paste_to_editor("pasted")
        ui.set_footer(None); ui.set_header(None); ui.set_working_message("x")
        ui.set_working_visible(False); ui.set_working_indicator([]); ui.set_tools_expanded(True)
        ui.add_completion(lambda text: None); ui.on_terminal_input(print)()
        pi.append_entry("answers", [answers, ctx.mode, ctx.has_ui, ui.get_editor_text(),
            ui.themes(), bool(ui.set_theme("light")), ui.theme.fg("accent", "plain")])

    for name in ("ui_prompt_start", "ui_prompt_end"):
        pi.on(name, lambda event: pi.append_entry(event.name, getattr(event, "kind", None)))
"""


def test_every_method_of_the_ui_over_rpc(extend: Extend) -> None:
    pi = extend(ALL_OF_UI)
    answers = {"Which": "b", "Sure": True, "Name": "Ada", "Text": "after"}
    with pi.rpc(titled=answers) as person:
        person.answers["Late"] = None
        person.ask("hi")
        person.skip()
        name = person.begin({"type": "prompt", "message": "/ask"})
        for _ in range(4):
            person.answer(person.until("extension_ui_request"))
        assert person.response(name)["data"] == {"disposition": "handled"}
        person.finish()
    custom = [e for e in pi.entries() if e["type"] == "custom"]
    found = next(e["data"] for e in custom if e["customType"] == "answers")
    assert found == [["b", True, "Ada", "after", None, None], "rpc", True, "", [], True, "plain"]
    kinds = [e["data"] for e in custom if e["customType"] == "ui_prompt_start"]
    assert kinds == ["select", "confirm", "input", "editor", "select", "custom"]
    asked = [r for r in person.records if r["type"] == "extension_ui_request"]
    assert [r["method"] for r in asked] == [
        *("select", "confirm", "input", "editor", "select"),
        *("setStatus", "setStatus", "setWidget", "setWidget"),
        *("setTitle", "set_editor_text", "set_editor_text"),
    ]
    assert asked[4]["timeout"] == 50


@pytest.mark.parametrize("mode", ["text", "json"])
def test_the_same_without_anybody(extend: Extend, mode: str) -> None:
    pi = extend(ALL_OF_UI)
    done = pi.run("--mode", mode, "-p", "hi", "/ask")
    assert (done.code, done.stderr) == (0, "")
    found = next(e["data"] for e in pi.entries() if e.get("customType") == "answers")
    shown = "print" if mode == "text" else "json"
    assert found == [[None, False, None, None, None, None], shown, False, "", [], True, "plain"]


WATCHING = """
def extend(pi):
    seen = []
    @pi.on("before_provider_headers")
    def headers(event, ctx):
        event.headers["x-session"] = ctx.session.id
        event.headers["user-agent"] = None

    @pi.on("before_provider_request")
    def payload(event):
        return {**event.payload, "metadata": {"by": "extension"}}

    @pi.on("after_provider_response")
    def response(event):
        seen.append(event.status)

    @pi.on("provider_stream_event")
    def data(event):
        seen.append(event.data["type"])

    @pi.on("agent_settled")
    def settled():
        pi.append_entry("seen", seen)

    @pi.on("message_update")
    def update(event):
        if event.assistant_message_event["type"] == "text_delta":
            seen.append(event.assistant_message_event["delta"])
"""


def test_requests_may_be_looked_at_and_changed(extend: Extend) -> None:
    pi = extend(WATCHING)
    assert pi.run("-p", "hi").code == 0
    request = pi.script.server.requests[0]
    assert request.headers["x-session"] == pi.entries()[0]["id"]
    assert request.body["metadata"] == {"by": "extension"}
    (seen,) = (e["data"] for e in pi.entries() if e["type"] == "custom")
    assert seen[:2] == [200, "message_start"]
    assert "done" in seen
    assert seen[-1] == "message_stop"


MODELS = """
def extend(pi):
    pi.register_provider("mock", headers={"x-team": "blue"})

    @pi.on("model_select")
    def model(event):
        pi.append_entry("model", [event.previous_model.id, event.model.id, event.source])

    @pi.on("thinking_level_select")
    def level(event):
        pi.append_entry("level", [event.previous_level, event.level])

    @pi.command("other")
    def other(args, ctx):
        found = ctx.models.find("mock", "m2")
        done = pi.set_model(found)
        pi.append_entry("set", [done, pi.set_thinking_level("high"), pi.thinking_level])
        nobody = ctx.models.find("openai", "gpt-4.1")
        pi.append_entry("no key", pi.set_model(nobody))

    @pi.command("bad")
    def bad(args, ctx):
        pi.register_provider("new", models=[{"id": 3}])
"""


def test_models_and_providers(extend: Extend) -> None:
    models = {"models": [{"id": "m1", "reasoning": True}, {"id": "m2", "reasoning": True}]}
    pi = extend(MODELS, provider=models)
    with pi.rpc("--thinking", "low") as person:
        person.ask("hi")
        person.ask("/other")
        person.ask("/bad")
        person.ask("there")
        person.finish()
    found = {e["customType"]: e["data"] for e in pi.entries() if e["type"] == "custom"}
    assert found["set"] == [True, "high", "high"]
    assert found["no key"] is False
    assert found["model"] == ["m1", "m2", "set"]
    assert found["level"] == ["low", "high"]
    assert pi.bodies[1]["model"] == "m2"
    assert pi.script.server.requests[0].headers["x-team"] == "blue"
    (error,) = person.errors_of_extensions()
    assert "providers.new.models[0].id" in error["error"]


EXEC = """
import sys
def extend(pi):
    @pi.command("run")
    async def run(args, ctx):
        py = sys.executable
        one = await pi.exec(py, "-c", "import sys; print(input()); sys.exit(3)", stdin="hello")
        sleep = "import time; print('x', flush=True); time.sleep(60)"
        slow = await pi.exec(py, "-c", sleep, seconds=1.5)
        much = await pi.exec(py, "-c", "print('y' * 100000)", max_output=1000)
        try:
            await pi.exec("./no-such-program")
        except FileNotFoundError:
            pi.append_entry("missing")
        ran = [[r.stdout, r.code, r.killed, r.truncated, r.ok] for r in (one, slow)]
        pi.append_entry("ran", ran)
        pi.append_entry("much", [len(much.stdout), much.killed, much.truncated, much.code != 0])
"""


def test_programs(extend: Extend) -> None:
    pi = extend(EXEC)
    assert pi.run("-p", "hi", "/run").code == 0
    found = {e["customType"]: e.get("data") for e in pi.entries() if e["type"] == "custom"}
    assert found["ran"][0] == ["hello\n", 3, False, False, False]
    assert found["ran"][1][0] == "x\n"
    assert found["ran"][1][2] is True
    assert found["much"] == [1000, True, True, True]
    assert "missing" in found


def test_commands_of_one_name_are_numbered_and_complete(extend: Extend) -> None:
    source = """
def extend(pi):
    @pi.command("review", "Look", complete=lambda prefix: ["all"] if not prefix else None)
    def review(args):
        pi.append_entry("review", [__file__[-4:], args])
"""
    pi = extend(source, source)
    with pi.rpc() as person:
        listed = person.request({"type": "get_commands"})["data"]["commands"]
        person.ask("hi")
        person.ask("/review:2 this")
        person.ask("/review is for the model")
        person.finish()
    assert [c["name"] for c in listed] == ["review:1", "review:2", "mcp"]
    (entry,) = (e for e in pi.entries() if e["type"] == "custom")
    assert entry["data"] == ["1.py", "this"]
    assert len(pi.bodies) == 2


TRUST = """
from pi.extensions import Trust
def extend(pi):
    @pi.on("project_trust")
    def decide(event, ctx):
        return Trust({decision!r}, remember={remember})
"""


@pytest.mark.parametrize("remember", [False, True])
@pytest.mark.parametrize(
    ("decision", "loaded"), [("yes", True), ("no", False), ("undecided", False)]
)
def test_an_extension_decides_on_trust(
    machine: Machine, scripted: ScriptedFactory, decision: str, loaded: bool, remember: bool
) -> None:
    script = scripted([SAYS_DONE])
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "trust.py").write_text(TRUST.format(decision=decision, remember=remember))
    ours = machine.project / ".pi" / "extensions"
    ours.mkdir(parents=True)
    (ours / "here.py").write_text(SOUND)
    (machine.project / ".pi" / "SYSTEM.md").write_text("Of the project.")
    assert script.run("-p", "hi").code == 0
    customs = [e for e in machine.entries() if e["type"] == "custom"]
    assert bool(customs) is loaded
    assert ("Of the project." in json.dumps(script.bodies[0]["system"])) is loaded
    saved = machine.agent / "trust.json"
    assert saved.exists() is (remember and decision != "undecided")
    machine.session().unlink()
    assert script.run("-na", "-p", "hi").code == 0
    assert not [e for e in machine.entries() if e["type"] == "custom"], "the flag goes over it"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_an_extension_s_word_that_cannot_be_kept(
    machine: Machine, scripted: ScriptedFactory
) -> None:
    script = scripted([SAYS_DONE])
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "trust.py").write_text(TRUST.format(decision="yes", remember=True))
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "SYSTEM.md").write_text("Of the project.")
    (machine.agent / "trust.json").symlink_to("/dev/null/trust.json")
    done = script.run("-p", "hi")
    assert done.code == 0
    assert "holds for this run only" in done.stderr
    assert "Of the project." in json.dumps(script.bodies[0]["system"])


def test_resources_of_an_extension(extend: Extend) -> None:
    source = """
from pi.extensions import Resources
def extend(pi):
    pi.on("resources_discover", lambda: Resources(skills=["my/skills"], prompts=["my/fix.md"]))
"""
    pi = extend(source)
    skill = pi.folder / "my" / "skills" / "sewing"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: sewing\ndescription: How to sew\n---\nThread it.\n")
    (pi.folder / "my" / "fix.md").write_text("Mend $1 at once")
    assert pi.run("-p", "/fix it").code == 0
    assert "How to sew" in json.dumps(pi.bodies[0]["system"])
    assert "Mend it at once" in json.dumps(pi.bodies[0]["messages"])


def test_a_reload_takes_what_is_there_now(extend: Extend) -> None:
    pi = extend(SOUND, SWITCHING)
    first, second = pi.folder / "extension_0.py", pi.folder / "extension_1.py"
    with pi.rpc() as person:
        person.ask("one")
        first.write_text("def extend(pi:\n")
        person.ask("/again")
        (error,) = person.errors_of_extensions()
        assert (error["extensionPath"], error["event"]) == (str(first), "loading")
        assert error["place"] == f"{first}:1"
        first.write_text(SOUND.replace('"sound"', '"louder"'))
        second.write_text(SWITCHING.replace('"again"', '"anew"'))
        person.ask("/again")
        listed = person.request({"type": "get_commands"})["data"]["commands"]
        person.ask("two")
        assert person.finish() == 0
    assert [c["name"] for c in listed] == ["handoff", "anew", "mcp"]
    kinds = [e["customType"] for e in pi.entries() if e["type"] == "custom"]
    assert kinds == ["start", "sound", "start", "start", "louder"]


@pytest.mark.parametrize("extended", [True, False])
def test_a_program_may_load_extensions(machine: Machine, extended: bool) -> None:
    folder = machine.agent / "extensions"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(
        "def extend(pi):\n    @pi.tool\n    def mine(x: str) -> str:\n        '''Mine'''\n"
    )
    given = ", extend=load_for" if extended else ""
    program = (
        "import asyncio\nfrom pi import new_session\nfrom pi.extensions import load_for\n"
        "async def main():\n"
        f"    async with new_session(model='demo/demo-1', in_memory=True{given}) as session:\n"
        "        await session.prompt('hello')\n"
        "        print(*session.tools)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=machine.project,
        env=machine.environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("mine" in done.stdout.split()) is extended


SECTIONS = """
def extend(pi):
    @pi.on("session_start")
    def start():
        pi.set_prompt_section("deploy", "Deploy with make release.")

    @pi.on("turn_end")
    def later():
        pi.set_prompt_section("deploy", "Deploy by hand.")
"""


def test_a_section_of_the_prompt_counts_from_the_next_run_on(extend: Extend) -> None:
    pi = extend(SECTIONS)
    with pi.rpc() as person:
        for text in ("one", "two", "three"):
            person.ask(text)
        person.finish()
    first, second, _ = (json.dumps([b["system"], b["messages"]]) for b in pi.bodies)
    assert "make release" in first and "by hand" not in first
    assert "by hand" in second
    told = [m for m in pi.machine.messages() if "by hand" in json.dumps(m.get("sections"))]
    assert len(told) == 1


def test_an_extension_that_is_written_with_types(extend: Extend) -> None:
    path = Path(__file__).parent / "typed_extension.py"
    turns = [calls("listing", {"path": "."}), SAYS_DONE]
    pi = extend(path, turns=turns)
    (pi.machine.project / "here.txt").touch()
    assert pi.run("-t", "+ls", "-p", "hi").code == 0
    assert pi.tool_results()[0]["content"][0]["text"] == "here.txt"
    (restored,) = [e["data"] for e in pi.entries() if e.get("customType") == "restored"]
    assert restored["by"] == "session_start"


BEGUN = """
def extend(pi):
    @pi.on("context_with_system")
    def whole(event):
        pi.append_entry("seen", [message["role"] for message in event.messages])
        return [*event.messages]

    @pi.command("afresh")
    async def afresh(arguments, ctx):
        said = {"role": "user", "content": "earlier", "timestamp": 1}
        fresh = await ctx.new_session(setup=lambda store: store.append_message(said))
        await fresh.send_user_message("now")
        await fresh.wait_for_idle()
"""


def test_a_session_that_begins_with_messages_has_its_context_looked_at(extend: Extend) -> None:
    pi = extend(BEGUN)
    with pi.rpc() as person:
        person.ask("/afresh")
        person.finish()
    assert person.errors_of_extensions() == []
    (seen,) = [e["data"] for e in pi.entries() if e.get("customType") == "seen"]
    assert seen == ["user", "system", "user"]
    assert [message["role"] for message in pi.bodies[0]["messages"]] == ["user", "user"]
    assert "You are pi" in str(pi.bodies[0]["system"])
