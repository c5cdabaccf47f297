"""The JSON text of a tool call's arguments: whole, slightly broken, or cut off."""

import re
from typing import Any

from pi.wire.jsonio import loads

__all__ = ["parse_arguments", "salvage_arguments"]

# Compiled by `re` at their first use: most runs get by without.
_STRING = r'(?s)"(?:[^"\\]|\\.)*"'
_BAD_ESCAPE = r'(?s)\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})(.?)|(\\.)'
_CONTROL = r"[\x00-\x1f]"
_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def parse_arguments(text: str) -> tuple[dict[str, Any], str | None]:
    """The arguments, and why they are {} although the model sent something.

    No text is no arguments. Raw control characters and stray backslashes inside strings (a Windows
    path, a pattern) are taken as meant; anything else malformed is the model's to repeat.
    """
    if not text.strip():
        return {}, None
    try:
        value = _load(text)
    except ValueError as error:
        return {}, f"not valid JSON: {error}\n\nReceived arguments:\n{text}"
    if not isinstance(value, dict):
        return {}, f"the arguments are not a JSON object\n\nReceived arguments:\n{text}"
    return value, None


def salvage_arguments(text: str) -> dict[str, Any]:
    """What a cut-off text says so far: open strings and brackets closed, a half member dropped."""
    closers: list[str] = []
    escapes: list[int] = []  # where the escapes of the open string begin
    in_string = escaped = False
    safe, safe_closers = 0, ""
    for at, char in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
                escapes.append(at)
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
            escapes.clear()
        elif char in "{[":
            closers.append("}" if char == "{" else "]")
            safe, safe_closers = at + 1, "".join(reversed(closers))
        elif char in "}]" and closers:
            closers.pop()
        elif char == ",":
            safe, safe_closers = at, "".join(reversed(closers))
    end = "".join(reversed(closers))
    whole = _without_half_escape(text, escapes) + '"' if in_string else text
    attempts = (whole + end, text[:safe] + safe_closers)
    for attempt in attempts:
        try:
            value = _load(attempt)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


def _without_half_escape(text: str, escapes: list[int]) -> str:
    """Less a last escape that is incomplete, or only the first half of a surrogate pair."""
    for start in reversed(escapes[-2:]):
        escape = text[start:]
        if (
            len(escape) == 1
            or (escape[1] == "u" and len(escape) < 6)
            or re.fullmatch(_HIGH, escape)
        ):
            text = text[:start]
    return text


def _load(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        repaired = re.sub(_STRING, _repair, text)
        if repaired == text:
            raise
        return loads(repaired)


def _repair(string: re.Match[str]) -> str:
    body = re.sub(_BAD_ESCAPE, lambda found: found[2] or "\\\\" + (found[1] or ""), string[0])
    return re.sub(_CONTROL, lambda found: _NAMED.get(found[0], f"\\u{ord(found[0]):04x}"), body)
