"""/mcp in the terminal, and how calls to servers are drawn."""

import json
import sys
from pathlib import Path

from tests.e2e.interactive.conftest import HI, Sitting
from tests.e2e.interactive.test_commands import say

SERVER = str(Path(__file__).parents[2] / "mcp" / "stdio_server.py")


def configure(sit: Sitting, tmp_path: Path, **modes: str) -> None:
    servers = {
        name: {
            "command": sys.executable,
            "args": [SERVER, str(tmp_path / f"{name}.log"), mode],
            "exposure": "direct",
        }
        for name, mode in modes.items()
    }
    sit.machine.write("mcp.json", {"mcpServers": servers})


def test_the_list_and_what_can_be_done(sit: Sitting, tmp_path: Path) -> None:
    configure(sit, tmp_path, good="good", dead="dies")
    screen = sit("--approve", columns=100)
    screen.wait('MCP server "dead" failed: the server exited with code 3')
    say(screen, "/mcp")
    # What needs attention comes first.
    screen.wait("→ dead")
    screen.wait("connected, 9 tools · direct · global")
    screen.press("Enter")
    screen.wait("no database here")
    screen.press("Escape")
    screen.wait("MCP servers")
    screen.press("Down", "Enter")
    screen.wait("State: connected, 9 tools")
    screen.press("Enter")
    screen.wait("Tools of good")
    screen.wait("Say it again")
    screen.press("Escape")
    screen.wait("Exposure")
    screen.press("Down", "Down", "Down", "Down")
    screen.wait("→ Disable in this project")
    screen.press("Enter")
    screen.wait("State: disabled")
    written = json.loads((sit.machine.project / ".pi" / "mcp.json").read_text())
    assert written == {"mcpServers": {"good": {"enabled": False}}}
    screen.press("Down")
    screen.wait("→ Enable")
    screen.press("Enter")
    screen.wait("State: connected, 9 tools")


def test_calls_are_named_by_server_and_tool(sit: Sitting, tmp_path: Path) -> None:
    configure(sit, tmp_path, srv="good")
    call = {"tool": "mcp__srv__big", "id": "c1", "args": {}}
    sit.serve([{"blocks": [call], "stop": "toolUse"}, HI])
    screen = sit()
    say(screen, "go")
    screen.wait("Hello from the model.")
    text = screen.wait("srv/big")
    assert "mcp__srv__big" not in text


def test_without_servers(sit: Sitting) -> None:
    screen = sit()
    say(screen, "/mcp")
    screen.wait("There are no MCP servers")
