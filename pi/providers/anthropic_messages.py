"""Anthropic Messages, streamed, and the many servers that speak it.

Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

from pi.errors import InvalidRequestError, ProviderError, StreamFormatError
from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.budget import THINKING_BUDGETS, output_limit, thinking_budget
from pi.providers.errors import failure_of
from pi.providers.hosts import affinity_headers, bearer_only, service_headers
from pi.providers.prompt import Prompt, fold
from pi.providers.streaming import Call, converse, event_json
from pi.providers.strict import strict_schema, wants_strict
from pi.providers.transform import Replayed, replayable
from pi.wire.events import AssistantEvent
from pi.wire.messages import AssistantMessage, StopReason, ToolDeclaration, UserContent
from pi.wire.model import Model

__all__ = ["request", "stream"]

API_VERSION = "2023-06-01"
BETA_INTERLEAVED = "interleaved-thinking-2025-05-14"
BETA_FINE_TOOLS = "fine-grained-tool-streaming-2025-05-14"
REDACTED = "[thinking withheld by the provider]"
ONLY_IMAGE = "(the image attached here)"
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
STOPS: dict[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "toolUse",
    "max_tokens": "length",
    # The window was full: what to do is what to do after max_tokens, or compaction.
    "model_context_window_exceeded": "length",
}


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    return converse(assembly, _Reader(assembly), request(model, context, options), options)


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    compat = model.compat
    marker = _cache_marker(model, options)
    prompt = fold(context.messages)
    history = replayable(context.messages, model, _safe_id)
    max_tokens = output_limit(model, context.messages, options.max_tokens)
    body: dict[str, Any] = {
        "model": model.id,
        "messages": _messages(history, model, marker),
        "max_tokens": max_tokens,
        "stream": True,
    }
    if prompt.text:
        body["system"] = [_marked({"type": "text", "text": prompt.text}, marker)]
    eager = compat.get("supportsEagerToolInputStreaming", True)
    if prompt.tools:
        body["tools"] = _tools(prompt, model, marker, eager=eager)
    betas = [BETA_FINE_TOOLS] if prompt.tools and not eager else []
    if model.reasoning:
        body |= _thinking(model, options, max_tokens)
        if body["thinking"]["type"] == "enabled":
            betas.append(BETA_INTERLEAVED)
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "anthropic-version": API_VERSION,
    }
    if options.api_key is not None:
        if bearer_only(model):
            headers["authorization"] = f"Bearer {options.api_key}"
        else:
            headers["x-api-key"] = options.api_key
    if betas:
        headers["anthropic-beta"] = ",".join(betas)
    headers |= service_headers(model, options.session_id, history)
    if options.cache_retention != "none":
        headers |= affinity_headers(model, options.session_id)
    headers |= {name.lower(): value for name, value in options.headers.items()}
    url = f"{model.base_url.rstrip('/')}/v1/messages?beta=true"
    return Call(url, headers, body, whole_body=True)


def _cache_marker(model: Model, options: StreamOptions) -> dict[str, Any] | None:
    if options.cache_retention == "none":
        return None
    if options.cache_retention == "long" and model.compat.get("supportsLongCacheRetention", True):
        return {"type": "ephemeral", "ttl": "1h"}
    return {"type": "ephemeral"}


def _marked(block: dict[str, Any], marker: dict[str, Any] | None) -> dict[str, Any]:
    return block if marker is None else {**block, "cache_control": marker}


def _thinking(model: Model, options: StreamOptions, max_tokens: int) -> dict[str, Any]:
    level = options.thinking
    if level == "off":
        return {"thinking": {"type": "disabled"}}
    if model.compat.get("forceAdaptiveThinking"):
        effort = model.thinking_level_map.get(level) or EFFORTS.get(level, "high")
        return {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": effort},
        }
    budget = thinking_budget(level, options.thinking_budgets, max_tokens)
    return {
        "thinking": {
            "type": "enabled",
            "budget_tokens": budget or THINKING_BUDGETS["minimal"],
            "display": "summarized",
        }
    }


def _tools(
    prompt: Prompt, model: Model, marker: dict[str, Any] | None, *, eager: bool
) -> list[dict[str, Any]]:
    strict = bool(model.compat.get("supportsStrictTools"))
    tools = [_tool(tool, eager=eager, strict=strict) for tool in prompt.tools]
    if model.compat.get("supportsCacheControlOnTools", True):
        tools[-1] = _marked(tools[-1], marker)
    return tools


def _tool(tool: ToolDeclaration, *, eager: bool, strict: bool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool["name"], "description": tool["description"]}
    if eager:
        declared["eager_input_streaming"] = True
    schema: dict[str, Any] | None = None
    if strict and wants_strict(tool):
        schema = strict_schema(tool["parameters"])
    if schema is not None:
        declared["strict"] = True
    declared["input_schema"] = schema or {
        "type": "object",
        "properties": {},
        "required": [],
        **tool["parameters"],
    }
    return declared


def _messages(
    history: Sequence[Replayed], model: Model, marker: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Consecutive tool results share one user message; the last user block gets the marker."""
    messages: list[dict[str, Any]] = []
    results: list[dict[str, Any]] | None = None
    for message in history:
        if message["role"] == "toolResult":
            block = {
                "type": "tool_result",
                "tool_use_id": message["toolCallId"],
                "content": _result_content(message["content"]),
                "is_error": message["isError"],
            }
            if results is None:
                results = []
                messages.append({"role": "user", "content": results})
            results.append(block)
            continue
        results = None
        if message["role"] == "assistant":
            if blocks := _assistant_blocks(message, model):
                messages.append({"role": "assistant", "content": blocks})
        elif isinstance(message["content"], str):
            if message["content"].strip():
                messages.append({"role": "user", "content": message["content"]})
        elif blocks := [
            _user_block(block)
            for block in message["content"]
            if block["type"] != "text" or block["text"].strip()
        ]:
            messages.append({"role": "user", "content": blocks})
    if marker is not None and messages and messages[-1]["role"] == "user":
        last = messages[-1]
        if isinstance(last["content"], str):
            last["content"] = [{"type": "text", "text": last["content"]}]
        last["content"][-1] = _marked(last["content"][-1], marker)
    return messages


