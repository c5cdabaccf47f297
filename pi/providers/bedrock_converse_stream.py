"""Amazon Bedrock's ConverseStream: JSON asked, an AWS event stream answered.

The body is in bedrock_request.py, the binary framing in event_stream.py. A bearer token goes into a
header; other AWS credentials sign the request (StreamOptions.sign). HTTP/1.1 serves: a run has one
answer under way at a time.
Source: the API's public reference.
"""

import base64
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any
from urllib.parse import quote

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.bedrock_request import bedrock_body
from pi.providers.errors import failure_of
from pi.providers.event_stream import EXCEPTION, EventStreamDecoder
from pi.providers.streaming import Call, converse, event_json
from pi.providers.strict import relaxing, strict_allowed
from pi.wire.events import AssistantEvent
from pi.wire.messages import StopReason
from pi.wire.model import Model

__all__ = ["request", "stream"]

REDACTED = "[thinking withheld by the provider]"
STOPS: dict[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "toolUse",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
STATUSES = {
    "internalServerException": 500,
    "modelStreamErrorException": 500,
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
"""What a failure inside the stream would have been as an answer's status."""


async def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)

    def build() -> Call:
        if not strict_allowed(options):
            return loose()
        call = request(model, context, options, strict=True)
        instead = relaxing(assembly, options, "bedrock_strict_tools_fallback", loose)
        return call._replace(instead=instead)

    loose = partial(request, model, context, options, strict=False)
    async with aclosing(converse(assembly, _Reader(assembly), build, options)) as events:
        async for event in events:
            if event["type"] == "error":
                _note(assembly, event["failure"])
            yield event


def _note(assembly: Assembly, failure: Exception) -> None:
    """What AWS's people ask for when a request failed."""
    details: dict[str, Any] = {}
    if isinstance(failure, ProviderError):
        if failure.status is not None:
            details["status"] = failure.status
        if kind := re.search(r"\b[A-Z]\w*Exception\b", str(failure)):
            details["errorCode"] = kind[0]
        if failure.request_id is not None:
            details["requestId"] = failure.request_id
    if details:
        assembly.note("bedrock_response_failure", **details)


def request(model: Model, context: Context, options: StreamOptions, *, strict: bool) -> Call:
    """What is sent for this conversation. strict: see bedrock_body."""
    body = bedrock_body(model, context, options, strict=strict)
    headers = {
        name.lower(): value
        for name, value in options.headers.items()
        # These are the signature's own.
        if name.lower() not in ("authorization", "host") and not name.lower().startswith("x-amz-")
    }
    headers |= {
        "content-type": "application/json",
        "accept": "application/vnd.amazon.eventstream",
    }
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    url = f"{model.base_url.rstrip('/')}/model/{quote(model.id, safe='')}/converse-stream"
    return Call(url, headers, body, whole_body=True, decoder=EventStreamDecoder)


class _Reader:
    """Bedrock's events. Blocks have the server's own index; the beginning of a call is told."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._blocks: dict[int, OpenBlock] = {}
        self._payloads: dict[int, bytes] = {}
        self._stop: str | None = None
        self._counted = False

    def finished(self) -> bool:
        return self._stop is not None and self._counted  # the counts follow the reason

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        value = event_json(data)
        if event.startswith(EXCEPTION):
            raise _failure(event.removeprefix(EXCEPTION), value)
        if event == "contentBlockDelta":
            yield from self._delta(value["contentBlockIndex"], value["delta"])
        elif event == "contentBlockStart":
            if use := value["start"].get("toolUse"):
                block, started = self._assembly.open_call(use["toolUseId"], use["name"])
                self._blocks[value["contentBlockIndex"]] = block
                yield started
        elif event == "contentBlockStop":
            index = value["contentBlockIndex"]
            ended = self._blocks.pop(index, None)
            if ended is not None:
                self._sign(index, ended)
                yield self._assembly.end(ended)
        elif event == "messageStop":
            self._stop = self._assembly.message["rawStopReason"] = value["stopReason"]
        elif event == "metadata":
            self._count(value.get("usage") or {})

    def close(self) -> StopReason:
        for index, block in self._blocks.items():
            self._sign(index, block)
        if self._stop is None:
            raise StreamFormatError("the answer ended early: no messageStop")
        if self._stop not in STOPS:
            raise InvalidRequestError(f"the provider stopped the answer: {self._stop}")
        return STOPS[self._stop]

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        block = self._blocks.get(index)
        if "text" in delta:
            if block is None:
                block, started = self._assembly.open_text()
                self._blocks[index] = block
                yield started
            yield block.delta(delta["text"])
        elif use := delta.get("toolUse"):
            if block is not None:
                yield block.delta(use.get("input") or "")
        elif thought := delta.get("reasoningContent"):
            if block is None:
                block, started = self._assembly.open_thinking("")
                self._blocks[index] = block
                yield started
            yield from self._think(index, block, thought)

    def _think(
        self, index: int, block: OpenBlock, thought: dict[str, Any]
    ) -> Iterator[AssistantEvent]:
        content = block.content
        if content["type"] != "thinking":
            return
        if thought.get("text"):
            yield block.delta(thought["text"])
        # A signature, or the thoughts themselves in a form that only the provider can read.
        if thought.get("signature") and not content.get("redacted"):
            content["thinkingSignature"] = (
                content.get("thinkingSignature", "") + (thought["signature"])
            )
        if payload := thought.get("redactedContent"):
            if not content.get("redacted"):
                content["redacted"] = True
                content["thinkingSignature"] = ""
                yield block.delta(REDACTED)
            known = self._payloads.get(index, b"")
            self._payloads[index] = known + base64.b64decode(payload)

    def _sign(self, index: int, block: OpenBlock) -> None:
        payload = self._payloads.pop(index, None)
        if payload is not None and block.content["type"] == "thinking":
            block.content["thinkingSignature"] = base64.b64encode(payload).decode()

    def _count(self, usage: dict[str, Any]) -> None:
        self._counted = True
        details = usage.get("cacheDetails")
        long = None
        if details is not None:
            long = sum(part.get("inputTokens") or 0 for part in details if part.get("ttl") == "1h")
        self._assembly.count(
            input=usage.get("inputTokens") or 0,
            output=usage.get("outputTokens") or 0,
            cache_read=usage.get("cacheReadInputTokens") or 0,
            cache_write=usage.get("cacheWriteInputTokens") or 0,
            cache_write_1h=long,
            total=usage.get("totalTokens"),
        )


def _failure(kind: str, value: dict[str, Any]) -> ProviderError:
    text = value.get("message") or value.get("Message") or "no further word"
    named = f"{kind[:1].upper()}{kind[1:]}: {text}"
    return failure_of(named, data=value, status=STATUSES.get(kind[:1].lower() + kind[1:]))
