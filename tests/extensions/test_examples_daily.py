"""The examples for every day: commits, secrets, web hooks, tools by project, models by length."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.extensions.conftest import SAYS_DONE, Extend, Extended, calls
from tests.extensions.test_examples_tools import EXAMPLES, declared, needs_examples, text_of
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_examples

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
WROTE = [
    calls("write", {"path": "new.txt", "content": "x"}),
    {"blocks": [{"text": "Wrote new.txt\nas you wished"}]},
]


def git(pi: Extended, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=pi.machine.project,
        env=pi.machine.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def repository(extend: Extend) -> Extended:
    pi = extend(EXAMPLES / "auto_commit.py", turns=WROTE)
    for who in ("AUTHOR", "COMMITTER"):
        pi.machine.environment |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.com"}
    git(pi, "init", "--quiet")
    git(pi, "commit", "--quiet", "--allow-empty", "--message", "first")
    return pi


@needs_git
def test_auto_commit(extend: Extend) -> None:
    pi = repository(extend)
    with pi.rpc() as person:
        person.ask("write it")
        person.finish()
    assert person.notices() == ["Committed: Wrote new.txt"]
    assert git(pi, "log", "--format=%s").splitlines() == ["Wrote new.txt", "first"]
    assert git(pi, "status", "--porcelain") == ""


@needs_git
@pytest.mark.parametrize("why", ["asked for", "changes of the person's"])
def test_auto_commit_leaves_it(extend: Extend, why: str) -> None:
    pi = repository(extend)
    if why != "asked for":
        (pi.machine.project / "mine.txt").touch()
    more = ["--no-commits"] if why == "asked for" else []
    done = pi.run(*more, "-p", "write it")
    assert (done.code, done.stderr) == (0, "")
    assert git(pi, "log", "--format=%s").splitlines() == ["first"]
    assert (pi.machine.project / "new.txt").exists()


def test_redact_secrets(extend: Extend) -> None:
    pi = extend(EXAMPLES / "redact_secrets.py", turns=[calls("read", {"path": "env"}), SAYS_DONE])
    secrets = ("sk-abcdefghijklmnop", "ghp_" + "x" * 30, "hunter2")
    (pi.machine.project / "env").write_text("A={} B={} password={}\n".format(*secrets))
    with pi.rpc() as person:
        person.ask("read it")
        person.finish()
    (result,) = pi.tool_results()
    assert text_of(result) == "A=[hidden] B=[hidden] password=[hidden]\n"
    kept = pi.machine.session().read_text() + json.dumps(pi.bodies)
    assert not [secret for secret in secrets if secret in kept]
    assert [r["statusText"] for r in person.requests("setStatus")] == ["3 hidden"]


@pytest.mark.parametrize("mode", ["print", "rpc"])
def test_webhook(extend: Extend, mode: str) -> None:
    pi = extend(
        EXAMPLES / "webhook.py",
        EXAMPLES / "permission_gate.py",
        turns=[
            calls("bash", {"command": "rm -rf nothing"}),
            {"blocks": [{"text": "All gone.\nReally."}]},
        ],
    )
    with ScriptedProvider([{"status": 200, "body": {}}]) as hook:
        pi.machine.environment["PI_WEBHOOK"] = f"{hook.url}/hook"
        if mode == "print":
            assert pi.run("-p", "clean up").code == 0
        else:
            with pi.rpc(select="Yes") as person:
                person.ask("clean up")
                person.finish()
        told = [request.body["text"] for request in hook.requests]
    assert told[-1] == "project is done: All gone."
    assert [text for text in told if text.startswith("project waits: ")] == told[:-1]
    assert len(told) == (1 if mode == "print" else 2)


def test_a_webhook_that_refuses_is_told(extend: Extend) -> None:
    pi = extend(EXAMPLES / "webhook.py")
    with ScriptedProvider([{"status": 404, "body": {}}]) as hook:
        pi.machine.environment["PI_WEBHOOK"] = f"{hook.url}/hook"
        done = pi.run("-p", "hi")
    assert done.code == 0
    assert "in background: HTTPStatusError" in done.stderr


def test_project_tools(extend: Extend) -> None:
    pi = extend(EXAMPLES / "project_tools.py")
    folder = pi.machine.project / ".pi"
    folder.mkdir()
    (folder / "tools.json").write_text(json.dumps({"on": ["grep", "nonsense"], "off": ["bash"]}))
    with pi.rpc("-a") as person:
        person.ask("hi")
        person.finish()
    assert set(declared(pi)) == {"read", "edit", "write", "grep"}
    assert [text.rpartition(": ")[2] for text in person.notices()] == ["there is no nonsense"]
    assert pi.run("-na", "-p", "hi").code == 0  # not trusted
    assert "bash" in declared(pi, 1)


def test_length_router(extend: Extend, tmp_path: Path) -> None:
    models = {"models": [{"id": "small"}, {"id": "large"}]}
    (tmp_path / "project" / "a.txt").write_text("x")
    turns = [calls("read", {"path": "a.txt"}), SAYS_DONE]
    pi = extend(EXAMPLES / "length_router.py", turns=turns, provider=models)
    pi.script.options = ("--model", "length/auto", "--small", "mock/small", "--words", "50")
    assert pi.run("--large", "mock/large", "-p", "word " * 60).code == 0
    assert pi.run("-p", "hi").code == 0
    assert [body["model"] for body in pi.bodies] == ["large", "large", "small"]
    done = pi.run("-p", "word " * 60)
    assert (done.code, done.stderr) == (
        1,
        "length/auto needs --small provider/id and --large provider/id\n",
    )
