"""What is shown of a provider's error: its words, out of the JSON that they came in."""

import re
from typing import Any

from pi.wire.jsonio import loads

__all__ = ["fault_text"]

# Compiled by `re` when something has failed.
_ANSWER = r"(?s)(\d{3} )?\s*(\{.*\})\s*"


def fault_text(error: str) -> str:
    """ "400 invalid_request_error: …" for a status and a body of JSON; else what was given."""
    found = re.fullmatch(_ANSWER, error)
    if found is None:
        return error
    try:
        body = loads(found[2])
    except ValueError:
        return error
    inner: Any = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(inner, str):
        inner = {"message": inner}
    if not isinstance(inner, dict) or not isinstance(text := inner.get("message"), str) or not text:
        return error
    kind = inner.get("type") or inner.get("status") or inner.get("code")
    named = isinstance(kind, str) and kind not in text and kind != "error"
    return (found[1] or "") + (f"{kind}: " if named else "") + text
