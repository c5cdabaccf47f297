"""Mistral's chat API, streamed: Chat Completions with thinking inside the content.

Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pi.providers.assembly import Assembly, OpenBlock
from pi.providers.base import Context, StreamOptions
from pi.providers.budget import output_limit
from pi.providers.openai_completions import STOPS, CompletionsReader
from pi.providers.prompt import change_text, fold, split_leading
from pi.providers.streaming import Call, converse
from pi.providers.strict import strict_form
from pi.providers.transform import Replayed, data_url, replayable, short_hash, transcript
from pi.wire.events import AssistantEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import (
    AssistantMessage,
    SystemMessage,
    ToolDeclaration,
    ToolResultMessage,
    UserContent,
)
from pi.wire.model import Model

__all__ = ["request", "stream"]

ID_LENGTH = 9
NO_OUTPUT = "(the tool returned nothing)"
ONLY_IMAGE = "(the image is attached)"
FAILED = "[tool error] "
"""Before the text of a failed result: the API has no field for it."""


def stream(
    model: Model, context: Context, options: StreamOptions
) -> AsyncGenerator[AssistantEvent, None]:
    """Yield `start`, deltas, then exactly one `done` or `error`."""
    assembly = Assembly(model)
    return converse(assembly, _Reader(assembly), partial(request, model, context, options), options)


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    messages = context.messages
    whole = fold(messages)
    history = replayable(messages, model, _safe_id)
    said: Sequence[Replayed | SystemMessage] = history
    prompt = whole
    if model.compat.get("supportsMidConvoSystemMessages"):
        leading, rest = split_leading(messages)
        prompt = fold(leading)
        said = transcript(rest, model, _safe_id)
    body: dict[str, Any] = {"model": model.id, "stream": True, "messages": []}
    if prompt.text:
        body["messages"].append({"role": "system", "content": prompt.text})
    for message in said:
        body["messages"] += _message(message)
    if whole.tools:
        body["tools"] = [_tool(tool) for tool in whole.tools]
    body["max_tokens"] = output_limit(model, context.messages, options.max_tokens)
    body |= _thinking(model, options)
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    if options.session_id and options.cache_retention != "none":
        body["prompt_cache_key"] = options.session_id
        headers["x-affinity"] = options.session_id
    headers |= {name.lower(): value for name, value in options.headers.items()}
    return Call(f"{model.base_url.rstrip('/')}/v1/chat/completions", headers, body)


def _thinking(model: Model, options: StreamOptions) -> dict[str, Any]:
    if not model.reasoning:
        return {}
    if effort := model.thinking_level_map.get(options.thinking):
        return {"reasoning_effort": effort}
    return {} if options.thinking == "off" else {"prompt_mode": "reasoning"}


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    schema = strict_form(tool, able=True)
    function: dict[str, Any] = {
        "name": tool["name"],
        "description": tool["description"],
        "parameters": schema or tool["parameters"],
        "strict": schema is not None,
    }
    return {"type": "function", "function": function}


def _message(message: Replayed | SystemMessage) -> Iterator[dict[str, Any]]:
    """The message in this API's form; none if nothing of it is left."""
    if message["role"] == "system":
        if text := change_text(message):
            yield {"role": "system", "content": text}
    elif message["role"] == "user":
        content = message["content"]
        parts = content if isinstance(content, str) else [_part(block) for block in content]
        yield {"role": "user", "content": parts}
    elif message["role"] == "assistant":
        yield _reply(message)
    else:
        yield _result(message)


def _reply(message: AssistantMessage) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for block in message["content"]:
        if block["type"] == "text":
            content.append({"type": "text", "text": block["text"]})
        elif block["type"] == "thinking":
            if block["thinking"].strip():
                thought = [{"type": "text", "text": block["thinking"]}]
                content.append({"type": "thinking", "thinking": thought})
        else:
            arguments = dumps(block["arguments"]).decode()
            function = {"name": block["name"], "arguments": arguments}
            call = {"id": block["id"], "type": "function", "function": function, "index": 0}
            calls.append(call)
    sent: dict[str, Any] = {"role": "assistant", "prefix": False}
    if content:
        sent["content"] = content
    if calls:
        sent["tool_calls"] = calls
    return sent


def _result(message: ToolResultMessage) -> dict[str, Any]:
    text = "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
    images = [_part(block) for block in message["content"] if block["type"] == "image"]
    text = text.strip() or (ONLY_IMAGE if images else NO_OUTPUT)
    if message["isError"]:
        text = FAILED + text
    return {
        "role": "tool",
        "name": message["toolName"],
        "content": [{"type": "text", "text": text}, *images],
        "tool_call_id": message["toolCallId"],
    }


def _part(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    return {"type": "image_url", "image_url": data_url(block)}


def _safe_id(call_id: str) -> str:
    """Nine letters and digits: the API takes no other ids."""
    if re.fullmatch(rf"[a-zA-Z0-9]{{{ID_LENGTH}}}", call_id):
        return call_id
    return f"c{short_hash(call_id)}"


class _Reader(CompletionsReader):
    """Text and thinking come as parts of the content, and a block ends where the kind changes."""

    stops = MappingProxyType({**STOPS, "model_length": "length"})
    failures = MappingProxyType({"error": "server error"})
    names_model = False

    def __init__(self, assembly: Assembly) -> None:
        super().__init__(assembly, names_finish=True)
        self._block: OpenBlock | None = None

    def _delta(self, delta: dict[str, Any]) -> Iterator[AssistantEvent]:
        content = delta.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts or ():
            if part.get("type") == "thinking":
                thoughts = part.get("thinking")
                pieces = thoughts if isinstance(thoughts, list) else [{"text": thoughts}]
                for piece in pieces:
                    yield from self._piece("thinking", piece.get("text"))
            else:
                yield from self._piece("text", part.get("text"))
        if delta.get("tool_calls"):
            yield from self._end()
        yield from self._calling(delta)

    def _piece(self, kind: str, text: str | None) -> Iterator[AssistantEvent]:
        if not text:
            return
        if self._block is None or self._block.content["type"] != kind:
            yield from self._end()
            opened = self._assembly.open_text if kind == "text" else self._assembly.open_thinking
            self._block, started = opened()
            yield started
        yield self._block.delta(text)

    def _end(self) -> Iterator[AssistantEvent]:
        if self._block is not None:
            yield self._assembly.end(self._block)
            self._block = None

    def _call(self, part: dict[str, Any], position: int) -> Iterator[AssistantEvent]:
        # Some of its models write the missing id out.
        known = {**part, "id": None} if part.get("id") == "null" else part
        yield from super()._call(known, position)

    def _new_id(self) -> str:
        return uuid4().hex[:ID_LENGTH]

    def _count(self, usage: dict[str, Any]) -> None:
        details = usage.get("prompt_tokens_details") or usage.get("prompt_token_details") or {}
        cached = details.get("cached_tokens") or usage.get("num_cached_tokens") or 0
        self._assembly.count(
            input=max(0, (usage.get("prompt_tokens") or 0) - cached),
            output=usage.get("completion_tokens") or 0,
            cache_read=cached,
        )
