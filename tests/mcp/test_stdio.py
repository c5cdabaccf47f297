"""Servers that are child processes, good ones and bad ones."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pi.errors import PiError
from pi.mcp.connection import Connection
from pi.mcp.errors import ConnectionLost, ServerAnswer, TimedOut
from tests.mcp.conftest import Connect
from tests.waiting import gone


def run(connection: Connection, act: Callable[[Connection], Awaitable[Any]]) -> Any:
    """`act`, with everything closed afterwards."""

    async def main() -> Any:
        try:
            return await act(connection)
        finally:
            await connection.close()
            await connection._http.aclose()

    return asyncio.run(main())


def ignore(_: Any) -> None:
    """Progress nobody wants."""


async def echo(connection: Connection, text: str = "hello") -> str:
    result = await connection.call("echo", {"text": text}, ignore)
    return str(result["content"][0]["text"])


def sent(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().split("\n")[:-1]]


def test_what_is_sent(connect: Connect, log: Path) -> None:
    async def act(connection: Connection) -> None:
        assert await echo(connection, "é\u2028") == "é\u2028"
        assert len(connection.tools) == 9
        assert connection.instructions.startswith("First line")
        assert connection.has_resources

    run(connect(), act)
    messages = sent(log)
    methods = [message["method"] for message in messages]
    assert methods == [
        *("initialize", "notifications/initialized", "tools/list", "tools/list", "tools/call"),
    ]
    assert messages[0]["params"]["protocolVersion"] == "2025-11-25"
    assert messages[0]["params"]["capabilities"] == {"roots": {}}
    assert messages[0]["params"]["clientInfo"]["name"] == "pi"
    assert "params" not in messages[1] and "params" not in messages[2]
    assert messages[3]["params"] == {"cursor": "2"}
    assert messages[4]["params"]["_meta"] == {"progressToken": messages[4]["id"]}


def test_what_a_server_may_ask(connect: Connect, log: Path, tmp_path: Path) -> None:
    run(connect("asks"), echo)
    answers = {m["id"]: m for m in sent(log) if "method" not in m}
    assert answers["p"]["result"] == {}
    root = {"uri": tmp_path.as_uri(), "name": tmp_path.name}
    assert answers["r"]["result"] == {"roots": [root]}
    assert answers["s"]["error"]["code"] == -32601
    (first, second) = (tmp_path / "mcp.log").read_text().splitlines()
    assert first.endswith("[srv] warning part: two")
    assert second == "    lines"


@pytest.mark.parametrize("mode", ["garbage", "twice", "slow"])
def test_noise_does_no_harm(connect: Connect, mode: str) -> None:
    assert run(connect(mode), echo) == "hello"


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("dies", "exited with code 3"),
        ("huge", "more than 16 MB"),
        ("old", "unknown version"),
        ("circles", "in circles"),
    ],
)
def test_what_cannot_connect_says_why(connect: Connect, mode: str, says: str) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(PiError, match=says):
            await connection.connect()
        assert connection.state == "failed"
        assert says in connection.error
        assert ("no database here" in connection.stderr) == (mode == "dies")

    run(connect(mode), act)


def test_a_silent_server_is_given_up(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(TimedOut, match="initialize"):
            await connection.connect()

    run(connect("silent", timeout=0.3), act)


@pytest.mark.parametrize("entry", [{"command": "/no/such"}, {"command": " "}, {"cwd": "gone"}])
def test_what_cannot_be_started(connect: Connect, entry: dict[str, Any]) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(PiError):
            await connection.connect()
        assert connection.state == "failed"

    run(connect(**entry), act)


def test_progress_keeps_a_request_alive(connect: Connect) -> None:
    async def act(connection: Connection) -> list[str]:
        seen: list[str] = []
        await connection.call("slow", {}, lambda params: seen.append(params["message"]))
        return seen

    # The call takes longer than a request may without a sign of life.
    assert run(connect(timeout=1.5), act) == [f"step {i}" for i in range(4)]


def test_a_cancelled_call_is_told_and_others_go_on(connect: Connect, log: Path) -> None:
    async def act(connection: Connection) -> None:
        await connection.connect()
        call = asyncio.ensure_future(connection.call("slow", {}, ignore))
        await asyncio.sleep(0.2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await echo(connection) == "hello"

    run(connect(), act)
    (told,) = [m for m in sent(log) if m["method"] == "notifications/cancelled"]
    (slow,) = [m for m in sent(log) if m.get("params", {}).get("name") == "slow"]
    assert told["params"]["requestId"] == slow["id"]


def test_errors_of_the_server(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(ServerAnswer, match="no such tool"):
            await connection.call("missing", {}, ignore)

    run(connect(), act)


def test_a_crash_is_told_and_the_next_call_connects_again(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(ConnectionLost, match="exited with code 7"):
            await connection.call("crash", {}, ignore)
        assert connection.state == "disconnected"
        assert await echo(connection) == "hello"
        assert connection.state == "connected"

    run(connect(), act)


def test_a_changed_list_of_tools(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        await connection.call("grow", {}, ignore)
        while "late" not in [tool["name"] for tool in connection.tools]:
            await asyncio.sleep(0.02)
        assert "fail" not in [tool["name"] for tool in connection.tools]

    run(connect(), act)


def test_variables_and_folders(
    connect: Connect, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    connection = connect(
        cwd="sub", env={"A": "x${HOME}y", "B": "!echo from a command", "C": "$$5", "D": "é\n"}
    )

    async def act(connection: Connection) -> Any:
        result = await connection.call("environment", {}, ignore)
        return json.loads(result["content"][0]["text"])

    found = run(connection, act)
    assert Path(found["cwd"]) == tmp_path / "sub"
    wanted = {"A": f"x{home}y", "B": "from a command", "C": "$5", "D": "é\n"}
    assert {name: found["env"][name] for name in wanted} == wanted


def test_an_unset_variable_is_named(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(PiError, match="NOT_SET"):
            await connection.connect()

    run(connect(env={"A": "${NOT_SET}"}), act)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked at in /proc")
@pytest.mark.parametrize("mode", ["good", "forks", "stubborn", "silent"])
def test_nothing_is_left_running(connect: Connect, log: Path, mode: str) -> None:
    async def act(connection: Connection) -> None:
        if mode == "silent":
            opening = asyncio.ensure_future(connection.connect())
            await asyncio.sleep(0.5)
            await connection.close()
            await connection._http.aclose()
            with pytest.raises((asyncio.CancelledError, PiError)):
                await opening
        else:
            await connection.connect()

    run(connect(mode), act)
    pids = [int(path.read_text()) for path in log.parent.glob("sent.log.*")]
    assert len(pids) == {"forks": 2, "silent": 0}.get(mode, 1)
    assert gone(*pids)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked at in /proc")
def test_a_leader_that_goes_first_leaves_nobody(connect: Connect, log: Path) -> None:
    async def act(connection: Connection) -> None:
        await connection.connect()
        os.kill(int(Path(f"{log}.pid").read_text()), signal.SIGKILL)
        while connection.state != "disconnected":
            await asyncio.sleep(0.02)

    run(connect("forks"), act)
    child = int(Path(f"{log}.child").read_text())
    assert gone(child)
