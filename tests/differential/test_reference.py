"""The same scripted conversation through the reference and through `pi`.

    PI_REFERENCE="command of the reference" make compare

Skipped, loudly, where PI_REFERENCE is not set: the project's own tests do not need it.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.e2e.conftest import COMMAND
from tests.scripted_provider import ScriptedProvider

REFERENCE = os.environ.get("PI_REFERENCE")
pytestmark = pytest.mark.skipif(
    not REFERENCE, reason="PI_REFERENCE names no command to compare with"
)

READ = {"tool": "read", "id": "call_1", "args": {"path": "a.txt"}}
BASH = {"tool": "bash", "id": "call_2", "args": {"command": "echo hi; exit 3"}}
DONE = {"blocks": [{"text": "It says hello."}]}
OVERLOADED = {
    "status": 529,
    "body": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
}

SCRIPTS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "text": ([DONE], ["hi"]),
    "tools": (
        [
            {
                "blocks": [{"thinking": "hm", "signature": "SIG"}, {"text": "Look."}, READ, BASH],
                "stop": "toolUse",
                "usage": {"input": 100, "output": 20, "cacheRead": 50, "cacheWrite": 10},
            },
            DONE,
        ],
        ["what is in a.txt?"],
    ),
    "retried": ([OVERLOADED, {"status": 500, "body": {"error": {"message": "x"}}}, DONE], ["hi"]),
    "given up": ([OVERLOADED], ["hi"]),
    "refused": ([{"status": 401, "body": {"error": {"message": "bad key"}}}], ["hi"]),
    "invalid": ([{"status": 400, "body": {"error": {"message": "bad request"}}}], ["hi"]),
    "cut": ([{"blocks": [{"text": "a text that is cut midway"}], "cut": 4}, DONE], ["hi"]),
    "malformed arguments": (
        [
            {
                "blocks": [{"tool": "read", "id": "c1", "args_text": '{"path": "a.t'}],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
    "bad calls": (
        [
            {
                "blocks": [
                    {"tool": "Read", "id": "c1", "args": {"path": "a.txt"}},
                    {"tool": "read", "id": "c2", "args": {"pth": "a.txt"}},
                    {"tool": "read", "id": "c3", "args": {"path": 5, "limit": "1"}},
                ],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
    "length": (
        [{"blocks": [{"text": "part"}], "stop": "length", "usage": {"input": 9, "output": 16384}}],
        ["hi"],
    ),
    "length with calls": (
        [
            {
                "blocks": [{"text": "part"}, READ],
                "stop": "length",
                "usage": {"input": 9, "output": 16384},
            },
            DONE,
        ],
        ["hi"],
    ),
    "two prompts": ([DONE, {"blocks": [{"text": "again"}]}], ["one", "two"]),
    "edits": (
        [
            {
                "blocks": [
                    {
                        "tool": "edit",
                        "id": "e1",
                        "args": {
                            "path": "a.txt",
                            "edits": [{"oldText": "hello", "newText": "bye"}],
                        },
                    },
                    {"tool": "write", "id": "w1", "args": {"path": "b/c.txt", "content": "x\n"}},
                ],
                "stop": "toolUse",
            },
            DONE,
        ],
        ["hi"],
    ),
}


class Program:
    """One of the two, in a folder of its own with the same name: paths agree."""

    def __init__(self, command: list[str], root: Path, server: ScriptedProvider, api: str) -> None:
        self.command, self.server = command, server
        self.home, self.project = root / "home", root / "project"
        self.project.mkdir(parents=True)
        (self.project / "a.txt").write_text("hello\n")
        agent = self.home / ".pi" / "agent"
        agent.mkdir(parents=True)
        models = [{"id": "m1", "reasoning": True}]
        provider = {"baseUrl": server.base_url(api), "api": api, "apiKey": "k", "models": models}
        (agent / "models.json").write_text(json.dumps({"providers": {"mock": provider}}))
        (agent / "settings.json").write_text('{"retry": {"baseDelayMs": 10}}')

    def run(self, *arguments: str) -> Any:
        return subprocess.run(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.project,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "PI_OFFLINE": "1"},
            timeout=60,
            check=False,
        )

    def seen(self, *arguments: str) -> dict[str, Any]:
        done = self.run("--provider", "mock", "--model", "m1", *arguments)
        lines = [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]
        (path,) = (self.home / ".pi" / "agent" / "sessions").rglob("*.jsonl")
        entries = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        sent = [
            {"path": request.target, "headers": request.headers, "body": request.body}
            for request in self.server.requests
        ]
        return {
            "exit": done.returncode,
            "events": normal.events(lines),
            "entries": normal.entries(entries),
            "requests": [normal.request(r, normal.prose_results(entries)) for r in sent],
        }


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-completions"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_conversation(tmp_path: Path, api: str, name: str) -> None:
    turns, prompts = SCRIPTS[name]
    seen = []
    assert REFERENCE is not None
    for number, command in enumerate((shlex.split(REFERENCE), COMMAND)):
        with ScriptedProvider(list(turns)) as server:
            program = Program(command, tmp_path / str(number), server, api)
            seen.append(program.seen("--mode", "json", "-p", *prompts))
    theirs, ours = seen
    for part in ("exit", "requests", "entries", "events"):
        assert ours[part] == theirs[part], part


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-completions"])
def test_each_continues_the_other(tmp_path: Path, api: str) -> None:
    assert REFERENCE is not None
    commands = [shlex.split(REFERENCE), COMMAND]
    for number, (first, second) in enumerate((commands, commands[::-1])):
        turns, _ = SCRIPTS["tools"]
        with ScriptedProvider([*turns, {"blocks": [{"text": "more"}]}]) as server:
            program = Program(first, tmp_path / str(number), server, api)
            program.seen("--mode", "json", "-p", "what is in a.txt?")
            program.command = second
            done = program.run("-c", "-p", "and now?")
            assert (done.returncode, done.stdout) == (0, b"more\n"), done.stderr
            program.command = first
            done = program.run("-c", "-p", "and then?")
            assert done.returncode == 0, done.stderr
            asked = server.bodies[-1]["messages"]
            assert [message["role"] for message in asked[-3:]] == ["user", "assistant", "user"]
            said = [message for message in asked if message["role"] == "assistant"]
            assert "more" in json.dumps(said[-1])
