"""A session with one of everything, continued by the reference and by `pi`: the same request."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.differential.programs import commands, environment, furnish, mock, needs_reference
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference

USAGE = {
    "input": 10,
    "output": 5,
    "cacheRead": 0,
    "cacheWrite": 0,
    "totalTokens": 15,
    "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0},
}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
    "Jggg=="
)
READ = {
    "name": "read",
    "description": "d",
    "parameters": {"type": "object", "properties": {}},
}
MARKS = ("COMPACTED", "BRANCH", "FAILS", "SILENT", "STOPPED")
"""In texts that each program puts into a sentence of its own."""


def text(said: str) -> list[Any]:
    return [{"type": "text", "text": said}]


class Written:
    """A session file in the making. Entries follow each other."""

    def __init__(self, cwd: Path) -> None:
        header = {"type": "session", "version": 3, "id": "s1", "cwd": str(cwd)}
        self.records: list[dict[str, Any]] = [{**header, "timestamp": "2026-01-01T00:00:00.000Z"}]
        self._numbers = itertools.count(1)
        self._last: str | None = None

    def add(self, kind: str, **fields: Any) -> str:
        entry_id = f"e{next(self._numbers):07}"
        about = {"type": kind, "id": entry_id, "parentId": self._last}
        self.records.append({**about, "timestamp": "2026-01-01T00:00:01.000Z", **fields})
        self._last = entry_id
        return entry_id

    def message(self, role: str, content: Any = None, **fields: Any) -> str:
        message = {"role": role, "timestamp": 1, **fields}
        if content is not None:
            message["content"] = content
        return self.add("message", message=message)

    def answer(self, content: list[Any], stop: str = "stop", **fields: Any) -> str:
        about = {"api": "anthropic-messages", "provider": "mock", "model": "m1", "usage": USAGE}
        return self.message("assistant", content, **about, stopReason=stop, **fields)

    def result(self, call_id: str, said: str) -> str:
        about = {"toolCallId": call_id, "toolName": "read", "isError": False}
        return self.message("toolResult", text(said), **about)

    def shell(self, command: str, output: str, **fields: Any) -> str:
        about = {"exitCode": 0, "cancelled": False, "truncated": False, **fields}
        return self.message("bashExecution", command=command, output=output, **about)


def everything(cwd: Path, compaction: str | None) -> Written:
    """compaction: what it keeps from: an entry "kept", in a turn "mid", "calls", or its "own"."""
    file = Written(cwd)
    file.add("model_change", provider="mock", modelId="m1")
    file.add("thinking_level_change", thinkingLevel="off")
    file.message(
        "system",
        "",
        sections={"preamble": "P1", "rules": "R1"},
        toolsAdded=[READ, {**READ, "name": "old"}],
    )
    first = file.message("user", "a plain string")
    file.answer(text("an answer"))
    file.message("user", text("two calls"))
    calls = file.answer(
        [
            {"type": "thinking", "thinking": "hm", "thinkingSignature": "S"},
            *text("look"),
            {"type": "toolCall", "id": "t1", "name": "read", "arguments": {"path": "a"}},
            {"type": "toolCall", "id": "t2", "name": "read", "arguments": {}},
        ],
        "toolUse",
    )
    file.result("t1", "the one result")
    asked = file.message("user", "after a missing result")
    said = file.answer(text("before the edit"))
    file.add("context_edit", targetId=asked, replacement={"content": "edited question"})
    file.add("context_edit", targetId=said, replacement={"content": text("edited answer")})
    file.add("context_edit", targetId=file.answer(text("dropped")), replacement=None)
    file.add("custom_message", customType="x", content="custom text", display=True)
    file.add("custom_message", customType="x", content=text("custom blocks"), display=False)
    file.add("custom", customType="y", data={"z": 1})
    file.shell("FAILS", "output", exitCode=1)
    file.shell("SILENT", "")
    file.shell("never shown", "output", excludeFromContext=True)
    file.shell("STOPPED", "tail", cancelled=True, truncated=True, fullOutputPath="/tmp/full")
    file.message("strange", "who is that")
    file.answer([], "error", errorMessage="boom")
    file.answer(text("cut short"), "aborted")
    file.answer([])
    file.message("user", "go on")
    file.answer([*text(""), *text("gone on")])
    file.result("stray", "a stray result")
    file.add("branch_summary", fromId=first, summary="BRANCH", details={})
    file.add("label", targetId=first, label="L")
    file.add("session_info", name="Name")
    file.message(
        "system",
        "more rules",
        sections={"rules": None, "extra": "E"},
        toolsRemoved=[{"name": "old"}],
    )
    file.message(
        "user",
        [*text("a picture"), {"type": "image", "data": PIXEL, "mimeType": "image/png"}],
    )
    file.answer(text("nice"))
    if compaction is None:
        return file
    kept = file.message("user", "kept question")
    middle = file.answer(text("kept answer"))
    from_here = {"kept": kept, "mid": middle, "calls": calls, "own": "e0000099"}[compaction]
    file.add(
        "compaction",
        summary="COMPACTED",
        firstKeptEntryId=from_here,
        tokensBefore=100,
        systemMessage={
            "role": "system",
            "content": "",
            "sections": {"preamble": "P2"},
            "toolsAdded": [READ],
            "timestamp": 5,
        },
    )
    if compaction == "own":
        file.records[-1]["firstKeptEntryId"] = file.records[-1]["id"]
    file.message("user", "after the compaction")
    file.answer(text("after that"))
    return file


def told(value: Any, known: set[str]) -> Any:
    """A request's messages, with sentences that are a program's own taken out."""
    if isinstance(value, str):
        marks = [mark for mark in MARKS if mark in value]
        return value if value in known else f"<{' '.join(marks)}>"
    if isinstance(value, list):
        return [told(item, known) for item in value]
    if isinstance(value, dict):
        kept = ("type", "role", "id", "tool_use_id", "name", "input", "signature", "cache_control")
        return {k: item if k in kept else told(item, known) for k, item in value.items()}
    return value


def strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} if not any(mark in value for mark in MARKS) else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*(strings(item) for item in items))


@pytest.mark.parametrize("sees", [False, True], ids=["blind", "sees"])
@pytest.mark.parametrize("compaction", [None, "kept", "mid", "calls", "own"])
def test_the_same_context(tmp_path: Path, compaction: str | None, sees: bool) -> None:
    seen = []
    for number, command in enumerate(commands()):
        home, project = tmp_path / str(number) / "home", tmp_path / str(number) / "project"
        project.mkdir(parents=True)
        file = everything(project, compaction)
        path = project / "s.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in file.records))
        with ScriptedProvider([{"blocks": [{"text": "ok"}]}]) as server:
            model = {"id": "m1", "reasoning": True, "input": ["text", "image"][: 1 + sees]}
            furnish(home, mock(server, model))
            done = subprocess.run(
                [*command, "--model", "mock/m1", "--session", str(path), "-p", "now"],
                cwd=project,
                env=environment(home),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert (done.returncode, done.stdout) == (0, b"ok\n"), done.stderr
            body = server.bodies[-1]
        added = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        seen.append(
            {
                "messages": told(body["messages"], {*strings(file.records), "now"}),
                "tools": [tool["name"] for tool in body["tools"]],
                "system": len(body["system"]),
                "thinking": body.get("thinking"),
                "added": [
                    (
                        record["message"]["role"],
                        sorted(record["message"].get("sections", {})),
                        [tool["name"] for tool in record["message"].get("toolsAdded", [])],
                        record["message"].get("toolsRemoved"),
                    )
                    for record in added[len(file.records) :]
                ],
            }
        )
    assert seen[1] == seen[0]
