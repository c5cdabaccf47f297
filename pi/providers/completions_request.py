"""What Chat Completions is sent: the body and the headers, with each server's differences.

Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pi.providers.base import Context, StreamOptions
from pi.providers.budget import output_limit, thinking_budget
from pi.providers.grammar_calls import input_text
from pi.providers.hosts import completions_compat, service_headers, service_of
from pi.providers.prompt import change_text, fold, folded_changes, split_leading
from pi.providers.streaming import Call
from pi.providers.strict import grammar_inputs, grammar_of, strict_form
from pi.providers.thinking_formats import thinking_fields
from pi.providers.transform import Replayed, data_url, replayable, short_hash, transcript
from pi.wire.jsonio import dumps, loads
from pi.wire.messages import (
    AssistantMessage,
    SystemMessage,
    ThinkingContent,
    ToolCall,
    ToolDeclaration,
    ToolResultMessage,
    UserContent,
)
from pi.wire.model import Model

__all__ = ["REASONING_FIELDS", "content_part", "is_reasoning_detail", "reasoning_field", "request"]

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where servers put what a model thinks; the name is kept as the block's signature for replay."""

MAX_ID = 40
MAX_CACHE_KEY = 64
NO_OUTPUT = "(the tool returned nothing)"
ONLY_IMAGE = "(the image is in the next message)"
IMAGES_FOLLOW = "The image(s) that the tool returned:"
RESULTS_SEEN = "The tool results are noted."


def request(model: Model, context: Context, options: StreamOptions) -> Call:
    """What is sent for this conversation."""
    compat = completions_compat(model)
    told = _Told(model, compat, context)
    max_tokens = output_limit(model, context.messages, options.max_tokens)
    marker = _cache_marker(compat, options)
    body: dict[str, Any] = {
        "model": options.deployment or model.id,
        "messages": _Messages(model, compat, told).build(),
        "stream": True,
        **_cache_fields(model, compat, options),
    }
    if compat["supportsUsageInStreaming"]:
        body["stream_options"] = {"include_usage": True}
    if compat["supportsStore"]:
        body["store"] = False
    body[compat["maxTokensField"]] = max_tokens
    body |= _tool_fields(told, compat)
    if (priority := compat.get("vllmPriority")) is not None:
        body["priority"] = priority
    budget = thinking_budget(options.thinking, options.thinking_budgets, max_tokens)
    body |= thinking_fields(model, compat, options.thinking, budget)
    if routing := compat.get("openRouterRouting"):
        body["provider"] = routing
    routing = compat.get("vercelGatewayRouting") or {}
    if routing := {key: routing[key] for key in ("only", "order") if routing.get(key)}:
        body["providerOptions"] = {"gateway": routing}
    if marker is not None:
        _mark(body, marker)
    body |= model.sampling_params
    body |= model.sampling_params_by_level.get(options.thinking, {})
    headers = {"content-type": "application/json", "accept": "application/json"}
    if options.api_key is not None:
        headers["authorization"] = f"Bearer {options.api_key}"
    headers |= service_headers(model, options.session_id, told.replayed)
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
        fields["prompt_cache_key"] = options.session_id[:MAX_CACHE_KEY]
    if long:
        fields["prompt_cache_retention"] = "24h"
    return fields


class _Told:
    """What the conversation amounts to for this model, and what of it is told where it happened.

    prompt: the leading one, or all of them together. said: everything after it. tools: the
    request's own list. folded: how many of the later system messages that list covers.
    """

    def __init__(self, model: Model, compat: Mapping[str, Any], context: Context) -> None:
        messages = context.messages
        self.grammars = grammar_inputs(
            messages, able=bool(compat.get("supportsOpenAIGrammarTools"))
        )
        self.folded = 0
        self.said: Sequence[Replayed | SystemMessage]
        if not compat.get("supportsMidConvoSystemMessages"):
            whole = fold(messages)
            self.prompt, self.tools = whole.text, whole.tools
            self.said = replayable(messages, model, _id_rule(model))
            return
        leading, rest = split_leading(messages)
        system = [message for message in messages if message["role"] == "system"]
        anchored = compat.get("supportsMidConvoToolAdditions")
        covered = folded_changes(messages) if anchored else len(system)
        self.prompt, self.tools = fold(leading).text, fold(system[:covered]).tools
        self.folded = covered - len(leading)
        self.said = transcript(rest, model, _id_rule(model))

    @property
    def replayed(self) -> list[Replayed]:
        return [message for message in self.said if message["role"] != "system"]


