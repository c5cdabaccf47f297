"""What comes of several answers to one event, with the same handlers in each program's language."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.programs import environment, furnish, mock, needs_reference, twins
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
COMPOSING = Path(__file__).with_name("extensions") / "composing"
DONE: Turn = {"blocks": [{"text": "done"}], "stop": "stop"}


def call(*calls: tuple[str, dict[str, Any]]) -> Turn:
    blocks = [{"tool": name, "id": f"call_{at}", "args": a} for at, (name, a) in enumerate(calls)]
    return {"blocks": blocks, "stop": "toolUse"}


TURNS = [
    call(
        ("read", {"path": "a.txt"}),
        ("bash", {"command": "ls"}),
        ("data", {}),
        ("write", {"path": "x", "content": "y"}),
    ),
    *([DONE] * 6),
    call(("bash", {"command": "end"})),
    DONE,
]
PROMPTS = ("ask for it", "stop", "a secret", "force it", "/leave", "word " * 400, "word " * 400)


def converse(client: RpcClient) -> None:
    for text in PROMPTS:
        client.skip()
        response = client.response(client.begin({"type": "prompt", "message": text}))
        assert response["success"], response
        if response["data"]["disposition"] != "handled":
            client.until("agent_settled")
        elif text == "/leave":
            time.sleep(0.5)  # the summary of the branch
    assert client.request({"type": "compact"})["success"]
    client.skip()
    client.begin({"type": "prompt", "message": "more"})
    client.until("agent_settled")
    assert client.finish() == 0


def outcome(root: Path, words: list[str]) -> dict[str, list[Any]]:
    """What was stored and what was sent."""
    project = root / "project"
    project.mkdir(parents=True)
    for name in ("a.txt", "b.txt"):
        (project / name).write_text(f"this is {name}\n")
    with ScriptedProvider(TURNS) as server:
        window = {"reasoning": True, "contextWindow": 20_000, "maxTokens": 1000}
        compaction = {"keepRecentTokens": 500, "reserveTokens": 2000}
        agent = furnish(
            root / "home", mock(server, {"id": "m1", **window}), {"compaction": compaction}
        )
        words = [*words, "--mode", "rpc", "--model", "mock/m1"]
        with RpcClient(words, cwd=project, env=environment(root / "home")) as client:
            converse(client)
        (file,) = (agent / "sessions").rglob("*.jsonl")
        records = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
        prose = normal.prose_results(records)
        requests = [
            normal.request({"path": r.target, "headers": r.headers, "body": r.body}, prose)
            for r in server.requests
        ]
    found = {"entries": normal.entries(records), "requests": requests}
    return json.loads(json.dumps(found).replace(str(root), "<root>"))  # type: ignore[no-any-return]


def test_what_comes_of_several_answers(tmp_path: Path) -> None:
    theirs, ours = (
        outcome(tmp_path / suffix[1:], [*command, "-e", str(COMPOSING.with_suffix(suffix))])
        for command, suffix in twins()
    )
    for part in ("entries", "requests"):
        assert len(ours[part]) == len(theirs[part])
        for one, other in zip(theirs[part], ours[part], strict=True):
            found = [line for line in normal.differences(one, other) if not _prose(line)]
            assert not found, "\n".join(found)
    stored = json.dumps(ours["entries"])
    for words in ("mended twice", "n is 1, v", "second", "settled", "this is b.txt"):
        assert words in stored


def _prose(line: str) -> bool:
    """What each program says in its own words, or ids of its own.

    Requests for summaries are shown to handlers whole here, and by their headers alone there.
    """
    return (
        line.startswith((".firstKeptEntryId", ".fromId", ".summary", ".body.metadata: '(absent)'"))
        or "<conversation>" in line
        or "<summary>" in line
    )
