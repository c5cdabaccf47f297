"""A script as the model wrote it: its source, and what its first line asks for."""

import json
import re
from typing import Any, NamedTuple

from pi.extensions import ToolFailure

__all__ = ["Script", "read_script"]

TOKENS = 10_000
"""Tokens of output, unless the script says otherwise."""

_OPTIONS = re.compile(r"[ \t]*// @options:(.*)")
_FIELDS = ("max_output_tokens", "timeout_ms")
_MOST = 2**31 - 1


class Script(NamedTuple):
    """source: with the line of options, a comment. seconds: for all of it, None for no end."""

    source: str
    tokens: int = TOKENS
    seconds: float | None = None


def read_script(code: str) -> Script:
    """Raises ToolFailure for options that are none, or in another place than the first line."""
    if not code.strip():
        raise ToolFailure("there is no script: give JavaScript source")
    first, *others = re.split(r"\r\n|[\n\r\u2028\u2029]", code)
    for number, line in enumerate(others, 2):
        if _OPTIONS.fullmatch(line):
            raise ToolFailure(f"line {number} has @options: they belong into the first line")
    found = _OPTIONS.fullmatch(first)
    options = {} if found is None else _read(found[1])
    timeout = options.get("timeout_ms")
    return Script(
        code, options.get("max_output_tokens", TOKENS), None if timeout is None else timeout / 1000
    )


def _read(text: str) -> dict[str, int]:
    known = f"they are {' and '.join(_FIELDS)}, as JSON"
    try:
        options: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolFailure(f"@options cannot be read: {error}; {known}") from None
    if not isinstance(options, dict):
        raise ToolFailure(f"@options are no object; {known}")
    for name, value in options.items():
        if name not in _FIELDS:
            raise ToolFailure(f"@options: there is no {name}; {known}")
        whole = isinstance(value, int | float) and not isinstance(value, bool)
        if not whole or not 1 <= value <= _MOST or value != int(value):
            raise ToolFailure(f"@options: {name} must be a whole number from 1 to {_MOST}")
    return {name: int(value) for name, value in options.items()}
