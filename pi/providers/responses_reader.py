"""What the Responses APIs answer: items that are streamed, each in pieces, and how it ended.

Items are addressed by `output_index`, by their id where a server leaves that out. What stands in
an item when it is done counts over what its pieces added up to.
Source: the API's public reference.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.errors import failure_of
from pi.providers.grammar_calls import TAIL, UNKNOWN_INPUT, GrammarText
from pi.providers.streaming import event_json
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import StopReason
from pi.wire.model import Model

__all__ = ["service_rates", "ResponsesReader"]

PARAGRAPH = "\n\n"


def service_rates(model: Model) -> Mapping[str, float]:
    """What OpenAI charges for its service tiers, over the standard one's prices."""
    fast = 2.5 if model.id == "gpt-5.5" else 2
    return {"flex": 0.5, "priority": fast, "fast": fast}


class ResponsesReader:
    """effort: what the request asked for, where replies are to say so (see responses_request).

    rates: what the prices of a service tier are, over the standard one's. grammars: the argument of
    each tool that is called by a grammar. notes_end: whether the
    server's word on the end of its turn is kept.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        effort: str | None = None,
        rates: Mapping[str, float] = MappingProxyType({}),
        grammars: Mapping[str, str] = MappingProxyType({}),
        notes_end: bool = False,
    ) -> None:
        self._assembly = assembly
        self._items: dict[Any, OpenBlock] = {}
        self._reasoning: dict[str, tuple[OpenBlock, dict[str, Any]]] = {}
        self._rates = rates
        self._grammars = grammars
        self._texts: dict[int, GrammarText] = {}
        self._notes_end = notes_end
        self._final: dict[str, Any] | None = None
        if effort is not None:
            assembly.message["providerThinkingLevel"] = effort

    def finished(self) -> bool:
        return self._final is not None

    def read(self, event: str, data: bytes) -> Iterator[AssistantEvent]:
        if data.startswith(b"[DONE]"):
            return
        value = event_json(data)
        kind = value.get("type") or event
        if kind.endswith(".delta"):
            yield from self._delta(kind, value)
        elif kind == "response.output_item.added":
            block, events = self._open(value["item"])
            if block is not None:
                self._items[_place(value)] = block
            yield from events
        elif kind == "response.output_item.done":
            yield from self._done(value)
        elif kind == "response.reasoning_summary_part.done":
            block = self._items.get(_place(value))
            if block is not None and block.content["type"] == "thinking":
                yield block.delta(PARAGRAPH)  # the finished item has one less
        elif kind == "response.function_call_arguments.done":
            block = self._items.get(_place(value))
            if block is not None:
                yield from _rest(block, value.get("arguments"))
        elif kind in ("response.created", "response.in_progress"):
            self._opening(value["response"])
        elif kind in ("response.completed", "response.incomplete", "response.done"):
            self._closing(value["response"])
        elif kind == "response.failed":
            self._opening(value["response"])
            self._assembly.message["rawStopReason"] = "failed"
            raise _failed(value["response"])
        elif kind == "error":
            raise _error(value)

    def close(self) -> StopReason:
        if self._final is None:
            raise StreamFormatError("the answer ended early: no final response event")
        status = self._final.get("status") or "completed"
        if status == "incomplete":
            reason = (self._final.get("incomplete_details") or {}).get("reason")
            if reason == "max_output_tokens":
                return "length"
            raise InvalidRequestError(
                f"the answer is incomplete: {reason or 'the provider gives no reason'}"
            )
        if status in ("failed", "cancelled"):
            raise _failed(self._final)
        called = any(block["type"] == "toolCall" for block in self._assembly.message["content"])
        return "toolUse" if called else "stop"

    def _opening(self, response: dict[str, Any]) -> None:
        if response.get("id"):
            self._assembly.message["responseId"] = response["id"]

    def _closing(self, response: dict[str, Any]) -> None:
        self._opening(response)
        self._final = response
        reply = self._assembly.message
        status = response.get("status") or "completed"
        reason = (response.get("incomplete_details") or {}).get("reason")
        reply["rawStopReason"] = (
            f"{status}.{reason}" if status == "incomplete" and reason else status
        )
        for item in response.get("output") or ():
            self._sign_late(item)
        # ChatGPT's endpoint says whether the model means to go on.
        if isinstance(response.get("end_turn"), bool) and self._notes_end:
            reply["endTurn"] = response["end_turn"]
        self._count(response)

    def _open(self, item: dict[str, Any]) -> tuple[OpenBlock | None, list[AssistantEvent]]:
        kind = item.get("type")
        block: OpenBlock
        started: AssistantEvent
        if kind == "message":
            block, started = self._assembly.open_text()
        elif kind == "reasoning":
            block, started = self._assembly.open_thinking()
        elif kind == "function_call":
            block, started = self._assembly.open_call(_call_id(item), item["name"])
            block.pieces = [item["arguments"]] if item.get("arguments") else []
        elif kind == "custom_tool_call":
            block, started = self._assembly.open_call(_call_id(item), item["name"])
            self._texts[block.index] = text = GrammarText(
                self._grammars.get(item["name"], UNKNOWN_INPUT)
            )
            block.tail = TAIL
            return block, [started, block.delta(text.piece(item.get("input") or ""))]
        else:
            return None, []
        if block.content["type"] == "toolCall" and item.get("namespace"):
            block.content["namespace"] = item["namespace"]
        return block, [started]

    def _delta(self, kind: str, value: dict[str, Any]) -> Iterator[AssistantEvent]:
        wanted = _DELTAS.get(kind)
        block = self._items.get(_place(value)) if wanted else None
        if block is None or block.content["type"] != wanted or not value["delta"]:
            return
        text = self._texts.get(block.index)
        yield block.delta(value["delta"] if text is None else text.piece(value["delta"]))

    def _done(self, value: dict[str, Any]) -> Iterator[AssistantEvent]:
        item = value["item"]
        block = self._items.pop(_place(value), None)
        if block is None:  # it comes whole
            block, events = self._open(item)
            yield from events
            if block is None:
                return
        content = block.content
        if content["type"] == "toolCall":
            if text := self._texts.pop(block.index, None):
                yield block.delta(text.close(item.get("input")))
            elif item.get("arguments"):
                block.pieces = [item["arguments"]]
            if item.get("namespace"):
                content["namespace"] = item["namespace"]
        else:
            whole = _text(item)
            if whole is not None:
                block.pieces = [whole]
            if content["type"] == "text":
                content["textSignature"] = _text_signature(item)
            else:
                content["thinkingSignature"] = dumps(item).decode()
                if item.get("id"):
                    self._reasoning[item["id"]] = block, item
        yield self._assembly.end(block)

    def _sign_late(self, item: dict[str, Any]) -> None:
        """Some servers send what is needed for replay with the whole response only."""
        if item.get("type") != "reasoning" or not item.get("encrypted_content"):
            return
        block, known = self._reasoning.get(item.get("id") or "", (None, {}))
        if block is not None and not known.get("encrypted_content"):
            signed = {**known, "encrypted_content": item["encrypted_content"]}
            if block.content["type"] == "thinking":
                block.content["thinkingSignature"] = dumps(signed).decode()

    def _count(self, response: dict[str, Any]) -> None:
        usage = response.get("usage")
        if not usage:
            self._assembly.count(input=0, output=0)
            return
        details = usage.get("input_tokens_details") or {}
        cached = details.get("cached_tokens") or 0
        written = details.get("cache_write_tokens") or 0
        thought = (usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0
        self._assembly.count(
            input=max(0, (usage.get("input_tokens") or 0) - cached - written),
            output=usage.get("output_tokens") or 0,
            cache_read=cached,
            cache_write=written,
            reasoning=thought,
            total=usage.get("total_tokens"),
            rate=self._rates.get(response.get("service_tier") or "", 1),
        )


_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_summary_text.delta": "thinking",
    "response.reasoning_text.delta": "thinking",
    "response.function_call_arguments.delta": "toolCall",
    "response.custom_tool_call_input.delta": "toolCall",
}


def _place(value: dict[str, Any]) -> Any:
    """What an event's item is known by."""
    index = value.get("output_index")
    if index is not None:
        return index
    return value.get("item_id") or value.get("item", {}).get("id")


