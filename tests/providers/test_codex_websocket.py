"""The WebSocket transport of ChatGPT's endpoint: what is kept, what is sent, when it is left."""

import asyncio
import contextlib
import ssl
import time
from pathlib import Path

import pytest

from pi.errors import InvalidRequestError, NetworkError
from pi.providers.base import Context, StreamOptions
from pi.providers.http import HttpClient, HttpOptions
from pi.providers.registry import stream_function
from tests.providers.exchange import (
    CODEX,
    TOOL,
    assistant,
    call,
    collect_all,
    result,
    system,
    text,
    user,
)
from tests.providers.test_openai_codex_responses import KEY, token

ANSWER = {"blocks": [{"text": "hello"}]}
CALLING = {
    "blocks": [{"thinking": "hm"}, {"text": "Look."}, {"tool": "read", "id": "c1", "args": {}}],
    "stop": "toolUse",
}


@pytest.fixture
def exchange(script):
    return script(CODEX, ANSWER)


def ask(exchange, *conversations, **options):
    """The last event of each reply."""
    options = {"api_key": KEY, "session_id": "s1", **options}
    return [events[-1] for events in collect_all(exchange.model(), conversations, **options)]


def ways(exchange):
    return [request.method for request in exchange.server.requests]


def notes(event):
    message = event["message" if event["type"] == "done" else "error"]
    return message.get("diagnostics", [])


def test_the_handshake_and_the_message(exchange):
    asked = [system(content="P", toolsAdded=[TOOL]), user("go")]
    (event,) = ask(exchange, asked, headers={"X-Extra": "1"}, thinking="low")
    assert event["type"] == "done" and event["message"]["content"][0]["text"] == "hello"
    assert notes(event) == []
    (headers,) = exchange.server.handshakes
    wanted = {
        "authorization": f"Bearer {KEY}",
        "chatgpt-account-id": "acc-1",
        "openai-beta": "responses_websockets=2026-02-06",
        "originator": "pi",
        "session-id": "s1",
        "x-client-request-id": "s1",
        "x-extra": "1",
    }
    assert {name: headers.get(name) for name in wanted} == wanted
    assert headers["user-agent"].startswith("pi/")
    assert not {"accept", "content-type"} & set(headers)
    (request,) = exchange.server.requests
    assert (request.method, request.target) == ("WEBSOCKET", "/codex/responses")
    assert request.body["type"] == "response.create"
    assert request.body["instructions"] == "P" and request.body["store"] is False


def grown(*more):
    """A conversation as it goes on from what the scripted server answered to CALLING."""
    signature = (
        '{"id":"rs_0","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],'
        '"encrypted_content":"enc"}'
    )
    thought = {"type": "thinking", "thinking": "hm", "thinkingSignature": signature}
    said = text("Look.", textSignature='{"v":1,"id":"msg_1"}')
    reply = assistant(thought, said, call("c1|fc_2"), api=CODEX)
    return [user("one"), reply, result("c1|fc_2", text("out")), *more]


def test_what_the_connection_has_seen_is_not_sent_again(script):
    exchange = script(CODEX, CALLING, ANSWER)
    first, second = ask(exchange, [user("one")], grown())
    assert first["type"] == second["type"] == "done"
    assert len(exchange.server.handshakes) == 1
    body = exchange.body
    assert body["previous_response_id"] == "resp_scripted"
    assert body["input"] == [{"type": "function_call_output", "call_id": "c1", "output": "out"}]


@pytest.mark.parametrize("transport", ["auto", "websocket-cached"])
def test_both_of_these_build_on_it(script, transport):
    exchange = script(CODEX, CALLING, ANSWER)
    ask(exchange, [user("one")], grown(), transport=transport)
    assert "previous_response_id" in exchange.body


def test_a_websocket_alone_sends_everything(script):
    exchange = script(CODEX, CALLING, ANSWER)
    ask(exchange, [user("one")], grown(), transport="websocket")
    assert len(exchange.server.handshakes) == 1
    assert "previous_response_id" not in exchange.body and len(exchange.body["input"]) == 5


def test_sse_opens_none(exchange):
    ask(exchange, [user("go")], transport="sse")
    assert exchange.server.handshakes == [] and ways(exchange) == ["POST"]


