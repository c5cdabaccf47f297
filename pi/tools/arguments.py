"""A call's arguments: coerced to the tool's schema, checked against it, or refused with reasons.

Models write "2" for 2 and null for "not given". What has only one sensible reading is converted;
everything else is refused with the place and the type, and the model sees what it sent.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from pi.errors import ToolError
from pi.tools.base import Tool

__all__ = ["coerce", "malformed_arguments", "number_text", "unknown_tool", "validate"]

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "null": type(None),
    "array": list,
    "object": dict,
}
_BASED = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")


def validate(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as `tool.run` may take them.

    Raises ToolError listing every problem as `path: what was expected, what came`.
    """
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(tool, "prepare", None)
    received: Any = arguments
    if isinstance(arguments, Mapping):  # other tools may send anything
        received = dict(arguments)
        if prepare is not None:
            received = prepare(received)
    coerced: dict[str, Any] = coerce(received, tool.parameters)
    problems = list(_problems(coerced, tool.parameters))
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        sent = json.dumps(received, indent=2, ensure_ascii=False, default=str)
        raise ToolError(f'Arguments do not fit tool "{tool.name}":\n{lines}\n\nReceived:\n{sent}')
    return coerced


def unknown_tool(name: str) -> ToolError:
    """The answer to a call of a tool that does not exist. Names are case-sensitive."""
    return ToolError(f'There is no tool named "{name}"')


def malformed_arguments(name: str, reason: str) -> ToolError:
    """The answer to a call whose arguments were not a JSON object; reason: its argumentsError."""
    return ToolError(f'The arguments for tool "{name}" could not be parsed: {reason}')


def coerce(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` converted to what `schema` asks for where that is unambiguous, else unchanged."""
    wanted = _types(schema)
    if wanted and not any(_is(value, kind) for kind in wanted):
        for kind in wanted:
            converted = _convert(value, kind)
            if converted is not value:
                value = converted
                break
    if isinstance(value, dict):
        return _coerce_object(value, schema)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        return [coerce(item, items) for item in value]
    return value


def number_text(number: float) -> str:
    """A JSON number as JavaScript prints it: 1.0 is "1", 1e21 is "1e+21"."""
    if isinstance(number, int) and abs(number) < 2**53:
        return str(number)
    number = float(number)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    digits = repr(number)
    if "e" in digits:
        mantissa, _, exponent = digits.partition("e")
        power = int(exponent)
        if -7 < power < 0:  # JavaScript writes these out
            return f"{number:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
        return f"{mantissa.removesuffix('.0')}e{power:+d}"
    return digits


def _coerce_object(value: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return value
    required = schema.get("required", ())
    result = {}
    for key, item in value.items():
        declared = properties.get(key)
        if not isinstance(declared, Mapping):
            result[key] = item
        elif item is not None or key in required or "null" in _types(declared):
            result[key] = coerce(item, declared)
    return result


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = schema.get("type")
    if isinstance(wanted, str):
        return (wanted,)
    return tuple(wanted) if isinstance(wanted, list) else ()


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _PYTHON_TYPES.get(kind, ()))


def _convert(value: Any, kind: str) -> Any:
    """`value` itself when there is no one reading of it as `kind`."""
    if kind == "string":
        return _to_string(value)
    if kind in ("number", "integer"):
        return _to_number(value, kind)
    if kind == "boolean":
        return _to_boolean(value)
    if kind == "array":
        return [value]
    return value


def _to_string(value: Any) -> Any:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else value


def _to_number(value: Any, kind: str) -> Any:
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    number: float
    if not text:
        number = 0
    elif _BASED.fullmatch(text):
        number = int(text, 0)
    elif _DECIMAL.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            return value
        if number.is_integer() and abs(number) < 2**53:
            number = int(number)
    else:
        return value
    return value if kind == "integer" and not _is(number, "integer") else number


def _to_boolean(value: Any) -> Any:
    if value is None:
        return False
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return value


def _problems(value: Any, schema: Mapping[str, Any]) -> list[str]:
    # Its 12 ms are paid by the first tool call, not by start-up. Chosen over jsonschema (55 ms).
    import jsonschema_rs  # noqa: PLC0415  (a seam: the first tool call)

    try:
        validator = jsonschema_rs.validator_for(dict(schema))
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise ToolError(f"The tool's own parameter schema is invalid: {error}") from error
    try:
        if validator.is_valid(value):
            return []
        found = [_problem(error) for error in validator.iter_errors(value)]
    except ValueError as error:  # half a surrogate pair, or an integer without end
        return [f"cannot be represented: {error}"]
    order = list(schema.get("properties", ()))

    def rank(problem: tuple[list[Any], str]) -> int:
        first = problem[0][0] if problem[0] else None
        return order.index(first) if first in order else len(order)

    return [
        f"{'.'.join(map(str, path)) or 'arguments'}: {text}"
        for path, text in sorted(found, key=rank)
    ]


def _problem(error: Any) -> tuple[list[Any], str]:
    path = list(error.instance_path)
    kind = error.kind
    name = kind.name
    if name == "required":
        return [*path, kind.property], "missing"
    if name == "type":
        return path, f"expected {' or '.join(map(str, kind.types))}, got {_name(error.instance)}"
    return path, error.message


def _name(value: Any) -> str:
    for kind in ("boolean", "null", "string", "array", "object", "integer"):
        if _is(value, kind):
            return kind
    return "number"
