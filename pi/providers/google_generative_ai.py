"""Google Generative AI (Gemini), streamed.

What is sent is in google_request.py; here is what comes back.
"""

from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any

from pi.errors import InvalidRequestError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.errors import failure_of
from pi.providers.google_request import google_call
from pi.providers.streaming import Call, converse, event_json
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import StopReason, now_ms
from pi.wire.model import Model

__all__ = ["GoogleReader", "request", "stream"]


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    return converse(
        assembly, GoogleReader(assembly), partial(request, model, context, options), options
    )


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    name = model.id if model.id.startswith(("models/", "tunedModels/")) else f"models/{model.id}"
    return google_call(model, context, options, name)


class GoogleReader:
    """Chunks of a reply, each a whole response: parts add up, a block ends where the kind changes.

    Calls come whole. The last signature of a block counts.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._block: OpenBlock | None = None
        self._ids: set[str] = set()
        self._stop: str | None = None
        self._blocked: str | None = None
        self._counted = False

    def finished(self) -> bool:
        return self._stop is not None and self._counted  # the counts may follow the reason

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        value = event_json(data)
        if error := value.get("error"):
            message = error.get("message") if isinstance(error, dict) else error
            code = error.get("code") if isinstance(error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else None
            raise failure_of(str(message or dumps(error).decode()), data=error, status=status)
        reply = self._assembly.message
        if "responseId" not in reply and value.get("responseId"):
            reply["responseId"] = value["responseId"]
        if usage := value.get("usageMetadata"):
            self._count(usage)
        self._counted = bool(usage)
        feedback = value.get("promptFeedback") or {}
        self._blocked = feedback.get("blockReason") or self._blocked
        for candidate in (value.get("candidates") or ())[:1]:
            for part in (candidate.get("content") or {}).get("parts") or ():
                yield from self._part(part)
            if reason := candidate.get("finishReason"):
                self._stop = reply["rawStopReason"] = reason

    def close(self) -> StopReason:
        if self._stop is None:
            if self._blocked is not None:
                raise InvalidRequestError(f"the provider blocked the request: {self._blocked}")
            raise StreamFormatError("the answer ended early: no finishReason")
        if self._stop == "MAX_TOKENS":
            return "length"
        if self._stop != "STOP":
            raise InvalidRequestError(f"the provider stopped the answer: {self._stop}")
        called = any(block["type"] == "toolCall" for block in self._assembly.message["content"])
        return "toolUse" if called else "stop"

    def _part(self, part: dict[str, Any]) -> Iterator[AssistantEvent]:
        mark = part.get("thoughtSignature")
        if call := part.get("functionCall"):
            yield from self._end()
            yield from self._call(call, mark)
            return
        text = part.get("text")
        if text is None:
            return
        kind = "thinking" if part.get("thought") else "text"
        if self._block is None or self._block.content["type"] != kind:
            yield from self._end()
            opened = self._assembly.open_text if kind == "text" else self._assembly.open_thinking
            self._block, started = opened()
            yield started
        content = self._block.content
        if mark and content["type"] == "text":
            content["textSignature"] = mark
        elif mark and content["type"] == "thinking":
            content["thinkingSignature"] = mark
        yield self._block.delta(text)

    def _call(self, call: dict[str, Any], mark: str | None) -> Iterator[AssistantEvent]:
        call_id = call.get("id")
        if not call_id or call_id in self._ids:
            call_id = f"{call['name']}_{now_ms()}_{len(self._ids) + 1}"
        self._ids.add(call_id)
        block, started = self._assembly.open_call(call_id, call["name"])
        yield started
        if mark and block.content["type"] == "toolCall":
            block.content["thoughtSignature"] = mark
        yield block.delta(dumps(call.get("args") or {}).decode())
        yield self._assembly.end(block)

    def _end(self) -> Iterator[AssistantEvent]:
        if self._block is not None:
            yield self._assembly.end(self._block)
            self._block = None

    def _count(self, usage: dict[str, Any]) -> None:
        cached = usage.get("cachedContentTokenCount") or 0
        thought = usage.get("thoughtsTokenCount") or 0
        self._assembly.count(
            input=max(0, (usage.get("promptTokenCount") or 0) - cached),
            output=(usage.get("candidatesTokenCount") or 0) + thought,
            cache_read=cached,
            reasoning=thought,
            total=usage.get("totalTokenCount"),
        )
