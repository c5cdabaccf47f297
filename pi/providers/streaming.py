"""One request and its stream of events: what every API on server-sent events shares.

An API's module says where to send what (`Call`) and what an event means (`Reader`); connection,
provider-level retries, time-outs, decoding and the forms of failure are here.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pi._speedups import SseDecoder
from pi.errors import NetworkError, PiError, ProviderError, RateLimitError, StreamFormatError
from pi.providers.assembly import Assembly
from pi.providers.base import StreamOptions
from pi.providers.errors import failed_response, too_long_to_wait, transient_status
from pi.providers.http import network_error
from pi.providers.transform import encode_body
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import loads
from pi.wire.messages import StopReason

if TYPE_CHECKING:
    import httpx

__all__ = [
    "Answer",
    "Call",
    "Decoder",
    "Reader",
    "converse",
    "event_json",
    "http_answer",
    "watched",
]

log = logging.getLogger(__name__)

DRAIN_TIME = 0.25
"""Seconds to wait for a finished answer's last bytes, so that the connection can be used again."""

MAX_ERROR_BODY = 1 << 16
ERROR_BODY_TIME = 10.0


class Decoder(Protocol):
    """How an answer's bytes are events: a name and data each. An event named "ping" is none."""

    def feed(self, chunk: bytes, /) -> Iterable[tuple[str, bytes]]: ...

    def close(self) -> Iterable[tuple[str, bytes]]: ...


class Call(NamedTuple):
    """A request. headers: names in lower case. whole_body: see errors.failed_response.

    form: what is sent of the body, asked last, each time it is sent. instead: what to send when
    this is refused (the request itself: once more, formed anew), None when nothing would help.
    """

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    whole_body: bool = False
    decoder: Callable[[], Decoder] = SseDecoder
    form: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    instead: Callable[[ProviderError], "Call | None"] | None = None


class Reader(Protocol):
    """What one API's events mean, written into an Assembly."""

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        """The events that one server-sent event amounts to. Raises ProviderError."""
        ...

    def finished(self) -> bool:
        """Whether the answer is complete: nothing after this is read."""
        ...

    def close(self) -> StopReason:
        """How the answer ended. Raises ProviderError if it is incomplete or a refusal."""
        ...


class Answer(Protocol):
    """How a request is sent, and what comes back."""

    def __call__(
        self, call: Call, options: StreamOptions, finished: Callable[[], bool], /
    ) -> AsyncGenerator[tuple[str, bytes] | None, None]:
        """None once the server has accepted the request, then its events until `finished`."""
        ...


async def converse(
    assembly: Assembly,
    reader: Reader,
    build: Callable[[], Call],
    options: StreamOptions,
    answer: Answer | None = None,
) -> AsyncGenerator[AssistantEvent, None]:
    """The whole stream of one reply, as base.StreamFunction promises it.

    build: makes the request; what it raises is a failed reply too. answer: over HTTP, if not given.

    `start` comes with the answer's headers: a request that is refused yields `error` alone. When
    the generator is closed or cancelled early, the message holds everything that had arrived.
    """
    try:
        try:
            asked = (answer or http_answer)(build(), options, reader.finished)
            async with aclosing(asked) as events:
                async for told in events:
                    if told is None:
                        yield assembly.start()
                        continue
                    if options.watch is not None and options.watch.wants_events:
                        await options.watch.event(_shown(told[1]))
                    for event in _read(reader, *told):
                        yield event
            for event in assembly.end_all():
                yield event
            yield assembly.done(reader.close())
        except PiError as failure:
            yield assembly.fail(failure)
    finally:
        assembly.flush()


def event_json(data: bytes) -> dict[str, Any]:
    """One event's JSON object. Raises StreamFormatError."""
    try:
        value = loads(data)
    except ValueError:
        try:
            value = loads(data.decode("utf-8", "replace"))
        except ValueError as error:
            raise _malformed(f"an event is not JSON ({error})", data) from error
    if not isinstance(value, dict):
        raise _malformed("an event is not a JSON object", data)
    return value


def _shown(data: bytes) -> Any:
    """An event's data for those who only look."""
    try:
        return loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _read(reader: Reader, name: str, data: bytes) -> Iterator[AssistantEvent]:
    try:
        yield from reader.read(name, data)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # The server's JSON has another shape than the API's; which member, the text shows.
        raise _malformed(f"an event is not what the API promises ({error!r})", data) from error


def _malformed(what: str, data: bytes) -> StreamFormatError:
    shown = data[:300].decode("utf-8", "replace")
    failure = StreamFormatError(f"malformed answer: {what}: {shown}")
    failure.retryable = False
    return failure


