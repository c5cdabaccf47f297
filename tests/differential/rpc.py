"""RPC scripts that go through both programs: every command, and what becomes of it."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.differential.cases import DONE, OVERLOADED, PICTURES, SEES
from tests.rpc_client import RpcClient
from tests.scripted_provider import Turn

__all__ = ["RPC_CASES", "RpcCase"]

Script = Callable[[RpcClient, Path], None]


@dataclass(frozen=True)
class RpcCase:
    """script: what the client does; it is given the project's folder.

    estimated: tokens are guessed, and the guess depends on each program's own prompt.
    """

    script: Script
    turns: Sequence[Turn] = (DONE,)
    models: Sequence[Mapping[str, Any]] = ({"id": "m1", "reasoning": True}, {"id": "m2"})
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: Sequence[str] = ("--provider", "mock", "--model", "m1")
    key: str | None = "k"
    estimated: bool = False


WAITS: Turn = {
    "blocks": [
        {"text": "Look."},
        {"tool": "bash", "id": "c1", "args": {"command": "until test -e go; do sleep 0.02; done"}},
    ],
    "stop": "toolUse",
}
SLOW: Turn = {"blocks": [{"text": "slow " * 40}], "delay": 0.1}
BIG: Turn = {"blocks": [{"text": "word " * 9000}], "usage": {"input": 9000, "output": 9000}}
SUMMARY: Turn = {"blocks": [{"text": "What came before."}], "usage": {"input": 50, "output": 5}}
SMALL = {"compaction": {"keepRecentTokens": 2000, "reserveTokens": 2000}}
TOO_LONG: Turn = {
    "status": 400,
    "body": {"type": "error", "error": {"type": "invalid_request_error",
                                        "message": "prompt is too long: 300000 tokens > 200000"}},
}  # fmt: skip

GETTERS = (
    *("get_state", "get_messages", "get_session_stats", "get_available_models", "get_entries"),
    *("get_available_thinking_levels", "get_tree", "get_last_assistant_text"),
    *("get_fork_messages", "get_commands", "clear_queue"),
)


def ask(client: RpcClient, kind: str, **given: Any) -> dict[str, Any]:
    return client.request({"type": kind, **given})


def run(client: RpcClient, message: str, **given: Any) -> None:
    client.skip()
    ask(client, "prompt", message=message, **given)
    client.until("agent_settled")


def look(client: RpcClient) -> None:
    for kind in GETTERS:
        ask(client, kind)


def getters(client: RpcClient, project: Path) -> None:
    look(client)
    for kind in ("abort", "abort_bash", "abort_retry", "compact", "clone", "export_html"):
        ask(client, kind)
    run(client, "one")
    look(client)
    run(client, "")
    look(client)


def wrong(client: RpcClient, project: Path) -> None:
    lines = (b"", b"{", b"{}", b"[]", b"42", b'"x"', b'{"id":7,"type":"nope"}', b'{"type":NaN}')
    for line in lines:
        client.skip()
        client.send(line + b"\n")
        client.until("response")
    for kind, given in (
        ("set_model", {"provider": "mock", "modelId": "none"}),
        ("set_thinking_level", {"level": "none"}),
        ("set_session_name", {"name": "  "}),
        ("get_entries", {"since": "none"}),
        ("fork", {"entryId": "none"}),
        ("prompt", {}),
        ("prompt", {"message": 5}),
        ("steer", {}),
        ("switch_session", {}),
    ):
        ask(client, kind, **given)
    (project / "bad.jsonl").write_text("garbage\n")
    ask(client, "switch_session", sessionPath=str(project / "bad.jsonl"))
    ask(client, "switch_session", sessionPath=str(project))
    look(client)


def queues(client: RpcClient, project: Path) -> None:
    ask(client, "steer", message="before")
    ask(client, "get_state")
    ask(client, "prompt", message="one")
    client.until("tool_execution_start")
    ask(client, "prompt", message="refused")
    ask(client, "prompt", message="p", streamingBehavior="steer")
    ask(client, "prompt", message="q", streamingBehavior="other")
    ask(client, "prompt", message="r", streamingBehavior="followUp")
    ask(client, "steer", message="s")
    ask(client, "follow_up", message="f")
    ask(client, "get_state")
    (project / "go").touch()
    client.until("agent_settled")
    look(client)


def whole_queues(client: RpcClient, project: Path) -> None:
    ask(client, "set_steering_mode", mode="all")
    ask(client, "set_follow_up_mode", mode="all")
    queues(client, project)
    ask(client, "set_steering_mode", mode="one-at-a-time")
    ask(client, "get_state")


def taken_back(client: RpcClient, project: Path) -> None:
    ask(client, "prompt", message="one")
    client.until("tool_execution_start")
    ask(client, "steer", message="s")
    ask(client, "follow_up", message="f")
    ask(client, "clear_queue")
    ask(client, "get_state")
    (project / "go").touch()
    client.until("agent_settled")


def aborted(client: RpcClient, project: Path) -> None:
    ask(client, "prompt", message="one")
    client.until("tool_execution_start")
    ask(client, "follow_up", message="later")
    ask(client, "abort")
    ask(client, "get_state")
    run(client, "two")
    look(client)


def aborted_text(client: RpcClient, project: Path) -> None:
    ask(client, "prompt", message="one")
    client.until("message_update")
    ask(client, "abort")
    look(client)


def shells(client: RpcClient, project: Path) -> None:
    ask(client, "bash", command="echo a; echo b >&2; exit 3")
    ask(client, "bash", command="printf 'c\\033[31md\\n'", excludeFromContext=True)
    ask(client, "bash", command="seq 1 3000")
    ask(client, "bash", command="true")
    waiting = client.begin({"type": "bash", "command": "echo on; sleep 60"})
    client.wait(lambda r: r["type"] == "bash_execution_update" and r["id"] == waiting)
    ask(client, "abort_bash")
    client.response(waiting)
    run(client, "one")
    ask(client, "get_messages")


def models(client: RpcClient, project: Path) -> None:
    for level in ("high", "xhigh", "off", "minimal"):
        ask(client, "set_thinking_level", level=level)
        ask(client, "get_state")
    for _ in range(6):
        ask(client, "cycle_thinking_level")
    ask(client, "set_model", provider="mock", modelId="m2")
    ask(client, "cycle_thinking_level")
    run(client, "one")
    for _ in range(2):
        ask(client, "cycle_model")
    ask(client, "new_session")
    look(client)


def scoped(client: RpcClient, project: Path) -> None:
    look(client)
    for _ in range(3):
        ask(client, "cycle_model")
    ask(client, "set_model", provider="mock", modelId="m1")
    ask(client, "cycle_model")
    run(client, "one")


def sessions(client: RpcClient, project: Path) -> None:
    run(client, "one")
    run(client, "two")
    ask(client, "set_session_name", name=" a name ")
    first = ask(client, "get_state")["data"]["sessionFile"]
    entries = ask(client, "get_entries")["data"]["entries"]
    ask(client, "get_entries", since=entries[-3]["id"])
    ask(client, "get_entries", since=entries[-1]["id"])
    points = ask(client, "get_fork_messages")["data"]["messages"]
    ask(client, "fork", entryId=entries[0]["id"])
    ask(client, "fork", entryId=points[1]["entryId"])
    look(client)
    run(client, "instead")
    ask(client, "clone")
    run(client, "cloned")
    ask(client, "fork", entryId=points[0]["entryId"])
    look(client)
    ask(client, "switch_session", sessionPath=first)
    look(client)
    ask(client, "new_session", parentSession=first)
    run(client, "child")
    ask(client, "switch_session", sessionPath=str(project / "new.jsonl"))
    run(client, "new")
    ask(client, "new_session")
    ask(client, "export_html", outputPath="x.html")


def replaced(client: RpcClient, project: Path) -> None:
    ask(client, "prompt", message="one")
    client.until("message_update")
    ask(client, "set_model", provider="mock", modelId="m2")
    ask(client, "steer", message="gone")
    ask(client, "new_session")
    look(client)


def retries(client: RpcClient, project: Path) -> None:
    run(client, "one")
    look(client)
    ask(client, "set_auto_retry", enabled=False)
    run(client, "two")
    ask(client, "set_auto_retry", enabled=True)


def given_up(client: RpcClient, project: Path) -> None:
    ask(client, "prompt", message="one")
    client.until("auto_retry_start")
    ask(client, "get_state")
    ask(client, "abort_retry")
    client.until("agent_settled")
    ask(client, "prompt", message="two")
    client.until("auto_retry_start")
    ask(client, "abort")
    look(client)


def compacted(client: RpcClient, project: Path) -> None:
    ask(client, "compact")
    run(client, "one")
    run(client, "two")
    run(client, "three")
    waiting = client.begin({"type": "compact", "customInstructions": "mind the tests"})
    client.until("compaction_start")
    ask(client, "get_state")
    ask(client, "prompt", message="refused")
    ask(client, "steer", message="kept")
    client.response(waiting)
    look(client)
    ask(client, "compact")
    run(client, "four")
    look(client)


def compaction_stopped(client: RpcClient, project: Path) -> None:
    run(client, "one")
    run(client, "two")
    client.skip()
    waiting = client.begin({"type": "compact"})
    client.until("compaction_start")
    time.sleep(0.3)  # so that the request is out
    ask(client, "abort")
    client.response(waiting)
    look(client)


def compacted_in_a_run(client: RpcClient, project: Path) -> None:
    run(client, "one")
    run(client, "two")
    client.skip()
    ask(client, "prompt", message="three")
    client.until("message_update")
    ask(client, "compact")
    look(client)


def threshold(client: RpcClient, project: Path) -> None:
    run(client, "one")
    run(client, "two")
    client.skip()
    ask(client, "prompt", message="three")
    client.until("compaction_start")
    ask(client, "prompt", message="refused")
    ask(client, "follow_up", message="afterwards")
    client.until("agent_settled")
    look(client)


def no_compaction(client: RpcClient, project: Path) -> None:
    ask(client, "set_auto_compaction", enabled=False)
    run(client, "one")
    run(client, "two")
    look(client)


def overflow(client: RpcClient, project: Path) -> None:
    run(client, "one")
    run(client, "two")
    run(client, "three")
    look(client)


def images(client: RpcClient, project: Path) -> None:
    def block(name: str) -> dict[str, Any]:
        return {
            "type": "image",
            "data": base64.b64encode(PICTURES[name]).decode(),
            "mimeType": "image/png",
        }

    run(client, "look", images=[block("a.png")])
    run(client, "look", images=[block("big.png"), block("a.png")])
    run(client, "look", images=[{"type": "image", "data": "aaaa", "mimeType": "image/png"}])
    ask(client, "get_messages")


def in_memory(client: RpcClient, project: Path) -> None:
    look(client)
    run(client, "one")
    run(client, "two")
    look(client)
    points = ask(client, "get_fork_messages")["data"]["messages"]
    ask(client, "fork", entryId=points[1]["entryId"])
    look(client)
    ask(client, "new_session")
    look(client)


def without_a_key(client: RpcClient, project: Path) -> None:
    look(client)
    ask(client, "cycle_model")
    ask(client, "cycle_thinking_level")
    ask(client, "prompt", message="hi")
    ask(client, "bash", command="echo hi")
    ask(client, "steer", message="later")
    look(client)


LONG = {"id": "m1", "reasoning": True, "contextWindow": 60_000}
FULL: Turn = {"blocks": [{"text": "w " * 9000}], "usage": {"input": 58_000, "output": 1000}}

RPC_CASES: dict[str, RpcCase] = {
    "getters": RpcCase(getters),
    "wrong": RpcCase(wrong),
    "queues": RpcCase(queues, [WAITS, DONE]),
    "whole queues": RpcCase(whole_queues, [WAITS, DONE]),
    "taken back": RpcCase(taken_back, [WAITS, DONE]),
    "aborted": RpcCase(aborted, [WAITS, DONE]),
    "aborted text": RpcCase(aborted_text, [SLOW]),
    "shells": RpcCase(shells),
    "models": RpcCase(models, models=[{"id": "m1", "reasoning": True}, {"id": "m2"}, {"id": "m3"}]),
    "scoped": RpcCase(
        scoped,
        models=[{"id": "m1"}, {"id": "m2", "reasoning": True}, {"id": "m3", "reasoning": True}],
        arguments=("--models", "m2:low,m3"),
    ),
    "sessions": RpcCase(sessions),
    "named": RpcCase(sessions, arguments=("--provider", "mock", "--model", "m1", "--name", "N")),
    "replaced": RpcCase(replaced, [SLOW]),
    "in memory": RpcCase(
        in_memory, arguments=("--provider", "mock", "--model", "m1", "--no-session")
    ),
    "retries": RpcCase(retries, [OVERLOADED, DONE, OVERLOADED]),
    "given up": RpcCase(given_up, [OVERLOADED], settings={"retry": {"baseDelayMs": 20_000}}),
    "compacted": RpcCase(
        compacted, [BIG, BIG, BIG, {**SUMMARY, "delay": 0.1}, DONE], settings=SMALL
    ),
    "compaction stopped": RpcCase(
        compaction_stopped, [BIG, BIG, {**SUMMARY, "delay": 2}], settings=SMALL
    ),
    "compacted in a run": RpcCase(compacted_in_a_run, [BIG, BIG, SLOW, SUMMARY], settings=SMALL),
    "threshold": RpcCase(
        threshold,
        [BIG, BIG, FULL, {**SUMMARY, "delay": 0.1}, {**SUMMARY, "delay": 0.1}, DONE],
        models=[LONG],
        settings=SMALL,
    ),
    "no compaction": RpcCase(no_compaction, [FULL], models=[LONG], settings=SMALL),
    "overflow": RpcCase(
        overflow,
        [BIG, BIG, TOO_LONG, SUMMARY, SUMMARY, DONE],
        models=[LONG],
        settings=SMALL,
        estimated=True,
    ),
    "overflow twice": RpcCase(
        overflow,
        [BIG, BIG, TOO_LONG, SUMMARY, SUMMARY, TOO_LONG],
        models=[LONG],
        settings=SMALL,
        estimated=True,
    ),
    "images": RpcCase(images, models=[{"id": "m1", **SEES}]),
    "without a key": RpcCase(without_a_key, arguments=(), key=None),
}
