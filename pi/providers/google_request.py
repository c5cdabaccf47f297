"""What Google's generateContent is sent: contents, tools and thinking, by generation of model.

Source: the API's public reference.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pi.providers.base import Context, StreamOptions
from pi.providers.budget import output_limit
from pi.providers.hosts import service_headers
from pi.providers.prompt import fold
from pi.providers.streaming import Call
from pi.providers.strict import strict_form
from pi.providers.transform import Replayed, is_base64, replayable, safe_id
from pi.wire.messages import (
    AssistantMessage,
    ToolDeclaration,
    ToolResultMessage,
    UserContent,
)
from pi.wire.model import Model

__all__ = ["google_call"]

NO_TEXT = "(the image is attached)"
IMAGE_FOLLOWS = "The image that the tool returned:"
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")

BUDGETS: Mapping[str, Mapping[str, int]] = {
    "gemini-2.5-pro": {"minimal": 128, "low": 2048, "medium": 8192, "high": 32768},
    "gemini-2.5-flash": {"minimal": 128, "low": 2048, "medium": 8192, "high": 24576},
    "gemini-2.5-flash-lite": {"minimal": 512, "low": 2048, "medium": 8192, "high": 24576},
}
"""Tokens to think with, for the models that are told a number."""

MODEL_DECIDES = -1
"""A budget of its own choosing, for the rest."""

_GENERATION = re.compile(r"gemini(?:-live)?-(\d+)")
_TAKES_LEVEL = re.compile(r"gemini-flash(?:-lite)?-latest|gemma-?4")
# Members of a JSON Schema that hold data, not schemas; and those that hold schemas by name.
_DATA_KEYS = frozenset({"const", "enum", "default", "example", "examples"})
_NAMED_SCHEMAS = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)


def google_call(model: Model, context: Context, options: StreamOptions, name: str) -> Call:
    """The request. name: what the address calls the model."""
    body, history = _body(model, context, options)
    headers = {"content-type": "application/json", "accept": "*/*"}
    if options.api_key is not None:
        headers["x-goog-api-key"] = options.api_key
    headers |= service_headers(model, options.session_id, history)
    headers |= {name.lower(): value for name, value in options.headers.items()}
    url = f"{model.base_url.rstrip('/')}/{name}:streamGenerateContent?alt=sse"
    return Call(url, headers, body)


def _body(
    model: Model, context: Context, options: StreamOptions
) -> tuple[dict[str, Any], list[Replayed]]:
    """The body, and the conversation that it holds."""
    prompt = fold(context.messages)
    history = replayable(context.messages, model, safe_id)
    generation: dict[str, Any] = {
        "maxOutputTokens": output_limit(model, context.messages, options.max_tokens)
    }
    if model.reasoning:
        generation["thinkingConfig"] = _thinking(model, options)
    body: dict[str, Any] = {"contents": _Contents(model).build(history)}
    if prompt.text:
        body["systemInstruction"] = {"parts": [{"text": prompt.text}], "role": "user"}
    if prompt.tools:
        body |= _tool_fields(prompt.tools, strict=_generation(model) >= 3)
    body["generationConfig"] = generation
    return body, history


def _tool_fields(tools: Sequence[ToolDeclaration], *, strict: bool) -> dict[str, Any]:
    """strict: whether the model can be held to the schemas of tools that ask for it."""
    declared = []
    held = False
    for tool in tools:
        schema = strict_form(tool, able=strict)
        held = held or schema is not None
        declared.append(
            {
                "name": tool["name"],
                "description": tool["description"],
                "parametersJsonSchema": _plain_schema(schema or tool["parameters"]),
            }
        )
    fields: dict[str, Any] = {"tools": [{"functionDeclarations": declared}]}
    if held:
        fields["toolConfig"] = {"functionCallingConfig": {"mode": "VALIDATED"}}
    return fields


def _thinking(model: Model, options: StreamOptions) -> dict[str, Any]:
    level = options.thinking
    if level == "off":
        return {"thinkingBudget": 0}
    named = level if level in ("minimal", "low", "medium") else "high"
    if _takes_level(model):
        word = (model.thinking_level_map.get(level) or named).upper()
        return {
            "includeThoughts": True,
            "thinkingLevel": word if word in LEVELS else named.upper(),
        }
    budget = options.thinking_budgets.get(named)
    if budget is None:
        budget = BUDGETS.get(model.id, {}).get(named, MODEL_DECIDES)
    return {"includeThoughts": True, "thinkingBudget": budget}


def _takes_level(model: Model) -> bool:
    plain = re.search(r"gemini-(\d+)", model.id)
    return (plain is not None and int(plain[1]) >= 3) or bool(_TAKES_LEVEL.search(model.id))


def _generation(model: Model) -> int:
    """The 3 of gemini-3-pro; 0 for names without one."""
    found = _GENERATION.match(model.id)
    return 0 if found is None else int(found[1])


class _Contents:
    """The conversation in this API's two roles, what a tool returned being the user's."""

    def __init__(self, model: Model) -> None:
        # Newer models tell calls of one name apart by their ids; older ones refuse ids.
        generation = _generation(model)
        self._ids = generation >= 3 or model.id.startswith("claude-")
        self._images_inside = generation == 0 or generation >= 3
        self._sent: list[dict[str, Any]] = []
        self._results: list[dict[str, Any]] | None = None

    def build(self, history: Sequence[Replayed]) -> list[dict[str, Any]]:
        for message in history:
            if message["role"] == "toolResult":
                self._result(message)
                continue
            self._results = None
            if message["role"] == "assistant":
                if parts := self._reply(message):
                    self._sent.append({"parts": parts, "role": "model"})
                continue
            content = message["content"]
            blocks: Sequence[UserContent] = (
                [{"type": "text", "text": content}] if isinstance(content, str) else content
            )
            self._sent.append({"parts": [_part(block) for block in blocks], "role": "user"})
        return self._sent

    def _reply(self, message: AssistantMessage) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for block in message["content"]:
            part: dict[str, Any]
            if block["type"] == "text":
                part, mark = {"text": block["text"]}, block.get("textSignature")
            elif block["type"] == "thinking":
                part = {"text": block["thinking"], "thought": True}
                mark = block.get("thinkingSignature")
            else:
                call: dict[str, Any] = {"args": block["arguments"], "name": block["name"]}
                if self._ids:
                    call["id"] = block["id"]
                part, mark = {"functionCall": call}, block.get("thoughtSignature")
            # Signatures of others' making are refused.
            if mark and is_base64(mark):
                part["thoughtSignature"] = mark
            parts.append(part)
        return parts

    def _result(self, message: ToolResultMessage) -> None:
        text = "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
        images = [_part(block) for block in message["content"] if block["type"] == "image"]
        said = text if text.strip() else (NO_TEXT if images else "")
        response: dict[str, Any] = {
            "name": message["toolName"],
            "response": {"error" if message["isError"] else "output": said},
        }
        if images and self._images_inside:
            response["parts"] = images
        if self._ids:
            response["id"] = message["toolCallId"]
        if self._results is None:
            self._results = []
            self._sent.append({"parts": self._results, "role": "user"})
        self._results.append({"functionResponse": response})
        if images and not self._images_inside:
            self._sent.append({"parts": [{"text": IMAGE_FOLLOWS}, *images], "role": "user"})
            self._results = None


def _part(block: UserContent) -> dict[str, Any]:
    if block["type"] == "text":
        return {"text": block["text"]}
    return {"inlineData": {"mimeType": block["mimeType"], "data": block["data"]}}


def _plain_schema(schema: Any) -> Any:
    """A JSON Schema without `const`, which the API does not know: one allowed value says it too."""
    if isinstance(schema, list):
        return [_plain_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "const":
            plain.setdefault("enum", [value])
        elif key in _NAMED_SCHEMAS and isinstance(value, Mapping):
            plain[key] = {name: _plain_schema(part) for name, part in value.items()}
        else:
            plain[key] = value if key in _DATA_KEYS else _plain_schema(value)
    return plain