def _result_content(content: Sequence[UserContent]) -> str | list[dict[str, Any]]:
    texts = [block["text"] for block in content if block["type"] == "text"]
    if len(texts) == len(content):
        return "\n".join(texts)
    blocks = [
        _user_block(block) for block in content if block["type"] != "text" or block["text"].strip()
    ]
    if not any(block["type"] == "text" for block in blocks):
        blocks.insert(0, {"type": "text", "text": ONLY_IMAGE})
    return blocks


def _user_block(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    source = {"type": "base64", "media_type": block["mimeType"], "data": block["data"]}
    return {"type": "image", "source": source}


def _assistant_blocks(message: AssistantMessage, model: Model) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for block in message["content"]:
        if block["type"] == "text":
            blocks.append({"type": "text", "text": block["text"]})
        elif block["type"] == "toolCall":
            blocks.append(
                {
                    "type": "tool_use",
                    "id": block["id"],
                    "name": block["name"],
                    "input": block["arguments"],
                }
            )
        else:
            signature = block.get("thinkingSignature") or ""
            thinking = {"type": "thinking", "thinking": block["thinking"], "signature": signature}
            if block.get("redacted"):
                blocks.append({"type": "redacted_thinking", "data": signature})
            elif signature or model.compat.get("allowEmptySignature"):
                blocks.append(thinking)
            elif block["thinking"].strip():
                # Unsigned thinking is refused as such; as text the model still sees it.
                blocks.append({"type": "text", "text": block["thinking"]})
    return blocks


def _safe_id(call_id: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[:64] or "_"


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
        elif kind == "message_delta":
            self._closing(value.get("delta") or {}, value.get("usage"))
        elif kind == "message_stop":
            self._complete = True
        elif kind == "error":
            raise _stream_failure(data)

    def close(self) -> StopReason:
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
        if answered_by and answered_by != self._assembly.model.id:
            reply["responseModel"] = answered_by
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


def _stream_failure(data: bytes) -> ProviderError:
    """The text is the event's own JSON, as the server sent it."""
    return failure_of(data.decode("utf-8", "replace"))
