"""The examples that listen: gates, prompts, inputs, notices, each run in the modes it serves."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from pi.agent.hooks import Hooks
from pi.extensions.api import Pi
from pi.extensions.bus import EventBus
from pi.extensions.execution import Stage
from pi.extensions.modules import function_of, load_module
from pi.runtime.additions import Additions
from pi.runtime.ui import UI
from tests.extensions.conftest import SAYS_DONE, Extend, calls
from tests.extensions.test_examples_tools import EXAMPLES, declared, needs_examples, text_of

pytestmark = needs_examples

BASH = {"command": "rm -rf build && echo gone"}


@pytest.mark.parametrize(
    ("answer", "expected"), [("Yes", "gone"), ("No", "did not allow"), (None, "did not allow")]
)
def test_permission_gate_asks(extend: Extend, answer: str | None, expected: str) -> None:
    pi = extend(EXAMPLES / "permission_gate.py", turns=[calls("bash", BASH), SAYS_DONE])
    with pi.rpc(select=answer) as person:
        person.ask("clean up")
        assert person.finish() == 0
    assert expected in text_of(pi.tool_results()[0])
    assert "rm -rf build" in person.requests("select")[0]["title"]


@pytest.mark.parametrize("mode", ["text", "json"])
def test_permission_gate_without_anybody_to_ask(extend: Extend, mode: str) -> None:
    turns = [calls("bash", BASH), calls("bash", {"command": "echo fine"}, "call_2"), SAYS_DONE]
    pi = extend(EXAMPLES / "permission_gate.py", turns=turns)
    assert pi.run("--mode", mode, "-p", "clean up").code == 0
    blocked, fine = pi.tool_results()
    assert blocked["isError"]
    assert "nobody to ask" in text_of(blocked)
    assert text_of(fine).strip() == "fine"


@pytest.mark.parametrize("mode", ["text", "rpc"])
def test_protected_paths(extend: Extend, mode: str) -> None:
    paths = [".env", "src/../.env", "link/x", "conf/secret.toml", "ok.txt"]
    turns = [
        calls("write", {"path": path, "content": "x"}, f"call_{i}") for i, path in enumerate(paths)
    ]
    pi = extend(EXAMPLES / "protected_paths.py", turns=[*turns, SAYS_DONE])
    project = pi.machine.project
    (project / ".git").mkdir()
    (project / "link").symlink_to(project / ".git")
    (project / ".pi").mkdir()
    (project / ".pi" / "protected").write_text("# ours\nconf/*\n")
    if mode == "text":
        assert pi.run("-a", "-p", "go").code == 0
    else:
        with pi.rpc("-a") as person:
            person.ask("go")
            person.finish()
        assert person.notices()[0] == "Kept from changing .env"
    results = pi.tool_results()
    assert [r["isError"] for r in results] == [True, True, True, True, False]
    assert "protected (conf/*)" in text_of(results[3])
    assert not (project / ".env").exists()


def test_a_project_that_is_not_trusted_adds_no_patterns(extend: Extend) -> None:
    turns = [calls("write", {"path": "conf/a", "content": "x"}), SAYS_DONE]
    pi = extend(EXAMPLES / "protected_paths.py", turns=turns)
    (pi.machine.project / ".pi").mkdir()
    (pi.machine.project / ".pi" / "protected").write_text("conf/*\n")
    assert pi.run("-na", "-p", "go").code == 0
    assert not pi.tool_results()[0]["isError"]


@pytest.mark.parametrize("mode", ["text", "json"])
def test_input_transform(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "input_transform.py")
    assert pi.run("--mode", mode, "-p", "?quick why", "ping").code == 0
    assert len(pi.bodies) == 1, "the second needs no model"
    assert "Answer in one sentence: why" in json.dumps(pi.bodies[0]["messages"])


def test_input_transform_over_rpc(extend: Extend) -> None:
    turns = [{"blocks": [{"text": "slow"}], "delay": 0.2}, SAYS_DONE]
    pi = extend(EXAMPLES / "input_transform.py", turns=turns)
    with pi.rpc() as person:
        assert person.ask("ping")["data"]["disposition"] == "handled"
        assert person.notices() == ["pong"]
        person.request({"type": "prompt", "message": "work"})
        steered = person.request(
            {"type": "prompt", "message": "faster", "streamingBehavior": "steer"}
        )
        assert steered["data"]["disposition"] == "queued"
        person.until("agent_settled")
        person.finish()
    assert "While you work on it: faster" in json.dumps(pi.bodies[1]["messages"])


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
def test_inline_bash(extend: Extend) -> None:
    pi = extend(EXAMPLES / "inline_bash.py")
    assert pi.run("-p", "sum: !{echo $((6*7))}, and !{printf done}.").code == 0
    assert "sum: 42, and done." in json.dumps(pi.bodies[0]["messages"])
    with pi.rpc() as person:
        person.ask("!{exit 3}")
        person.finish()
    assert person.notices() == ["exit 3 ended with 3"]


@pytest.mark.parametrize("mode", ["text", "json", "rpc"])
def test_prompt_customizer(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "prompt_customizer.py")
    (pi.machine.project / "Makefile").write_text("all:\n")
    (pi.machine.project / "pyproject.toml").write_text("")
    if mode == "rpc":
        with pi.rpc("-t", "read,bash") as person:
            person.ask("hi")
            person.finish()
    else:
        assert pi.run("--mode", mode, "-t", "read,bash", "-p", "hi").code == 0
    system = json.dumps(pi.bodies[0]["system"])
    assert "This project has a Makefile" in system
    assert "You cannot change files" in system
    assert "<language>" in system


def test_what_a_prompt_customizer_adds_is_a_patch(extend: Extend) -> None:
    pi = extend(EXAMPLES / "prompt_customizer.py")
    (pi.machine.project / "pyproject.toml").write_text("")
    assert pi.run("-p", "one", "two").code == 0
    systems = [m for m in pi.machine.messages() if m["role"] == "system"]
    assert len(systems) == 1, "nothing changed for the second prompt"
    assert list(systems[0]["sections"])[-1] == "language"


def test_status_line(extend: Extend) -> None:
    (turns := [calls("ls", {}), SAYS_DONE])
    pi = extend(EXAMPLES / "status_line.py", turns=turns)
    with pi.rpc("-t", "ls") as person:
        person.ask("look")
        person.finish()
    shown = [r["statusText"] for r in person.requests("setStatus")]
    assert shown[:3] == ["turn 1: thinking", "turn 1: ls", "turn 2: thinking"]
    assert shown[-1].startswith("2 turns, ")


def test_status_line_in_print_mode(extend: Extend) -> None:
    done = extend(EXAMPLES / "status_line.py").run("-p", "hi")
    assert (done.code, done.text, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("mode", ["text", "json"])
def test_notify_runs_a_program(extend: Extend, tmp_path: Path, mode: str) -> None:
    heard = tmp_path / "heard"
    script = tmp_path / "notify.sh"
    script.write_text(f'#!/bin/sh\necho "$1|$2" >> {heard}\n')
    script.chmod(0o755)
    pi = extend(EXAMPLES / "notify.py")
    assert pi.run("--mode", mode, "-p", "hi", NOTIFY_COMMAND=str(script)).code == 0
    assert heard.read_text() == "pi: project|Ready for you\n"


def test_notify_over_rpc(extend: Extend) -> None:
    pi = extend(EXAMPLES / "notify.py")
    pi.machine.environment["PATH"] = "/usr/bin:/bin" if not shutil.which("notify-send") else ""
    with pi.rpc() as person:
        person.ask("hi")
        person.request({"type": "get_state"})
        person.finish()
    assert person.notices() == ["Ready for you"]


def test_event_bus(extend: Extend) -> None:
    turns = [
        calls("bash", {"command": "echo"}),
        calls("read", {"path": "nothing"}, "call_2"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "event_bus.py", turns=turns)
    with pi.rpc() as person:
        person.ask("look")
        person.ask("/calls")
        person.finish()
    assert person.notices() == ["2 calls of tools, a call failed", "2 calls"]


@pytest.mark.parametrize("mode", ["text", "json"])
def test_event_bus_without_anybody(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "event_bus.py", turns=[calls("read", {"path": "x"}), SAYS_DONE])
    assert pi.run("--mode", mode, "-p", "look").code == 0


def test_message_renderer(extend: Extend) -> None:
    pi = extend(EXAMPLES / "message_renderer.py")
    with pi.rpc() as person:
        person.ask("/note mind the tests")
        person.ask("/card Hello")
        person.ask("go")
        person.finish()
    assert "A note of the user's: mind the tests" in json.dumps(pi.bodies[0]["messages"])
    entries = pi.entries()
    (note,) = (e for e in entries if e["type"] == "custom_message")
    assert note["details"] == {"text": "mind the tests", "words": 3}
    assert [e["data"] for e in entries if e["type"] == "custom"] == [{"title": "Hello"}]
    assert any(r["type"] == "entry_appended" for r in person.records)


def test_renderers_draw_lines() -> None:
    path = EXAMPLES / "message_renderer.py"
    additions = Additions(Hooks(pytest.fail))
    bus = EventBus(pytest.fail, pytest.fail)
    stage = Stage(None)  # type: ignore[arg-type]  (nothing here reaches a session)
    function_of(load_module(path), path)(
        Pi(stage, additions, bus, path=path, owner="x", source={}, rank=0)
    )
    theme = UI().theme
    message = {"details": {"text": "a b", "words": 2}}
    expanded = SimpleNamespace(expanded=True)
    note = additions.message_renderers["note"][0].function
    assert note(message, expanded, theme) == ["note a b", "2 words"]
    card = additions.entry_renderers["card"][0].function({"data": {"title": "Hi"}}, expanded, theme)
    assert card[1] == "│ Hi │"


def git(project: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "T", f"GIT_{who}_EMAIL": "t@example.org"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize("wanted", [True, False])
def test_git_checkpoint(extend: Extend, wanted: bool) -> None:
    turns = [
        calls("write", {"path": "a.txt", "content": "two\n"}),
        SAYS_DONE,
        calls("write", {"path": "a.txt", "content": "three\n"}, "call_2"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "git_checkpoint.py", turns=turns)
    for who in ("AUTHOR", "COMMITTER"):
        pi.machine.environment |= {f"GIT_{who}_NAME": "T", f"GIT_{who}_EMAIL": "t@example.org"}
    project = pi.machine.project
    git(project, "init", "-q")
    (project / "a.txt").write_text("one\n")
    git(project, "add", "a.txt")
    git(project, "commit", "-q", "-m", "one")
    with pi.rpc(confirm=wanted) as person:
        person.ask("two")
        person.ask("three")
        assert (project / "a.txt").read_text() == "three\n"
        points = person.request({"type": "get_fork_messages"})["data"]["messages"]
        name = person.begin({"type": "fork", "entryId": points[1]["entryId"]})
        person.answer(person.until("extension_ui_request"))
        assert person.response(name)["data"]["text"] == "three"
        person.finish()
    assert (project / "a.txt").read_text() == ("two\n" if wanted else "three\n")


def test_git_checkpoint_without_a_repository(extend: Extend) -> None:
    pi = extend(EXAMPLES / "git_checkpoint.py")
    done = pi.run("-p", "hi")
    assert (done.code, done.stderr) == (0, "")


def test_a_tool_of_an_example_is_declared_once(extend: Extend) -> None:
    pi = extend(EXAMPLES / "hello.py", EXAMPLES / "todo.py")
    pi.run("-p", "hi")
    assert sorted(declared(pi))[:2] == ["bash", "edit"]
    assert len(declared(pi)) == len(set(declared(pi)))
