"""Extensions in the installed command: print, JSON and RPC mode, against a scripted model."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND, Machine, Result, Scripted, machine, scripted
from tests.rpc_client import Record, RpcClient
from tests.scripted_provider import Turn

__all__ = ["Extended", "Person", "machine", "scripted"]

SAYS_DONE: Turn = {"blocks": [{"text": "done"}], "stop": "stop"}

SOUND = """
def extend(pi):
    pi.on("turn_start", lambda: pi.append_entry("sound"))
"""
"""An extension without a fault."""


def calls(name: str, args: dict[str, Any], call_id: str = "call_1") -> Turn:
    """A turn that calls one tool."""
    return {"blocks": [{"tool": name, "id": call_id, "args": args}], "stop": "toolUse"}


class Person(RpcClient):
    """An RPC client that answers dialogs. answers: by title, or by method; else it dismisses."""

    answers: dict[str, Any]

    def ask(self, message: str, **fields: Any) -> Record:
        """Send a prompt, answering what is asked meanwhile, until the agent has settled.

        A prompt that an extension handles ends with its response.
        """
        self.skip()
        name = self.begin({"type": "prompt", "message": message, **fields})
        response: Record | None = None
        settled = False
        while response is None or not (settled or _is_over(response)):
            record = self.wait(
                lambda r: (
                    r["type"] in ("agent_settled", "extension_ui_request")
                    or (r["type"] == "response" and r.get("id") == name)
                )
            )
            if record["type"] == "extension_ui_request":
                self.answer(record)
            elif record["type"] == "response":
                response = record
            else:
                settled = True
        return response

    def answer(self, request: Record) -> None:
        about = {"type": "extension_ui_response", "id": request["id"]}
        known = self.answers
        if request["method"] not in ("select", "confirm", "input", "editor"):
            return
        value = known.get(request.get("title", ""), known.get(request["method"]))
        if value is None:
            self.send({**about, "cancelled": True})
        elif request["method"] == "confirm":
            self.send({**about, "confirmed": value})
        else:
            self.send({**about, "value": value})

    def requests(self, method: str) -> list[Record]:
        """What extensions showed or asked, so far."""
        return [
            r for r in self.records if r["type"] == "extension_ui_request" and r["method"] == method
        ]

    def notices(self) -> list[str]:
        return [record["message"] for record in self.requests("notify")]

    def errors_of_extensions(self) -> list[Record]:
        return [record for record in self.records if record["type"] == "extension_error"]


def _is_over(response: Record) -> bool:
    """Whether no run follows it."""
    return not response["success"] or response["data"]["disposition"] == "handled"


@dataclass
class Extended:
    """pi with some extensions and a scripted model."""

    script: Scripted
    options: tuple[str, ...]
    folder: Path = field(default=Path())

    @property
    def machine(self) -> Machine:
        return self.script.machine

    @property
    def bodies(self) -> list[Any]:
        return self.script.bodies

    def run(self, *arguments: str, **options: Any) -> Result:
        return self.script.run(*self.options, *arguments, **options)

    def json(self, *arguments: str, **options: Any) -> Result:
        return self.run("--mode", "json", *arguments, **options)

    @contextmanager
    def rpc(self, *arguments: str, **answers: Any) -> Iterator[Person]:
        """answers: by method, or by title with `titled`."""
        command = [*COMMAND, *self.script.options, *self.options, "--mode", "rpc", *arguments]
        with Person(command, cwd=self.machine.project, env=self.machine.environment) as person:
            person.answers = {**answers.pop("titled", {}), **answers}
            yield person

    def entries(self) -> list[dict[str, Any]]:
        return self.machine.entries()

    def tool_results(self) -> list[dict[str, Any]]:
        return [m for m in self.machine.messages() if m["role"] == "toolResult"]


class Extend:
    """Write extensions and start a scripted model."""

    def __init__(self, scripted: Any, folder: Path) -> None:
        self._scripted = scripted
        self.folder = folder

    def __call__(
        self, *sources: str | Path, turns: Sequence[Turn] = (SAYS_DONE,), **options: Any
    ) -> Extended:
        """sources: the text of an extension, or the path of one."""
        named: list[str] = []
        for number, source in enumerate(sources):
            path = source
            if isinstance(source, str):
                path = self.folder / f"extension_{number}.py"
                path.write_text(source)
            named += ["-e", str(path)]
        return Extended(self._scripted(list(turns), **options), tuple(named), self.folder)


@pytest.fixture
def extend(scripted: Any, tmp_path: Path) -> Extend:
    folder = tmp_path / "extensions"
    folder.mkdir()
    return Extend(scripted, folder)


def last_json(text: str) -> Any:
    return json.loads(text.strip().splitlines()[-1])
