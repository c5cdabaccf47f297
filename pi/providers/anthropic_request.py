"""What Anthropic Messages is sent: the body and the headers, with each server's differences.

A model may take changes where they happen, in messages of the role system: to the prompt, to the
tools (`tool_addition`, `tool_removal`), to how hard to think (`output_config`). Its cached prefix
then outlives them. Otherwise changes are folded into the prompt and the list of tools.
Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pi.providers.base import Context, StreamOptions
from pi.providers.budget import THINKING_BUDGETS, output_limit, thinking_budget
from pi.providers.hosts import anthropic_compat, bearer_only, service_headers
from pi.providers.prompt import change_text, fold, removed_for_good, split_leading
from pi.providers.streaming import Call
from pi.providers.strict import strict_form
from pi.providers.transform import (
    Replayed,
    apart_from_failures,
    replayable,
    safe_id,
    transcript,
)
from pi.wire.messages import (
    AssistantMessage,
    SystemMessage,
    ToolDeclaration,
    UserContent,
)
from pi.wire.model import Model

__all__ = ["assistant_blocks", "effort_told", "request", "wants_threads"]

API_VERSION = "2023-06-01"
BETA_INTERLEAVED = "interleaved-thinking-2025-05-14"
BETA_FINE_TOOLS = "fine-grained-tool-streaming-2025-05-14"
BETA_FALLBACK = "server-side-fallback-2026-07-01"
BETAS_EFFORT = ("mid-conversation-output-config-2026-07-01", "thinking-binding-controls-2026-08-01")
BETA_INLINE_TOOLS = "inline-tools-2026-09-15"
BETA_THREADS = "message-threads-2026-08-12"
BETA_SIGN_IN = "oauth-2025-04-20"
SIGN_IN = "sk-ant-oat"
ONLY_IMAGE = "(the image attached here)"
TOO_LARGE = "(an image was left out: it is larger than the API takes)"
LARGEST_IMAGE = 5 * 1024 * 1024
"""Characters of base64. Requests with a larger one are refused: a session that holds one (pi makes
its own fit, other programs and the tools of extensions may not) could never go on."""

EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
KNOWN_EFFORTS = ("low", "medium", "high", "xhigh", "max")

DEFERRED: Mapping[str, Any] = {
    "name": "__pi_deferred_placeholder__",
    "description": "Never available; not to be called.",
    "input_schema": {"type": "object", "properties": {}, "required": []},
    "defer_loading": True,
}
"""A tool that no model sees. What the server adds to a prompt for changes of tools, it then adds
from the first request on, and the first change finds the prefix cached."""

# What strict schemas may not hold here, besides what they may hold nowhere.
_REFUSED = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "maxItems",
        "uniqueItems",
        "minContains",
        "maxContains",
        "minProperties",
        "maxProperties",
    }
)
_FORMATS = frozenset(
    {
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    }
)


def request(model: Model, context: Context, options: StreamOptions, *, strict: bool = True) -> Call:
    """The request. strict: whether tools get strict calls that could do without."""
    compat = anthropic_compat(model)
    marker = _cache_marker(compat, options)
    told = _Told(model, compat, context, options, strict=strict)
    max_tokens = output_limit(model, context.messages, options.max_tokens)
    body: dict[str, Any] = {
        "model": model.id,
        "messages": told.messages(marker),
        "max_tokens": max_tokens,
        "stream": True,
    }
    if told.prompt:
        body["system"] = [_marked({"type": "text", "text": told.prompt}, marker)]
    if tools := told.declared(marker if compat["supportsCacheControlOnTools"] else None):
        body["tools"] = tools
    if model.reasoning:
        body |= _thinking(model, options, max_tokens, managed=told.effort is not None)
    if fallbacks := compat.get("allowedFallbackModels"):
        body["fallbacks"] = [{"model": fallback["model"]} for fallback in fallbacks]
    headers = _headers(model, compat, options, told)
    if betas := _betas(model, compat, options, headers, told, body):
        headers["anthropic-beta"] = ",".join(betas)
    url = f"{model.base_url.rstrip('/')}/v1/messages?beta=true"
    return Call(url, headers, body, whole_body=True)


def wants_threads(model: Model, options: StreamOptions) -> bool:
    """Whether the requests of this session may go on from each other (anthropic_threads.py)."""
    cached = options.session_id and options.cache_retention != "none"
    return bool(cached and anthropic_compat(model)["supportsMessageThreads"])


def effort_told(model: Model, options: StreamOptions) -> str | None:
    """The effort that is told inside the conversation; None where it is not, or thinking is off."""
    if not model.reasoning or not model.compat.get("supportsMidConvoEffort"):
        return None
    return None if options.thinking == "off" else _effort(model, options)


def _effort(model: Model, options: StreamOptions) -> str:
    level = options.thinking
    return model.thinking_level_map.get(level) or EFFORTS.get(level, "high")


def _headers(
    model: Model, compat: Mapping[str, Any], options: StreamOptions, told: "_Told"
) -> dict[str, str]:
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
    headers |= service_headers(model, options.session_id, told.replayed)
    session = options.session_id
    if session and options.cache_retention != "none" and compat.get("sendSessionAffinityHeaders"):
        openrouter = compat.get("sessionAffinityFormat") == "openrouter"
        headers["x-session-id" if openrouter else "x-session-affinity"] = session
    return headers | {name.lower(): value for name, value in options.headers.items()}


def _betas(
    model: Model,
    compat: Mapping[str, Any],
    options: StreamOptions,
    headers: Mapping[str, str],
    told: "_Told",
    body: Mapping[str, Any],
) -> list[str]:
    if "anthropic-beta" in headers:  # a person's own word on it
        return [name.strip() for name in headers["anthropic-beta"].split(",") if name.strip()]
    betas = []
    if told.tools and not compat["supportsEagerToolInputStreaming"]:
        betas.append(BETA_FINE_TOOLS)
    if (body.get("thinking") or {}).get("type") == "enabled":
        betas.append(BETA_INTERLEAVED)
    if compat.get("allowedFallbackModels"):
        betas.append(BETA_FALLBACK)
    if compat.get("supportsMidConvoEffort"):
        betas += BETAS_EFFORT
    if told.anchored:
        betas.append(BETA_INLINE_TOOLS)
    if wants_threads(model, options):
        betas.append(BETA_THREADS)
    if SIGN_IN in headers.get("authorization", ""):
        betas.append(BETA_SIGN_IN)
    return betas


def _cache_marker(compat: Mapping[str, Any], options: StreamOptions) -> dict[str, Any] | None:
    if options.cache_retention == "none":
        return None
    if options.cache_retention == "long" and compat["supportsLongCacheRetention"]:
        return {"type": "ephemeral", "ttl": "1h"}
    return {"type": "ephemeral"}


def _marked(block: dict[str, Any], marker: dict[str, Any] | None) -> dict[str, Any]:
    return block if marker is None else {**block, "cache_control": marker}


def _thinking(
    model: Model, options: StreamOptions, max_tokens: int, *, managed: bool
) -> dict[str, Any]:
    """managed: whether the conversation itself says how hard to think."""
    level = options.thinking
    if level == "off":
        return {"thinking": {"type": "disabled"}}
    adaptive: dict[str, Any] = {"type": "adaptive", "display": "summarized"}
    if managed:
        # Thoughts are bound to the prompt and tools they were had with: drop those of others.
        adaptive["block_binding"] = {"prefix_mismatch_behavior": "drop_block"}
        # Part of the cached prefix, so it never changes; an organisation may forbid higher ones.
        return {"thinking": adaptive, "output_config": {"effort": "low"}}
    if model.compat.get("forceAdaptiveThinking"):
        return {"thinking": adaptive, "output_config": {"effort": _effort(model, options)}}
    budget = thinking_budget(level, options.thinking_budgets, max_tokens)
    return {
        "thinking": {
            "type": "enabled",
            "budget_tokens": budget or THINKING_BUDGETS["minimal"],
            "display": "summarized",
        }
    }


class _Told:
    """The conversation, and which of its changes are told where they happened.

    tools: the request's own list. anchored: whether later changes to it are messages. effort: see
    effort_told.
    """

    def __init__(
        self,
        model: Model,
        compat: Mapping[str, Any],
        context: Context,
        options: StreamOptions,
        *,
        strict: bool,
    ) -> None:
        self._model = model
        self._compat = compat
        self._strict = strict
        self.effort = effort_told(model, options)
        self.anchored = False
        self.said: Sequence[Replayed | SystemMessage]
        messages = context.messages
        if compat.get("supportsMidConvoSystemMessages"):
            leading, rest = split_leading(messages)
            first = fold(leading)
            # A list in which every tool is deferred is refused.
            self.anchored = bool(compat.get("supportsMidConvoToolChanges") and first.tools)
            self.prompt = first.text
            self.tools = first.tools if self.anchored else fold(messages).tools
            self.said = transcript(rest, model, safe_id)
        else:
            whole = fold(messages)
            self.prompt, self.tools = whole.text, whole.tools
            self.said = replayable(messages, model, safe_id)

    @property
    def replayed(self) -> list[Replayed]:
        return [message for message in self.said if message["role"] != "system"]

    def declared(self, marker: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The request's tools, the marker on the last that the model sees."""
        tools = [self._tool(tool) for tool in self.tools]
        if tools:
            tools[-1] = _marked(tools[-1], marker)
        return [*tools, dict(DEFERRED)] if self.anchored else tools

    def messages(self, marker: dict[str, Any] | None) -> list[dict[str, Any]]:
        """Consecutive results share a message; the last block but a reply's gets the marker.

        Changes wait until the next reply that is sent, or the end: nothing may come between a call
        and its result.
        """
        sent: list[dict[str, Any]] = []
        changes: list[dict[str, Any]] = []
        results: list[dict[str, Any]] | None = None
        late: list[dict[str, Any]] = []
        for message in self.said:
            if message["role"] == "system":
                changes += self._change(message)
                continue
            if message["role"] == "toolResult":
                # A failed result may hold nothing but text: its images come after all results.
                kept, caption, images = apart_from_failures(message)
                block = {
                    "type": "tool_result",
                    "tool_use_id": message["toolCallId"],
                    "content": _result_content(kept),
                    "is_error": message["isError"],
                }
                if results is None:
                    results = []
                    sent.append({"role": "user", "content": results})
                results.append(block)
                if images:
                    late.append(_user_block(caption))
                    late += map(_user_block, images)
                continue
            if results is not None:
                results += late
                late, results = [], None
            if message["role"] == "assistant":
                if blocks := assistant_blocks(message, self._model):
                    sent += changes
                    changes = []
                    sent += self._effort_of(message)
                    sent.append({"role": "assistant", "content": blocks})
            elif isinstance(message["content"], str):
                if message["content"].strip():
                    sent.append({"role": "user", "content": message["content"]})
            elif blocks := [
                _user_block(block)
                for block in message["content"]
                if block["type"] != "text" or block["text"].strip()
            ]:
                sent.append({"role": "user", "content": blocks})
        if results is not None:
            results += late
        sent += changes
        _mark_last(sent, marker)
        if self.effort is not None:
            sent.append(_effort_message(self.effort))
        return sent

    def _effort_of(self, reply: AssistantMessage) -> list[dict[str, Any]]:
        """What told how hard to think about an earlier reply of this provider."""
        effort = reply.get("providerThinkingLevel")
        own = (reply["api"], reply["provider"]) == (self._model.api, self._model.provider)
        if self.effort is None or not own or effort not in KNOWN_EFFORTS:
            return []
        return [_effort_message(effort)]

    def _change(self, message: SystemMessage) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        if text := change_text(message):
            blocks.append({"type": "text", "text": text})
        if self.anchored:
            for name in removed_for_good(message):
                gone = {"type": "tool_reference", "name": name}
                blocks.append({"type": "tool_removal", "tool": gone})
            for tool in message.get("toolsAdded") or ():
                new = {"type": "tool_definition", "definition": self._tool(tool)}
                blocks.append({"type": "tool_addition", "tool": new})
        return [{"role": "system", "content": blocks}] if blocks else []

    def _tool(self, tool: ToolDeclaration) -> dict[str, Any]:
        declared: dict[str, Any] = {"name": tool["name"], "description": tool["description"]}
        if self._compat["supportsEagerToolInputStreaming"]:
            declared["eager_input_streaming"] = True
        able = bool(self._compat.get("supportsStrictTools"))
        schema = strict_form(tool, able=able, preferred=self._strict, refuses=_refuses)
        if schema is not None:
            declared["strict"] = True
        declared["input_schema"] = _input_schema(schema or tool["parameters"], whole=bool(schema))
        return declared


