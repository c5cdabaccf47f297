"""What Chat Completions is sent: the body and the headers, with each server's differences.

Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pi.providers.base import Context, StreamOptions
from pi.providers.budget import output_limit, thinking_budget
from pi.providers.hosts import completions_compat, service_headers, service_of
from pi.providers.prompt import Prompt, fold
from pi.providers.streaming import Call
from pi.providers.strict import strict_schema, wants_strict
from pi.providers.thinking_formats import thinking_fields
from pi.providers.transform import Replayed, replayable, short_hash
from pi.wire.jsonio import dumps, loads
from pi.wire.messages import AssistantMessage, ToolDeclaration, ToolResultMessage, UserContent
from pi.wire.model import Model

__all__ = ["REASONING_FIELDS", "request"]

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where servers put what a model thinks; the name is kept as the block's signature for replay."""

MAX_ID = 40
NO_OUTPUT = "(the tool returned nothing)"
ONLY_IMAGE = "(the image is in the next message)"
IMAGES_FOLLOW = "The image(s) that the tool returned:"
RESULTS_SEEN = "The tool results are noted."


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    compat = completions_compat(model)
    prompt = fold(context.messages)
    history = replayable(context.messages, model, _id_rule(model))
    max_tokens = output_limit(model, context.messages, options.max_tokens)
    marker = _cache_marker(compat, options)
    body: dict[str, Any] = {
        "model": options.deployment or model.id,
        "messages": _Messages(model, compat).build(prompt, history),
        "stream": True,
        **_cache_fields(model, compat, options),
    }
    if compat["supportsUsageInStreaming"]:
        body["stream_options"] = {"include_usage": True}
    if compat["supportsStore"]:
        body["store"] = False
    body[compat["maxTokensField"]] = max_tokens
    body |= _tool_fields(prompt, history, compat)
    if (priority := compat.get("vllmPriority")) is not None:
        body["priority"] = priority
    budget = thinking_budget(options.thinking, options.thinking_budgets, max_tokens)
    body |= thinking_fields(model, compat, options.thinking, budget)
    if routing := compat.get("openRouterRouting"):
        body["provider"] = routing
    if routing := compat.get("vercelGatewayRouting"):
        body["providerOptions"] = {"gateway": routing}
    if marker is not None:
        _mark(body, marker)
    body |= model.sampling_params
    body |= model.sampling_params_by_level.get(options.thinking, {})
    headers = {"content-type": "application/json", "accept": "application/json"}
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    headers |= service_headers(model, options.session_id, history)
    headers |= _affinity(compat, options)
    headers |= {name.lower(): value for name, value in options.headers.items()}
    return Call(f"{model.base_url.rstrip('/')}/chat/completions", headers, body)


def _affinity(compat: Mapping[str, Any], options: StreamOptions) -> dict[str, str]:
    session = options.session_id
    if (
        not session
        or options.cache_retention == "none"
        or not compat.get("sendSessionAffinityHeaders")
    ):
        return {}
    if compat["sessionAffinityFormat"] == "openrouter":
        return {"x-session-id": session}
    headers = {"x-client-request-id": session, "x-session-affinity": session}
    if compat["sessionAffinityFormat"] == "openai":
        headers["session_id"] = session
    return headers


def _cache_marker(compat: Mapping[str, Any], options: StreamOptions) -> dict[str, Any] | None:
    if compat.get("cacheControlFormat") != "anthropic" or options.cache_retention == "none":
        return None
    if options.cache_retention == "long" and compat["supportsLongCacheRetention"]:
        return {"type": "ephemeral", "ttl": "1h"}
    return {"type": "ephemeral"}


def _cache_fields(
    model: Model, compat: Mapping[str, Any], options: StreamOptions
) -> dict[str, Any]:
    if options.cache_retention == "none":
        return {}
    long = options.cache_retention == "long" and compat["supportsLongCacheRetention"]
    mode = compat["promptCacheKeyMode"]
    keyed = mode == "enabled" or (mode == "auto" and (long or "api.openai.com" in model.base_url))
    fields: dict[str, Any] = {}
    if keyed and options.session_id:
        fields["prompt_cache_key"] = options.session_id
    if long:
        fields["prompt_cache_retention"] = "24h"
    return fields


