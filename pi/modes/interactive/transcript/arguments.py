"""Arguments of a tool call while they arrive: what can be told of JSON text without its end."""

import json
import re
from typing import Any

__all__ = ["peek", "peek_tail"]

_HEAD = 8_000
_STRING = r'"((?:[^"\\]|\\.)*)'


def peek(written: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the arguments whose text has begun: strings as far as they go, numbers when whole.

    Only the beginning of a long text is looked at.
    """
    head = written[:_HEAD]
    found: dict[str, Any] = {}
    for name in names:
        key = re.search(rf'[{{,]\s*"{re.escape(name)}"\s*:\s*', head)
        if key is None:
            continue
        rest = head[key.end() :]
        if rest.startswith('"'):
            match = re.match(_STRING, rest)
            found[name] = _decoded(match[1]) if match else ""
        elif match := re.match(r"(-?\d+(?:\.\d+)?|true|false)\s*[,}]", rest):
            found[name] = json.loads(match[1])
    return found


def peek_tail(written: str, name: str, lines: int) -> tuple[list[str], int] | None:
    """The last lines of a long string argument so far, and how many there are in all.

    None where it has not begun.
    """
    key = re.search(rf'[{{,]\s*"{re.escape(name)}"\s*:\s*"', written[:_HEAD])
    if key is None:
        return None
    raw = written[key.end() :]
    end = re.search(r'(?<!\\)(?:\\\\)*"', raw[-4_000:])
    if end is not None and len(raw) <= 4_000:
        raw = raw[: end.end() - 1]
    count = raw.count("\\n") + 1
    at = len(raw)
    for _ in range(lines):
        at = raw.rfind("\\n", 0, at)
        if at < 0:
            break
    return _decoded(raw[max(0, at) :].removeprefix("\\n")).split("\n"), count


def _decoded(raw: str) -> str:
    """The text of a JSON string that may end anywhere."""
    raw = re.sub(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$", r"\1", raw)
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
