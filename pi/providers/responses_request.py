"""What the Responses APIs are sent: input items, tools and reasoning of OpenAI, Azure and ChatGPT.

Where each is sent, and with which headers, is in the modules of the APIs.
Source: the API's public reference, and docs/models-configuration.md for `compat`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pi.providers.base import Context, StreamOptions
from pi.providers.budget import output_limit
from pi.providers.grammar_calls import input_text
from pi.providers.hosts import responses_compat
from pi.providers.prompt import (
    change_text,
    fold,
    folded_changes,
    removed_for_good,
    split_leading,
)
from pi.providers.strict import grammar_inputs, grammar_of, strict_form
from pi.providers.transform import Replayed, data_url, replayable, short_hash, transcript
from pi.wire.jsonio import dumps, loads
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    SystemMessage,
    TextContent,
    ThinkingLevel,
    ToolCall,
    ToolDeclaration,
    ToolResultMessage,
    UserContent,
)
from pi.wire.model import Model

__all__ = [
    "MAX_ID",
    "Input",
    "affinity",
    "by_plan",
    "effort_of",
    "grammars_for",
    "reasoning_fields",
    "responses_body",
    "responses_input",
]

MAX_ID = 64
LEAST_OUTPUT = 16
"""Fewer output tokens than this the API refuses."""

MIDDLE_EFFORT = "medium"
"""The request's own effort where changes of it are told inside the conversation."""

NO_OUTPUT = "(the tool returned nothing)"
TOOLS_FOLLOW = (
    "More tools follow. Those declared before stay as they are, unless they were said not to exist;"
    " one that is declared again counts as declared here."
)
SPLIT_IDS = frozenset({"openai", "openai-codex", "opencode", "azure"})
"""Providers whose items carry both halves of a call id, whoever made the call."""


@dataclass(frozen=True, slots=True)
class Input:
    """A conversation as input items. tools, prompt: the request's own, beside the input."""

    items: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    prompt: str


def responses_body(
    model: Model,
    context: Context,
    options: StreamOptions,
    *,
    effort_changes: bool = False,
    strict: bool = False,
) -> tuple[dict[str, Any], list[Replayed]]:
    """The body for OpenAI's API and those like it, and the conversation that it holds.

    effort_changes: whether the endpoint takes `supportsMidConvoEffort`.
    strict: the endpoint's default of `supportsStrictMode`.
    """
    compat = responses_compat(model)
    plan = by_plan(model, options)
    changes = effort_changes and bool(compat.get("supportsMidConvoEffort")) and not plan
    history = replayable(context.messages, model, _id_rule(model))
    told = responses_input(model, context, options, effort_changes=changes, strict=strict)
    body: dict[str, Any] = {
        "model": options.deployment or model.id,
        "input": told.items,
        "stream": True,
        **_cache_fields(compat, options, timed=not plan),
        "store": False,
    }
    if compat["supportsMaxOutputTokens"] and not plan:
        limit = output_limit(model, context.messages, options.max_tokens)
        body["max_output_tokens"] = max(LEAST_OUTPUT, limit)
    if told.tools:
        body["tools"] = told.tools
    body |= reasoning_fields(model, options, changes=changes)
    body |= model.sampling_params
    body |= model.sampling_params_by_level.get(options.thinking, {})
    return body, history


