"""The installed command, run as a person or a script runs it, against a scripted model server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.registries import index, npm, repository
from tests.rpc_client import RpcClient
from tests.scripted_provider import ScriptedProvider, Turn

__all__ = ["index", "npm", "repository"]

COMMAND = [str(Path(sys.executable).with_name("pi"))]
"""The console script of the environment the tests run in."""


@dataclass
class Result:
    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def events(self) -> list[dict[str, Any]]:
        """JSON mode's records, the session header first."""
        assert self.stdout.endswith(b"\n")
        return [json.loads(line) for line in self.stdout.split(b"\n")[:-1]]

    def kinds(self) -> list[str]:
        """Event types without updates; message events with their role."""
        return [
            f"{event['type']} {event['message']['role']}"
            if event["type"].startswith("message_")
            else event["type"]
            for event in self.events
            if event["type"] not in ("message_update", "tool_execution_update")
        ]


@dataclass
class Machine:
    """A home, a project folder and the environment `pi` is run with."""

    home: Path
    project: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> Path:
        return self.home / ".pi" / "agent"

    def write(self, name: str, value: Any) -> Path:
        """A file of the agent folder; anything but text is written as JSON."""
        path = self.agent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.project)
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            **options,
        )

    def rpc(self, *arguments: str) -> RpcClient:
        command = [*COMMAND, "--mode", "rpc", *arguments]
        return RpcClient(command, cwd=self.project, env=self.environment)

    def run(
        self, *arguments: str, stdin: bytes | None = None, cwd: Path | None = None, **env: str
    ) -> Result:
        """Run to the end; 60 seconds guard against a hang."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            cwd=cwd or self.project,
            env={**self.environment, **env},
            timeout=60,
            check=False,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def sessions(self) -> list[Path]:
        return sorted((self.agent / "sessions").rglob("*.jsonl"))

    def session(self) -> Path:
        (path,) = self.sessions()
        return path

    def entries(self) -> list[dict[str, Any]]:
        """The records of the only session, header first."""
        return [json.loads(line) for line in self.session().read_bytes().split(b"\n")[:-1]]

    def messages(self) -> list[dict[str, Any]]:
        return [entry["message"] for entry in self.entries() if entry["type"] == "message"]


@pytest.fixture
def machine(home: Path, tmp_path: Path) -> Machine:
    project = tmp_path / "project"
    project.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "TMPDIR", "PI_PURE", "SYSTEMROOT", "COVERAGE_PROCESS_START")
    }
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "PI_OFFLINE": "1"}
    return Machine(home, project, environment)


API_SUFFIX = {"anthropic-messages": "", "openai-completions": "/v1"}


@dataclass
class Scripted:
    """A machine whose models.json names one provider: the scripted server."""

    machine: Machine
    server: ScriptedProvider
    options: tuple[str, ...] = ("--provider", "mock", "--model", "m1")

    def run(self, *arguments: str, **options: Any) -> Result:
        return self.machine.run(*self.options, *arguments, **options)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        return self.machine.start(*self.options, *arguments, **options)

    @property
    def bodies(self) -> list[Any]:
        return self.server.bodies


class ScriptedFactory:
    """Starts servers and closes them when the test ends."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._servers: list[ScriptedProvider] = []

    def __call__(
        self,
        turns: Sequence[Turn],
        api: str = "anthropic-messages",
        model: dict[str, Any] | None = None,
        provider: dict[str, Any] | None = None,
        retry: dict[str, Any] | None = None,
    ) -> Scripted:
        server = ScriptedProvider(list(turns))
        server.__enter__()
        self._servers.append(server)
        self._machine.write(
            "models.json",
            {
                "providers": {
                    "mock": {
                        "baseUrl": server.base_url(api),
                        "api": api,
                        "apiKey": "secret-key",
                        "models": [{"id": "m1", "reasoning": True, **(model or {})}],
                        **(provider or {}),
                    }
                }
            },
        )
        self._machine.write("settings.json", {"retry": {"baseDelayMs": 10, **(retry or {})}})
        return Scripted(self._machine, server)

    def stop(self, script: Scripted) -> None:
        """From now on nobody answers at the server's address."""
        self._servers.remove(script.server)
        script.server.__exit__(None, None, None)

    def close(self) -> None:
        for server in self._servers:
            server.__exit__(None, None, None)


@pytest.fixture
def scripted(machine: Machine) -> Iterator[ScriptedFactory]:
    factory = ScriptedFactory(machine)
    yield factory
    factory.close()
