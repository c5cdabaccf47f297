"""What Bedrock's Converse API is sent: messages, tools, cache points and each model's own fields.

Claude, OpenAI's and other models stand behind one API, but each takes thinking in its own way.
Which one a model is, its id says, or its name: the ARN of an inference profile says nothing.
Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pi.errors import InvalidRequestError
from pi.providers.base import Context, StreamOptions
from pi.providers.budget import ANSWER_ROOM, THINKING_BUDGETS, output_limit
from pi.providers.prompt import fold
from pi.providers.strict import strict_form
from pi.providers.transform import (
    Replayed,
    apart_from_failures,
    is_base64,
    replayable,
    safe_id,
)
from pi.wire.messages import AssistantMessage, ToolDeclaration, UserContent
from pi.wire.model import Model

__all__ = ["bedrock_body"]

EMPTY = "(nothing)"
"""Where the API asks for a text and there is none."""

BETA_INTERLEAVED = "interleaved-thinking-2025-05-14"
BETA_BINDING = "thinking-binding-controls-2026-08-01"
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
FORMATS = {
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}

_ADAPTIVE = re.compile(r"opus-4-[678]|sonnet-4-6|(?:opus|sonnet|haiku|fable)-5")
_BINDING = re.compile(r"opus-4-[78]|(?:opus|sonnet|haiku|fable)-5")
_CACHED = re.compile(r"-4-|(?:opus|sonnet|haiku|fable)-5|claude-3-7-sonnet|claude-3-5-haiku")


def bedrock_body(
    model: Model, context: Context, options: StreamOptions, *, strict: bool
) -> dict[str, Any]:
    """The body. strict: whether tools get strict calls that could do without."""
    prompt = fold(context.messages)
    history = replayable(context.messages, model, safe_id)
    claude = _is_claude(model)
    point = _cache_point(model, options)
    body: dict[str, Any] = {"messages": _messages(history, point, claude=claude)}
    if prompt.text:
        body["system"] = [{"text": prompt.text}, *point]
    limit = output_limit(model, context.messages, options.max_tokens)
    body["inferenceConfig"] = {"maxTokens": limit}
    if prompt.tools:
        able = bool(model.compat.get("supportsStrictMode"))
        tools = [_tool(tool, able=able, preferred=strict) for tool in prompt.tools]
        body["toolConfig"] = {"tools": tools}
    if extra := _thinking(model, options, limit, claude=claude):
        body["additionalModelRequestFields"] = extra
    return body


def _names(model: Model) -> tuple[str, ...]:
    """What a model may be known by, as written and with plain dashes."""
    names = [name.lower() for name in (model.id, model.name) if name]
    return (*names, *(re.sub(r"[\s_.:]+", "-", name) for name in names))


def _matches(pattern: re.Pattern[str], model: Model) -> bool:
    return any(pattern.search(name) for name in _names(model))


def _is_claude(model: Model) -> bool:
    by_id = re.search(r"anthropic[./]claude", model.id.lower())
    return by_id is not None or "claude" in model.name.lower()


def _cache_point(model: Model, options: StreamOptions) -> list[dict[str, Any]]:
    """The block that ends what is to be cached; none for models that cache by themselves."""
    if options.cache_retention == "none" or not any("claude" in name for name in _names(model)):
        return []
    if not _matches(_CACHED, model):
        return []
    long = {"ttl": "1h"} if options.cache_retention == "long" else {}
    return [{"cachePoint": {"type": "default", **long}}]


def _thinking(
    model: Model, options: StreamOptions, limit: int, *, claude: bool
) -> dict[str, Any] | None:
    level = options.thinking
    if level == "off" or not model.reasoning:
        return None
    mapped = model.thinking_level_map.get(level)
    if claude:
        return _claude_thinking(model, options, limit)
    # GPT's open models have a field and a scale of their own; the others refuse "minimal".
    if any("gpt-oss" in name for name in _names(model)):
        return {"reasoning_effort": EFFORTS.get(level, "high")}
    if any("gpt-" in name for name in _names(model)):
        return {"reasoning": {"effort": mapped or EFFORTS.get(level, level)}}
    return None


def _claude_thinking(model: Model, options: StreamOptions, limit: int) -> dict[str, Any]:
    level = options.thinking
    # The government regions refuse the newer fields.
    government = "us-gov-" in model.base_url or model.id.lower().startswith(
        ("us-gov.", "arn:aws-us-gov:")
    )
    shown = {} if government else {"display": "summarized"}
    if not _matches(_ADAPTIVE, model):
        name = level if level in THINKING_BUDGETS else "high"
        wanted = options.thinking_budgets.get(name, THINKING_BUDGETS[name])
        budget = min(wanted, max(0, limit - ANSWER_ROOM))
        thinking: dict[str, Any] = {"type": "enabled", "budget_tokens": budget, **shown}
        return {"thinking": thinking, "anthropic_beta": [BETA_INTERLEAVED]}
    binding = not government and _matches(_BINDING, model)
    mapped = model.thinking_level_map.get(level)
    effort = mapped or EFFORTS.get(level, "xhigh" if binding and level == "xhigh" else "high")
    thinking = {"type": "adaptive", **shown}
    fields: dict[str, Any] = {"thinking": thinking, "output_config": {"effort": effort}}
    if binding:
        # Thoughts are bound to the prompt and tools they were had with: drop those of others.
        thinking["block_binding"] = {"prefix_mismatch_behavior": "drop_block"}
        fields["anthropic_beta"] = [BETA_BINDING]
    return fields


def _tool(tool: ToolDeclaration, *, able: bool, preferred: bool) -> dict[str, Any]:
    schema = strict_form(tool, able=able, preferred=preferred)
    spec: dict[str, Any] = {
        "name": tool["name"],
        "description": tool["description"],
        "inputSchema": {"json": schema or tool["parameters"]},
    }
    if schema is not None:
        spec["strict"] = True
    return {"toolSpec": spec}


def _messages(
    history: Sequence[Replayed], point: list[dict[str, Any]], *, claude: bool
) -> list[dict[str, Any]]:
    """Results that follow each other share one message; the last user message gets the point."""
    sent: list[dict[str, Any]] = []
    results: list[dict[str, Any]] | None = None
    late: list[dict[str, Any]] = []
    for message in history:
        if message["role"] == "toolResult":
            # Claude takes nothing but text in a failed result: its images come after the results.
            kept, caption, images = apart_from_failures(message)
            if not claude:
                kept, images = message["content"], ()
            block = {
                "toolUseId": message["toolCallId"],
                "content": _blocks(kept),
                "status": "error" if message["isError"] else "success",
            }
            if results is None:
                results = []
                sent.append({"role": "user", "content": results})
            results.append({"toolResult": block})
            if images:
                late += _blocks([caption, *images])
            continue
        if results is not None:
            results += late
            late, results = [], None
        if message["role"] == "assistant":
            if blocks := _reply(message, claude=claude):
                sent.append({"role": "assistant", "content": blocks})
            continue
        content = message["content"]
        given: Sequence[UserContent] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        sent.append({"role": "user", "content": _blocks(given)})
    if results is not None:
        results += late
    if sent and sent[-1]["role"] == "user":
        sent[-1]["content"] += point
    return sent


def _blocks(content: Sequence[UserContent]) -> list[dict[str, Any]]:
    blocks = [
        _image(block) if block["type"] == "image" else {"text": block["text"]}
        for block in content
        if block["type"] == "image" or block["text"].strip()
    ]
    return blocks or [{"text": EMPTY}]


def _image(block: Any) -> dict[str, Any]:
    kind = FORMATS.get(block["mimeType"])
    if kind is None:
        raise InvalidRequestError(f"Bedrock takes no images of type {block['mimeType']}")
    return {"image": {"source": {"bytes": block["data"]}, "format": kind}}


def _reply(message: AssistantMessage, *, claude: bool) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for block in message["content"]:
        if block["type"] == "text":
            if block["text"].strip():
                blocks.append({"text": block["text"]})
        elif block["type"] == "toolCall":
            use = {
                "toolUseId": block["id"],
                "name": block["name"],
                "input": _named_only(block["arguments"]),
            }
            blocks.append({"toolUse": use})
        elif block.get("redacted"):
            payload = block.get("thinkingSignature") or ""
            if payload and is_base64(payload):
                blocks.append({"reasoningContent": {"redactedContent": payload}})
        elif block["thinking"].strip():
            said: dict[str, Any] = {"text": block["thinking"]}
            signature = (block.get("thinkingSignature") or "").strip()
            if claude and not signature:
                blocks.append(said)  # unsigned thinking is refused as such
                continue
            if claude:
                said["signature"] = block.get("thinkingSignature")
            blocks.append({"reasoningContent": {"reasoningText": said}})
    return blocks


def _named_only(value: Any) -> Any:
    """A JSON value without members that have no name: the API refuses them."""
    if isinstance(value, list):
        return [_named_only(part) for part in value]
    if isinstance(value, Mapping):
        return {name: _named_only(part) for name, part in value.items() if name}
    return value
