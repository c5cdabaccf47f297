"""Tools whose arguments a model is to be held to: strict JSON Schemas, and grammars.

A tool's declaration asks in `constrainedSampling`:

    {"type": "json_schema", "strict": "prefer" or "require"}
    {"type": "grammar", "variants": {"openai_lark": "…", "openai_regex": "…"}}

In the strict form of a schema every object is closed and all its properties are required; what was
optional may be null instead, which reads back as absent. A tool with a grammar is called with one
text, which is its only required property; where a model knows no grammars it is an ordinary tool.
Source: docs/extensions.md.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from pi.errors import InvalidRequestError, ProviderError
from pi.providers.assembly import Assembly
from pi.providers.base import StreamOptions
from pi.providers.streaming import Call
from pi.wire.jsonio import dumps
from pi.wire.messages import AgentMessage

__all__ = [
    "Grammar",
    "grammar_inputs",
    "grammar_of",
    "relaxing",
    "strict_allowed",
    "strict_form",
]

Refuses = Callable[[str, Any], bool]
"""Whether a provider takes no such member in a strict schema."""

# Members of a schema for which there is no strict form.
_LOOSE = (
    "$ref",
    "$defs",
    "definitions",
    "allOf",
    "oneOf",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "propertyNames",
    "contains",
    "prefixItems",
    "not",
    "if",
    "then",
    "else",
)
# How Claude refuses a request whose strict tools are too many or too complex.
_LIMITS = (
    "The compiled grammar is too large",
    "Too many strict tools (",
    "Schemas contains too many parameters with union types (",
)
_MEMORY = "strict tools refused"


class Grammar(NamedTuple):
    """syntax and text of a grammar. property: the argument that is the text."""

    syntax: Literal["lark", "regex"]
    text: str
    property: str


def strict_form(
    tool: Any, *, able: bool, preferred: bool = True, refuses: Refuses = lambda *_: False
) -> dict[str, Any] | None:
    """The strict schema of a tool that asks for strict calls; None where it does without.

    able: whether the model can. preferred: whether to give it to tools that could do without.
    Raises InvalidRequestError for a tool that cannot do without.
    """
    asked = tool.get("constrainedSampling")
    if not isinstance(asked, Mapping) or asked.get("type") != "json_schema":
        return None
    required = asked.get("strict") == "require"
    if asked.get("strict") in (None, False, "never") or not (required or preferred):
        return None
    reason = "this model has no strict tools"
    if able:
        try:
            return _strict(tool["parameters"], refuses)
        except _NotStrict as error:
            reason = str(error)
    if required:
        raise InvalidRequestError(
            f'the tool "{tool["name"]}" asks to be called strictly by its schema: {reason}',
            hint="leave the tool out, or choose another model",
        )
    return None


def strict_allowed(options: StreamOptions) -> bool:
    """False once the session's strict tools were too many: they would be the next time too."""
    return (_MEMORY, options.session_id or "") not in options.http.memory


def relaxing(
    assembly: Assembly, options: StreamOptions, kind: str, again: Callable[[], Call]
) -> Callable[[ProviderError], Call | None]:
    """What `Call.instead` does about too many strict tools: the request without them, once.

    kind: of the note in the reply. again: the request without strict tools.
    """

    def instead(failure: ProviderError) -> Call | None:
        if failure.status != 400 or not any(limit in str(failure) for limit in _LIMITS):
            return None
        if options.session_id:
            options.http.memory[_MEMORY, options.session_id] = True
        assembly.note(kind, str(failure), reason="strict_tool_limits_exceeded")
        return again()

    return instead


def grammar_of(tool: Any, *, able: bool) -> Grammar | None:
    """The grammar a tool asks to be called by; None where it asks for none, or the model has none.

    Raises InvalidRequestError for a grammar or parameters that are of no use.
    """
    asked = tool.get("constrainedSampling")
    if not able or not isinstance(asked, Mapping) or asked.get("type") != "grammar":
        return None
    variants = asked.get("variants") or {}
    for key, syntax in (("openai_lark", "lark"), ("openai_regex", "regex")):
        text = variants.get(key)
        if isinstance(text, str) and text.strip():
            return Grammar(syntax, text, _input_of(tool))  # type: ignore[arg-type]
    raise InvalidRequestError(f'the grammar of the tool "{tool["name"]}" has no known variant')


def grammar_inputs(messages: Iterable[AgentMessage], *, able: bool) -> dict[str, str]:
    """For every tool ever declared that is called by a grammar, the argument that is its text.

    One whose grammar is of no use is left out: declaring it raises.
    """
    inputs: dict[str, str] = {}
    for message in messages if able else ():
        if message["role"] == "system":
            for tool in message.get("toolsAdded") or ():
                with suppress(InvalidRequestError):
                    if grammar := grammar_of(tool, able=True):
                        inputs[tool["name"]] = grammar.property
    return inputs


def _input_of(tool: Any) -> str:
    schema = tool["parameters"]
    required = schema.get("required") or []
    name = required[0] if len(required) == 1 else None
    if schema.get("type") != "object" or (schema.get("properties") or {}).get(name, {}).get(
        "type"
    ) != ("string"):
        raise InvalidRequestError(
            f'the tool "{tool["name"]}" has a grammar, so one text must be all that it requires'
        )
    return str(name)


class _NotStrict(Exception):
    pass


def _strict(schema: Any, refuses: Refuses) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise _NotStrict("it has a schema that is no object")
    for key, value in schema.items():
        if key in _LOOSE or refuses(key, value):
            raise _NotStrict(f"it has {key}: {dumps(value).decode('utf-8', 'replace')[:100]}")
    result = dict(schema)
    if "anyOf" in schema:
        result["anyOf"] = _choices(schema["anyOf"], refuses)
    if "items" in schema:
        result["items"] = _strict(schema["items"], refuses)
    if schema.get("type") != "object":
        if "properties" in schema:
            raise _NotStrict("it has properties without being an object")
        return result
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or schema.get("additionalProperties"):
        raise _NotStrict("it has an object of any form")
    required = schema.get("required", [])
    if not isinstance(required, list) or any(name not in properties for name in required):
        raise _NotStrict("it requires what it does not describe")
    result["required"] = list(properties)
    result["properties"] = {
        name: part if name in required else _nullable(part)
        for name, part in ((name, _strict(part, refuses)) for name, part in properties.items())
    }
    result["additionalProperties"] = False
    return result


def _choices(choices: Any, refuses: Refuses) -> list[dict[str, Any]]:
    if not isinstance(choices, list) or not choices:
        raise _NotStrict("it has a choice of nothing")
    if any(_has_parts(choice) for choice in choices):
        raise _NotStrict("it has a choice between objects or lists")
    return [_strict(choice, refuses) for choice in choices]


def _has_parts(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return not {"object", "array"}.isdisjoint(kinds) or "properties" in schema or "items" in schema


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return schema if _allows_null(schema) else {"anyOf": [schema, {"type": "null"}]}


def _allows_null(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kinds = schema.get("type")
    if kinds == "null" or (isinstance(kinds, list) and "null" in kinds):
        return True
    if "const" in schema and schema["const"] is None:
        return True
    values = schema.get("enum")
    if isinstance(values, list) and None in values:
        return True
    choices = schema.get("anyOf")
    return isinstance(choices, list) and any(map(_allows_null, choices))
