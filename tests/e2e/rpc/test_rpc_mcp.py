"""/mcp over RPC: states, connecting again, signing in; servers that come and go."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.e2e.conftest import Machine
from tests.e2e.rpc.conftest import DONE
from tests.mcp.http_server import serve

SERVER = str(Path(__file__).parents[2] / "mcp" / "stdio_server.py")
Connect = Callable[..., Any]


def entry(tmp_path: Path, mode: str = "good", **more: Any) -> dict[str, Any]:
    args = [SERVER, str(tmp_path / f"{mode}.log"), mode]
    return {"command": sys.executable, "args": args, **more}


def notices(client: Any) -> list[str]:
    shown = [r for r in client.records if r.get("method") == "notify"]
    return [record["message"] for record in shown]


def say(client: Any, text: str) -> list[str]:
    """The notices that a command leads to."""
    before = len(notices(client))
    answer = client.request({"type": "prompt", "message": text})
    assert answer["data"] == {"disposition": "handled"}
    return notices(client)[before:]


def test_states_in_words(connect: Connect, machine: Machine, tmp_path: Path) -> None:
    servers = {
        "a": entry(tmp_path, "slow", exposure="deferred"),
        "b": entry(tmp_path, "dies"),
        "c": {"command": "x", "enabled": False},
    }
    machine.write("mcp.json", {"mcpServers": servers})
    with connect([DONE]) as (client, _):
        (text,) = [t for t in say(client, "/mcp") if t.startswith("a:")]
        assert text.splitlines() == [
            "a: connected, 9 tools (deferred)",
            "b: failed (codemode)",
            "  the server exited with code 3",
            "c: disabled (codemode)",
        ]
        assert say(client, "/mcp reconnect a") == ['MCP server "a": connected, 9 tools.']
        assert "does not connect" in say(client, "/mcp reconnect b")[0]
        assert "no MCP server" in say(client, "/mcp reconnect z")[0]
        assert "does not use OAuth" in say(client, "/mcp login a")[0]
        assert say(client, "/mcp what")[0].startswith("Usage: /mcp")


def test_signing_in_and_out(connect: Connect, machine: Machine) -> None:
    with serve() as web:
        web.token = "nobody has it"
        machine.write("mcp.json", {"mcpServers": {"docs": {"url": web.url, "exposure": "direct"}}})
        with connect([DONE]) as (client, script):
            name = client.begin({"type": "prompt", "message": "/mcp login"})
            while not any("in a browser: " in text for text in notices(client)):
                client.until("extension_ui_request")
            (address,) = [t for t in notices(client) if "in a browser: " in t]
            with urlopen(address.partition("in a browser: ")[2]) as page:
                page.read()
            assert client.response(name)["success"]
            assert notices(client)[-1] == 'MCP server "docs": connected, 1 tool.'
            client.request({"type": "prompt", "message": "hi"})
            client.until("agent_settled")
            assert "mcp__docs__echo" in [t["name"] for t in script.bodies[-1]["tools"]]
            assert say(client, "/mcp logout")[0] == 'Signed out of MCP server "docs".'
            assert json.loads((machine.agent / "mcp-auth.json").read_text()) == {}


def test_an_extension_s_servers_come_and_go(
    connect: Connect, machine: Machine, tmp_path: Path
) -> None:
    extension = tmp_path / "comes.py"
    extension.write_text(
        "from pi.extensions import McpServersChange, Pi\n"
        "def extend(pi: Pi) -> None:\n"
        "    @pi.on('mcp_servers_change')\n"
        "    def changed(event: McpServersChange, ctx) -> None:\n"
        "        ctx.ui.notify('now ' + ','.join(each.name for each in event.servers))\n"
        "    @pi.command('come')\n"
        "    def come() -> None:\n"
        f"        pi.register_mcp_server('own', {entry(tmp_path, exposure='direct')!r})\n"
        "    @pi.command('go')\n"
        "    def go() -> None:\n"
        "        pi.unregister_mcp_server('own')\n"
    )
    with connect([DONE], "-e", str(extension)) as (client, script):

        def tools() -> list[str]:
            client.request({"type": "prompt", "message": "hi"})
            client.until("agent_settled")
            return [tool["name"] for tool in script.bodies[-1]["tools"]]

        assert "mcp__own__echo" not in tools()
        say(client, "/come")
        while "now own" not in notices(client):
            client.until("extension_ui_request")
        assert "own: connected, 9 tools (direct)" in say(client, "/mcp")[-1]
        assert "mcp__own__echo" in tools()
        say(client, "/go")
        while notices(client)[-1] != "now ":
            client.until("extension_ui_request")
        assert "mcp__own__echo" not in tools()
        assert say(client, "/mcp")[-1].startswith("There are no MCP servers")
