"""A server over streamable HTTP: a POST for each message, answered by JSON or by an event stream.

What the server says on its own comes through a GET that stays open, where the server has one. A
stream that breaks off goes on from its last event id. The session id the server gives goes with
every request; DELETE ends the session.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin, urlsplit

from pi._speedups import SseDecoder
from pi.errors import NetworkError, PiError, ProviderError
from pi.mcp.errors import ConnectionLost, HttpStatus, McpError, NeedsSignIn, SessionExpired
from pi.mcp.rpc import Message
from pi.mcp.stdio import MAX_MESSAGE
from pi.providers.http import HttpClient, body_of
from pi.wire import jsonio

if TYPE_CHECKING:
    import httpx

__all__ = ["Authorization", "HttpTransport"]

log = logging.getLogger(__name__)

_MAX_ERROR = 8 * 1024
"""Bytes of the text that comes with an HTTP error."""
_END = 2.0
"""Seconds for the request that ends a session."""
_FIRST_DELAY, _LONGEST_DELAY, _RESUMPTIONS = 1.0, 30.0, 5
_REDIRECTS = 5


class Authorization(Protocol):
    """Where the bearer token of a server comes from."""

    async def headers(self) -> Mapping[str, str]:
        """For the next request; none without a token. Raises PiError."""

    async def rejected(self, challenge: str, used: Mapping[str, str]) -> bool:
        """The server refused what `headers` gave; whether there is something better now."""


class HttpTransport:
    """headers: the configured ones, on every request."""

    def __init__(
        self,
        url: str,
        client: HttpClient,
        *,
        headers: Mapping[str, str],
        authorization: Authorization | None = None,
    ) -> None:
        self._url = url
        self._client = client
        self._headers = dict(headers)
        self._authorization = authorization
        self._session: str | None = None
        self._version: str | None = None
        self._listening: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self, deliver: Callable[[Any], None], lost: Callable[[str], None]) -> None:
        self._deliver = deliver

    def agreed(self, version: str) -> None:
        """The protocol's version, once the handshake has settled it."""
        self._version = version

    def listen(self) -> None:
        """Open the stream for what the server says on its own."""
        self._listening = asyncio.ensure_future(self._listen())

    async def send(self, message: Message) -> None:
        if self._closed:
            raise ConnectionLost("the connection was closed")
        content = jsonio.dumps(message)
        headers = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
        }
        number = message.get("id") if "method" in message else None
        async with self._open("POST", headers, content) as response:
            if message.get("method") == "initialize":
                self._session = response.headers.get("mcp-session-id")
            if number is None:
                return
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":
                body = await _read_limited(response, self._url, MAX_MESSAGE)
                if not self._hand_over(body, number):
                    raise McpError("the server answered with something else than an answer")
                return
            if kind != "text/event-stream":
                raise McpError(
                    f"the server answered with {kind or 'nothing'} where JSON or events belong"
                )
            answered, last = await self._events(response, number)
        await self._resume(number, answered, last)

    async def _resume(self, number: Any, answered: bool, last: "_Place") -> None:
        """The rest of a stream that ended before the answer came."""
        failures = 0
        while not answered:
            if not last.event_id:
                raise ConnectionLost("the server's stream ended without an answer")
            if failures >= _RESUMPTIONS:
                raise ConnectionLost("the server's stream broke off and does not go on")
            await asyncio.sleep(last.delay(failures))
            failures += 1
            before = last.event_id
            try:
                async with self._get(last.event_id) as response:
                    answered, last = await self._events(response, number, last)
            except (ProviderError, ConnectionLost) as error:
                if isinstance(error, SessionExpired):
                    raise
                log.debug("the stream cannot be taken up: %s", error)
            if last.event_id != before:
                failures = 0

    async def _listen(self) -> None:
        """Keep the server's own stream open; give up where it has none, or it fails for good."""
        place = _Place()
        failures = 0
        while not self._closed and failures <= _RESUMPTIONS:
            try:
                async with self._get(place.event_id) as response:
                    kind = response.headers.get("content-type", "")
                    if not kind.lower().startswith("text/event-stream"):
                        return
                    before = place.event_id
                    _, place = await self._events(response, None, place)
                    failures = 0 if place.event_id != before else failures + 1
            except SessionExpired:
                return
            except HttpStatus as error:
                if not error.transient:
                    return  # 405: there is none
                failures += 1
            except NeedsSignIn:
                return
            except PiError as error:
                log.debug("no stream from the server: %s", error)
                failures += 1
            await asyncio.sleep(place.delay(max(0, failures - 1)))

    @asynccontextmanager
    async def _get(self, event_id: str) -> "AsyncIterator[httpx.Response]":
        headers = {"accept": "text/event-stream"}
        if event_id:
            headers["last-event-id"] = event_id
        async with self._open("GET", headers, b"") as response:
            yield response

    @asynccontextmanager
    async def _open(
        self, method: str, headers: Mapping[str, str], content: bytes
    ) -> "AsyncIterator[httpx.Response]":
        """An answer of status 2xx. Raises McpError, or NetworkError."""
        url = self._url
        tried = False
        redirects = 0
        while True:
            authorization = self._authorization
            token = {} if authorization is None else await authorization.headers()
            sent = {**self._protocol(), **self._headers, **headers, **token}
            async with self._client.stream(
                url, headers=sent, content=content, method=method
            ) as response:
                status = response.status_code
                target = response.headers.get("location")
                if status in (307, 308) and target and redirects < _REDIRECTS:
                    moved = urljoin(url, target)
                    if urlsplit(moved)[:2] == urlsplit(url)[:2]:
                        url = self._url = moved  # a key does not travel to another host
                        redirects += 1
                        continue
                challenge = response.headers.get("www-authenticate", "")
                if status == 401 or (status == 403 and "insufficient_scope" in challenge):
                    if authorization is None:
                        raise HttpStatus(await _told(response, self._url), status)
                    if not tried and await authorization.rejected(challenge, token):
                        tried = True
                        continue
                    raise NeedsSignIn("the server asks to sign in", challenge)
                if status == 404 and method == "POST" and self._session is not None:
                    self._session = None
                    raise SessionExpired("the server has ended the session")
                if not 200 <= status < 300:
                    raise HttpStatus(await _told(response, self._url), status)
                yield response
                return

    def _protocol(self) -> dict[str, str]:
        headers = {}
        if self._session is not None:
            headers["mcp-session-id"] = self._session
        if self._version is not None:
            headers["mcp-protocol-version"] = self._version
        return headers

    async def _events(
        self, response: "httpx.Response", number: Any, place: "_Place | None" = None
    ) -> tuple[bool, "_Place"]:
        """Whether the answer to `number` was among them, and where the stream is."""
        decoder = SseDecoder()
        place = place or _Place()
        size = 0
        answered = False
        try:
            async for chunk in body_of(response, self._url):
                events = decoder.feed(chunk)
                size = 0 if events else size + len(chunk)
                if size > MAX_MESSAGE or any(len(data) > MAX_MESSAGE for _, data in events):
                    raise McpError(f"the server sent more than {MAX_MESSAGE >> 20} MB at once")
                for _, data in events:
                    answered = self._hand_over(data, number) or answered
                place = place.moved(decoder)
                if answered:
                    break  # the server need not close it
        except NetworkError as error:
            log.debug("the stream broke off: %s", error)
        else:
            for _, data in [] if answered else decoder.close():
                answered = self._hand_over(data, number) or answered
        return answered, place.moved(decoder)

    def _hand_over(self, data: bytes, number: Any = None) -> bool:
        """Whether this is the answer to `number`."""
        if not data.strip():
            return False
        try:
            message = jsonio.loads(data)
        except jsonio.JSONError:
            log.debug("the server sent what is not JSON")
            return False
        self._deliver(message)
        answers = message if isinstance(message, list) else [message]
        return number is not None and any(
            isinstance(each, dict) and each.get("id") == number and "method" not in each
            for each in answers
        )

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        if self._session is None:
            return
        session = self._protocol()
        self._session = None
        try:
            token = {}
            if self._authorization is not None:
                async with asyncio.timeout(_END):
                    token = dict(await self._authorization.headers())
            async with self._client.stream(
                self._url,
                headers={**session, **self._headers, **token},
                content=b"",
                method="DELETE",
                limit=_END,
            ):
                pass
        except (PiError, TimeoutError) as error:
            log.debug("the session was not ended: %s", error)


