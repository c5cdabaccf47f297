"""JSON in and out: orjson, and the standard library for what orjson refuses.

JavaScript writes half surrogate pairs as "\\ud83d" and reads them back; orjson rejects them both
ways. It also rejects integers past 64 bits when writing. Neither may cost a session a line.
"""

import json
from typing import Any

import orjson

__all__ = ["JSONError", "dump_line", "dumps", "loads"]

JSONError = ValueError
"""What `loads` raises: orjson.JSONDecodeError and json.JSONDecodeError are both ValueErrors."""


def loads(data: bytes | str) -> Any:
    """Parse JSON. Raises JSONError for anything that is not one JSON value."""
    try:
        return orjson.loads(data)
    except ValueError:
        if not _holds_surrogate(data):
            raise
        return json.loads(data, parse_constant=_refuse)


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON without a newline; NaN and infinities become null, as in JavaScript."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # ASCII output keeps a lone surrogate as the escape JavaScript would write.
        return json.dumps(_finite(value), ensure_ascii=True, separators=(",", ":")).encode()


def dump_line(value: Any) -> bytes:
    """One JSONL record, newline included."""
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return dumps(value) + b"\n"


def _holds_surrogate(data: bytes | str) -> bool:
    """Whether a second, slower reading may succeed where orjson refused."""
    if isinstance(data, bytes):
        return b"\\ud" in data or b"\\uD" in data
    return "\\ud" in data or "\\uD" in data or any("\ud800" <= char <= "\udfff" for char in data)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
