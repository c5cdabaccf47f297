"""Arguments of a tool call while they arrive: what can be told of JSON text without its end."""

import json
import re
from typing import Any

__all__ = ["peek", "peek_tail", "so_far"]

_HEAD = 8_000
_STRING = r'"((?:[^"\\]|\\.)*)'
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},]|(?P<open>".*)', re.DOTALL)


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


def so_far(written: str) -> dict[str, Any]:
    """All of the arguments whose text has begun, as far as it goes; of a long text, its beginning.

    What cannot be told yet, such as half a name, is left out.
    """
    text = written[:_HEAD]
    closing: list[str] = []
    whole, closers = "", ""  # up to the last comma or opening bracket, and what that needs
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in "{[":
            closing.append("}" if token == "{" else "]")
            whole, closers = text[: match.end()], "".join(reversed(closing))
        elif token in "}]":
            if closing:
                closing.pop()
        elif token == ",":
            whole, closers = text[: match.start()], "".join(reversed(closing))
        elif match["open"] is not None:
            text = text[: match.start() + 1] + _unescaped_end(token[1:]) + '"'
            break
    for attempt in (text + "".join(reversed(closing)), whole + closers):
        try:
            found = json.loads(attempt, strict=False)
        except ValueError:
            continue
        return found if isinstance(found, dict) else {}
    return {}


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
    raw = _unescaped_end(raw)
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def _unescaped_end(raw: str) -> str:
    """Without an escape that has only begun."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$", r"\1", raw)
