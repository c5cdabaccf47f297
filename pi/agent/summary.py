"""Asking a model for a summary, as often as it takes.

A conversation that does not fit into one request is summarised piece by piece, each time together
with the summary so far: no request is over the model's limit, whatever has piled up.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from pi.agent.abort import Abort, Aborted
from pi.agent.retry import RetryPolicy
from pi.agent.summary_prompts import SUMMARISER, Subject, request_text
from pi.agent.tokens import add_usage
from pi.errors import ContextOverflowError, PiError
from pi.providers.base import Context
from pi.wire.events import AgentEvent, AssistantEvent, CompactionReason, SummaryRetryStart
from pi.wire.messages import AssistantMessage, ThinkingLevel, Usage, now_ms, text_of
from pi.wire.model import Model

__all__ = ["Request", "Summariser", "SummaryError"]

Request = Callable[[Model, Context, ThinkingLevel], AsyncGenerator[AssistantEvent, None]]
"""Starts one model request: resolves key and headers, picks the API's stream."""

CHARS_PER_TOKEN = 3.5
SIDE_TOKENS = 4096
"""Kept free of a window beside text and reply: instructions, and what estimates are wrong by."""

MIN_CHARS = 2000
SMALLER = 3
"""How often a piece that was refused as too long is made half as long."""


class SummaryError(PiError):
    """No summary could be had."""


@dataclass(slots=True)
class Summariser:
    """One compaction's or branch summary's requests. `usage` is what they cost together.

    reply_tokens: to leave for the summary in the model's window.
    """

    request: Request
    model: Model
    thinking: ThinkingLevel
    retry: RetryPolicy
    abort: Abort
    reply_tokens: int
    reason: CompactionReason | None = None
    usage: Usage | None = None
    text: str = ""
    _reply: AssistantMessage | None = field(default=None, init=False)

    async def summarise(
        self,
        subject: Subject,
        parts: Sequence[str],
        previous: str | None = None,
        instructions: str | None = None,
        *,
        replace: bool = False,
    ) -> AsyncGenerator[AgentEvent, None]:
        """Retry events; afterwards `text` is the summary. Raises SummaryError and Aborted.

        replace: the instructions stand in place of pi's own.
        """
        size = self._piece_chars(previous)
        for attempt in range(SMALLER + 1):
            so_far = previous
            try:
                for piece in _pieces(parts, size):
                    prompt = request_text(subject, piece, so_far, instructions, replace=replace)
                    async with aclosing(self._ask(prompt)) as events:
                        async for event in events:
                            yield event
                    so_far = self._checked()
            except ContextOverflowError as error:
                size = min(size, sum(map(len, parts))) // 2
                if attempt == SMALLER or size == 0:
                    raise SummaryError(str(error)) from error
                continue
            self.text = so_far or ""
            return

    def _piece_chars(self, previous: str | None) -> int:
        """How much of a conversation goes into one request."""
        window = self.model.context_window
        reply = min(self.model.max_tokens, self.reply_tokens, max(0, window - SIDE_TOKENS) // 3)
        room = max(window // 4, window - SIDE_TOKENS - reply)
        return max(MIN_CHARS, int(room * CHARS_PER_TOKEN) - len(previous or ""))

    async def _ask(self, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        """One request and its retries; leaves the answer in `_reply`."""
        retries = 0
        failure: Exception | None
        while True:
            self._reply = None
            try:
                failure = await self.abort.wait(self._complete(prompt))
                if failure is None:
                    break
                if not self.retry.allows(failure, retries):
                    raise failure
                retries += 1
                delay = self.retry.delay(failure, retries)
                yield {
                    "type": "summarization_retry_scheduled",
                    "attempt": retries,
                    "maxAttempts": self.retry.max_retries,
                    "delayMs": round(delay * 1000),
                    "errorMessage": str(failure),
                }
                await self.abort.wait(asyncio.sleep(delay))
            except Aborted:
                if retries:
                    yield {"type": "summarization_retry_finished"}
                raise
            except PiError as error:
                if retries:
                    yield {"type": "summarization_retry_finished"}
                if isinstance(error, ContextOverflowError):
                    raise
                raise SummaryError(str(error)) from error
            yield self._retrying()
        if retries:
            yield {"type": "summarization_retry_finished"}

    def _retrying(self) -> SummaryRetryStart:
        if self.reason is None:
            return {"type": "summarization_retry_attempt_start", "source": "branchSummary"}
        return {
            "type": "summarization_retry_attempt_start",
            "source": "compaction",
            "reason": self.reason,
        }

    async def _complete(self, prompt: str) -> PiError | None:
        """Read one stream to its end; returns what went wrong."""
        now = now_ms()
        context = Context(
            [
                {"role": "system", "content": SUMMARISER, "timestamp": now},
                {"role": "user", "content": [{"type": "text", "text": prompt}], "timestamp": now},
            ]
        )
        try:
            async with aclosing(self.request(self.model, context, self.thinking)) as events:
                async for event in events:
                    if event["type"] == "done":
                        self._reply = event["message"]
                        return None
                    if event["type"] == "error":
                        failure = event.get("failure")
                        if isinstance(failure, PiError):
                            return failure
                        return SummaryError(event["error"].get("errorMessage", "no reason given"))
        except PiError as error:
            return error
        return SummaryError("the provider's stream ended without a result")

    def _checked(self) -> str:
        """The text of the answer, if it is a whole summary."""
        reply = self._reply
        assert reply is not None, "a request without failure has an answer"
        self.usage = reply["usage"] if self.usage is None else add_usage(self.usage, reply["usage"])
        if reply["stopReason"] == "length":
            raise SummaryError("the summary was cut off at the model's output limit")
        if any(block["type"] == "toolCall" for block in reply["content"]):
            raise SummaryError("the model called a tool where it was to write a summary")
        text = text_of(reply["content"]).strip()
        if not text:
            raise SummaryError("the model's summary was empty")
        return text


def _pieces(parts: Sequence[str], size: int) -> list[str]:
    """The parts joined, as few times as they fit into `size` characters."""
    pieces: list[str] = []
    current: list[str] = []
    length = 0
    for part in parts:
        for start in range(0, len(part), size):
            text = part[start : start + size]
            if current and length + len(text) > size:
                pieces.append("\n\n".join(current))
                current, length = [], 0
            current.append(text)
            length += len(text) + 2
    if current:
        pieces.append("\n\n".join(current))
    return pieces
