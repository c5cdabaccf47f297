"""The examples that bring tools, each run in the modes it serves."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND
from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls
from tests.scripted_provider import Request, Turn

EXAMPLES = Path(__file__).parents[2] / "examples" / "extensions"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="they are in the repository")
pytestmark = needs_examples


def text_of(result: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in result["content"])


def declared(pi: Extended, request: int = 0) -> list[str]:
    return [tool["name"] for tool in pi.bodies[request].get("tools", [])]


@pytest.mark.parametrize("mode", ["text", "json"])
def test_hello(extend: Extend, mode: str) -> None:
    pi = extend(EXAMPLES / "hello.py", turns=[calls("greet", {"name": "Ada"}), SAYS_DONE])
    done = pi.run("--mode", mode, "-p", "greet Ada")
    assert (done.code, done.stderr) == (0, "")
    assert "greet" in declared(pi)
    assert "- greet: greet somebody by name" in json.dumps(pi.bodies[0]["system"])
    assert text_of(pi.tool_results()[0]) == "Hello, Ada!"
    schema = next(t for t in pi.bodies[0]["tools"] if t["name"] == "greet")["input_schema"]
    assert schema["required"] == ["name"]


def test_hello_over_rpc(extend: Extend) -> None:
    pi = extend(EXAMPLES / "hello.py")
    with pi.rpc() as person:
        listed = person.request({"type": "get_commands"})["data"]["commands"]
        assert [(c["name"], c["source"], c["description"]) for c in listed[:1]] == [
            ("hello", "extension", "Say hello")
        ]
        assert [c["name"] for c in listed[1:]] == ["mcp"]
        assert listed[0]["sourceInfo"]["path"] == str(EXAMPLES / "hello.py")
        assert person.ask("/hello Ada")["data"]["disposition"] == "handled"
        assert person.ask("/hello")["success"]
        assert person.finish() == 0
    assert person.notices() == ["The hello extension is here", "Hello, Ada!", "Hello, world!"]


def test_todo_keeps_its_state_on_the_branch(extend: Extend) -> None:
    turns = [
        calls("todo", {"action": "add", "text": "write tests"}),
        calls("todo", {"action": "add", "text": "write docs"}, "call_2"),
        SAYS_DONE,
        calls("todo", {"action": "toggle", "id": 1}, "call_3"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "todo.py", turns=turns)
    with pi.rpc() as person:
        person.ask("plan it")
        person.ask("/todos")
        person.ask("do the first")
        person.ask("/todos")
        ids = [
            m["entryId"] for m in person.request({"type": "get_fork_messages"})["data"]["messages"]
        ]
        person.request({"type": "fork", "entryId": ids[1]})
        person.ask("/todos")
        assert person.finish() == 0
    before, after, forked = person.notices()
    assert before == "[ ] #1 write tests\n[ ] #2 write docs"
    assert after == "[x] #1 write tests\n[ ] #2 write docs"
    assert forked == before, "as it was at the prompt that was forked at"


def test_todo_survives_a_restart_and_refuses_nonsense(extend: Extend) -> None:
    turns = [
        calls("todo", {"action": "add", "text": "one"}),
        calls("todo", {"action": "toggle", "id": 9}, "call_2"),
        SAYS_DONE,
        calls("todo", {"action": "list"}, "call_3"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "todo.py", turns=turns)
    assert pi.run("-p", "go").code == 0
    assert pi.run("-c", "-p", "again").code == 0
    added, failed, listed = pi.tool_results()
    assert (added["isError"], failed["isError"]) == (False, True)
    assert text_of(failed) == "there is no item #9"
    assert text_of(listed) == "[ ] #1 one"


@pytest.mark.parametrize("mode", ["text", "json"])
def test_structured_output_ends_the_run(extend: Extend, mode: str) -> None:
    finding = {"path": "a.py", "severity": "high", "text": "a race"}
    report = {"summary": "One.", "findings": [finding]}
    pi = extend(EXAMPLES / "structured_output.py", turns=[calls("final_report", report)])
    done = pi.run("--mode", mode, "-p", "review")
    assert done.code == 0
    assert len(pi.bodies) == 1, "the model is not asked again"
    assert pi.tool_results()[0]["details"] == report
    if mode == "json":
        (end,) = (e for e in done.events if e["type"] == "tool_execution_end")
        assert end["result"]["structuredContent"] == report
    wrong = extend(
        EXAMPLES / "structured_output.py",
        turns=[calls("final_report", {"summary": "x", "findings": [{"path": 1}]}), SAYS_DONE],
    )
    wrong.run("-p", "review")
    assert "severity" in json.dumps(wrong.bodies[1])


def test_questionnaire(extend: Extend) -> None:
    questions = [
        {"question": "Which database?", "choices": ["SQLite", "Postgres"]},
        {"question": "Which port?"},
    ]
    turns = [calls("ask_user", {"questions": questions}), SAYS_DONE]
    pi = extend(EXAMPLES / "questionnaire.py", turns=turns)
    with pi.rpc(titled={"(1/2) Which database?": "SQLite", "(2/2) Which port?": "8080"}) as person:
        person.ask("set it up")
        assert person.finish() == 0
    assert text_of(pi.tool_results()[0]) == "Which database? SQLite\nWhich port? 8080"
    assert person.requests("select")[0]["options"] == ["SQLite", "Postgres", "Something else…"]


def test_questionnaire_without_an_answer(extend: Extend) -> None:
    turns = [calls("ask_user", {"questions": [{"question": "Sure?"}]}), SAYS_DONE]
    with (pi := extend(EXAMPLES / "questionnaire.py", turns=turns)).rpc() as person:
        person.ask("go")
        person.finish()
    assert "did not want to answer: Sure?" in text_of(pi.tool_results()[0])
    pi.machine.session().unlink()
    assert pi.run("-p", "go").code == 0
    silent = extend(EXAMPLES / "questionnaire.py", turns=turns)
    silent.machine.session().unlink()
    silent.run("-p", "go")
    assert "nobody to ask" in text_of(silent.tool_results()[0])


def test_dynamic_tools(extend: Extend) -> None:
    turns = [
        calls("search_tools", {"query": "temperature fahrenheit"}),
        calls("convert_temperature", {"celsius": 100}, "call_2"),
        SAYS_DONE,
        calls("shout", {"text": "hey"}, "call_3"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "dynamic_tools.py", turns=turns)
    with pi.rpc() as person:
        person.ask("how warm")
        person.ask("/echo-tool shout")
        person.ask("/echo-tool no good")
        person.ask("shout")
        assert person.finish() == 0
    assert "convert_temperature" not in declared(pi, 0)
    assert "convert_temperature" in declared(pi, 1)
    assert "count_words" not in declared(pi, 1)
    assert [text_of(r) for r in pi.tool_results()] == [
        "Switched on: convert_temperature",
        "212 °F",
        "hey",
    ]
    assert "shout" in declared(pi, 3)
    assert person.notices() == ["There is a tool shout now", "Usage: /echo-tool NAME"]


def test_tool_override(extend: Extend) -> None:
    turns = [
        calls("read", {"path": "a.txt"}),
        calls("read", {"path": "id_rsa"}, "call_2"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "tool_override.py", turns=turns)
    (pi.machine.project / "a.txt").write_text("hello\n")
    (pi.machine.project / "id_rsa").write_text("secret\n")
    with pi.rpc() as person:
        person.ask("read them")
        person.ask("/reads")
        person.finish()
    allowed, refused = pi.tool_results()
    assert text_of(allowed) == "hello\n"
    assert refused["isError"]
    assert text_of(refused) == "id_rsa is not for reading"
    assert [line.split(" ", 1)[1] for line in person.notices()[0].splitlines()] == [
        "a.txt",
        "id_rsa",
    ]
    assert declared(pi).count("read") == 1


@pytest.mark.skipif(os.name != "posix", reason="the other machine is a shell")
@pytest.mark.parametrize("mode", ["text", "rpc"])
def test_remote_tools(extend: Extend, tmp_path: Path, mode: str) -> None:
    there = tmp_path / "elsewhere"
    there.mkdir()
    turns = [
        calls("write", {"path": "sub/new.txt", "content": "it's here\n"}),
        calls("read", {"path": "sub/new.txt"}, "call_2"),
        calls("bash", {"command": "pwd; exit 3"}, "call_3"),
        SAYS_DONE,
    ]
    pi = extend(EXAMPLES / "remote_tools.py", turns=turns)
    options = ("--remote", f"box:{there}", "--remote-shell", "sh -c")
    if mode == "text":
        assert pi.run(*options, "-p", "go").code == 0
    else:
        with pi.rpc(*options) as person:
            person.ask("go")
            bash = person.request({"type": "bash", "command": "pwd"})["data"]
            assert (bash["output"].strip(), bash["exitCode"]) == (str(there), 0)
            assert person.finish() == 0
        assert person.requests("setStatus")[0]["statusText"] == f"on box:{there}"
    assert (there / "sub" / "new.txt").read_text() == "it's here\n"
    written, read, failed = pi.tool_results()
    assert text_of(written) == "Wrote sub/new.txt"
    assert text_of(read) == "it's here\n"
    assert failed["isError"]
    assert text_of(failed) == f"{there}\n\n\nThe command ended with 3"
    assert declared(pi) == ["read", "bash", "write"]
    assert "on a remote machine" in json.dumps(pi.bodies[0]["system"])


def test_remote_tools_without_a_remote_change_nothing(extend: Extend) -> None:
    pi = extend(EXAMPLES / "remote_tools.py")
    assert pi.run("-p", "go").code == 0
    assert {"read", "bash", "edit", "write"} <= set(declared(pi))


def test_subagents_are_pis_of_their_own(extend: Extend) -> None:
    def answer(request: Request) -> Turn:
        """One model for all: it tells who asks by what was said."""
        said = json.dumps(request.body["messages"])
        if "tool_result" in said:
            return {"blocks": [{"text": "All helpers are back."}], "stop": "stop"}
        if "count the files" in said and "delegate" not in said:
            return {"blocks": [{"text": "There are 3 files."}], "stop": "stop"}
        if "fail please" in said and "delegate" not in said:
            return {"status": 400, "body": {"error": {"message": "no"}}}
        return calls("delegate", {"tasks": ["count the files", "fail please"]})

    pi = extend(EXAMPLES / "subagent", turns=[answer] * 8)
    done = pi.json("--helper", COMMAND[0], "-p", "use your delegate tool")
    assert done.code == 0
    (result,) = pi.tool_results()
    assert "## count the files\n\nThere are 3 files." in text_of(result)
    assert "(failed:" in text_of(result)
    assert not result["isError"]
    updates = [e for e in done.events if e["type"] == "tool_execution_update"]
    assert updates, "what they do is shown"
    assert len(pi.machine.sessions()) == 1, "helpers keep no session"


def test_a_subagent_that_cannot_be_started(extend: Extend) -> None:
    pi = extend(EXAMPLES / "subagent", turns=[calls("delegate", {"tasks": ["x"]}), SAYS_DONE])
    assert pi.run("--helper", "/nonexistent/pi", "-p", "go").code == 0
    (result,) = pi.tool_results()
    assert result["isError"]
    assert "cannot start /nonexistent/pi" in text_of(result)
