"""The WebSocket transport of ChatGPT's endpoint, and the way back to server-sent events.

A session keeps its connection from request to request, for some minutes. As long as a request only
adds to what went over it before, just the addition is sent (`previous_response_id`): the endpoint
stores nothing, but it remembers what a connection has seen. A connection that cannot be had, or
fails before anything came, sends the request, and the rest of the session, the other way.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from pi.errors import NetworkError, ProviderError
from pi.providers.assembly import Assembly
from pi.providers.base import Context, StreamOptions
from pi.providers.responses_request import responses_input
from pi.providers.streaming import Call, event_json, http_answer, watched
from pi.providers.transform import encode_body

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = ["SocketAnswer"]

log = logging.getLogger(__name__)

BETA = "responses_websockets=2026-02-06"
IDLE = 5 * 60.0
"""Seconds that a connection nobody uses is kept."""

MOST = 55 * 60.0
"""Seconds after which a connection is not used again: the endpoint ends it at an hour."""

_MEMORY = "codex websocket"
_ENDS = ("response.completed", "response.done", "response.incomplete")
_TOO_MANY = "websocket_connection_limit_reached"
_FORGOTTEN = "previous_response_not_found"
# Of the headers for events over HTTP, those that mean nothing here.
_FOREIGN = ("accept", "content-type", "openai-beta")


class _Seen(NamedTuple):
    """What a connection has seen: a request's body, its reply's id and the reply as input items."""

    body: Mapping[str, Any]
    reply: str
    items: list[dict[str, Any]]


class _Socket:
    """A connection. seen: what a further request may build on."""

    def __init__(self, connection: "ClientConnection", now: float) -> None:
        self.connection = connection
        self.opened = now
        self.seen: _Seen | None = None
        self.busy = True
        self.ending: asyncio.TimerHandle | None = None

    def usable(self, now: float) -> bool:
        return self.connection.close_code is None and now - self.opened < MOST

    def drop(self) -> None:
        """End it at once: nobody waits for the other side to agree."""
        if self.ending is not None:
            self.ending.cancel()
        self.connection.transport.abort()


class _Sockets:
    """The connections of a session, one an account. off: whether the session does without."""

    def __init__(self) -> None:
        self.off = False
        self._kept: dict[str, _Socket] = {}

    def take(self, account: str) -> _Socket | None:
        """The account's connection, if it can be used now."""
        now = asyncio.get_running_loop().time()
        socket = self._kept.get(account)
        if socket is None or socket.busy:
            return None
        if not socket.usable(now):
            del self._kept[account]
            socket.drop()
            return None
        if socket.ending is not None:
            socket.ending.cancel()
        socket.busy = True
        return socket

    def keep(self, account: str, socket: _Socket) -> None:
        """Put one back, unless another took its place meanwhile."""
        socket.busy = False
        if self._kept.setdefault(account, socket) is not socket:
            socket.drop()
            return
        socket.ending = asyncio.get_running_loop().call_later(IDLE, self._end, account, socket)

    def forget(self, account: str, socket: _Socket) -> None:
        if self._kept.get(account) is socket:
            del self._kept[account]
        socket.drop()

    async def aclose(self) -> None:
        sockets = list(self._kept.values())
        self._kept.clear()
        for socket in sockets:
            if socket.ending is not None:
                socket.ending.cancel()
            await socket.connection.close()

    def _end(self, account: str, socket: _Socket) -> None:
        if not socket.busy:
            self.forget(account, socket)


class _Again(Exception):
    """The endpoint refuses for a reason that another try gets around."""


