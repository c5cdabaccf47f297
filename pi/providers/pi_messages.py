"""pi's own protocol, as the Radius gateway speaks it: a session's messages asked, events answered.

The request is the conversation as sessions keep it; which provider answers, and in which format, is
the gateway's affair. The answer is the events of a reply, as server-sent events without `partial`.
"""

from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any, cast

from pi.errors import InvalidRequestError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.errors import failure_of
from pi.providers.streaming import Call, converse, event_json
from pi.wire.events import AssistantEvent
from pi.wire.messages import StopReason
from pi.wire.model import Model

__all__ = ["request", "stream"]

REASONS: tuple[StopReason, ...] = ("stop", "length", "toolUse")
_KINDS = {"text": "text", "thinking": "thinking", "toolcall": "toolCall"}


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    build = partial(request, model, context, options)
    return converse(assembly, _Reader(assembly), build, options)


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation. What is left out is the gateway's to choose."""
    asked: dict[str, Any] = {}
    if options.max_tokens is not None:
        asked["maxTokens"] = options.max_tokens
    if options.thinking != "off":
        asked["reasoning"] = options.thinking
    if options.cache_retention != "short":
        asked["cacheRetention"] = options.cache_retention
    if options.session_id:
        asked["sessionId"] = options.session_id
    body = {"model": model.id, "context": {"messages": list(context.messages)}, "options": asked}
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    headers |= {name.lower(): value for name, value in options.headers.items()}
    return Call(f"{model.base_url.rstrip('/')}/messages", headers, body)


class _Reader:
    """Events of a reply. A block's end says all of it again."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._blocks: dict[int, OpenBlock] = {}
        self._reason: str | None = None

    def finished(self) -> bool:
        return self._reason is not None

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        if data.startswith(b"[DONE]"):
            return
        value = event_json(data)
        kind: str = value["type"]
        part, _, stage = kind.partition("_")
        if part in _KINDS and stage == "start":
            yield from self._start(part, value)
        elif part in _KINDS and stage in ("delta", "end"):
            block = self._blocks.get(value["contentIndex"])
            if block is None or block.content["type"] != _KINDS[part]:
                raise StreamFormatError(f"malformed answer: {kind} of a block that is not open")
            if stage == "delta":
                yield block.delta(value["delta"])
            else:
                yield self._end(block, value)
        elif kind == "done":
            self._reason = value["reason"]
            self._close(value)
        elif kind == "error":
            self._close(value)
            text = value.get("errorMessage") or "the gateway gives no reason"
            raise failure_of(str(text), data=value)

    def close(self) -> StopReason:
        for reason in REASONS:
            if self._reason == reason:
                return reason
        if self._reason is None:
            raise StreamFormatError("the answer ended early: no done event")
        raise InvalidRequestError(f"the gateway ended the answer: {self._reason}")

    def _start(self, part: str, value: dict[str, Any]) -> Iterator[AssistantEvent]:
        block: OpenBlock
        started: AssistantEvent
        if value["contentIndex"] != len(self._assembly.message["content"]):
            raise StreamFormatError("malformed answer: a block that is not the next one")
        if part == "text":
            block, started = self._assembly.open_text()
        elif part == "thinking":
            block, started = self._assembly.open_thinking()
        else:
            block, started = self._assembly.open_call(value["id"], value["toolName"])
        self._blocks[block.index] = block
        yield started

    def _end(self, block: OpenBlock, value: dict[str, Any]) -> AssistantEvent:
        del self._blocks[block.index]
        content = block.content
        mark = value.get("contentSignature")
        if content["type"] != "toolCall":
            block.pieces = [value["content"]]
        if content["type"] == "text" and mark is not None:
            content["textSignature"] = mark
        elif content["type"] == "thinking":
            if mark is not None:
                content["thinkingSignature"] = mark
            if value.get("redacted"):
                content["redacted"] = True
        ended = self._assembly.end(block)
        if content["type"] == "toolCall":
            cast("dict[str, Any]", content).update(value["toolCall"], type="toolCall")
        return ended

    def _close(self, value: dict[str, Any]) -> None:
        reply: dict[str, Any] = self._assembly.message  # type: ignore[assignment]
        for key in ("usage", "responseId", "responseModel", "providerThinkingLevel"):
            if value.get(key) is not None:
                reply[key] = value[key]
        if rewrite := value.get("rewrite"):
            self._assembly.note("pi_messages_rewrite", **rewrite)
