"""Anthropic Messages, streamed, and the many servers that speak it.

What is sent is in anthropic_request.py; here is what comes back.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.anthropic_request import effort_told, request
from pi.providers.anthropic_threads import Thread
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.errors import failure_of
from pi.providers.streaming import Call, converse, event_json
from pi.providers.strict import relaxing, strict_allowed
from pi.wire.events import AssistantEvent
from pi.wire.messages import StopReason
from pi.wire.model import Model, prices_of

__all__ = ["stream"]

REDACTED = "[thinking withheld by the provider]"
STOPS: dict[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "toolUse",
    "max_tokens": "length",
    # The window was full: what to do is what to do after max_tokens, or compaction.
    "model_context_window_exceeded": "length",
}


async def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    if effort := effort_told(model, options):
        assembly.message["providerThinkingLevel"] = effort
    thread = Thread(assembly, options)

    def loose() -> Call:
        return thread.call(request(model, context, options, strict=False))

    def build() -> Call:
        if not strict_allowed(options):
            return loose()
        relaxed = relaxing(assembly, options, "anthropic_strict_tools_fallback", loose)
        return thread.call(request(model, context, options), relaxed)

    async with aclosing(converse(assembly, _Reader(assembly), build, options)) as events:
        async for event in events:
            if event["type"] == "done":
                thread.answered()
            yield event


class _Reader:
    """Anthropic's events. Blocks are addressed by the server's own index."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._blocks: dict[int, OpenBlock] = {}
        self._inputs: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}
        self._stop: str | None = None
        self._refusal: str | None = None
        self._complete = False
        self._changes: list[Any] = []

    def finished(self) -> bool:
        return self._complete

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        if event == "error":
            raise _stream_failure(data)
        value = event_json(data)
        kind = value.get("type")
        if kind == "content_block_delta":
            yield from self._delta(value["index"], value["delta"])
        elif kind == "content_block_start":
            yield from self._start(value["index"], value["content_block"])
        elif kind == "content_block_stop":
            block = self._blocks.pop(value["index"], None)
            if block is not None:
                yield self._end(value["index"], block)
        elif kind == "message_start":
            self._opening(value["message"])
            self._note_changes(value["message"])
        elif kind == "message_delta":
            self._closing(value.get("delta") or {}, value.get("usage"))
            self._note_changes(value)
        elif kind == "message_stop":
            self._complete = True
        elif kind == "error":
            raise _stream_failure(data)

    def close(self) -> StopReason:
        if self._changes:
            told = [
                {key: change[key] for key in ("type", "path", "reason") if change.get(key)}
                for change in self._changes
                if isinstance(change, dict)
            ]
            self._assembly.note("anthropic_input_transformations", transformations=told)
        if not self._complete:
            raise StreamFormatError("the answer ended early: no message_stop")
        if self._stop is None:
            raise StreamFormatError("the answer ended without a stop reason")
        if self._stop == "refusal":
            raise InvalidRequestError(self._refusal or "the model refused to go on")
        if self._stop not in STOPS:
            raise InvalidRequestError(f"the provider stopped the answer: {self._stop}")
        return STOPS[self._stop]

    def _opening(self, message: dict[str, Any]) -> None:
        reply = self._assembly.message
        if message.get("id"):
            reply["responseId"] = message["id"]
        answered_by = message.get("model")
        model = self._assembly.model
        if answered_by and answered_by != model.id:
            reply["responseModel"] = answered_by
            for other in model.compat.get("allowedFallbackModels") or ():
                if (other.get("provider"), other.get("model")) == (model.provider, answered_by):
                    self._assembly.prices = prices_of(other.get("cost") or {})
        self._count(message.get("usage"))

    def _start(self, index: int, block: dict[str, Any]) -> Iterator[AssistantEvent]:
        kind = block.get("type")
        opened: OpenBlock
        event: AssistantEvent
        if kind == "text":
            opened, event = self._assembly.open_text()
            first = block.get("text")
        elif kind == "thinking":
            opened, event = self._assembly.open_thinking(block.get("signature") or "")
            first = block.get("thinking")
        elif kind == "redacted_thinking":
            opened, event = self._assembly.open_thinking(block["data"], REDACTED, redacted=True)
            first = None
        elif kind == "tool_use":
            opened, event = self._assembly.open_call(block["id"], block["name"])
            first = None
            self._inputs[index] = block.get("input") or {}
        else:
            if kind == "fallback" and self._assembly.message["content"]:
                raise InvalidRequestError("the provider changed the model amid its answer")
            return  # a block of a server-side tool: nothing to show or to run
        self._blocks[index] = opened
        yield event
        if first:
            yield opened.delta(first)

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        block = self._blocks.get(index)
        if block is None:
            return
        kind = delta["type"]
        if kind == "text_delta":
            yield block.delta(delta["text"])
        elif kind == "thinking_delta":
            yield block.delta(delta["thinking"])
        elif kind == "input_json_delta":
            yield block.delta(delta["partial_json"])
        elif kind == "signature_delta" and block.content["type"] == "thinking":
            content = block.content
            content["thinkingSignature"] = content.get("thinkingSignature", "") + delta["signature"]

    def _end(self, index: int, block: OpenBlock) -> AssistantEvent:
        event = self._assembly.end(block)
        whole = self._inputs.pop(index, None)
        # Some servers send the arguments with the start, and no deltas.
        if whole and block.content["type"] == "toolCall" and not any(block.pieces):
            block.content["arguments"] = whole
        return event

    def _note_changes(self, told: dict[str, Any]) -> None:
        """What the server left out of the request or changed in it."""
        changes = told.get("input_transformations")
        if isinstance(changes, list):
            self._changes = changes

    def _closing(self, delta: dict[str, Any], usage: dict[str, Any] | None) -> None:
        if stop := delta.get("stop_reason"):
            self._stop = stop
            self._assembly.message["rawStopReason"] = stop
        details = delta.get("stop_details")
        if isinstance(details, dict) and isinstance(details.get("explanation"), str):
            self._refusal = details["explanation"]
        self._count(usage)

    def _count(self, usage: dict[str, Any] | None) -> None:
        """Counts are cumulative; what an event leaves out stays as it was."""
        if not usage:
            return
        self._usage |= {key: value for key, value in usage.items() if value is not None}
        known = self._usage
        self._assembly.count(
            input=known.get("input_tokens", 0),
            output=known.get("output_tokens", 0),
            cache_read=known.get("cache_read_input_tokens", 0),
            cache_write=known.get("cache_creation_input_tokens", 0),
            cache_write_1h=(known.get("cache_creation") or {}).get("ephemeral_1h_input_tokens", 0),
            reasoning=(known.get("output_tokens_details") or {}).get("thinking_tokens"),
        )
        self._assembly.bill(usage)


def _stream_failure(data: bytes) -> ProviderError:
    """The text is the event's own JSON, as the server sent it."""
    return failure_of(data.decode("utf-8", "replace"))