class SocketAnswer:
    """One request's answer: over a WebSocket if that can be had, else over HTTP."""

    def __init__(self, assembly: Assembly, options: StreamOptions) -> None:
        self._assembly = assembly
        self._options = options
        self._account = ""
        self._session = options.session_id if options.cache_retention != "none" else None
        self._sockets = _Sockets()
        if self._session:
            memory = options.http.memory
            self._sockets = memory.setdefault((_MEMORY, self._session), self._sockets)
        self._builds_on = options.transport in ("auto", "websocket-cached")
        self._body: Mapping[str, Any] = {}
        self._used: _Socket | None = None

    async def __call__(
        self, call: Call, options: StreamOptions, finished: Callable[[], bool]
    ) -> AsyncGenerator[tuple[str, bytes] | None, None]:
        """None once the endpoint has begun to answer, then its events until `finished`."""
        if not self._sockets.off:
            begun = False
            try:
                async with aclosing(self._tries(call, finished)) as events:
                    async for event in events:
                        if not begun:
                            begun = True
                            yield None
                        yield event
                    return
            except (NetworkError, _Again) as failure:
                self._note(call, failure, begun=begun)
                self._sockets.off = True
                if begun:
                    raise
                log.debug("no WebSocket: %s", failure)
        async with aclosing(http_answer(call, options, finished)) as answer:
            async for told in answer:
                yield told

    def answered(self) -> None:
        """Remember the exchange: the next request of the session may build on it."""
        reply, socket = self._assembly.message, self._used
        if socket is None or not self._builds_on or "responseId" not in reply:
            return
        told = responses_input(self._assembly.model, Context([reply]), self._options)
        # A call without a result is given one, which is not what the endpoint has seen.
        items = [item for item in told.items if not item.get("type", "").endswith("_output")]
        socket.seen = _Seen(self._body, reply["responseId"], items)

    async def _tries(
        self, call: Call, finished: Callable[[], bool]
    ) -> AsyncGenerator[tuple[str, bytes], None]:
        headers, body = await watched(call, self._options)
        self._body = body
        self._account = headers.get("chatgpt-account-id", "")
        tried: set[str] = set()
        while True:
            try:
                async with aclosing(self._over(call.url, headers, body, finished)) as events:
                    async for event in events:
                        yield event
                return
            except _Again as refusal:
                if str(refusal) in tried:
                    raise
                tried.add(str(refusal))

    async def _over(
        self,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any],
        finished: Callable[[], bool],
    ) -> AsyncGenerator[tuple[str, bytes], None]:
        """The events of one try. The connection is kept only if all went well."""
        sockets = self._sockets
        socket = sockets.take(self._account)
        if socket is None:
            socket = await self._open(url, headers)
        whole = False
        try:
            sent = encode_body({"type": "response.create", **self._addition(socket, body)})
            socket.seen = None
            await self._send(socket, sent)
            first = True
            while not whole:
                data = await self._receive(socket)
                code = _refusal(data) if first else None
                # Nothing was shown yet: another connection, or the whole request, may do.
                if code is not None and code in (_FORGOTTEN, _TOO_MANY):
                    raise _Again(code)
                first = False
                yield "message", data
                whole = finished() or _is_end(data)
        finally:
            if whole and self._session:
                self._used = socket
                sockets.keep(self._account, socket)
            else:
                sockets.forget(self._account, socket)

    def _addition(self, socket: _Socket, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is to be sent of the body: the new items alone, where the rest is known there."""
        seen = socket.seen
        if seen is None or not self._builds_on:
            return body
        known = [*seen.body["input"], *seen.items]
        same = {**seen.body, "input": None} == {**body, "input": None}
        if not same or body["input"][: len(known)] != known:
            return body
        return {**body, "input": body["input"][len(known) :], "previous_response_id": seen.reply}

    async def _open(self, url: str, headers: Mapping[str, str]) -> _Socket:
        own = {name: value for name, value in headers.items() if name not in _FOREIGN}
        asked = own.get("session-id") or str(uuid4())
        own |= {"openai-beta": BETA, "session-id": asked, "x-client-request-id": asked}
        connection = await self._options.http.websocket(
            url, headers=own, limit=self._options.websocket_timeout
        )
        return _Socket(connection, asyncio.get_running_loop().time())

    async def _send(self, socket: _Socket, data: bytes) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  (loaded by now)

        try:
            await socket.connection.send(data, text=True)
        except (ConnectionClosed, OSError) as error:
            raise _lost(error) from error

    async def _receive(self, socket: _Socket) -> bytes:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415  (loaded by now)

        idle = self._options.http.options.idle_timeout
        try:
            async with asyncio.timeout(idle):
                return await socket.connection.recv(decode=False)
        except TimeoutError as error:
            raise NetworkError(
                f"the stream stalled: no event for {idle:g}s (idle timeout)"
            ) from error
        except (ConnectionClosed, OSError) as error:
            raise _lost(error) from error

    def _note(self, call: Call, failure: Exception, *, begun: bool) -> None:
        details: dict[str, Any] = {"configuredTransport": self._options.transport}
        if not begun:
            details["fallbackTransport"] = "sse"
        self._assembly.note(
            "provider_transport_failure",
            str(failure),
            **details,
            eventsEmitted=begun,
            phase="after_message_stream_start" if begun else "before_message_stream_start",
            requestBytes=len(encode_body(call.body)),
        )


def _refusal(data: bytes) -> str | None:
    """The code of an event that tells of a failure."""
    if b'"error"' not in data:
        return None
    value = event_json(data)
    for holder in (value, value.get("error"), (value.get("response") or {}).get("error")):
        if isinstance(holder, dict) and isinstance(holder.get("code"), str):
            code: str = holder["code"]
            return code
    return None


def _is_end(data: bytes) -> bool:
    return b'"response.' in data and event_json(data).get("type") in _ENDS


def _lost(error: Exception) -> ProviderError:
    return NetworkError(f"the WebSocket was lost: {error}")
