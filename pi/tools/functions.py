"""What makes a tool of a function: the schema of its arguments, the description, its result.

    def deploy(target: Literal["dev", "prod"], tags: list[str] = (), dry: bool = False) -> str:

becomes an object with `target` required, as an enum, and the others optional. `Annotated[str,
"text"]` describes an argument, and so does an `Args:` section of the docstring.
"""

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pi.tools.base import ToolResult, text_block
from pi.wire.jsonio import dumps, loads

__all__ = ["as_result", "described", "schema_of"]

_SIMPLE: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Path: {"type": "string"},
    dict: {"type": "object"},
    list: {"type": "array"},
    type(None): {"type": "null"},
    Any: {},
}


def schema_of(function: Callable[..., Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of its keyword arguments. without: parameters that the model does not give.

    Raises TypeError for a parameter without a type, or with one that JSON has no values for.
    """
    hints = get_type_hints(function, include_extras=True)
    documented = _documented(function.__doc__ or "")
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in without:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{function.__name__}: a tool cannot take *{name}")
        if name not in hints:
            raise TypeError(f"{function.__name__}: the parameter {name} needs a type")
        try:
            schema = _schema(hints[name])
        except TypeError as error:
            raise TypeError(f"{function.__name__}: the parameter {name}: {error}") from None
        if name in documented:
            schema.setdefault("description", documented[name])
        properties[name] = schema
        if parameter.default is parameter.empty:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def described(doc: str) -> str:
    """A docstring without its `Args:` section: what the model is told of the tool."""
    text = inspect.cleandoc(doc)
    return re.split(r"\n\s*Args:\s*\n", text, maxsplit=1)[0].strip()


def as_result(answer: Any, *, structured: bool = False) -> ToolResult:
    """What a function returned, as the agent takes it. Raises TypeError."""
    if isinstance(answer, ToolResult):
        return answer
    if answer is None:
        return ToolResult([text_block("Done.")])
    if isinstance(answer, str):
        return ToolResult([text_block(answer)])
    if isinstance(answer, Mapping | list | tuple | int | float | bool) or (
        is_dataclass(answer) and not isinstance(answer, type)
    ):
        text = dumps(answer).decode()
        return ToolResult([text_block(text)], structured=loads(text) if structured else None)
    raise TypeError(f"a tool returns text, JSON values or a ToolResult, not {answer!r:.80}")


def _schema(hint: Any) -> dict[str, Any]:
    if hint in _SIMPLE if isinstance(hint, type) or hint is Any else False:
        return dict(_SIMPLE[hint])
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schema = _schema(args[0])
        for note in args[1:]:
            if isinstance(note, str):
                schema["description"] = note
            elif isinstance(note, Mapping):
                schema.update(note)
        return schema
    if origin is Literal:
        kinds = {type(value) for value in args}
        named: dict[str, Any] = {"enum": list(args)}
        if len(kinds) == 1 and (kind := kinds.pop()) in _SIMPLE:
            named = {**_SIMPLE[kind], **named}
        return named
    if origin in (Union, types.UnionType):
        some = [arg for arg in args if arg is not type(None)]
        if len(some) == 1:
            return _schema(some[0])  # None stands for an argument that is left out
        return {"anyOf": [_schema(arg) for arg in some]}
    if origin in (list, tuple, Sequence) or (origin and issubclass(origin, Sequence)):
        return {"type": "array", "items": _schema(args[0])} if args else {"type": "array"}
    if origin is dict or (origin and issubclass(origin, Mapping)):
        values = _schema(args[1]) if len(args) > 1 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if is_typeddict(hint):
        fields = get_type_hints(hint)
        return {
            "type": "object",
            "properties": {name: _schema(kind) for name, kind in fields.items()},
            "required": sorted(hint.__required_keys__),
        }
    raise TypeError(f"{hint!r} is no type of JSON values; give the tool a schema instead")


def _documented(doc: str) -> dict[str, str]:
    """`name: text` lines of the docstring's `Args:` section."""
    parts = re.split(r"\n\s*Args:\s*\n", inspect.cleandoc(doc), maxsplit=1)
    if len(parts) < 2:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in parts[1].splitlines():
        if not line.strip():
            break
        match = re.match(r"\s{0,8}(\w+)(?:\s*\([^)]*\))?:\s*(.+)", line)
        if match:
            name = match[1]
            found[name] = match[2].strip()
        elif name:
            found[name] += " " + line.strip()
    return found