def _tool_fields(
    prompt: Prompt, history: Sequence[Replayed], compat: Mapping[str, Any]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if prompt.tools:
        strict = bool(compat.get("supportsStrictMode"))
        fields["tools"] = [_tool(tool, strict=strict) for tool in prompt.tools]
        if compat.get("zaiToolStream"):
            fields["tool_stream"] = True
    elif compat.get("requiresToolsWithToolHistory") and _holds_tools(history):
        fields["tools"] = []
    return fields


def _tool(tool: ToolDeclaration, *, strict: bool) -> dict[str, Any]:
    schema = strict_schema(tool["parameters"]) if strict and wants_strict(tool) else None
    function: dict[str, Any] = {
        "name": tool["name"],
        "description": tool["description"],
        "parameters": schema or tool["parameters"],
    }
    if schema is not None:
        function["strict"] = True
    return {"type": "function", "function": function}


def _holds_tools(history: Sequence[Replayed]) -> bool:
    return any(
        message["role"] == "toolResult"
        or (
            message["role"] == "assistant"
            and any(block["type"] == "toolCall" for block in message["content"])
        )
        for message in history
    )


class _Messages:
    """The conversation in this API's roles."""

    def __init__(self, model: Model, compat: Mapping[str, Any]) -> None:
        self._model = model
        self._compat = compat
        self._sent: list[dict[str, Any]] = []

    def build(self, prompt: Prompt, history: Sequence[Replayed]) -> list[dict[str, Any]]:
        if prompt.text:
            developer = self._model.reasoning and self._compat["supportsDeveloperRole"]
            role = "developer" if developer else "system"
            self._sent.append({"role": role, "content": prompt.text})
        images: list[dict[str, Any]] = []
        for message in history:
            if message["role"] != "toolResult":
                self._attach(images)
            if message["role"] == "user":
                self._acknowledge()
                content = message["content"]
                if not isinstance(content, str):
                    content = [_part(block) for block in content]  # type: ignore[misc]
                self._sent.append({"role": "user", "content": content})
            elif message["role"] == "assistant":
                self._assistant(message)
            else:
                self._result(message, images)
        self._attach(images)
        return self._sent

    def _attach(self, images: list[dict[str, Any]]) -> None:
        """Images of tool results: a tool message holds text only, so they follow as a user's."""
        if images:
            self._acknowledge()
            parts = [{"type": "text", "text": IMAGES_FOLLOW}, *images]
            self._sent.append({"role": "user", "content": parts})
            images.clear()

    def _acknowledge(self) -> None:
        if (
            self._compat.get("requiresAssistantAfterToolResult")
            and self._sent
            and self._sent[-1]["role"] == "tool"
        ):
            self._sent.append({"role": "assistant", "content": RESULTS_SEEN})

    def _result(self, message: ToolResultMessage, images: list[dict[str, Any]]) -> None:
        texts = [block["text"] for block in message["content"] if block["type"] == "text"]
        shown = [_part(block) for block in message["content"] if block["type"] == "image"]
        images += shown
        text = "\n".join(texts) or (ONLY_IMAGE if shown else NO_OUTPUT)
        sent = {"role": "tool", "content": text, "tool_call_id": message["toolCallId"]}
        if self._compat.get("requiresToolResultName"):
            sent["name"] = message["toolName"]
        self._sent.append(sent)

    def _assistant(self, message: AssistantMessage) -> None:
        compat = self._compat
        texts = [block["text"] for block in message["content"] if block["type"] == "text"]
        thoughts = [block for block in message["content"] if block["type"] == "thinking"]
        calls = [block for block in message["content"] if block["type"] == "toolCall"]
        never_null = compat.get("requiresNonNullAssistantContent") or compat.get(
            "requiresAssistantAfterToolResult"
        )
        content: Any = "".join(texts) or ("" if never_null else None)
        sent: dict[str, Any] = {"role": "assistant", "content": content}
        as_text = compat.get("requiresThinkingAsText")
        said = "\n\n".join(t["thinking"] for t in thoughts if t["thinking"].strip())
        if as_text and said:
            sent["content"] = [{"type": "text", "text": text} for text in (said, *texts)]
        elif thoughts:
            signature = thoughts[0].get("thinkingSignature") or ""
            if signature in REASONING_FIELDS:
                if said:
                    sent[signature] = said
            elif details := _details(signature):
                sent["reasoning_details"] = details
        if calls:
            sent["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {
                        "name": call["name"],
                        "arguments": dumps(call["arguments"]).decode(),
                    },
                }
                for call in calls
            ]
        elif not sent["content"]:
            return
        if self._model.reasoning and compat.get("requiresReasoningContentOnAssistantMessages"):
            sent.setdefault("reasoning_content", "")
        self._sent.append(sent)


def _part(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    url = f"data:{block['mimeType']};base64,{block['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


def _details(signature: str) -> list[Any] | None:
    """The reasoning items that a signature holds, if it holds any."""
    if not signature.startswith("["):
        return None
    try:
        details = loads(signature)
    except ValueError:
        return None
    return details if isinstance(details, list) else None


def _mark(body: dict[str, Any], marker: dict[str, Any]) -> None:
    """Cache markers: system prompt, last tool, and the last message with text."""
    messages = body["messages"]
    if messages and messages[0]["role"] in ("system", "developer"):
        _mark_text(messages[0], marker)
    if body.get("tools"):
        body["tools"][-1] = {**body["tools"][-1], "cache_control": marker}
    for message in reversed(messages):
        if message["role"] in ("user", "assistant", "tool") and _mark_text(message, marker):
            return


def _mark_text(message: dict[str, Any], marker: dict[str, Any]) -> bool:
    content = message["content"]
    if isinstance(content, str) and content:
        message["content"] = [{"type": "text", "text": content, "cache_control": marker}]
        return True
    if isinstance(content, list):
        for part in reversed(content):
            if part["type"] == "text":
                part["cache_control"] = marker
                return True
    return False


def _id_rule(model: Model) -> Callable[[str], str]:
    openai = service_of(model) is None and (
        model.provider == "openai" or "api.openai.com" in model.base_url
    )

    def safe_id(call_id: str) -> str:
        if "|" in call_id:
            # Responses keep two ids in one; neither its length nor its bar is allowed here.
            joined = "".join(char if char.isalnum() or char in "_-" else "_" for char in call_id)
            return _shortened(joined, call_id)
        return _shortened(call_id, call_id) if openai else call_id

    return safe_id


def _shortened(safe: str, call_id: str) -> str:
    if len(safe) <= MAX_ID:
        return safe
    return f"{safe[: MAX_ID - 9]}_{short_hash(call_id)}"