def responses_input(
    model: Model,
    context: Context,
    options: StreamOptions,
    *,
    effort_changes: bool = False,
    strict: bool = False,
    loose: bool | None = False,
    prompt_apart: bool = False,
) -> Input:
    """The conversation, its prompt and its tools, as far as the model takes them in the input.

    loose: what `strict` says of a tool that is not. prompt_apart: whether the endpoint takes the
    leading prompt beside the input.
    """
    compat = responses_compat(model)
    role = "developer" if model.reasoning and compat["supportsDeveloperRole"] else "system"
    items = _Items(model, role)
    items.strict = compat.get("supportsStrictMode", strict)
    items.loose = loose
    messages = context.messages
    items.grammars = grammars_for(model, context)
    items.grammatical = bool(compat.get("supportsOpenAIGrammarTools"))
    if compat.get("supportsMidConvoSystemMessages"):
        leading, rest = split_leading(messages)
        prompt = fold(leading)
        tools = prompt.tools
        if compat.get("supportsAdditionalTools"):
            items.later_tools = "anchored"
            if tools:
                items.anchor(tools)
                tools = ()
        elif compat.get("supportsToolSearch"):
            items.later_tools = "searched"
            items.folded = folded_changes(messages) - len(leading)
            tools = _tools_after(messages, items.folded + len(leading))
        else:
            tools = fold(messages).tools
        said: Sequence[Replayed | SystemMessage] = transcript(rest, model, _id_rule(model))
    else:
        prompt = fold(messages)
        tools = prompt.tools
        said = replayable(messages, model, _id_rule(model))
    if prompt.text and not prompt_apart:
        items.say(prompt.text)
    items.effort_changes = effort_changes and options.thinking != "off"
    items.add(said)
    if items.effort_changes and (effort := effort_of(model, options.thinking)):
        items.effort(effort)
    declared = [items.tool(tool) for tool in tools]
    return Input(items.sent, declared, prompt.text if prompt_apart else "")


def grammars_for(model: Model, context: Context) -> Mapping[str, str]:
    """The argument that is the text of each tool called by a grammar, for those that were."""
    able = bool(responses_compat(model).get("supportsOpenAIGrammarTools"))
    return grammar_inputs(context.messages, able=able)


def by_plan(model: Model, options: StreamOptions) -> bool:
    """Whether a ChatGPT plan pays at OpenAI's own endpoint: it then takes fewer fields.

    The token of such a sign-in is known from a key by what it does not begin with.
    """
    return (
        model.provider == "openai"
        and model.base_url.rstrip("/") == "https://api.openai.com/v1"
        and options.api_key is not None
        and not options.api_key.startswith("sk-")
    )


def effort_of(model: Model, level: ThinkingLevel) -> str | None:
    """The provider's word for a level; None where "off" cannot be said."""
    if level in model.thinking_level_map:
        return model.thinking_level_map[level]
    return "none" if level == "off" else level


def affinity(model: Model, session: str | None) -> dict[str, str]:
    """Headers that keep a session on one replica."""
    if not session:
        return {}
    match responses_compat(model)["sessionAffinityFormat"]:
        case "openrouter":
            return {"x-session-id": session}
        case "openai-nosession":
            return {"x-client-request-id": session}
        case _:
            return {"session-id": session, "x-client-request-id": session}


def _cache_fields(
    compat: Mapping[str, Any], options: StreamOptions, *, timed: bool
) -> dict[str, Any]:
    """timed: whether the endpoint is told how long to keep a prompt, or that it is not to."""
    explicit = compat.get("supportsExplicitPromptCacheMode") and timed
    if options.cache_retention == "none":
        return {"prompt_cache_options": {"mode": "explicit"}} if explicit else {}
    fields: dict[str, Any] = {}
    if options.session_id and compat["promptCacheKeyMode"] != "disabled":
        fields["prompt_cache_key"] = options.session_id[:MAX_ID]
    if timed and options.cache_retention == "long" and compat["supportsLongCacheRetention"]:
        if explicit:
            fields["prompt_cache_options"] = {"ttl": "30m"}
        else:
            fields["prompt_cache_retention"] = "24h"
    return fields


def reasoning_fields(
    model: Model, options: StreamOptions, *, changes: bool = False
) -> dict[str, Any]:
    """How hard to think, and that the reasoning comes back in a form that can be replayed.

    changes: the effort is told inside the conversation.
    """
    if not model.reasoning:
        return {}
    fields: dict[str, Any] = {}
    effort = effort_of(model, options.thinking)
    on = options.thinking != "off"
    if on:
        fields["reasoning"] = {"effort": MIDDLE_EFFORT if changes else effort, "summary": "auto"}
    elif effort is not None and model.provider != "github-copilot":
        fields["reasoning"] = {"effort": effort}
    if on or responses_compat(model)["alwaysEncryptedReasoning"]:
        fields["include"] = ["reasoning.encrypted_content"]
    return fields


