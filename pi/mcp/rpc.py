"""JSON-RPC 2.0 as MCP uses it: requests that wait for their answer, over any transport.

A transport sends messages and hands over what comes in (`deliver`) and the end (`lost`). What comes
in may be anything: what is no message is dropped, answers nobody waits for too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pi.errors import PiError
from pi.mcp.errors import ConnectionLost, ServerAnswer, TimedOut

__all__ = ["Message", "Peer", "Progress", "Transport"]

log = logging.getLogger(__name__)

Message = dict[str, Any]
Progress = Callable[[Mapping[str, Any]], None]

_NOT_FOUND = -32601


class Transport(Protocol):
    async def start(self, deliver: Callable[[Any], None], lost: Callable[[str], None]) -> None:
        """Connect. Raises McpError."""

    async def send(self, message: Message) -> None:
        """Raises McpError. Over HTTP this is over when the answer was delivered."""

    async def close(self) -> None:
        """Idempotent; afterwards nothing of it is left."""


class _Waiting:
    """A request without answer. moved: the server showed signs of life."""

    __slots__ = ("answer", "moved", "progress")

    def __init__(self, progress: Progress | None) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.progress = progress
        self.moved = asyncio.Event()


class Peer:
    """requests: what the server may ask, by method. notify: gets its notifications.

    on_lost: called once when the connection ends without having been closed.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        requests: Mapping[str, Callable[[Mapping[str, Any]], Any]],
        notify: Callable[[str, Mapping[str, Any]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._requests = requests
        self._notify = notify
        self._on_lost = on_lost
        self._next = 1
        self._waiting: dict[int, _Waiting] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._end: str | None = None

    async def start(self) -> None:
        await self._transport.start(self._deliver, self._lost)

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        patience: float,
        progress: Progress | None = None,
    ) -> Any:
        """The result. patience: seconds, anew with each sign of progress. Raises McpError.

        Cancelling tells the server. progress: called with the params of each notification.
        """
        if self._end is not None:
            raise ConnectionLost(self._end)
        number = self._next
        self._next += 1
        message: Message = {"jsonrpc": "2.0", "id": number, "method": method}
        if params is not None or progress is not None:
            message["params"] = dict(params or {})
        if progress is not None:
            message["params"]["_meta"] = {"progressToken": number}
        waiting = self._waiting[number] = _Waiting(progress)
        sending = asyncio.ensure_future(self._transport.send(message))
        try:
            return await self._answer(waiting, sending, method, patience)
        except TimedOut:
            # The handshake may not be cancelled.
            if method != "initialize":
                self._tell_cancelled(number, "timed out")
            raise
        except asyncio.CancelledError:
            if method != "initialize":
                self._tell_cancelled(number, "cancelled")
            raise
        finally:
            del self._waiting[number]
            if not sending.done():
                sending.cancel()
            # Whatever it raised was told by the answer, or nobody wants to know any more.
            sending.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _answer(
        self, waiting: _Waiting, sending: "asyncio.Future[None]", method: str, patience: float
    ) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        moved = asyncio.ensure_future(waiting.moved.wait())
        try:
            while True:
                pending: set[asyncio.Future[Any]] = {waiting.answer, moved}
                if not sending.done():
                    pending.add(sending)
                left = until - loop.time()
                if left > 0:
                    await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if waiting.answer.done():
                    return waiting.answer.result()
                if sending.done() and (error := sending.exception()) is not None:
                    raise error
                if moved.done():
                    waiting.moved.clear()
                    moved = asyncio.ensure_future(waiting.moved.wait())
                    until = loop.time() + patience
                elif loop.time() >= until:
                    raise TimedOut(f"no answer to {method} within {patience:g} s")
        finally:
            moved.cancel()

    async def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Raises McpError."""
        message: Message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = dict(params)
        await self._transport.send(message)

    async def close(self) -> None:
        """End the connection; whoever waits gets ConnectionLost."""
        if self._end is None:
            self._end = "the connection was closed"
        self._fail(self._end)
        for task in [*self._tasks]:
            task.cancel()
        await self._transport.close()

    def _tell_cancelled(self, number: int, reason: str) -> None:
        if self._end is None:
            params = {"requestId": number, "reason": reason}
            self._spawn(lambda: self.notify("notifications/cancelled", params))

    def _spawn(self, begin: Callable[[], Awaitable[None]]) -> None:
        """begin: called once its turn comes, so that `close` before that leaves nothing begun."""

        async def run() -> None:
            try:
                await begin()
            except PiError as error:
                log.debug("not sent: %s", error)

        task = asyncio.ensure_future(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lost(self, reason: str) -> None:
        if self._end is not None:
            return
        self._end = reason
        self._fail(reason)
        self._on_lost(reason)

    def _fail(self, reason: str) -> None:
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(ConnectionLost(reason))
                # A request whose sending fails, too, does not look at it.
                waiting.answer.exception()

    # What comes in

    def _deliver(self, message: Any) -> None:
        if isinstance(message, list):  # a batch of the older protocol
            for each in message:
                self._deliver(each)
            return
        if not isinstance(message, dict):
            log.debug("the server sent what is no message")
            return
        method = message.get("method")
        if isinstance(method, str):
            params = message.get("params")
            params = params if isinstance(params, dict) else {}
            if message.get("id") is None:
                self._told(method, params)
            else:
                self._asked(message["id"], method, params)
            return
        number = message.get("id")
        waiting = self._waiting.get(number) if isinstance(number, int) else None
        if waiting is None or waiting.answer.done():
            log.debug("the server answered what was not asked, or twice")
            return
        if "result" in message:
            waiting.answer.set_result(message["result"])
            return
        error = message.get("error")
        error = error if isinstance(error, dict) else {}
        code = error.get("code")
        text = error.get("message")
        waiting.answer.set_exception(
            ServerAnswer(
                text if isinstance(text, str) and text else "the server reported an error",
                code if isinstance(code, int) else 0,
            )
        )

    def _told(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "notifications/progress":
            token = params.get("progressToken")
            waiting = self._waiting.get(token) if isinstance(token, int) else None
            if waiting is not None:
                waiting.moved.set()
                if waiting.progress is not None:
                    waiting.progress(params)
            return
        self._notify(method, params)

    def _asked(self, number: Any, method: str, params: Mapping[str, Any]) -> None:
        answer: Message = {"jsonrpc": "2.0", "id": number}
        handler = self._requests.get(method)
        if handler is None:
            answer["error"] = {"code": _NOT_FOUND, "message": f"Method not found: {method}"}
        else:
            answer["result"] = handler(params)
        self._spawn(lambda: self._transport.send(answer))
