"""A client of pi in RPC mode, and what most of these tests ask it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.conftest import Scripted, ScriptedFactory
from tests.rpc_client import RpcClient
from tests.scripted_provider import Turn

DONE: Turn = {"blocks": [{"text": "It says hello."}], "usage": {"input": 100, "output": 20}}
SLOW: Turn = {"blocks": [{"text": "slow " * 200}], "delay": 0.05, "piece": 5}
SLEEPS: Turn = {
    "blocks": [{"text": "Look."}, {"tool": "bash", "id": "c1", "args": {"command": "sleep 60"}}],
    "stop": "toolUse",
}
WAITS: Turn = {
    "blocks": [
        {"text": "Look."},
        {
            "tool": "bash",
            "id": "c1",
            "args": {"command": "until test -e go; do sleep 0.02; done"},
        },
    ],
    "stop": "toolUse",
}
BIG: Turn = {"blocks": [{"text": "word " * 9000}], "usage": {"input": 9000, "output": 9000}}
SHORT = {"compaction": {"keepRecentTokens": 2000, "reserveTokens": 2000}}
OVERLOADED: Turn = {"status": 529, "body": {"error": {"message": "Overloaded"}}}


@pytest.fixture
def connect(scripted: ScriptedFactory) -> Callable[..., Any]:
    """A client of pi on a scripted model: `with connect(turns, …) as (client, script)`."""

    @contextmanager
    def opened(
        turns: list[Turn], *arguments: str, **options: Any
    ) -> Iterator[tuple[RpcClient, Scripted]]:
        script = scripted(turns, **options)
        with script.machine.rpc(*script.options, *arguments) as client:
            yield client, script

    return opened


def ask(client: RpcClient, kind: str, **fields: Any) -> Any:
    """The data of a response that is to succeed."""
    response = client.request({"type": kind, **fields})
    assert response["success"], response
    assert list(response)[:4] == ["id", "type", "command", "success"]
    assert response["command"] == kind
    return response.get("data")


def refused(client: RpcClient, kind: str, **fields: Any) -> str:
    response = client.request({"type": kind, **fields})
    assert list(response) == ["id", "type", "command", "success", "error"]
    assert response["success"] is False
    return str(response["error"])


def run(client: RpcClient, message: str) -> None:
    client.skip()
    assert ask(client, "prompt", message=message) == {"disposition": "started"}
    client.until("agent_settled")


def aborted(script: Scripted) -> bool:
    message = script.machine.messages()[-1]
    return message["role"] == "assistant" and message["stopReason"] == "aborted"
