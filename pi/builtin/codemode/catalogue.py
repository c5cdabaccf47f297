"""The tools that a script may call: their names in JavaScript, and their types in TypeScript."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pi.extensions import Namespace

__all__ = ["Callable", "by_identifier", "declaration", "identifier", "described", "result_type"]

_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


class Callable(NamedTuple):
    """A tool as scripts see it. output: JSON Schema of what it gives, None for text."""

    name: str
    identifier: str
    description: str
    parameters: Mapping[str, Any]
    guidelines: Sequence[str]
    namespace: Namespace | None
    output: Mapping[str, Any] | None


def by_identifier(tools: Iterable[Mapping[str, Any]]) -> dict[str, Callable]:
    """tools: as Pi.all_tools gives them. Of two with one identifier, the second has a number."""
    found: dict[str, Callable] = {}
    for tool in tools:
        base = name = identifier(tool["name"])
        number = 1
        while name in found:
            number += 1
            name = f"{base}_{number}"
        found[name] = Callable(
            tool["name"],
            name,
            tool["description"],
            tool["parameters"],
            tool["promptGuidelines"],
            tool.get("namespace"),
            tool.get("outputSchema"),
        )
    return found


def identifier(name: str) -> str:
    """A name as JavaScript can have it: what is no part of one becomes `_`."""
    text = re.sub(r"[^A-Za-z0-9_$]", "_", name)
    return f"_{text}" if text[:1].isdigit() else text


def described(tool: Callable) -> str:
    """All that there is to say of a tool, its declaration included."""
    advice = [f"- {rule}" for rule in tool.guidelines]
    parts = (tool.description, "\n".join(advice), f"```ts\n{declaration(tool)}\n```")
    return "\n\n".join(part for part in parts if part)


def declaration(tool: Callable) -> str:
    """`tools.read(args: { path: string }): Promise<string>`, with comments."""
    arguments = _type(tool.parameters, "")
    mark = "?" if not tool.parameters.get("required") else ""
    return f"tools.{tool.identifier}(args{mark}: {arguments}): Promise<{result_type(tool)}>"


def result_type(tool: Callable, *, comments: bool = True) -> str:
    """comments: whether it tells what fields mean."""
    if tool.output is None:
        return "string"
    text = _type(tool.output, "")
    return text if comments else re.sub(r"^\s*// .*\n", "", text, flags=re.MULTILINE)


def _type(schema: Any, indent: str, depth: int = 0) -> str:
    """The TypeScript of a JSON Schema; what has none is unknown."""
    if not isinstance(schema, Mapping) or depth > 8:
        return "unknown"
    if "const" in schema:
        return json.dumps(schema["const"])
    if isinstance(schema.get("enum"), list):
        return " | ".join(json.dumps(value) for value in schema["enum"]) or "never"
    for key, joint in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if isinstance(schema.get(key), list) and schema[key]:
            parts = (_type(each, indent, depth + 1) for each in schema[key])
            return joint.join(dict.fromkeys(parts))
    kind = schema.get("type")
    if isinstance(kind, list):
        parts = (_type({**schema, "type": each}, indent, depth + 1) for each in kind)
        return " | ".join(dict.fromkeys(parts)) or "unknown"
    if kind == "array":
        item = _type(schema.get("items"), indent, depth + 1)
        return f"({item})[]" if "|" in item or "&" in item else f"{item}[]"
    if kind == "object" or "properties" in schema:
        return _object(schema, indent, depth)
    simple = {"string": "string", "boolean": "boolean", "null": "null"}
    simple |= {"number": "number", "integer": "number"}
    return simple.get(str(kind), "unknown")


def _object(schema: Mapping[str, Any], indent: str, depth: int) -> str:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        values = schema.get("additionalProperties")
        if values is False:
            return "{}"
        of = _type(values, indent, depth + 1) if isinstance(values, Mapping) else "unknown"
        return f"Record<string, {of}>"
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    deeper = f"{indent}  "
    lines = []
    for name, each in properties.items():
        key = name if _NAME.fullmatch(str(name)) else json.dumps(name)
        text = each.get("description") if isinstance(each, Mapping) else None
        if isinstance(text, str) and text.strip():
            lines.append(f"{deeper}// {' '.join(text.split())}")
        mark = "" if name in needed else "?"
        lines.append(f"{deeper}{key}{mark}: {_type(each, deeper, depth + 1)};")
    return "\n".join(("{", *lines, f"{indent}}}"))
