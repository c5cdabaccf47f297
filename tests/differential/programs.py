"""One of the two programs, in a home and project of its own."""

import base64
import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.differential import normal
from tests.differential.cases import Case
from tests.e2e.conftest import COMMAND
from tests.scripted_provider import ScriptedProvider

__all__ = ["Program", "commands", "environment", "furnish", "mock", "needs_reference", "twins"]

REFERENCE = os.environ.get("PI_REFERENCE")
needs_reference = pytest.mark.skipif(
    not REFERENCE, reason="PI_REFERENCE names no command to compare with"
)


def commands() -> list[list[str]]:
    """The reference's, then pi's."""
    assert REFERENCE is not None
    return [shlex.split(REFERENCE), COMMAND]


def twins() -> list[tuple[list[str], str]]:
    """Both, each with how the names of its extensions end."""
    return [*zip(commands(), (".ts", ".py"), strict=True)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """NODE_PATH says where to find packages that a copy of the reference may lack."""
    kept = {name: os.environ[name] for name in ("PATH", "NODE_PATH") if name in os.environ}
    return {**kept, "HOME": str(home), "PI_OFFLINE": "1", **more}


def mock(server: ScriptedProvider, *models: Mapping[str, Any]) -> dict[str, Any]:
    """The provider "mock" of a models.json. models: m1 alone, where none are given."""
    provider = {"baseUrl": server.url, "api": "anthropic-messages", "apiKey": "k"}
    return {"mock": {**provider, "models": list(models or ({"id": "m1"},))}}


def furnish(
    home: Path, providers: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> Path:
    """A home folder with these files; gives its agent folder."""
    agent = home / ".pi" / "agent"
    agent.mkdir(parents=True, exist_ok=True)
    (agent / "models.json").write_text(json.dumps({"providers": providers}))
    if settings is not None:
        (agent / "settings.json").write_text(json.dumps(settings))
    return agent


def _token() -> str:
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": "account"}}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


CODEX_KEY = _token()


class Program:
    """Folders have the same names for both, so that paths differ in one component only.

    shipped: the record of a model in the catalogue, used at the server's address instead of a model
    that models.json describes.
    """

    def __init__(
        self,
        command: list[str],
        root: Path,
        server: ScriptedProvider,
        api: str,
        case: Case,
        shipped: Mapping[str, Any] | None = None,
    ) -> None:
        self.command, self.server, self.case = command, server, case
        self.home, self.project = root / "home", root / "project"
        self.project.mkdir(parents=True)
        for name, content in {"a.txt": b"hello\n", **case.files}.items():
            self.put(name, content)
        key = CODEX_KEY if api == "openai-codex-responses" else "k"
        provider: dict[str, Any] = {"baseUrl": server.base_url(api), "apiKey": key}
        self.provider, self.model = "mock", "m1"
        if shipped is None:
            models = [{"id": "m1", "reasoning": True, **case.model}]
            provider |= {"api": api, "models": models}
        else:
            self.provider, self.model = shipped["provider"], shipped["id"]
            if api not in ("azure-openai-responses", "google-vertex"):
                provider["baseUrl"] = server.url + urlsplit(shipped["baseUrl"]).path
        settings = {"retry": {"baseDelayMs": 10}, **case.settings}
        furnish(self.home, {self.provider: provider}, settings)

    def put(self, name: str, content: bytes) -> None:
        path = self.home / name[2:] if name.startswith("~/") else self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        stdin = self.case.stdin
        return subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            cwd=self.project,
            # Of the reference alone: the scripted server knows no HTTP/2.
            env={**environment(self.home, AWS_BEDROCK_FORCE_HTTP1="1"), **self.case.env},
            timeout=60,
            check=False,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        )

    @property
    def sessions(self) -> list[Path]:
        """In the order they were made."""
        found = (self.home / ".pi" / "agent" / "sessions").rglob("*.jsonl")
        return sorted(found, key=lambda path: path.name)

    def seen(self) -> dict[str, Any]:
        """Everything that must agree, after the case's runs."""
        codes: list[int] = []
        events: list[Any] = []
        for step in self.case.steps:
            if isinstance(step, dict):
                for name, content in step.items():
                    self.put(name, content)
                continue
            words = (
                [word.replace("{first}", str(self.sessions[0])) for word in step if word]
                if ("{first}" in step)
                else list(step)
            )
            done = self.run(
                "--provider", self.provider, "--model", self.model, "--mode", "json", *words
            )
            codes.append(done.returncode)
            events += normal.events([json.loads(line) for line in done.stdout.split(b"\n")[:-1]])
        files = [
            [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
            for path in self.sessions
        ]
        prose = normal.prose_results([record for records in files for record in records])
        sent = [
            {"path": request.target, "headers": request.headers, "body": request.body}
            for request in self.server.requests
            if isinstance(request.body, dict)  # what is compressed is not compared
        ]
        seen = {
            "exit": codes,
            "events": events,
            "entries": [normal.entries(records) for records in files],
            "requests": [normal.request(request, prose) for request in sent],
        }
        return json.loads(json.dumps(seen).replace(str(self.project), "<project>"))
