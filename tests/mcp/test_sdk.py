"""Against servers made with the protocol's own SDK, over both transports."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pi.mcp.connection import Connection
from tests.mcp.conftest import Connect
from tests.mcp.test_stdio import ignore, run

SCRIPT = str(Path(__file__).with_name("sdk_server.py"))


@contextmanager
def served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, SCRIPT, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


async def use(connection: Connection) -> None:
    async with asyncio.timeout(100):
        await connection.connect()
        assert [tool["name"] for tool in connection.tools] == ["add", "fail", "picture"]
        assert connection.tools[0]["annotations"]["readOnlyHint"] is True
        assert connection.instructions == "Adds numbers."
        added = await connection.call("add", {"a": 2, "b": 3}, ignore)
        assert added["content"][0]["text"] == "5"
        assert added["structuredContent"] == {"result": 5}
        failed = await connection.call("fail", {}, ignore)
        assert failed["isError"] is True
        (image,) = (await connection.call("picture", {}, ignore))["content"]
        assert image["type"] == "image" and image["mimeType"] == "image/png"
        listed = await connection.pages("resources/list", "resources")
        assert [each["uri"] for each in listed] == ["memo://one"]
        (content,) = (await connection.read("memo://one"))["contents"]
        assert content["text"] == "remember"


def test_over_stdio(connect: Connect) -> None:
    run(connect(command=sys.executable, args=[SCRIPT, "stdio"]), use)


@pytest.mark.skipif(sys.platform == "win32", reason="the server cannot be ended there in order")
def test_over_http(connect: Connect) -> None:
    with served() as url:
        run(connect(url=url), use)
