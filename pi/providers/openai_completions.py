"""OpenAI Chat Completions, streamed, and the many servers that speak some of it.

What is sent is in completions_request.py; here is what comes back.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.completions_request import REASONING_FIELDS, request
from pi.providers.errors import failure_of
from pi.providers.hosts import completions_compat
from pi.providers.streaming import converse, event_json
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import StopReason
from pi.wire.model import Model

__all__ = ["STOPS", "CompletionsReader", "request", "stream"]

STOPS: dict[str, StopReason] = {
    "stop": "stop",
    "end": "stop",
    "length": "length",
    "tool_calls": "toolUse",
    "function_call": "toolUse",
}


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    reader = CompletionsReader(
        assembly, names_finish=completions_compat(model)["supportsFinishReason"]
    )
    return converse(assembly, reader, request(model, context, options), options)


class CompletionsReader:
    """One text block, one thinking block and the calls, in the order they begin.

    The API has no blocks: pieces of each kind may alternate, and all end with the stream.
    """

    stops: Mapping[str, StopReason] = STOPS
    failures: Mapping[str, str] = MappingProxyType({"network_error": "network error"})
    """Ends that are nobody's choice: asking again may help."""

    names_model = True
    """Whether a reply says which model gave it, where that is not the one asked."""

    def __init__(self, assembly: Assembly, *, names_finish: bool) -> None:
        self._assembly = assembly
        self._names_finish = names_finish
        self._text: OpenBlock | None = None
        self._thinking: OpenBlock | None = None
        self._calls: dict[int, OpenBlock] = {}
        self._details: list[dict[str, Any]] = []
        self._stop: str | None = None
        self._done = False

    def finished(self) -> bool:
        return self._done

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        if data.startswith(b"[DONE]"):
            self._done = True
            return
        value = event_json(data)
        if event == "error" or value.get("error") or value.get("object") == "error":
            raise _stream_failure(value)
        reply = self._assembly.message
        if "responseId" not in reply and value.get("id"):
            reply["responseId"] = value["id"]
        answered_by = value.get("model") if self.names_model else None
        if answered_by and answered_by != self._assembly.model.id and "responseModel" not in reply:
            reply["responseModel"] = answered_by
        if usage := value.get("usage"):
            self._count(usage)
        for choice in (value.get("choices") or ())[:1]:
            if usage := choice.get("usage"):
                self._count(usage)
            if stop := choice.get("finish_reason"):
                self._stop = stop
                reply["rawStopReason"] = stop
            # Servers that do not stream send the message whole.
            delta = choice.get("delta") or choice.get("message")
            if delta:
                yield from self._delta(delta)

    def close(self) -> StopReason:
        self._sign()
        if self._stop is None:
            if self._names_finish:
                raise StreamFormatError("the answer ended early: no finish_reason")
            return "toolUse" if self._calls else "stop"
        if self._stop not in self.stops:
            text = f"the provider ended the answer with finish_reason {self._stop}"
            if self._stop in self.failures:
                raise failure_of(f"{text} ({self.failures[self._stop]})")
            raise InvalidRequestError(text)
        return self.stops[self._stop]

    def _delta(self, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        if text := _text(delta.get("content")):
            if self._text is None:
                self._text, event = self._assembly.open_text()
                yield event
            yield self._text.delta(text)
        for field in REASONING_FIELDS:
            if piece := delta.get(field):
                if self._thinking is None:
                    self._thinking, event = self._assembly.open_thinking(field)
                    yield event
                yield self._thinking.delta(piece)
                break  # some servers send the same piece under two names
        for detail in delta.get("reasoning_details") or ():
            self._detail(detail)
        yield from self._calling(delta)

    def _calling(self, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        for position, part in enumerate(delta.get("tool_calls") or ()):
            yield from self._call(part, position)

    def _call(self, part: dict[str, Any], position: int) -> Iterator[AssistantEvent]:
        function = part.get("function") or {}
        call_id = part.get("id") or ""
        block = self._block_of(part.get("index"), call_id, function.get("name"), position)
        if block is None:
            block, event = self._assembly.open_call(
                call_id or self._new_id(), function.get("name") or ""
            )
            index = part.get("index")
            # Servers that reuse an index start a new call under it.
            self._calls[len(self._calls) if index is None else index] = block
            yield event
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = dumps(arguments).decode()
        if arguments is not None:
            yield block.delta(arguments)

    def _new_id(self) -> str:
        """For a call that the server gave none."""
        return f"call_{uuid4().hex}"

    def _block_of(
        self, index: int | None, call_id: str, name: str | None, position: int
    ) -> OpenBlock | None:
        """The call that a piece continues; None if it begins another."""
        if index is None:
            known = [block for block in self._calls.values() if _id_of(block) == call_id]
            if call_id:
                return known[0] if known else None
            return None if name else self._calls.get(len(self._calls) - 1, None)
        block = self._calls.get(index)
        if block is not None and call_id and name and _id_of(block) != call_id:
            return None
        return block

    def _detail(self, detail: dict[str, Any]) -> None:
        """Signed or encrypted reasoning, kept whole for replay; pieces of one item are joined."""
        last = self._details[-1] if self._details else None
        if (
            last is not None
            and detail.get("type") == last.get("type") == "reasoning.text"
            and detail.get("index") == last.get("index")
        ):
            last["text"] = (last.get("text") or "") + (detail.get("text") or "")
            for key, value in detail.items():
                if key != "text" and value is not None:
                    last[key] = value
        else:
            self._details.append(dict(detail))

    def _sign(self) -> None:
        if self._details and self._thinking is not None:
            content = self._thinking.content
            if content["type"] == "thinking":
                content["thinkingSignature"] = dumps(self._details).decode()

    def _count(self, usage: dict[str, Any]) -> None:
        details = usage.get("prompt_tokens_details") or {}
        cached = (
            details.get("cached_tokens")
            or usage.get("prompt_cache_hit_tokens")
            or usage.get("cached_tokens")
            or 0
        )
        written = details.get("cache_write_tokens") or 0
        thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        prompt = usage.get("prompt_tokens") or 0
        self._assembly.count(
            input=max(0, prompt - cached - written),
            output=usage.get("completion_tokens") or 0,
            cache_read=cached,
            cache_write=written,
            reasoning=thought,
        )


def _id_of(block: OpenBlock) -> str:
    return block.content["id"] if block.content["type"] == "toolCall" else ""


def _text(content: Any) -> str:
    """A delta's text: a string, or parts of which some are text."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return content or ""


def _stream_failure(value: dict[str, Any]) -> ProviderError:
    error = value.get("error") or value
    text = error.get("message") if isinstance(error, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    return failure_of(str(text or dumps(error).decode()), data=error, status=status)
