"""The MCP server of Radius in mcp.json, as a sign-in puts it there."""

import json
from pathlib import Path
from typing import Any

import pytest

from pi.errors import ConfigError
from pi.mcp.config import checked
from pi.mcp.radius import Taken, lacks_radius, take_radius

URL = "https://radius.pi.dev/mcp"
AUTH = {"provider": "radius"}
OTHER = {"url": "https://example.com/mcp"}


@pytest.mark.parametrize(
    ("servers", "taken", "entry"),
    [
        (None, Taken("radius", False), {"url": URL, "auth": AUTH}),
        ({"x": OTHER}, Taken("radius", False), {"url": URL, "auth": AUTH}),
        ({"x": {**OTHER, "auth": AUTH}}, Taken("radius", False), {"url": URL, "auth": AUTH}),
        ({"radius": OTHER}, Taken("radius-mcp", False), {"url": URL, "auth": AUTH}),
        (
            {"radius": OTHER, "radius-mcp": {"command": "x"}},
            Taken("radius-mcp-2", False),
            {"url": URL, "auth": AUTH},
        ),
        ({"x": {"url": URL}}, Taken("x", True), {"url": URL, "auth": AUTH}),
        (
            {"x": {"url": f"{URL}/", "oauth": {"clientId": "c"}, "exposure": "direct"}},
            Taken("x", True),
            {"url": f"{URL}/", "exposure": "direct", "auth": AUTH},
        ),
        ({"x": {"url": URL, "auth": AUTH, "enabled": False}}, None, None),
        ({"x": {"url": URL}, "y": {"url": URL, "auth": AUTH}}, None, None),
    ],
)
def test_what_is_written(tmp_path: Path, servers: Any, taken: Taken | None, entry: Any) -> None:
    path = tmp_path / "mcp.json"
    if servers is not None:
        path.write_text(json.dumps({"mcpServers": servers, "autoEnableCodemode": False}))
    before = path.read_bytes() if servers else b""
    assert lacks_radius(path) is (taken is not None)
    assert take_radius(path) == taken
    assert take_radius(path) is None, "once is enough"
    if taken is None:
        assert path.read_bytes() == before
        return
    written = json.loads(path.read_text())
    assert written["mcpServers"] == {**(servers or {}), taken.name: entry}
    assert list(written)[1:] == (["autoEnableCodemode"] if servers else [])
    checked(taken.name, entry)


@pytest.mark.parametrize("text", ["{broken", '{"mcpServers": []}', "[]"])
def test_a_file_that_cannot_be_used_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        lacks_radius(path)
    with pytest.raises(ConfigError):
        take_radius(path)
    assert path.read_text() == text
