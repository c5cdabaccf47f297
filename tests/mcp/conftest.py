"""Servers for the tests of the client, and connections to them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.mcp.config import Server, checked
from pi.mcp.connection import Connection
from pi.mcp.journal import Journal
from pi.mcp.reaching import Place
from pi.providers.http import HttpClient, HttpOptions

SERVER = str(Path(__file__).with_name("stdio_server.py"))

Connect = Callable[..., Connection]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the server was sent."""
    return tmp_path / "sent.log"


@pytest.fixture
def place(tmp_path: Path, home: Path) -> Place:
    import os

    return Place(tmp_path, home, dict(os.environ))


@pytest.fixture
def connect(place: Place, log: Path, tmp_path: Path) -> Connect:
    """A connection that is not open yet: `connect("garbage")`, `connect(url=…)`."""

    def make(mode: str = "good", **entry: Any) -> Connection:
        if "url" not in entry and "command" not in entry:
            entry = {"command": sys.executable, "args": [SERVER, str(log), mode], **entry}
        server = Server("srv", checked("srv", entry))
        journal = Journal(tmp_path / "mcp.log")
        http = HttpClient(HttpOptions(idle_timeout=None))
        return Connection(server, place, http, journal=journal)

    return make
