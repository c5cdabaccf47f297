"""What extensions are told, when and with what, by the same extension in each program's language.

It hears of every event, and has commands for what an extension may do. Everything it is told must
be the same in both, in the same order; what may differ is said below.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.cases import OVERLOADED, PICTURES
from tests.differential.programs import environment, furnish, mock, needs_reference, twins
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
WITNESS = Path(__file__).with_name("extensions") / "witness"
PIXEL = base64.b64encode(PICTURES["a.png"]).decode()
DONE: Turn = {"blocks": [{"text": "done"}], "stop": "stop"}
REFUSED: Turn = {"status": 400, "body": {"error": {"message": "bad request"}}}
FULL: Turn = {
    "status": 400,
    "body": {"error": {"message": "prompt is too long: 300000 tokens > 200000 maximum"}},
}
WORDS: Turn = {"blocks": [{"text": "word " * 300}], "usage": {"input": 3000, "output": 300}}
Line = dict[str, Any]
Script = Callable[[RpcClient], None]


def turn(*calls: tuple[str, dict[str, Any]]) -> Turn:
    blocks = [
        {"tool": name, "id": f"call_{at}", "args": args} for at, (name, args) in enumerate(calls)
    ]
    return {"blocks": [{"text": "Look."}, *blocks], "stop": "toolUse"}


# What is compared


def told(line: Line) -> bool:
    """Left out: how an answer arrives, piece by piece; and the responses that are refusals.

    Deltas are told with the whole message by one and without by the other, and how often a tool
    tells of its progress is a matter of time; the reference's client of Anthropic's raises before
    anybody hears of a response that is a refusal.
    """
    event = line.get("event", {})
    if line["name"] in ("message_update", "provider_stream_event", "tool_execution_update"):
        return False
    if line["name"] == "message_start" and event["message"]["role"] == "assistant":
        return False
    return not (line["name"] == "after_provider_response" and event["status"] >= 400)


def thin(value: Any, key: str, ids: dict[str, str]) -> Any:
    """Messages by what they are made of; ids by their number; times and the rest of prose gone."""
    if isinstance(value, dict):
        if "role" in value:
            return message(value)
        if key == "context" and "contextEntries" in value:
            return [message(each) for part in value["contextEntries"] for each in part["messages"]]
        return {
            name: thin(each, name, ids)
            for name, each in sorted(value.items())
            if each is not None and not (name == "images" and each == [])
        }
    if isinstance(value, list):
        return [thin(each, key, ids) for each in value]
    if key in ("timestamp", "durationMs"):
        return "<time>"
    if key.lower().endswith(("id", "ids")) and isinstance(value, str) and "call_" not in value:
        return ids.setdefault(value, f"<{len(ids)}>")
    if key.endswith("File") and isinstance(value, str):
        return "<file>"
    if key in ("errorMessage", "summary", "text", "cwd"):
        return isinstance(value, str)
    return value


def message(value: dict[str, Any]) -> dict[str, Any]:
    content = value.get("content")
    return {
        "fields": sorted(value.keys() - {"durationMs"}),
        "content": [block["type"] for block in content] if isinstance(content, list) else "text",
        **{
            name: value[name]
            for name in ("role", "stopReason", "isError", "toolName", "customType", "toolCallId")
            if name in value
        },
    }


def sides(root: Path, turns: Sequence[Turn], script: Script, **env: str) -> list[list[Line]]:
    found = []
    for command, suffix in twins():
        home, project = root / suffix[1:] / "home", root / suffix[1:] / "project"
        (project / ".pi").mkdir(parents=True)
        (project / ".pi" / "settings.json").write_text("{}")
        (project / "a.txt").write_text("hello\n")
        log = root / f"log{suffix}"
        with ScriptedProvider(list(turns)) as server:
            window = {"contextWindow": 20_000, "maxTokens": 1000}
            models = mock(server, {"id": "m1", "reasoning": True, **window}, {"id": "m2"})
            compaction = {"keepRecentTokens": 500, "reserveTokens": 2000}
            furnish(home, models, {"retry": {"baseDelayMs": 10}, "compaction": compaction})
            words = [*command, "-e", str(WITNESS.with_suffix(suffix)), "--mode", "rpc"]
            variables = environment(home, WITNESSED=str(log), **env)
            options = {"cwd": project, "env": variables}
            with RpcClient([*words, "--model", "mock/m1"], **options) as client:
                script(client)
                assert client.finish() == 0
                assert [r for r in client.records if r["type"] == "extension_error"] == []
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        ids: dict[str, str] = {}
        found.append(said_once([thin(line, "", ids) for line in lines if told(line)]))
    return found


def said_once(lines: list[Line]) -> list[Line]:
    """Without what is said twice in a row.

    The reference tells extensions twice of a session that a client opens.
    """
    opening = [at for at, line in enumerate(lines) if line["name"] == "session_start"]
    again = {at for at in opening if lines[at - 2 : at] == lines[at : at + 2]}
    return [line for at, line in enumerate(lines) if not {at, at - 1} & again]


def differ(theirs: list[Line], ours: list[Line], *may: str) -> Iterator[str]:
    """A line each. may: parts of lines that may be there, besides texts of --append-system-prompt,
    which are a list here."""
    may = (*may, "systemPromptOptions.appendSystemPrompt")
    names = [[line["name"] for line in side] for side in (theirs, ours)]
    for tag, at, end, start, stop in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if tag != "equal":
            lines = [f"{tag}: {names[0][at:end]} | {names[1][start:stop]}"]
        else:
            lines = [
                f"{one['name']}{line}"
                for one, other in zip(theirs[at:end], ours[start:stop], strict=True)
                for line in normal.differences(one, other)
            ]
        yield from (line for line in lines if not any(part in line for part in may))


# What is done


def say(client: RpcClient, text: str, **more: Any) -> None:
    """A prompt; the end of its run, if there is one."""
    client.skip()
    name = client.begin({"type": "prompt", "message": text, **more})
    response = client.response(name)
    assert response["success"], response
    if response["data"]["disposition"] != "handled":
        client.until("agent_settled")


def command(client: RpcClient, text: str, *, settles: bool = False) -> None:
    """A command of the witness. settles: it starts a run."""
    client.skip()
    assert client.response(client.begin({"type": "prompt", "message": text}))["success"]
    if settles:
        client.until("agent_settled")
    else:
        time.sleep(0.3)  # what it has begun in the background ends


def ask(client: RpcClient, kind: str, **given: Any) -> Any:
    response = client.request({"type": kind, **given})
    time.sleep(0.2)
    return response.get("data")


def at_tool(client: RpcClient) -> None:
    client.skip()
    client.response(client.begin({"type": "prompt", "message": "one"}))
    client.wait(lambda r: r["type"] == "tool_execution_update" and "hi" in json.dumps(r))


def plain(client: RpcClient) -> None:
    say(client, "one")
    say(client, "handled")
    for text in ("/name Ada", "/level high", "/usage", "/mark here", "/mark"):
        command(client, text)
    ask(client, "set_session_name", name="n")
    ask(client, "cycle_model")
    ask(client, "cycle_thinking_level")
    ask(client, "set_model", provider="mock", modelId="m1")
    say(client, "two", images=[{"type": "image", "data": PIXEL, "mimeType": "image/png"}])


def once(client: RpcClient) -> None:
    say(client, "one")


def tree(client: RpcClient) -> None:
    for text in ("one", "two", "three"):
        say(client, text)
    command(client, "/tree")
    command(client, "/goto 1")
    say(client, "four")
    command(client, "/goto 0 label")


def sessions(client: RpcClient) -> None:
    say(client, "one")
    say(client, "two")
    first = ask(client, "get_state")["sessionFile"]
    command(client, "/fork at")
    command(client, "/fresh", settles=True)
    command(client, "/again")
    ask(client, "new_session")
    say(client, "three")
    ask(client, "switch_session", sessionPath=first)
    ask(client, "clone")
    (message, *_) = ask(client, "get_fork_messages")["messages"]
    ask(client, "fork", entryId=message["entryId"])


def kept(client: RpcClient) -> None:
    say(client, "one")
    ask(client, "new_session")
    command(client, "/fresh")


def compactions(client: RpcClient) -> None:
    for at in range(3):
        say(client, f"{at} " + "word " * 400)
    command(client, "/squeeze Briefly")
    client.skip()
    ask(client, "compact", customInstructions="x")
    say(client, "more")


def during(client: RpcClient) -> None:
    at_tool(client)
    client.request({"type": "steer", "message": "s1"})
    client.request({"type": "follow_up", "message": "f1"})
    client.request({"type": "prompt", "message": "p1", "streamingBehavior": "steer"})
    for options in ("", ' {"deliverAs":"followUp"}', ' {"deliverAs":"nextTurn"}'):
        client.request({"type": "prompt", "message": f"/note{options}"})
    client.request({"type": "prompt", "message": '/note {"triggerTurn":false}'})
    client.until("agent_settled")
    say(client, "two")


def between(client: RpcClient) -> None:
    command(client, "/note")
    command(client, '/note {"triggerTurn":true}', settles=True)
    command(client, '/note {"deliverAs":"nextTurn","triggerTurn":true}')
    say(client, "one")
    command(client, '/note {"deliverAs":"followUp","triggerTurn":true}', settles=True)
    command(client, "/say hello", settles=True)
    command(client, "/say /name Bob")


def aborted(client: RpcClient) -> None:
    at_tool(client)
    client.request({"type": "abort"})
    client.until("agent_settled")


def switched(client: RpcClient) -> None:
    say(client, "one")
    command(client, "/tools read nonsense")
    say(client, "two")
    for more in ({}, {"excludeFromContext": True}):
        ask(client, "bash", command="echo hi", **more)
    say(client, "three")


CALLS = turn(
    ("read", {"path": "a.txt"}),
    ("read", {"path": "secret"}),
    ("nope", {}),
    ("read", {"path": [1]}),
)
SLEEP = turn(("bash", {"command": "echo hi; sleep 2"}))
CASES: dict[str, tuple[Sequence[Turn], Script, tuple[str, ...]]] = {
    "plain": ([CALLS, DONE], plain, ("usage.percent",)),
    "retry": ([OVERLOADED, OVERLOADED, DONE], once, ()),
    "refused": ([REFUSED, DONE], once, ()),
    "exhausted": ([OVERLOADED], once, ()),
    "too long": ([turn(("read", {"path": "a.txt"})), FULL, DONE], once, ()),
    "tree": ([DONE], tree, ("fromExtension", "replaceInstructions")),
    # What `setup` writes comes before the model and the level here, after them there.
    "sessions": ([DONE], sessions, (".leaf: 'custom' | 'thinking_level_change'",)),
    # Files are told here; a split turn is a property. Requests for summaries are shown whole here.
    "compactions": (
        [WORDS],
        compactions,
        (
            *("isSplitTurn", "readFiles", "modifiedFiles", "session_compact_failed.idle"),
            "insert: [] | ['before_provider_request', 'after_provider_response']",
        ),
    ),
    # Messages of extensions count among those that wait here.
    "during": ([SLEEP, DONE], during, (".pending: False | True",)),
    "between": ([DONE], between, ("before_agent_start.event.prompt: '(absent)' | ''",)),
    # The last request of a run that is aborted is not made here, so nobody is asked about it.
    "aborted": (
        [turn(("bash", {"command": "echo hi; sleep 30"})), DONE],
        aborted,
        ("delete: ['context', 'context_with_system']",),
    ),
    "switched": ([DONE], switched, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_told(tmp_path: Path, name: str) -> None:
    turns, script, may = CASES[name]
    found = [*differ(*sides(tmp_path, turns, script), *may)]
    assert not found, "\n".join(found)


def test_a_session_that_is_kept(tmp_path: Path) -> None:
    theirs, ours = sides(tmp_path, [DONE], kept, KEEP="1")
    assert not [*differ(theirs, ours)]
    assert [line["name"] for line in ours].count("session_before_switch") == 2
