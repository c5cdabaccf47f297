"""Whether what extensions give can be stored and sent: a fault of theirs must not end a run."""

import re
from collections.abc import Mapping
from typing import Any

from pi.wire.jsonio import dumps

__all__ = [
    "content_problem",
    "headers_problem",
    "json_problem",
    "messages_problem",
    "shown",
]

_ROLES = frozenset(
    {
        *("system", "user", "assistant", "toolResult"),
        *("bashExecution", "custom", "branchSummary", "compactionSummary"),
    }
)
_BLOCKS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("data", "mimeType"),
    "thinking": ("thinking",),
    "toolCall": ("id", "name"),
}

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def json_problem(value: Any) -> str | None:
    """Why JSON cannot hold it."""
    try:
        dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return None


def content_problem(content: Any, *, text: bool = False) -> str | None:
    """Why it is no content of a message. text: whether plain text is one, too."""
    if text and isinstance(content, str):
        return None
    if not isinstance(content, list | tuple):
        return f"content is a list of blocks, not {content!r:.60}"
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or kind not in _BLOCKS:
            return f"{shown(block)} is no block of content"
        for key in _BLOCKS[kind]:
            if not isinstance(block.get(key), str):
                return f"a {kind} block needs {key}"
    return json_problem(content)


def messages_problem(messages: Any) -> str | None:
    """Why these are no messages of a conversation."""
    if not isinstance(messages, list):
        return f"messages are a list, not {type(messages).__name__}"
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            return f"{shown(message)} is no message"
        if role in ("user", "assistant", "toolResult", "custom", "system"):
            plain = role in ("user", "custom", "system")
            problem = content_problem(message.get("content"), text=plain)
            if problem is not None:
                return f"in a message of role {role}: {problem}"
        if role == "toolResult" and not isinstance(message.get("toolCallId"), str):
            return "a toolResult needs toolCallId"
    return None


def headers_problem(headers: Any) -> str | None:
    """Why these are no headers."""
    if not isinstance(headers, Mapping):
        return f"headers are a dict, not {shown(headers)}"
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str | None):
            return f"header {name!r:.60} is {value!r:.60}, and should be text or None"
        if not _HEADER_NAME.fullmatch(name):
            return f"{name!r:.60} is no name of a header"
        if value is not None and _NOT_IN_HEADER.search(value):
            return f"the value of header {name!r:.60} holds characters that HTTP cannot carry"
    return None


def shown(value: object) -> str:
    """A wrong answer, in a line."""
    try:
        return f"{value!r:.80}"
    except Exception:  # noqa: BLE001  (code of others)
        return f"an object of type {type(value).__name__}"