def _tool_fields(told: _Told, compat: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if told.tools:
        fields["tools"] = [_tool(tool, compat) for tool in told.tools]
        if compat.get("zaiToolStream"):
            fields["tool_stream"] = True
    elif compat.get("requiresToolsWithToolHistory") and _holds_tools(told.replayed):
        fields["tools"] = []
    return fields


def _tool(tool: ToolDeclaration, compat: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": tool["name"], "description": tool["description"]}
    if grammar := grammar_of(tool, able=bool(compat.get("supportsOpenAIGrammarTools"))):
        form = {"syntax": grammar.syntax, "definition": grammar.text}
        custom = {**named, "format": {"type": "grammar", "grammar": form}}
        return {"type": "custom", "custom": custom}
    able = bool(compat.get("supportsStrictMode"))
    schema = strict_form(tool, able=able)
    function: dict[str, Any] = {**named, "parameters": schema or tool["parameters"]}
    if able:
        function["strict"] = schema is not None
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

    def __init__(self, model: Model, compat: Mapping[str, Any], told: _Told) -> None:
        self._model = model
        self._compat = compat
        self._told = told
        self._folded = told.folded
        developer = model.reasoning and compat["supportsDeveloperRole"]
        self._role = "developer" if developer else "system"
        self._sent: list[dict[str, Any]] = []

    def build(self) -> list[dict[str, Any]]:
        if self._told.prompt:
            self._sent.append({"role": self._role, "content": self._told.prompt})
        images: list[dict[str, Any]] = []
        for message in self._told.said:
            if message["role"] != "toolResult":
                self._attach(images)
            if message["role"] == "user":
                self._acknowledge()
                content = message["content"]
                if not isinstance(content, str):
                    content = [content_part(block) for block in content]  # type: ignore[misc]
                self._sent.append({"role": "user", "content": content})
            elif message["role"] == "assistant":
                self._assistant(message)
            elif message["role"] == "toolResult":
                self._result(message, images)
            else:
                self._change(message)
        self._attach(images)
        return self._sent

    def _change(self, message: SystemMessage) -> None:
        added = message.get("toolsAdded")
        if self._folded > 0:
            self._folded -= 1
        elif added:
            tools = [_tool(tool, self._compat) for tool in added]
            self._sent.append({"role": "system", "tools": tools})
        if text := change_text(message):
            self._sent.append({"role": self._role, "content": text})

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
        shown = [content_part(block) for block in message["content"] if block["type"] == "image"]
        images += shown
        text = "\n".join(texts)
        if not text.strip():
            text = ONLY_IMAGE if shown else NO_OUTPUT
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
        said = [block["thinking"] for block in thoughts if block["thinking"].strip()]
        details = _details(thoughts, calls)
        if said and compat.get("requiresThinkingAsText"):
            parts = ("\n\n".join(said), *texts)
            sent["content"] = [{"type": "text", "text": text} for text in parts]
        elif said and details is None:
            signature = next(b for b in thoughts if b["thinking"].strip()).get("thinkingSignature")
            signature = reasoning_field(self._model, signature or "")
            if signature in REASONING_FIELDS:
                sent[signature] = "\n".join(said)
        if details is not None:
            sent["reasoning_details"] = details
        if calls:
            sent["tool_calls"] = [self._call(call) for call in calls]
        elif not sent["content"]:
            return
        if self._model.reasoning and compat.get("requiresReasoningContentOnAssistantMessages"):
            sent.setdefault("reasoning_content", "")
        self._sent.append(sent)

    def _call(self, call: ToolCall) -> dict[str, Any]:
        argument = self._told.grammars.get(call["name"])
        if argument is not None:
            custom = {"name": call["name"], "input": input_text(call, argument)}
            return {"id": call["id"], "type": "custom", "custom": custom}
        arguments = dumps(call["arguments"]).decode()
        function = {"name": call["name"], "arguments": arguments}
        return {"id": call["id"], "type": "function", "function": function}


def content_part(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    return {"type": "image_url", "image_url": {"url": data_url(block)}}


def reasoning_field(model: Model, field: str) -> str:
    """Where a server takes back what a model thought: not always where it came from."""
    if model.provider == "opencode-go" and field == "reasoning":
        return "reasoning_content"
    return field


def _details(
    thoughts: Sequence[ThinkingContent], calls: Sequence[ToolCall]
) -> list[dict[str, Any]] | None:
    """The reasoning items that signatures hold; None if there are none."""
    for block in thoughts:
        signature = block.get("thinkingSignature") or ""
        if signature.startswith("["):
            items = _json(signature)
            if isinstance(items, list) and items and all(map(is_reasoning_detail, items)):
                return items
    # Older sessions have an encrypted item with each call.
    older = [_json(call.get("thoughtSignature") or "") for call in calls]
    kept = [item for item in older if is_reasoning_detail(item) and item.get("data")]
    return kept or None


def is_reasoning_detail(item: Any) -> bool:
    """Whether this is an item of `reasoning_details` that can be sent again."""
    if not isinstance(item, dict):
        return False
    field = {
        "reasoning.text": "text",
        "reasoning.summary": "summary",
        "reasoning.encrypted": "data",
    }.get(item.get("type") or "")
    return field is not None and isinstance(item.get(field), str)


def _json(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return None


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