@pytest.mark.parametrize(
    "later",
    [
        [user("another"), *grown()[1:]],
        [*grown()[:1], assistant(text("edited"), api=CODEX), user("go")],
        [user("one")],
        [system(content="P"), *grown()],
    ],
)
def test_another_past_is_sent_whole(script, later):
    exchange = script(CODEX, CALLING, ANSWER)
    ask(exchange, [user("one")], later)
    assert len(exchange.server.handshakes) == 1
    assert "previous_response_id" not in exchange.body


@pytest.mark.parametrize("options", [{"session_id": None}, {"cache_retention": "none"}])
def test_no_session_no_connection_kept(exchange, options):
    ask(exchange, [user("one")], [user("two")], **options)
    asked = [headers["session-id"] for headers in exchange.server.handshakes]
    assert len(set(asked)) == 2 and all(len(name) == 36 for name in asked)


def test_another_account_another_connection(exchange):
    other = token({"https://api.openai.com/auth": {"chatgpt_account_id": "acc-2"}})

    async def run():
        client = HttpClient()
        for key in (KEY, other, KEY):
            options = StreamOptions(client, api_key=key, session_id="s1")
            stream = stream_function(CODEX)(exchange.model(), Context([user("go")]), options)
            assert [event async for event in stream][-1]["type"] == "done"
        await client.aclose()

    asyncio.run(run())
    accounts = [headers["chatgpt-account-id"] for headers in exchange.server.handshakes]
    assert accounts == ["acc-1", "acc-2"]