def _tools_after(messages: Sequence[AgentMessage], count: int) -> tuple[ToolDeclaration, ...]:
    """The tools after the first `count` system messages."""
    system = [message for message in messages if message["role"] == "system"]
    return fold(system[:count]).tools


class _Items:
    """Input items under construction."""

    later_tools: Literal["folded", "anchored", "searched"] = "folded"
    """How tools are told that come later: in the request's list, where they come, or as found."""

    folded = 0
    """How many of the later system messages' tools are in the request's list all the same."""

    effort_changes = False
    strict = False
    loose: bool | None = False
    grammatical = False
    grammars: Mapping[str, str] = MappingProxyType({})

    def __init__(self, model: Model, role: str) -> None:
        self._model = model
        self._role = role
        self._gone: dict[str, None] = {}
        self.sent: list[dict[str, Any]] = []

    def say(self, text: str) -> None:
        self.sent.append({"role": self._role, "content": text})

    def anchor(self, tools: Sequence[ToolDeclaration]) -> None:
        declared = [self.tool(tool) for tool in tools]
        self.sent.append({"type": "additional_tools", "role": "developer", "tools": declared})

    def effort(self, effort: str) -> None:
        self.sent.append({"type": "configuration_update", "reasoning": {"effort": effort}})

    def tool(self, tool: ToolDeclaration) -> dict[str, Any]:
        named = {"name": tool["name"], "description": tool["description"]}
        if grammar := grammar_of(tool, able=self.grammatical):
            form = {"type": "grammar", "syntax": grammar.syntax, "definition": grammar.text}
            return {"type": "custom", **named, "format": form}
        schema = strict_form(tool, able=self.strict)
        declared: dict[str, Any] = {
            "type": "function",
            **named,
            "parameters": schema or tool["parameters"],
        }
        if self.strict:
            declared["strict"] = self.loose if schema is None else True
        return declared

    def add(self, messages: Sequence[Replayed | SystemMessage]) -> None:
        for place, message in enumerate(messages):
            if message["role"] == "user":
                content = message["content"]
                blocks: Sequence[UserContent] = (
                    [{"type": "text", "text": content}] if isinstance(content, str) else content
                )
                parts = [_part(block) for block in blocks]
                self.sent.append({"role": "user", "content": parts})
            elif message["role"] == "assistant":
                self._reply(message, place)
            elif message["role"] == "toolResult":
                self._result(message)
            else:
                self._change(message, place)

    def _change(self, message: SystemMessage, place: int) -> None:
        gone = removed_for_good(message)
        added = message.get("toolsAdded") or []
        if self.later_tools == "anchored":
            for tool in added:
                self._gone.pop(tool["name"], None)
            if added:
                missing = ", ".join(self._gone)
                self.say(TOOLS_FOLLOW + (f"\nNot there: {missing}." if missing else ""))
                self.anchor(added)
            self._gone |= dict.fromkeys(gone)
        elif self.later_tools == "searched":
            if self.folded > 0:
                self.folded -= 1
            elif added:
                self._search(added, place)
        anchored = self.later_tools == "anchored"
        if text := change_text(message, tools_gone=gone if anchored else ()):
            self.say(text)

    def _search(self, added: Sequence[ToolDeclaration], place: int) -> None:
        """Tools that came later, as what a search of the client's would have found."""
        names = [tool["name"] for tool in added]
        shared = {
            "call_id": f"pi_tool_load_{short_hash(f'{place}:{names}')}",
            "execution": "client",
            "status": "completed",
        }
        query = {"query": " ".join(names), "limit": len(names)}
        self.sent.append({"type": "tool_search_call", **shared, "arguments": query})
        declared = [{**self.tool(tool), "defer_loading": True} for tool in added]
        self.sent.append({"type": "tool_search_output", **shared, "tools": declared})

    def _reply(self, message: AssistantMessage, place: int) -> None:
        own = (message["provider"], message["api"], message["model"]) == (
            self._model.provider,
            self._model.api,
            self._model.id,
        )
        if self.effort_changes and own and (effort := message.get("providerThinkingLevel")):
            self.effort(effort)
        # An item of another model of the same service must not stand without its reasoning.
        cousin = not own and (message["provider"], message["api"]) == (
            self._model.provider,
            self._model.api,
        )
        texts = 0
        for block in message["content"]:
            if block["type"] == "thinking":
                # The signature is the whole item, as it came.
                if item := _object(block.get("thinkingSignature")):
                    self.sent.append(item)
            elif block["type"] == "text":
                self._text(block, f"msg_pi_{place}" + (f"_{texts}" if texts else ""))
                texts += 1
            else:
                self._call(block, keep_item=not cousin, own=own)

    def _text(self, block: TextContent, own_id: str) -> None:
        item_id, phase = _text_marks(block.get("textSignature"))
        if item_id is not None and len(item_id) > MAX_ID:
            item_id = f"msg_{short_hash(item_id)}"
        item: dict[str, Any] = {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": block["text"], "annotations": []}],
            "status": "completed",
            "id": item_id or own_id,
        }
        if phase is not None:
            item["phase"] = phase
        self.sent.append(item)

    def _call(self, call: ToolCall, *, keep_item: bool, own: bool) -> None:
        call_id, _, item_id = call["id"].partition("|")
        argument = self.grammars.get(call["name"])
        custom = argument is not None
        item: dict[str, Any] = {"type": "custom_tool_call" if custom else "function_call"}
        # A call may have been of the other kind, by a model that knows no grammars.
        if keep_item and item_id.startswith("ctc_" if custom else "fc_"):
            item["id"] = item_id
        item |= {"call_id": call_id, "name": call["name"]}
        if argument is not None:
            item["input"] = input_text(call, argument)
        else:
            item["arguments"] = dumps(call["arguments"]).decode()
        if own and "namespace" in call:
            item["namespace"] = call["namespace"]
        self.sent.append(item)

    def _result(self, message: ToolResultMessage) -> None:
        text = "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
        output: Any = text if text.strip() else NO_OUTPUT
        images = [_part(block) for block in message["content"] if block["type"] == "image"]
        if images:
            said = [{"type": "input_text", "text": text}] if text.strip() else []
            output = [*said, *images]
        call_id = message["toolCallId"].partition("|")[0]
        kind = "custom_tool_call" if message["toolName"] in self.grammars else "function_call"
        self.sent.append({"type": f"{kind}_output", "call_id": call_id, "output": output})


def _part(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "input_text", "text": block["text"]}
    return {"type": "input_image", "detail": "auto", "image_url": data_url(block)}


def _text_marks(signature: str | None) -> tuple[str | None, str | None]:
    """Item id and phase of a text: `{"v":1,"id":…,"phase":…}`, or from older sessions the id."""
    if not signature:
        return None, None
    if not signature.startswith("{"):
        return signature, None
    marks = _object(signature) or {}
    item_id, phase = marks.get("id"), marks.get("phase")
    return (
        item_id if isinstance(item_id, str) else None,
        phase if isinstance(phase, str) else None,
    )


def _object(text: str | None) -> dict[str, Any] | None:
    try:
        value = loads(text or "")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _id_rule(model: Model) -> Callable[[str], str]:
    """How the ids of another model's calls are made fit for this API."""

    def safe_id(call_id: str) -> str:
        head, bar, tail = call_id.partition("|")
        if bar and model.provider in SPLIT_IDS:
            # Another service's item id means nothing here, but pairs must stay apart.
            return f"{_safe(head)}|fc_{short_hash(tail)}"
        return _safe(call_id)

    return safe_id


def _safe(part: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", part)[:MAX_ID].rstrip("_") or "_"
