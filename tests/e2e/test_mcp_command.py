"""`pi mcp`, as a person or a script runs it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine, Result

SERVER = str(Path(__file__).parents[1] / "mcp" / "stdio_server.py")


@pytest.fixture
def log(tmp_path: Path) -> str:
    return str(tmp_path / "sent.log")


def entries(machine: Machine) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((machine.agent / "mcp.json").read_text())
    return data["mcpServers"]


def mcp(machine: Machine, *arguments: str) -> Result:
    return machine.run("mcp", *arguments)


def test_add_list_remove(machine: Machine, log: str) -> None:
    added = mcp(
        machine, "add", "srv", "--env", "A=b=c", "--exposure", "direct", "--description", "It",
        "--", sys.executable, SERVER, log, "good",
    )  # fmt: skip
    path = machine.agent / "mcp.json"
    assert added.code == 0, added.stderr
    assert added.text.splitlines()[0] == f'Added global MCP server "srv" in {path}.'
    assert entries(machine)["srv"] == {
        "command": sys.executable,
        "args": [SERVER, log, "good"],
        "env": {"A": "b=c"},
        "exposure": "direct",
        "description": "It",
    }
    listed = mcp(machine, "list")
    assert listed.code == 0, listed.stderr
    assert listed.text.splitlines() == [
        "srv: connected, 9 tools (direct, global)",
        f"  {sys.executable} {SERVER} {log} good",
        "  tools: echo, read-file, kinds, fail, big, slow, grow, crash, environment",
        "  offers resources",
    ]
    record = json.loads(mcp(machine, "list", "--json").stdout)
    assert record["errors"] == []
    assert record["servers"][0] | {"tools": [], "transport": ""} == {
        "name": "srv",
        "scope": "global",
        "source": str(path),
        "enabled": True,
        "exposure": "direct",
        "transport": "",
        "state": "connected",
        "tools": [],
        "resources": True,
    }
    assert mcp(machine, "remove", "srv").code == 0
    assert entries(machine) == {}
    assert mcp(machine, "remove", "srv").code == 1


def test_the_list_as_an_object_says_what_is_apart(machine: Machine, log: str) -> None:
    machine.write(
        "mcp.json",
        {
            "mcpServers": {
                "srv": {
                    "command": sys.executable,
                    "args": [SERVER, log, "good"],
                    "toolExposure": {"e*": "deferred", "nothing": "direct"},
                }
            }
        },
    )
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "mcp.json").write_text('{"mcpServers": {}}')
    listed = json.loads(mcp(machine, "list", "--json").stdout)
    assert listed["servers"][0]["toolExposure"] == dict.fromkeys(
        ("echo", "environment"), "deferred"
    )
    assert "the project is not trusted" in listed["note"]


def test_options_of_http_servers(machine: Machine) -> None:
    added = mcp(
        machine, "add", "--url", "https://h.example/mcp", "h", "--header", "X=1",
        "--bearer-token-env-var", "TOK", "--oauth-client-id", "id", "--oauth-callback-port", "8765",
    )  # fmt: skip
    assert added.code == 0, added.stderr
    assert entries(machine)["h"] == {
        "url": "https://h.example/mcp",
        "headers": {"X": "1", "Authorization": "Bearer ${TOK}"},
        "oauth": {"clientId": "id", "callbackPort": 8765},
    }


def test_what_follows_the_command_is_its_own(machine: Machine) -> None:
    assert mcp(machine, "add", "a", "cmd", "--url", "x", "--", "-y").code == 0
    assert entries(machine)["a"] == {"command": "cmd", "args": ["--url", "x", "--", "-y"]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add",), "missing argument"),
        (("add", "x"), "either a command or --url"),
        (("add", "x", "--url", "http://a", "--", "cmd"), "either a command or --url"),
        (("add", "a b", "--", "cmd"), "invalid server name"),
        (("add", "x", "--exposure", "loud", "--", "cmd"), "exposure"),
        (("add", "x", "--url", "http://a", "--env", "A=1"), "with a command only"),
        (("add", "x", "--header", "A=1", "--", "cmd"), "over HTTP"),
        (("add", "x", "--env", "A", "--", "cmd"), "KEY=VALUE"),
        (("add", "x", "--url", "http://a", "--oauth-callback-port", "z"), "oauth.callbackPort"),
        (("list", "x"), "unexpected"),
        (("login", "x", "--timeout", "soon"), "--timeout"),
        (("bogus",), "no such command"),
    ],
)
def test_usage_errors(machine: Machine, arguments: tuple[str, ...], says: str) -> None:
    result = mcp(machine, *arguments)
    assert result.code == 2
    assert says in result.stderr.lower() or says in result.stderr
    assert not (machine.agent / "mcp.json").exists()


def test_failures_are_listed(machine: Machine, log: str) -> None:
    machine.write(
        "mcp.json",
        {
            "mcpServers": {
                "dead": {"command": sys.executable, "args": [SERVER, log, "dies"]},
                "off": {"command": "x", "enabled": False},
                "bad": {"command": 5},
                "odd": {"command": "\x1b]0;evil\x07", "args": ["\x1b[2J"]},
            }
        },
    )
    result = mcp(machine, "list")
    assert result.code == 1
    assert "\x1b" not in result.text
    assert "dead: failed (codemode, global)" in result.text
    assert "  the server exited with code 3" in result.text
    assert "  stderr: no database here" in result.text
    assert "off: disabled (codemode, global)" in result.text
    assert 'server "bad": command: expected a string' in result.stderr


def test_a_project_that_is_not_trusted(machine: Machine) -> None:
    added = mcp(machine, "add", "-l", "p", "--", "cmd")
    assert added.code == 0
    path = machine.project / ".pi" / "mcp.json"
    assert json.loads(path.read_text()) == {"mcpServers": {"p": {"command": "cmd"}}}
    assert "is not trusted" in added.text
    listed = mcp(machine, "list")
    assert "No MCP servers configured" in listed.text and "is not trusted" in listed.stderr
    assert listed.code == 0


def test_signing_in_needs_a_server_that_does(machine: Machine) -> None:
    assert mcp(machine, "add", "docs", "--", "cmd").code == 0
    result = mcp(machine, "login", "docs")
    assert result.code == 1 and "does not use OAuth" in result.stderr
    result = mcp(machine, "logout", "dogs")
    assert result.code == 1 and 'Did you mean "docs"?' in result.stderr
