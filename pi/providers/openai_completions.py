"""OpenAI Chat Completions, streamed, and the many servers that speak some of it.

What is sent is in completions_request.py; here is what comes back.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.completions_request import (
    REASONING_FIELDS,
    is_reasoning_detail,
    reasoning_field,
    request,
)
from pi.providers.errors import failure_of
from pi.providers.grammar_calls import TAIL, UNKNOWN_INPUT, GrammarText
from pi.providers.hosts import completions_compat
from pi.providers.streaming import converse, event_json
from pi.providers.strict import grammar_inputs
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
    compat = completions_compat(model)
    able = bool(compat.get("supportsOpenAIGrammarTools"))
    reader = CompletionsReader(
        assembly,
        names_finish=compat["supportsFinishReason"],
        grammars=grammar_inputs(context.messages, able=able),
    )
    return converse(assembly, reader, partial(request, model, context, options), options)


class CompletionsReader:
    """One text block, one thinking block and the calls, in the order they begin.

    The API has no blocks: pieces of each kind may alternate, and all end with the stream.
    """

    stops: Mapping[str, StopReason] = STOPS
    failures: Mapping[str, str] = MappingProxyType({"network_error": "network error"})
    """Ends that are nobody's choice: asking again may help."""

    names_model = True
    """Whether a reply says which model gave it, where that is not the one asked."""

    def __init__(
        self,
        assembly: Assembly,
        *,
        names_finish: bool,
        grammars: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """names_finish: whether the server says how it ended. grammars: see grammar_calls."""
        self._assembly = assembly
        self._names_finish = names_finish
        self._text: OpenBlock | None = None
        self._thinking: OpenBlock | None = None
        self._calls: dict[int, OpenBlock] = {}
        self._grammars = grammars
        self._texts: dict[int, GrammarText] = {}
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
        # Thinking first: some proxies put it into one delta with the answer to it.
        for field in REASONING_FIELDS:
            piece = delta.get(field)
            if isinstance(piece, str) and piece:
                yield from self._open_thinking(reasoning_field(self._assembly.model, field))
                assert self._thinking is not None
                yield self._thinking.delta(piece)
                break  # some servers send the same piece under two names
        for detail in delta.get("reasoning_details") or ():
            if is_reasoning_detail(detail):
                yield from self._open_thinking("")
                self._detail(detail)
        if text := _text(delta.get("content")):
            if self._text is None:
                self._text, event = self._assembly.open_text()
                yield event
            yield self._text.delta(text)
        yield from self._calling(delta)

    def _open_thinking(self, signature: str) -> Iterator[AssistantEvent]:
        if self._thinking is None:
            self._thinking, event = self._assembly.open_thinking(signature)
            yield event

    def _calling(self, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        for position, part in enumerate(delta.get("tool_calls") or ()):
            yield from self._call(part, position)

    def _call(self, part: dict[str, Any], position: int) -> Iterator[AssistantEvent]:
        function = part.get("function") or part.get("custom") or {}
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
            if part.get("custom") and not part.get("function"):
                argument = self._grammars.get(function.get("name") or "", UNKNOWN_INPUT)
                self._texts[block.index] = begun = GrammarText(argument)
                block.tail = TAIL
                yield block.delta(begun.piece(""))
        if text := self._texts.get(block.index):
            if function.get("input"):
                yield block.delta(text.piece(function["input"]))
            return
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
        last = self._details[-1] if self._details else {}
        said = _SAID.get(detail["type"])
        if said is None or detail["type"] != last.get("type"):
            self._details.append(dict(detail))
            return
        last[said] += detail[said]
        for key, value in detail.items():
            if last.get(key) in (None, "") and value is not None:
                last[key] = value

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
        self._assembly.bill(usage)


# Where an item that comes in pieces has its text.
_SAID = {"reasoning.text": "text", "reasoning.summary": "summary"}


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
