"""`pi update --models`, and what the lists it fetches change."""

import json
import os
from typing import Any

import pytest

from tests.auth.authorization_server import Server
from tests.e2e.conftest import Machine

GROQ = "/api/groq"


def model(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"The {name}",
        "api": "openai-completions",
        "provider": "groq",
        "baseUrl": "https://api.groq.com/openai/v1",
        "input": ["text"],
        "contextWindow": 7700,
        "maxTokens": 1000,
        "type": "chat",
        **more,
    }


class Lists(Server):
    """Answers with an etag and a date, and 304 to who knows the etag."""

    def __init__(self, answers: Any, modified: str = "Wed, 21 Oct 2099 07:28:00 GMT") -> None:
        super().__init__(answers)
        self.modified = modified

    def _handler(self) -> Any:
        server = self
        base: Any = super()._handler()

        class Handler(base):  # type: ignore[misc]
            def end_headers(self) -> None:
                self.send_header("ETag", '"e1"')
                self.send_header("Last-Modified", server.modified)
                super().end_headers()

        return Handler


def update(machine: Machine, server: Server, **env: str) -> Any:
    machine.environment.pop("PI_OFFLINE", None)
    return machine.run(
        "update", "--models", PI_MODELS_URL=f"{server.address}/api/", GROQ_API_KEY="k", **env
    )


def listed(machine: Machine, **env: str) -> dict[str, list[str]]:
    rows = machine.run("--list-models", GROQ_API_KEY="k", **env).text.splitlines()[1:]
    return {row.split()[1]: row.split()[2:] for row in rows}


def entry(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((machine.agent / "models-store.json").read_text())["groq"]
    return found


def test_newer_lists_go_over_the_shipped_ones(machine: Machine) -> None:
    before = listed(machine)
    models = [
        model("new-1"),
        model("llama-3.1-8b-instant"),
        model("painter", type="image"),
        {"id": "broken", "name": 5},
        model("worse", contextWindow="many"),
    ]
    with Lists({GROQ: [(200, {"models": models}), (304, b"")]}) as server:
        result = update(machine, server)
        assert (result.code, result.stderr) == (0, "")
        assert "groq" in result.text
        (request,) = server.requests
        assert "if-none-match" not in request.headers
        first = entry(machine)
        assert (first["etag"], first["models"][0]["id"]) == ('"e1"', "new-1")
        assert update(machine, server).code == 0
        assert server.requests[1].headers["if-none-match"] == '"e1"'
    assert {**entry(machine), "checkedAt": 0} == {**first, "checkedAt": 0}
    assert set(listed(machine)) == {*before, "new-1"}
    assert listed(machine)["new-1"][0] == "7.7K"
    assert listed(machine)["llama-3.1-8b-instant"][0] == "7.7K"
    if os.name != "nt":
        assert (machine.agent / "models-store.json").stat().st_mode & 0o777 == 0o600


def test_older_lists_do_not(machine: Machine) -> None:
    before = listed(machine)
    old = "Wed, 21 Oct 2015 07:28:00 GMT"
    with Lists({GROQ: [(200, {"chat:new-1": model("new-1")})]}, old) as server:
        assert update(machine, server).code == 0
    assert entry(machine)["models"][0]["id"] == "new-1"
    assert listed(machine) == before


@pytest.mark.parametrize(
    ("answer", "said"),
    [((500, b""), "HTTP 500"), ((403, b""), "HTTP 403"), ((200, b"<html>"), "not JSON")],
)
def test_a_failure_keeps_what_is_there(machine: Machine, answer: Any, said: str) -> None:
    with Lists({GROQ: [(200, [model("new-1")]), answer]}) as server:
        assert update(machine, server).code == 0
        before = entry(machine)
        result = update(machine, server)
        assert (result.code, result.stdout) == (1, b"")
        assert f"groq: {'the server answered ' if 'HTTP' in said else ''}" in result.stderr
        assert said in result.stderr
    assert entry(machine) == before
    assert "new-1" in listed(machine)


def test_no_list_for_a_provider(machine: Machine) -> None:
    before = listed(machine)
    with Lists({GROQ: [(404, b"")]}) as server:
        assert update(machine, server).code == 0
    assert entry(machine)["models"] == []
    assert listed(machine) == before


def test_offline_and_without_keys(machine: Machine) -> None:
    with Lists({}) as server:
        result = update(machine, server, PI_OFFLINE="1")
        assert result.code == 0
        assert "Offline" in result.text
        machine.environment.pop("PI_OFFLINE", None)
        result = machine.run("update", "--models", PI_MODELS_URL=server.address)
        assert result.code == 0
        assert server.requests == []
    assert not (machine.agent / "models-store.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"groq": 5}', '{"groq": {"models": 5}}'])
def test_a_store_that_cannot_be_used_changes_nothing(machine: Machine, content: str) -> None:
    before = listed(machine)
    machine.write("models-store.json", content)
    assert listed(machine) == before


def test_what_cannot_be_updated_is_refused(machine: Machine) -> None:
    for arguments, said in (
        (("--models", "npm:x"), "--models cannot be combined with a source"),
        (("--all", "--extensions"), "--all cannot be combined with --extensions or --self"),
    ):
        result = machine.run("update", *arguments)
        assert (result.code, result.stdout) == (2, b"")
        assert said in result.stderr
    assert "--models" in machine.run("update", "--help").text


def test_openrouter_lists_what_the_key_may_use(machine: Machine) -> None:
    shipped = machine.run("--list-models", "openrouter", OPENROUTER_API_KEY="k").text.splitlines()
    first, second = (row.split()[1] for row in shipped[1:3])
    latest = {"models": [{**model("x/painter", type="image"), "provider": "openrouter"}]}
    allowed = {"data": [{"id": second, "context_length": 4096}, {"id": "x/unknown"}]}
    answers = {
        GROQ: [(304, b"")],
        "/api/openrouter": [(200, latest)],
        "/v1/models/user": [(200, allowed)],
    }
    with Lists(answers) as server:
        base = {"baseUrl": f"{server.address}/v1"}
        machine.write("models.json", {"providers": {"openrouter": base}})
        result = update(machine, server, OPENROUTER_API_KEY="k")
        assert (result.code, result.stderr) == (0, ""), result.stderr
    rows = machine.run("--list-models", OPENROUTER_API_KEY="k").text.splitlines()[1:]
    assert [row.split()[:3] for row in rows] == [["openrouter", second, "4.1K"]]
    stored = json.loads((machine.agent / "models-store.json").read_text())["openrouter"]
    assert {entry["id"] for entry in stored["models"]} == {second, "x/painter"}
    assert "lastModified" not in stored and first != second


def test_the_gateway_lists_what_the_account_has(machine: Machine) -> None:
    config = {
        "baseUrl": "https://radius.test/v1",
        "models": [
            {
                "id": "ours",
                "name": "Ours",
                "reasoning": True,
                "input": ["text"],
                "cost": {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0},
                "contextWindow": 1000,
                "maxTokens": 100,
            }
        ],
    }
    with Lists({GROQ: [(304, b"")], "/v1/config": [(200, config)]}) as server:
        base = {"baseUrl": f"{server.address}/v1"}
        machine.write("models.json", {"providers": {"radius": base}})
        result = update(machine, server, RADIUS_API_KEY="k")
        assert (result.code, result.stderr) == (0, ""), result.stderr
    rows = machine.run("--list-models", RADIUS_API_KEY="k").text.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [["radius", "ours"]]
