"""Sessions of each program opened in the other: both say the same of them, and go on with them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pi
from tests.differential.programs import commands, environment, furnish, mock, needs_reference
from tests.differential.rpc import BIG, SMALL, SUMMARY, ask, run
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider

pytestmark = needs_reference
Make = Callable[[RpcClient], None]


class Bench:
    """One home and project for both programs."""

    def __init__(self, root: Path, server: ScriptedProvider) -> None:
        self.home, self.project = root / "home", root / "project"
        self.agent = furnish(self.home, mock(server, {"id": "m1", "reasoning": True}), SMALL)
        self.project.mkdir()

    def client(self, command: list[str], *arguments: str) -> RpcClient:
        words = [*command, "--mode", "rpc", "--model", "mock/m1", *arguments]
        return RpcClient(words, cwd=self.project, env=environment(self.home))

    def view(self, command: list[str], path: str) -> dict[str, Any]:
        """What a program says of a session."""
        with self.client(command, "--session", path) as client:
            said = {
                kind: ask(client, kind)["data"]
                for kind in ("get_messages", "get_entries", "get_tree", "get_fork_messages")
            }
            stats = ask(client, "get_session_stats")["data"]
            stats.pop("contextUsage", None)
            said["stats"] = stats
            state = ask(client, "get_state")["data"]
            said["state"] = {key: state.get(key) for key in ("sessionName", "thinkingLevel")}
            assert client.finish() == 0
        return said


def branches(client: RpcClient) -> str:
    points = ask(client, "get_fork_messages")["data"]["messages"]
    return str(points[-1]["entryId"])


def plain(client: RpcClient) -> None:
    run(client, "one")
    ask(client, "set_session_name", name="a name")
    ask(client, "set_thinking_level", level="high")
    ask(client, "bash", command="echo hi")


def compacted(client: RpcClient) -> None:
    for text in ("one", "two", "three"):
        run(client, text)
    assert ask(client, "compact")["success"]
    run(client, "four")


def forked(client: RpcClient) -> None:
    for text in ("one", "two"):
        run(client, text)
    ask(client, "fork", entryId=branches(client))
    run(client, "instead")


def cloned(client: RpcClient) -> None:
    run(client, "one")
    ask(client, "clone")
    run(client, "two")


def check(bench: Bench, path: str) -> None:
    theirs, ours = (bench.view(command, path) for command in commands())
    assert ours == theirs
    before = Path(path).read_bytes()
    for command in (*commands(), *commands()):
        with bench.client(command, "--session", path) as client:
            run(client, "go on")
            assert client.records[-1] == {"type": "agent_settled", "aborted": False}
            assert client.finish() == 0
    assert Path(path).read_bytes().startswith(before)
    theirs, ours = (bench.view(command, path) for command in commands())
    assert ours == theirs


@pytest.mark.parametrize("writer", [0, 1], ids=["theirs", "ours"])
@pytest.mark.parametrize("make", [plain, compacted, forked, cloned])
def test_states(tmp_path: Path, writer: int, make: Make) -> None:
    with ScriptedProvider([BIG, BIG, BIG, SUMMARY]) as server:
        bench = Bench(tmp_path, server)
        with bench.client(commands()[writer]) as client:
            make(client)
            path = str(ask(client, "get_state")["data"]["sessionFile"])
            assert client.finish() == 0
        check(bench, path)


def test_branches_and_labels_of_ours(tmp_path: Path) -> None:
    async def write(bench: Bench) -> str:
        choices: Any = {"model": "mock/m1", "agent_dir": bench.agent, "cwd": bench.project}
        async with pi.new_session(**choices) as session:
            await session.prompt("one")
            await session.prompt("two")
            users = [
                entry["id"]
                for entry in session.entries()
                if entry["type"] == "message" and entry["message"]["role"] == "user"
            ]
            await session.navigate(users[1], summarise=True, label="left")
            await session.prompt("instead")
            session.label(users[0], "first")
            session.label(users[1], "second")
            session.label(users[1], None)
            await session.navigate(users[0])
            await session.prompt("another root")
            return str(session.path)

    with ScriptedProvider([SUMMARY]) as server:
        bench = Bench(tmp_path, server)
        check(bench, asyncio.run(write(bench)))