class TestFallingBack:
    def test_a_server_without(self, exchange):
        exchange.server.websockets = False
        events = ask(exchange, [user("one")], [user("two")])
        assert [event["type"] for event in events] == ["done", "done"]
        # the session does not try again
        assert len(exchange.server.handshakes) == 1 and ways(exchange) == ["POST", "POST"]
        assert exchange.headers["openai-beta"] == "responses=experimental"
        (noted,) = notes(events[0])
        assert noted["type"] == "provider_transport_failure" and noted["error"]["message"]
        details = noted["details"]
        assert details.pop("requestBytes") > 100
        assert details == {
            "configuredTransport": "auto",
            "fallbackTransport": "sse",
            "eventsEmitted": False,
            "phase": "before_message_stream_start",
        }
        assert notes(events[1]) == []

    def test_a_loss_before_anything_came(self, script):
        exchange = script(CODEX, {**ANSWER, "cut": 0}, ANSWER)
        (event,) = ask(exchange, [user("one")])
        assert event["type"] == "done" and ways(exchange) == ["WEBSOCKET", "POST"]

    def test_a_close_before_anything_came(self, script):
        exchange = script(CODEX, {"events": [], "close": 1009}, ANSWER)
        (event,) = ask(exchange, [user("one")])
        assert event["type"] == "done" and "1009" in notes(event)[0]["error"]["message"]

    def test_silence(self, script):
        exchange = script(CODEX, {**ANSWER, "hang": 0}, ANSWER)
        (event,) = ask(exchange, [user("one")], http=HttpOptions(idle_timeout=0.3))
        assert event["type"] == "done" and ways(exchange) == ["WEBSOCKET", "POST"]

    def test_a_loss_amid_an_answer_is_one(self, script):
        turn = {"blocks": [{"text": "a long text that is cut"}], "piece": 3, "cut": 5}
        exchange = script(CODEX, turn, ANSWER)
        first, second = ask(exchange, [user("one")], [user("two")])
        assert isinstance(first["failure"], NetworkError) and first["failure"].retryable
        assert first["error"]["content"][0]["text"].startswith("a lo")
        assert notes(first)[0]["details"]["eventsEmitted"] is True
        assert second["type"] == "done" and ways(exchange) == ["WEBSOCKET", "POST"]

    def test_a_handshake_that_never_ends(self):
        async def silent(reader, writer):
            await reader.read()
            left.set()
            writer.close()

        left = asyncio.Event()

        async def run():
            server = await asyncio.start_server(silent, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            client = HttpClient()
            with pytest.raises(NetworkError, match="in time"):
                await client.websocket(f"http://127.0.0.1:{port}/x", headers={}, limit=0.2)
            await asyncio.wait_for(left.wait(), 10)
            await client.aclose()
            server.close()
            await server.wait_closed()

        asyncio.run(run())


def failing(code, message="no"):
    return {"events": [{"type": "error", "error": {"code": code, "message": message}}]}


class TestRefusals:
    def test_an_answer_that_was_forgotten(self, script):
        gone = failing("previous_response_not_found")
        exchange = script(CODEX, CALLING, gone, ANSWER)
        _, event = ask(exchange, [user("one")], grown())
        assert event["type"] == "done" and ways(exchange) == ["WEBSOCKET"] * 3
        assert "previous_response_id" not in exchange.body
        assert len(exchange.body["input"]) == 5 and len(exchange.server.handshakes) == 2

    def test_too_many_connections(self, script):
        full = failing("websocket_connection_limit_reached")
        exchange = script(CODEX, full, ANSWER)
        assert ask(exchange, [user("one")])[0]["type"] == "done"
        assert ways(exchange) == ["WEBSOCKET"] * 2
        exchange = script(CODEX, full, full, ANSWER)
        assert ask(exchange, [user("one")])[0]["type"] == "done"
        assert ways(exchange) == ["WEBSOCKET"] * 2 + ["POST"]

    def test_others_are_the_request_s(self, script):
        exchange = script(CODEX, failing("bad_request", "invalid_request"), ANSWER)
        first, second = ask(exchange, [user("one")], [user("two")])
        assert not isinstance(first["failure"], NetworkError)
        assert "invalid_request" in first["error"]["errorMessage"]
        # the session stays with WebSockets, on a connection of its own
        assert second["type"] == "done" and ways(exchange) == ["WEBSOCKET"] * 2
        assert len(exchange.server.handshakes) == 2

    def test_what_is_no_json(self, script):
        exchange = script(CODEX, {"events": ["{no"]}, ANSWER)
        (event,) = ask(exchange, [user("one")])
        assert "malformed" in event["error"]["errorMessage"]


def test_leaving_amid_an_answer_closes_the_connection(script):
    exchange = script(CODEX, {"blocks": [{"text": "a long text"}], "piece": 1, "hang": 4})

    async def run():
        client = HttpClient()
        options = StreamOptions(client, api_key=KEY, session_id="s1")
        stream = stream_function(CODEX)(exchange.model(), Context([user("go")]), options)
        task = asyncio.ensure_future(anext(stream))
        await task

        async def rest():
            async for _ in stream:
                pass

        reading = asyncio.ensure_future(rest())
        await asyncio.sleep(0.1)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        for _ in range(200):
            if exchange.server.closed:
                break
            await asyncio.sleep(0.02)
        assert exchange.server.closed == 1
        await client.aclose()

    asyncio.run(run())


def test_the_client_closes_what_was_kept(exchange):
    ask(exchange, [user("one")])
    deadline = time.monotonic() + 10
    while not exchange.server.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert exchange.server.closed == 1


TLS = Path(__file__).parent / "tls"


def test_over_tls_and_through_a_proxy(script):
    exchange = script(CODEX, ANSWER)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    exchange.server.tunnel_tls = context
    http = HttpOptions(proxy=exchange.server.url, extra_ca=TLS / "ca.pem")
    model = exchange.model(base_url="https://localhost")
    events = collect_all(model, [[user("go")]], http, api_key=KEY, session_id="s1")
    assert events[0][-1]["type"] == "done" and ways(exchange) == ["WEBSOCKET"]
    assert exchange.server.tunnels == ["localhost:443"]


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [((), False), (("127.0.0.1",), True), (("other.test",), False), (("*",), True)],
)
def test_hosts_that_bypass_the_proxy(exchange, no_proxy, direct):
    http = HttpOptions(proxy="http://127.0.0.1:9", no_proxy=no_proxy)
    (event,) = ask(exchange, [user("go")], http=http)
    assert (event["type"] == "done") is direct
    if not direct:
        assert isinstance(event["failure"], NetworkError | InvalidRequestError)


def test_a_redirect_is_not_followed(script):
    async def elsewhere(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        where = f"{exchange.server.url}/codex/responses"
        head = f"HTTP/1.1 302 Found\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    exchange = script(CODEX, ANSWER)

    async def run():
        server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = HttpClient()
        with pytest.raises(NetworkError, match="302"):
            await client.websocket(f"http://127.0.0.1:{port}/x", headers={}, limit=5)
        await client.aclose()
        server.close()

    asyncio.run(run())
    assert exchange.server.handshakes == []