async def http_answer(
    call: Call, options: StreamOptions, finished: Callable[[], bool]
) -> AsyncGenerator[tuple[str, bytes] | None, None]:
    """None once the server has accepted the request, then its events until `finished`."""
    watch = options.watch
    headers, payload = await watched(call, options)
    attempt = 0
    while True:
        accepted = False
        body = encode_body(payload if call.form is None else call.form(payload))
        sent = headers
        if options.sign is not None:
            sent = await asyncio.to_thread(options.sign, "POST", call.url, headers, body)
        try:
            async with options.http.stream(
                call.url, headers=sent, content=body, limit=options.timeout
            ) as answer:
                if watch is not None:
                    await watch.response(answer.status_code, _lower(answer.headers))
                if answer.status_code != 200:
                    raise await _refusal(answer, call)
                accepted = True
                yield None
                async with aclosing(_events(answer, call, options, finished)) as events:
                    async for event in events:
                        yield event
                return
        except ProviderError as failure:
            # What fails midway is for the agent to see: half a reply was already shown.
            if not accepted and call.instead is not None:
                other = call.instead(failure)
                if other is not None:
                    log.debug("sent in another form: %s", failure)
                    if other is not call:
                        call = other
                        headers, payload = await watched(call, options)
                    continue
            if accepted or attempt >= options.max_retries or not _worth_repeating(failure):
                raise
            delay = _delay(failure, attempt, options.max_retry_delay)
            log.debug("request repeated in %.2f s: %s", delay, failure)
        attempt += 1
        await asyncio.sleep(delay)


async def watched(
    call: Call, options: StreamOptions
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Headers and body as whoever watches leaves them."""
    if options.watch is None:
        return call.headers, call.body
    headers = await options.watch.headers(dict(call.headers))
    return headers, await options.watch.payload(call.body)


def _worth_repeating(failure: ProviderError) -> bool:
    if failure.advised is not None:
        return failure.advised
    if isinstance(failure, RateLimitError) and not failure.retryable:
        return False  # a spent quota is none the fuller for asking
    if failure.status is not None:
        return transient_status(failure.status)
    return isinstance(failure, NetworkError) and failure.retryable


def _delay(failure: ProviderError, attempt: int, limit: float | None) -> float:
    if failure.retry_after is None:
        return min(0.5 * 2.0**attempt, 8.0) * random.uniform(0.75, 1.0)
    if limit is not None and failure.retry_after > limit:
        raise too_long_to_wait(failure, limit)
    return failure.retry_after


async def _refusal(answer: "httpx.Response", call: Call) -> ProviderError:
    body = b""
    with suppress(TimeoutError, *_http_errors()):  # the status alone says enough
        async with asyncio.timeout(ERROR_BODY_TIME):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_ERROR_BODY:
                    break
    headers = _lower(answer.headers)
    failure = failed_response(answer.status_code, headers, body, whole_body=call.whole_body)
    failure.advised = {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    return failure


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _events(
    answer: "httpx.Response", call: Call, options: StreamOptions, finished: Callable[[], bool]
) -> AsyncGenerator[tuple[str, bytes], None]:
    """Decoded events, as long as they keep coming.

    Keep-alive comments and pings are not events: a server that only sends those is stalled.
    """
    idle = options.http.options.idle_timeout
    clock = asyncio.get_running_loop().time
    decoder = call.decoder()
    last = clock()
    try:
        chunks: AsyncGenerator[bytes, None] = answer.aiter_bytes()  # type: ignore[assignment]
        async with aclosing(chunks):
            while True:
                try:
                    async with asyncio.timeout_at(None if idle is None else last + idle):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                told = False
                for event in decoder.feed(chunk):
                    if event[0] != "ping":
                        told = True
                        yield event
                if finished():
                    await _drain(chunks)
                    return
                if told:
                    last = clock()
        for event in decoder.close():
            yield event
    except TimeoutError as error:
        raise NetworkError(f"the stream stalled: no event for {idle:g}s (idle timeout)") from error
    except _http_errors() as error:
        raise network_error(error, call.url) from error


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read a finished answer to its end: a connection is kept for the next request only then."""
    with suppress(TimeoutError, *_http_errors()):
        async with asyncio.timeout(DRAIN_TIME):
            async for _ in chunks:
                pass


def _http_errors() -> tuple[type[Exception], ...]:
    import httpx  # noqa: PLC0415  (loaded by the client by now)

    return (httpx.HTTPError, httpx.StreamError)
