"""One value of a JSON text replaced, added or taken out; every other character stays as it is.

Works on texts that already parsed (see documents.py). A key that occurs twice counts at its last
place, as JSON parsers have it. No library of Python edits JSON in place.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["remove_value", "set_value"]

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_WIDTH = 100
"""Columns up to which a list that was on one line stays on one."""


@dataclass(frozen=True, slots=True)
class _Member:
    """lead: where the blanks before the key begin. The rest: where things begin and end."""

    lead: int
    key_start: int
    key_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Object:
    start: int
    end: int
    members: dict[str, _Member]


def set_value(text: str, path: Sequence[str], value: Any) -> str:
    """`text` with the value at `path` set. Objects on the way are made where there is none.

    text: a JSON object, or blank for an empty one. What stands in the way of an object on the path
    is replaced. New lines and indentation follow the text's own.
    """
    body = text.removeprefix("\ufeff")
    if not body.strip():
        return text[: len(text) - len(body)] + _dump(_nested(path, value), "  ", "\n")
    found = _object(text, len(text) - len(body))
    newline = "\r\n" if "\r\n" in text else "\n"
    unit = _unit(text, found)
    indent = ""
    for depth, key in enumerate(path):
        member = found.members.get(key)
        if member is None:
            return _insert(text, found, key, _nested(path[depth + 1 :], value), unit, newline)
        indent = _indent(text, member)
        below = _object(text, member.start) if text[member.start] == "{" else None
        if depth == len(path) - 1 or below is None:
            new = _nested(path[depth + 1 :], value)
            old = text[member.start : member.end]
            if "\n" not in text[found.start : found.end]:
                unit = None
            elif isinstance(new, list) and len(old) > 2 and "\n" not in old:
                line = json.dumps(new, ensure_ascii=False)
                if len(line) + len(indent) + len(key) <= _WIDTH:
                    unit = None
            shown = _dump(new, unit, newline, indent)
            return text[: member.start] + shown + text[member.end :]
        found = below
    raise ValueError("an empty path")


def remove_value(text: str, path: Sequence[str]) -> str:
    """`text` without the value at `path`, and without its earlier namesakes; as it was if none."""
    while True:
        removed = _remove_once(text, path)
        if removed == text:
            return text
        text = removed


def _remove_once(text: str, path: Sequence[str]) -> str:
    body = text.removeprefix("\ufeff")
    if not body.strip():
        return text
    found = _object(text, len(text) - len(body))
    for key in path[:-1]:
        member = found.members.get(key)
        if member is None or text[member.start] != "{":
            return text
        found = _object(text, member.start)
    member = found.members.get(path[-1])
    if member is None:
        return text
    after = _skip(text, member.end)
    before = text[: member.lead].rstrip(" \t\r\n")
    if before.endswith(","):
        return before[:-1] + text[member.end :]
    if text[after] == ",":
        return text[: member.lead] + text[after + 1 :]
    return text[: found.start + 1] + text[after:]


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None, "it matches nothing at all, too"
    return match.end()


def _object(text: str, at: int) -> _Object:
    """The object that begins at `at`, blanks before it allowed."""
    start = _skip(text, at)
    members: dict[str, _Member] = {}
    lead = start + 1
    at = _skip(text, lead)
    while text[at] != "}":
        key, key_end = _DECODER.raw_decode(text, at)
        value_start = _skip(text, _skip(text, key_end) + 1)
        _, end = _DECODER.raw_decode(text, value_start)
        members[key] = _Member(lead, at, key_end, value_start, end)
        at = _skip(text, end)
        if text[at] == ",":
            lead = at + 1
            at = _skip(text, lead)
    return _Object(start, at + 1, members)


def _unit(text: str, top: _Object) -> str | None:
    """The text's indentation a level; None for a text on one line."""
    if "\n" not in text[top.start : top.end]:
        return "  " if not top.members else None
    for member in top.members.values():
        if indent := _indent(text, member):
            return indent
    return "  "


def _indent(text: str, member: _Member) -> str:
    """What stands before the key on its line, if that is blank."""
    return text[member.lead : member.key_start].rpartition("\n")[2]


def _insert(text: str, found: _Object, key: str, value: Any, unit: str | None, newline: str) -> str:
    """Behind the last member, laid out as that one is."""
    name = json.dumps(key, ensure_ascii=False)
    if found.members:
        last = max(found.members.values(), key=lambda member: member.end)
        lead = text[last.lead : last.key_start]
        if "\n" not in lead:
            unit = None
            # The first of several on one line has another distance to its brace.
            lead = lead or ("" if len(found.members) > 1 else " ")
        shown = _dump(value, unit, newline, _indent(text, last))
        colon = text[last.key_end : last.start]
        return f"{text[: last.end]},{lead}{name}{colon}{shown}{text[last.end :]}"
    if unit is None:
        return f"{text[: found.start]}{{{name}: {_dump(value, None, newline)}}}{text[found.end :]}"
    line = text[: found.start].rpartition("\n")[2]
    outer = line[: len(line) - len(line.lstrip(" \t"))]
    inner = outer + unit
    shown = _dump(value, unit, newline, inner)
    made = f"{{{newline}{inner}{name}: {shown}{newline}{outer}}}"
    return text[: found.start] + made + text[found.end :]


def _dump(value: Any, unit: str | None, newline: str, indent: str = "") -> str:
    shown = json.dumps(value, ensure_ascii=False, indent=unit)
    try:
        shown.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JavaScript writes as an escape
        shown = json.dumps(value, indent=unit)
    return shown.replace("\n", newline + indent)
