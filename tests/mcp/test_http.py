"""Servers over streamable HTTP: what is sent, and what becomes of unusual answers."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from pi.errors import PiError
from pi.mcp.connection import Connection
from pi.mcp.errors import ConnectionLost, HttpStatus
from tests.mcp.conftest import Connect
from tests.mcp.http_server import RESULTS, Web, serve
from tests.mcp.test_stdio import ignore, run


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as made:
        yield made


async def call(connection: Connection) -> str:
    result = await connection.call("echo", {}, ignore)
    return str(result["content"][0]["text"])


@pytest.mark.parametrize("sse", [False, True])
def test_what_is_sent(web: Web, connect: Connect, sse: bool) -> None:
    web.sse = sse
    assert run(connect(url=web.url, headers={"X-Own": "${HOME}"}), call) == "ok"
    (first, *others) = web.posted()
    assert first.headers["accept"] == "application/json, text/event-stream"
    assert "mcp-session-id" not in first.headers
    assert "mcp-protocol-version" not in first.headers
    for each in (*others, *(seen for seen in web.seen if seen.method in ("GET", "DELETE"))):
        assert each.headers["mcp-session-id"] == "s1"
        assert each.headers["mcp-protocol-version"] == "2025-06-18"
        assert each.headers["x-own"].startswith("/")
    assert [each.body["method"] for each in others] == [
        *("notifications/initialized", "tools/list", "tools/call"),
    ]
    assert web.seen[-1].method == "DELETE"


def test_a_compressed_answer_is_read(web: Web, connect: Connect) -> None:
    """Some proxies compress whatever was asked for."""

    def compressed(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> bool:
        if body["method"] != "tools/call":
            return False
        reply = {"jsonrpc": "2.0", "id": body["id"], "result": RESULTS["tools/call"]}
        content = gzip.compress(json.dumps(reply).encode())
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        return True

    web.override = compressed
    assert run(connect(url=web.url), call) == "ok"


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (429, 3), (400, 1), (404, 1)])
def test_transient_errors_are_tried_again(
    web: Web, connect: Connect, status: int, tries: int
) -> None:
    web.statuses = [(status, b"busy", {})] * 5

    async def act(connection: Connection) -> None:
        with pytest.raises(HttpStatus, match=f"{status}: busy"):
            await connection.connect()
        assert connection.state == "failed"

    run(connect(url=web.url), act)
    assert len(web.posted()) == tries


def test_a_call_is_not_sent_twice_but_a_list_is(web: Web, connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        await connection.connect()
        web.statuses = [(503, b"", {})]
        with pytest.raises(HttpStatus):
            await call(connection)
        web.statuses = [(503, b"", {})]
        assert await connection.page("resources/list") == {"resources": []}

    run(connect(url=web.url), act)
    assert len(web.posted("tools/call")) == 1
    assert len(web.posted("resources/list")) == 2


def test_a_session_that_ended_is_begun_again(web: Web, connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        await connection.connect()
        web.session = "s2"
        web.statuses = [(404, b"", {})]
        assert await call(connection) == "ok"

    run(connect(url=web.url), act)
    assert len(web.posted("initialize")) == 2
    assert web.posted("tools/call")[-1].headers["mcp-session-id"] == "s2"


def test_a_stream_that_breaks_off_goes_on(web: Web, connect: Connect) -> None:
    def breaks_off(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> bool:
        if body.get("method") != "tools/call":
            return False
        answer = b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"late"}]}}'
        web.get = [b"data: " + answer % body["id"] + b"\n\n"]
        handler.answer(200, b"id: 7\nretry: 1\ndata:\n\n", Content_Type="text/event-stream")  # type: ignore[attr-defined]
        return True

    web.override = breaks_off
    assert run(connect(url=web.url), call) == "late"
    (resumed,) = [s for s in web.seen if s.method == "GET" and "last-event-id" in s.headers]
    assert resumed.headers["last-event-id"] == "7"


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("text/event-stream", b"data: {}\n\n", "ended without an answer"),
        ("text/html", b"<p>", "text/html"),
        ("application/json", b"{", "something else"),
        ("application/json", b'{"jsonrpc":"2.0","id":77,"result":{}}', "something else"),
        ("application/json", b" " * (17 << 20), "more than 16 MB"),
        ("text/event-stream", b"data: " + b"x" * (17 << 20), "more than 16 MB"),
    ],
    ids=["no answer", "html", "torn", "another id", "large", "large event"],
)
def test_unusable_answers(web: Web, connect: Connect, kind: str, body: bytes, says: str) -> None:
    def unusable(handler: BaseHTTPRequestHandler, message: dict[str, Any]) -> bool:
        if message.get("method") != "tools/call":
            return False
        handler.answer(200, body, Content_Type=kind)  # type: ignore[attr-defined]
        return True

    web.override = unusable

    async def act(connection: Connection) -> None:
        with pytest.raises(PiError, match=says):
            await call(connection)

    run(connect(url=web.url), act)


def test_what_the_server_says_on_its_own(web: Web, connect: Connect, tmp_path: Any) -> None:
    note = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}'
    web.get = [b"data: " + note + b"\n\n"]

    async def act(connection: Connection) -> None:
        await connection.connect()
        while not (tmp_path / "mcp.log").exists():
            await asyncio.sleep(0.02)

    run(connect(url=web.url), act)
    assert (tmp_path / "mcp.log").read_text().endswith("[srv] info 1\n")


def test_a_redirect_within_the_server_is_followed_and_no_other(web: Web, connect: Connect) -> None:
    web.statuses = [(307, b"", {"Location": "/mcp"})]
    assert run(connect(url=web.url), call) == "ok"
    web.statuses = [(307, b"", {"Location": "http://127.0.0.2:1/mcp"})]

    async def act(connection: Connection) -> None:
        with pytest.raises(HttpStatus):
            await connection.connect()

    run(connect(url=web.url), act)


def test_nobody_there(connect: Connect) -> None:
    async def act(connection: Connection) -> None:
        with pytest.raises(PiError, match="cannot connect"):
            await connection.connect()

    run(connect(url="http://127.0.0.1:9/mcp"), act)


def test_closing_does_not_wait_for_an_answer(web: Web, connect: Connect) -> None:
    def never(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> bool:
        return body.get("method") == "tools/call"

    web.override = never

    async def act(connection: Connection) -> None:
        await connection.connect()
        waiting = asyncio.ensure_future(call(connection))
        await asyncio.sleep(0.2)
        await connection.close()
        with pytest.raises((ConnectionLost, PiError)):
            await waiting

    run(connect(url=web.url), act)