def _effort_message(effort: str) -> dict[str, Any]:
    return {"role": "system", "content": [], "output_config": {"effort": effort}}


def _input_schema(schema: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """The schema of an object. Of what else its root may hold, definitions alone are taken."""
    kept: dict[str, Any] = {
        "type": "object",
        "properties": schema.get("properties") or {},
        "required": schema.get("required") or [],
    }
    kept |= {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return {**schema, **kept} if whole else kept


def _refuses(key: str, value: Any) -> bool:
    if key == "minItems":
        return value not in (0, 1)
    if key == "format":
        return value not in _FORMATS
    return key in _REFUSED


def _mark_last(sent: list[dict[str, Any]], marker: dict[str, Any] | None) -> None:
    if marker is None or not sent or sent[-1]["role"] == "assistant":
        return
    last = sent[-1]
    if isinstance(last["content"], str):
        last["content"] = [{"type": "text", "text": last["content"]}]
    last["content"][-1] = _marked(last["content"][-1], marker)


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
    if len(block["data"]) > LARGEST_IMAGE:
        return {"type": "text", "text": TOO_LARGE}
    source = {"type": "base64", "media_type": block["mimeType"], "data": block["data"]}
    return {"type": "image", "source": source}


def assistant_blocks(message: AssistantMessage, model: Model) -> list[dict[str, Any]]:
    """A reply as it is sent again."""
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