def _call_id(item: dict[str, Any]) -> str:
    """Both ids of a call: its own, and that of the item it is."""
    return f"{item['call_id']}|{item['id']}" if item.get("id") else str(item["call_id"])


def _rest(block: OpenBlock, arguments: str | None) -> Iterator[AssistantEvent]:
    """What the whole arguments have over the pieces so far."""
    so_far = "".join(block.pieces)
    if arguments and arguments.startswith(so_far) and len(arguments) > len(so_far):
        yield block.delta(arguments[len(so_far) :])


def _text(item: dict[str, Any]) -> str | None:
    """The text of a finished item; None where it has none of its own."""
    if item["type"] == "message":
        parts = item.get("content")
        if not parts:
            return None
        return "".join(part.get("text") or part.get("refusal") or "" for part in parts)
    for field in ("summary", "content"):
        if parts := item.get(field):
            return PARAGRAPH.join(part.get("text") or "" for part in parts)
    return None


def _text_signature(item: dict[str, Any]) -> str:
    marks: dict[str, Any] = {"v": 1, "id": item.get("id") or ""}
    if item.get("phase"):
        marks["phase"] = item["phase"]
    return dumps(marks).decode()


def _failed(response: dict[str, Any]) -> ProviderError:
    error = response.get("error")
    if error:
        code, text = error.get("code"), error.get("message") or "no further word"
        return failure_of(f"{code}: {text}" if code else str(text), data=error)
    reason = (response.get("incomplete_details") or {}).get("reason")
    status = response.get("status") or "failed"
    return failure_of(f"the provider ended the answer as {status}: {reason or 'no reason given'}")


def _error(value: dict[str, Any]) -> ProviderError:
    error = value.get("error") if isinstance(value.get("error"), dict) else value
    assert isinstance(error, dict)
    text = error.get("message") or error.get("code") or dumps(error).decode()
    return failure_of(str(text), data=value)
