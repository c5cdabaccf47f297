"""A prompt under way: its events one by one, or the reply it comes to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pi.errors import PiError
from pi.runtime.host import Host
from pi.wire.events import AgentEvent
from pi.wire.messages import AssistantMessage, ImageContent, StopReason, Usage, text_of

__all__ = ["Reply", "ReplyError", "Run"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The last answer of a run."""

    message: AssistantMessage

    @property
    def text(self) -> str:
        return text_of(self.message["content"])

    @property
    def stop_reason(self) -> StopReason:
        """stop, length, toolUse, error or aborted."""
        return self.message["stopReason"]

    @property
    def aborted(self) -> bool:
        return self.message["stopReason"] == "aborted"

    @property
    def usage(self) -> Usage:
        return self.message["usage"]

    def __str__(self) -> str:
        return self.text


class ReplyError(PiError):
    """The model's answer failed, and so did the retries. reply: what there is of it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message.get("errorMessage") or "the answer failed")
        self.reply = reply


class Run(AsyncIterator[AgentEvent]):
    """`async for event in run` gives its events, `await run` waits for its reply.

    It begins when it is iterated or awaited for the first time. Leaving the loop early leaves the
    run going: the loop may be taken up again, or the run awaited, or the session's `abort` called.
    Cancelling the task that waits ends the run, and so does leaving an `async with run`.
    """

    def __init__(self, host: Host, text: str, images: Sequence[ImageContent]) -> None:
        self._host = host
        self._text = text
        self._images = images
        self._events: deque[AgentEvent] = deque()
        self._news = asyncio.Event()
        self._begun = self._over = False
        self._failure: BaseException | None = None
        self._kept = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AgentEvent:
        """Raises BusyError or AuthError when the run cannot begin, PiError when it breaks off."""
        self._kept = True
        if not self._begun:
            await self._begin()
        while not self._events:
            if self._over:
                if self._failure is not None:
                    failure, self._failure = self._failure, None
                    raise failure
                raise StopAsyncIteration
            self._news.clear()
            try:
                await self._news.wait()
            except asyncio.CancelledError:
                self._host.stop()
                raise
        return self._events.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._begun and not self._over:
            await self._host.abort()

    def __await__(self) -> Generator[Any, None, Reply]:
        return self._finish().__await__()

    async def _finish(self) -> Reply:
        """The reply. Raises as iterating does, and ReplyError when the answer failed."""
        if not self._begun:
            await self._begin()
        try:
            while not self._over:
                self._news.clear()
                await self._news.wait()
        except asyncio.CancelledError:
            self._host.stop()
            raise
        if self._failure is not None:
            raise self._failure
        message = self._host.session.last_reply
        if message is None:
            raise PiError("the prompt was dealt with without an answer")
        reply = Reply(message)
        if reply.stop_reason == "error":
            raise ReplyError(reply)
        return reply

    async def _begin(self) -> None:
        self._begun = True
        host = self._host
        unsubscribe = host.subscribe(self._take)
        try:
            disposition = await host.prompt(self._text, self._images)
        except BaseException:
            self._over = True
            unsubscribe()
            raise
        if disposition != "started":
            self._over = True
            unsubscribe()
            return
        self._watching = asyncio.create_task(self._watch(unsubscribe))

    def _take(self, event: AgentEvent) -> None:
        if self._kept:
            self._events.append(event)
            self._news.set()

    async def _watch(self, unsubscribe: Any) -> None:
        try:
            await self._host.ended()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  (raised where the run is waited for)
            self._failure = error
        finally:
            unsubscribe()
            self._over = True
            self._news.set()