class _Place:
    """Where a stream is: its last event id, and after how many seconds to ask again."""

    __slots__ = ("_retry", "event_id")

    def __init__(self, event_id: str = "", retry: float = _FIRST_DELAY) -> None:
        self.event_id = event_id
        self._retry = retry

    def moved(self, decoder: SseDecoder) -> "_Place":
        retry = self._retry if decoder.retry is None else decoder.retry / 1000
        return _Place(decoder.last_event_id or self.event_id, retry)

    def delay(self, failures: int) -> float:
        return min(self._retry * 2.0**failures, _LONGEST_DELAY)


async def _read_limited(response: "httpx.Response", url: str, most: int) -> bytes:
    """The body, of at most so many bytes. Raises McpError for more, NetworkError."""
    body = bytearray()
    async for chunk in body_of(response, url):
        body += chunk
        if len(body) > most:
            raise McpError(f"the server's answer has more than {most >> 20} MB")
    return bytes(body)


async def _told(response: "httpx.Response", url: str) -> str:
    """The status, and the beginning of what the server says with it."""
    body = bytearray()
    with contextlib.suppress(NetworkError):
        async for chunk in body_of(response, url):
            body += chunk
            if len(body) >= _MAX_ERROR:
                break
    text = bytes(body[:_MAX_ERROR]).decode("utf-8", "replace").strip()
    return f"HTTP status {response.status_code}" + (f": {text}" if text else "")
