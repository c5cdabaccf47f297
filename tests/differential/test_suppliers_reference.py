"""Providers of extensions, registered alike in each program's language: what is sent and kept."""

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.differential.cases import DONE
from tests.differential.programs import environment, furnish, mock, needs_reference, twins
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider

pytestmark = [
    needs_reference,
    pytest.mark.usefixtures("typescript"),
]
SUPPLIERS = Path(__file__).with_name("extensions") / "suppliers"
TOLD = ("authorization", "x-api-key", "x-team", "x-plain", "x-model", "x-extra")
OVER = {"type": "oauth", "access": "a", "refresh": "r", "expires": 1000}
GOOD = {**OVER, "expires": 4_102_444_800_000, "models": ["p2"]}


class Side:
    def __init__(self, command: list[str], suffix: str, root: Path, server: ScriptedProvider):
        self.home = root / "home"
        self.agent = furnish(self.home, mock(server))
        self.server = server
        stored = {"claudish": OVER, "openish": OVER, "plan": GOOD}
        (self.agent / "auth.json").write_text(json.dumps(stored))
        (self.agent / "auth.json").chmod(0o600)
        self.command = [*command, "-e", str(SUPPLIERS.with_suffix(suffix))]
        self.environment = environment(
            self.home,
            SERVER=server.url,
            HEADER_KEY="hk",
            TEAM="blue",
            ANTHROPIC_API_KEY="ak",
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    def file(self, name: str) -> Any:
        path = self.agent / name
        return json.loads(path.read_text().replace(self.server.url, "<server>"))

    def sent(self) -> list[Any]:
        return [
            (r.path, r.body.get("model"), {k: v for k, v in r.headers.items() if k in TOLD})
            for r in self.server.requests
            if isinstance(r.body, dict)
        ]


def sides(root: Path) -> Sequence[tuple[list[str], str, Path]]:
    return [(command, suffix, root / suffix[1:]) for command, suffix in twins()]


@pytest.mark.parametrize(
    "model",
    ["claudish/c1", "openish/o1", "header/h1", "header/h2", "mock/m1", "anthropic/claude-opus-4-5"],
)
def test_requests(tmp_path: Path, model: str) -> None:
    seen = []
    for command, suffix, root in sides(tmp_path):
        with ScriptedProvider([DONE]) as server:
            side = Side(command, suffix, root, server)
            done = side.run("--model", model, "-p", "hi")
            assert (done.returncode, done.stdout) == (0, b"It says hello.\n")
            seen.append((side.sent(), side.file("auth.json")))
    assert seen[0] == seen[1]


def test_lists(tmp_path: Path) -> None:
    listed = []
    for command, suffix, root in sides(tmp_path):
        with ScriptedProvider([DONE]) as server:
            side = Side(command, suffix, root, server)
            lines = side.run("--list-models").stdout.decode().splitlines()
            listed.append([line.split() for line in lines if not line.startswith("anthropic")])
    assert listed[0] == listed[1]
    assert ["plan", "p2", "100K", "1K", "no", "no"] in listed[1]
    assert not any(row[:2] == ["plan", "p1"] for row in listed[1])


def test_live_lists_and_keys(tmp_path: Path) -> None:
    seen = []
    for command, suffix, root in sides(tmp_path):
        with ScriptedProvider([DONE]) as server:
            side = Side(command, suffix, root, server)
            # Lists of shipped providers come from the server, too: there are none.
            env = {**side.environment, "PI_MODELS_URL": server.url}
            del env["PI_OFFLINE"]
            words = [*side.command, "--mode", "rpc", "--model", "mock/m1"]
            with RpcClient(words, cwd=side.home, env=env) as client:
                names: list[str] = []
                while "live/live-key" not in names:
                    time.sleep(0.1)
                    models = client.request({"type": "get_available_models"})["data"]["models"]
                    names = [f"{model['provider']}/{model['id']}" for model in models]
                for provider in ("claudish", "openish", "header", "mock", "live", "nobody"):
                    client.request({"type": "prompt", "message": f"/auth {provider}"})
                entries = client.request({"type": "get_entries"})["data"]["entries"]
                assert client.finish() == 0
            told = [entry.get("data") for entry in entries if entry["type"] == "custom"]
            told = json.loads(json.dumps(told).replace(server.url, "<server>"))
            named = [name for name in names if name.startswith("live/")]
            seen.append((named, side.file("models-store.json").get("live"), told))
    assert seen[0] == seen[1]
