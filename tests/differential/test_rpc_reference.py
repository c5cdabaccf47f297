"""The same RPC scripts through the reference and through `pi`. See test_reference.py."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.programs import commands, environment, furnish, mock, needs_reference
from tests.differential.rpc import RPC_CASES, RpcCase
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference


@pytest.mark.parametrize("name", RPC_CASES)
def test_the_same_answers_and_events(tmp_path: Path, name: str) -> None:
    case = RPC_CASES[name]
    theirs, ours = (
        seen(command, tmp_path / str(number), case) for number, command in enumerate(commands())
    )
    assert [r["command"] for r in ours["responses"]] == [r["command"] for r in theirs["responses"]]
    for mine, other in zip(ours["responses"], theirs["responses"], strict=True):
        assert mine == other, mine["command"]
    for part in ("events", "shells", "entries", "exit", "settings"):
        assert ours[part] == theirs[part], part


def seen(command: list[str], root: Path, case: RpcCase) -> dict[str, Any]:
    """Everything that must agree after a script."""
    home, project = root / "home", root / "project"
    project.mkdir(parents=True)
    with ScriptedProvider(list(case.turns)) as server:
        providers = mock(server, *case.models)
        if case.key is None:
            del providers["mock"]["apiKey"]
        agent = furnish(home, providers, {"retry": {"baseDelayMs": 10}, **case.settings})
        env = environment(home)
        with RpcClient(
            [*command, "--mode", "rpc", *case.arguments], cwd=project, env=env
        ) as client:
            case.script(client, project)
            code = client.finish()
        url = server.url
    files = sorted(root.rglob("*.jsonl"), key=lambda path: path.stat().st_ctime_ns)
    kept = [
        [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        for path in files
        if path.name != "bad.jsonl"
    ]
    result = {
        "responses": [response(r) for r in client.records if r["type"] == "response"],
        "events": normal.events(
            [r for r in client.records if r["type"] not in ("response", "bash_execution_update")]
        ),
        "shells": said(client.records),
        "entries": [normal.entries(records) for records in kept],
        "exit": code,
        "settings": json.loads((agent / "settings.json").read_text()),
    }
    text = json.dumps(result)
    for what, name in (
        (str(project), "<project>"),
        (str(home), "<home>"),
        (str(root).replace("/", "-"), "<root>"),
        (url, "<url>"),
    ):
        text = text.replace(what, name)
    # Each program joins the two halves of a split turn in words of its own.
    text = re.sub(r"---\\n\\n\*\*[^*]+\*\*", "<joined>", text)
    text = re.sub(r'"firstKeptEntryId": "\w{8}"', '"firstKeptEntryId": "<id>"', text)
    text = re.sub(r'"estimatedTokensAfter": \d+', '"estimatedTokensAfter": 0', text)
    if case.estimated:
        text = re.sub(r'"tokensBefore": \d+', '"tokensBefore": 0', text)
    return dict(json.loads(text))


def response(record: dict[str, Any]) -> dict[str, Any]:
    """One response: what it is about, and its data, normalised."""
    result = {"command": record.get("command"), "success": record["success"]}
    if "error" in record:
        result["error"] = "<error>"
    if "data" not in record:
        return result
    data = record["data"]
    if isinstance(data, dict):
        data = {key: value(key, item) for key, item in data.items()}
    result["data"] = data
    return result


def value(key: str, item: Any) -> Any:
    if key in ("sessionFile", "sessionId", "path", "leafId", "fullOutputPath", "firstKeptEntryId"):
        return item and f"<{key}>"
    if key == "commands":
        return [command for command in item if command["sourceInfo"]["source"] != "builtin"]
    if key in ("messages", "entries", "tree"):
        return [] if not item else normal.entries(item) if key != "messages" else messages(item)
    if key == "contextUsage":
        return item and "<estimate>"
    return item


def messages(items: list[dict[str, Any]]) -> list[Any]:
    if "entryId" in items[0]:
        return [point["text"] for point in items]
    return normal.entries(items)


def said(records: list[dict[str, Any]]) -> dict[str, str]:
    """What each shell command printed."""
    told: dict[str, str] = {}
    for record in records:
        if record["type"] == "bash_execution_update":
            told[record["id"]] = told.get(record["id"], "") + record["delta"]
    return told
