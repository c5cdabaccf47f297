"""Virtual models, with the same router in each program's language."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.differential import normal
from tests.differential.cases import DONE, OVERLOADED, READ
from tests.differential.programs import environment, furnish, mock, needs_reference, twins
from tests.differential.rpc import SUMMARY, TOO_LONG, ask, run
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
ROUTER = Path(__file__).with_name("extensions") / "router"
Script = Callable[[RpcClient], None]

LOOK: Turn = {"blocks": [{"text": "Look."}, READ], "stop": "toolUse"}
LARGE: Turn = {"blocks": [{"text": "word " * 3000}], "usage": {"input": 30_000, "output": 3000}}


class Side:
    """One program, its home and its router."""

    def __init__(self, command: list[str], suffix: str, root: Path, server: ScriptedProvider):
        self.home, self.project = root / "home", root / "project"
        self.project.mkdir(parents=True)
        (self.project / "a.txt").write_text("hello\n")
        self.routed = root / "routed.jsonl"
        self.command = [*command, "-e", str(ROUTER.with_suffix(suffix))]
        self.server = server
        small = {"id": "small", "reasoning": True, "contextWindow": 20_000, "maxTokens": 1000}
        big = {"id": "big", "reasoning": True, "contextWindow": 200_000, "maxTokens": 8000}
        gpt = {"id": "gpt", "contextWindow": 100_000, "maxTokens": 1000}
        chat = {"baseUrl": server.base_url("openai-completions"), "api": "openai-completions"}
        providers = {
            **mock(
                server,
                {**small, "cost": {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}},
                {**big, "cost": {"input": 3, "output": 4, "cacheRead": 0, "cacheWrite": 0}},
            ),
            "other": {**chat, "apiKey": "k2", "models": [gpt]},
            "keyless": {**chat, "models": [{"id": "x"}]},
        }
        settings = {
            "retry": {"baseDelayMs": 10},
            "compaction": {"keepRecentTokens": 500, "reserveTokens": 2000},
        }
        self.agent = furnish(self.home, providers, settings)

    def client(self, *arguments: str) -> RpcClient:
        env = environment(self.home, ROUTED=str(self.routed))
        words = [*self.command, "--mode", "rpc", *arguments]
        return RpcClient(words, cwd=self.project, env=env)

    def sessions(self) -> list[Path]:
        return sorted((self.agent / "sessions").rglob("*.jsonl"), key=lambda path: path.name)

    def seen(self) -> dict[str, Any]:
        """What the router was asked, what was written, and what was sent where."""
        routed = self.routed.read_text().splitlines() if self.routed.exists() else []
        files = [
            [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
            for path in self.sessions()
        ]
        return {
            "routed": [json.loads(line) for line in routed],
            "entries": [normal.entries(records) for records in files],
            "sent": [
                (
                    r.path,
                    r.body["model"],
                    r.headers.get("x-api-key", r.headers.get("authorization")),
                )
                for r in self.server.requests
            ],
        }


def both(
    root: Path, turns: Sequence[Turn], script: Script, *arguments: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    told = []
    for command, suffix in twins():
        with ScriptedProvider(list(turns)) as server:
            side = Side(command, suffix, root / suffix[1:], server)
            with side.client(*(arguments or ("--model", "router/auto:low"))) as client:
                script(client)
                assert client.finish() == 0
                events = normal.events(map(told_alike, client.records))
            told.append({**side.seen(), "events": events})
    theirs, ours = (json.loads(json.dumps(each)) for each in told)
    return theirs, ours


def told_alike(record: dict[str, Any]) -> dict[str, Any]:
    """What a client is told, without where the server is and what is left to each program."""
    if record["type"] == "agent_end":
        # After a failed route the reference forgets what the run began with.
        return {**record, "messages": len(record["messages"]) > 0}
    if record["type"] == "response":
        return {key: value for key, value in record.items() if key != "data"}
    return record


def agree(theirs: dict[str, Any], ours: dict[str, Any], *parts: str) -> None:
    for part in parts or ("routed", "entries", "sent", "events"):
        found = list(normal.differences(theirs[part], ours[part]))
        assert not found, "\n".join([part, *found])


def plain(client: RpcClient) -> None:
    run(client, "one")
    ask(client, "set_thinking_level", level="high")
    run(client, "two")
    ask(client, "set_model", provider="mock", modelId="big")
    run(client, "three")
    ask(client, "set_model", provider="router", modelId="auto")
    run(client, "four")


def fails(client: RpcClient) -> None:
    for text in ("fails", "keyless", "itself", "one"):
        run(client, text)


def beside(client: RpcClient) -> None:
    run(client, "one")
    ask(client, "prompt", message="/ask")


def forgets(client: RpcClient) -> None:
    run(client, "one")
    ask(client, "prompt", message="/forget")
    ask(client, "set_model", provider="mock", modelId="big")
    run(client, "three")


def forks(client: RpcClient) -> None:
    run(client, "one")
    run(client, "two")
    points = ask(client, "get_fork_messages")["data"]["messages"]
    ask(client, "fork", entryId=points[-1]["entryId"])
    run(client, "three")
    ask(client, "clone")
    run(client, "four")


def moves(client: RpcClient) -> None:
    """A branch that says another model than the one that is selected."""
    run(client, "one")
    ask(client, "set_model", provider="mock", modelId="big")
    ask(client, "set_thinking_level", level="high")
    run(client, "two")
    ask(client, "prompt", message="/goto 0")
    run(client, "three")
    ask(client, "set_model", provider="router", modelId="auto")
    run(client, "four")
    ask(client, "prompt", message="/goto 1")
    run(client, "five")


def aborts(client: RpcClient) -> None:
    client.send({"type": "prompt", "message": "hangs"})
    client.until("message_end")  # of the system message, and of the prompt
    client.until("message_end")
    ask(client, "abort")
    client.until("agent_settled")
    run(client, "one")


def shrinks(client: RpcClient) -> None:
    """A context that the big model takes and the small one does not."""
    ask(client, "set_thinking_level", level="high")
    run(client, "one " + "x" * 8000)
    run(client, "two " + "x" * 8000)
    ask(client, "set_thinking_level", level="low")
    run(client, "three")


def compacts(client: RpcClient) -> None:
    run(client, "one " + "x" * 8000)
    run(client, "two " + "x" * 8000)
    ask(client, "compact")
    run(client, "three")


@pytest.mark.parametrize(
    ("script", "turns"),
    [
        pytest.param(plain, [LOOK, DONE], id="plain"),
        pytest.param(plain, [LOOK, OVERLOADED, DONE, OVERLOADED, DONE], id="retried"),
        pytest.param(fails, [DONE], id="fails"),
        pytest.param(beside, [DONE], id="beside"),
        pytest.param(forgets, [DONE], id="forgets"),
        pytest.param(forks, [DONE], id="forks"),
        pytest.param(moves, [DONE], id="moves"),
        pytest.param(aborts, [DONE], id="aborts"),
    ],
)
def test_routes(tmp_path: Path, script: Script, turns: Sequence[Turn]) -> None:
    agree(*both(tmp_path, turns, script))


@pytest.mark.parametrize(
    ("script", "turns"),
    [
        pytest.param(shrinks, [LARGE, LARGE, SUMMARY], id="too small"),
        pytest.param(compacts, [LARGE, LARGE, SUMMARY], id="asked for"),
        pytest.param(shrinks, [LARGE, TOO_LONG, SUMMARY, DONE], id="refused"),
    ],
)
def test_compactions(tmp_path: Path, script: Script, turns: Sequence[Turn]) -> None:
    """How much is kept depends on guesses at tokens, how often is asked on how much there is."""
    theirs, ours = both(tmp_path, turns, script)
    agree(theirs, ours, "sent")
    for each in (theirs, ours):
        for asked in each["routed"]:
            asked.pop("roles")
    agree(theirs, ours, "routed")
    kinds = [[e["type"] for e in each["entries"][0]] for each in (theirs, ours)]
    assert kinds[0] == kinds[1]
    told = [[e["type"] for e in each["events"] if isinstance(e, dict)] for each in (theirs, ours)]
    assert told[0] == told[1]


@pytest.mark.parametrize("writer", [0, 1], ids=["theirs", "ours"])
def test_sessions_go_both_ways(tmp_path: Path, writer: int) -> None:
    """The selection and what the router keeps come along; without the router, who answered last."""
    sides = twins()
    states: list[Any] = []
    with ScriptedProvider([DONE]) as server:
        command, suffix = sides[writer]
        side = Side(command, suffix, tmp_path, server)
        with side.client("--model", "router/auto:low") as client:
            run(client, "one")
            run(client, "two")
            client.finish()
        [session] = side.sessions()
        for command, suffix in sides:
            side.command = [*command, "-e", str(ROUTER.with_suffix(suffix))]
            with side.client("--session", str(session)) as client:
                states.append(ask(client, "get_state")["data"])
                states.append(ask(client, "get_session_stats")["data"]["contextUsage"])
                run(client, "more")
                client.finish()
        asked = [json.loads(line)["state"] for line in side.routed.read_text().splitlines()]
        for command, _ in sides:
            side.command = command
            with side.client("--session", str(session)) as client:
                states.append(ask(client, "get_state")["data"])
                client.finish()
    assert asked == [None, {"turns": 1}, {"turns": 2}, {"turns": 3}]
    models = [f"{s['model']['provider']}/{s['model']['id']}" for s in states if "model" in s]
    assert models == ["router/auto", "router/auto", "mock/small", "mock/small"]
    assert states[0]["model"] == states[2]["model"]
    assert states[1]["contextWindow"] == states[3]["contextWindow"] == 20_000
