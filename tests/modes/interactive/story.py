"""A conversation with a bit of everything, as messages and as the events that lead to them."""

import base64
from collections.abc import Iterator
from typing import Any

from pi.tools.diff import diff

__all__ = ["CWD", "MESSAGES", "events"]

CWD = "/home/me/work"

_OLD = (
    "def load(path):\n    entries = []\n    for line in open(path):\n        entries.append(line)\n"
)
_NEW = _OLD.replace("open(path)", "path.open()")
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
_ANSWER = """## What was wrong

The reader decoded **every line**, although only the *tail* is needed. I changed `load` so that it:

1. reads backwards in blocks of 64 KB,
2. stops where the last compaction begins, see [the format](https://example.com/session.md),
3. decodes only those lines.

| Size | Before | After |
|---|--:|--:|
| 135 MB | 9,800 ms | 31 ms |
| 1.36 GB | out of memory | 33 ms |

```python
def tail(path):
    return [decode(line) for line in backwards(path)]  # newest first
```

> Nothing is written while reading.

- [x] tests pass
- [ ] benchmark on a network drive
"""


def _call(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "toolCall", "id": f"call_{number}", "name": name, "arguments": arguments}


def _answer(*content: dict[str, Any], stop: str = "toolUse", **more: Any) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": list(content),
        "api": "demo",
        "provider": "demo",
        "model": "demo",
        "usage": {},
        "stopReason": stop,
        "timestamp": 0,
        **more,
    }


def _result(number: int, name: str, text: str, *, failed: bool = False, **more: Any) -> Any:
    return {
        "role": "toolResult",
        "toolCallId": f"call_{number}",
        "toolName": name,
        "content": [{"type": "text", "text": text}],
        "isError": failed,
        "timestamp": 0,
        **more,
    }


MESSAGES: list[Any] = [
    {
        "role": "user",
        "content": "Please find out why resume is slow for large sessions,\nand fix it.",
        "timestamp": 0,
    },
    _answer(
        {"type": "thinking", "thinking": "I should look at the **reader** first, then measure."},
        {"type": "text", "text": "Let me look at how sessions are read."},
        _call(1, "read", path=f"{CWD}/pi/session/reader.py", offset=1, limit=80),
        _call(2, "read", path="README.md"),
        _call(3, "grep", pattern="json\\.loads", path="pi/session", glob="*.py"),
        _call(4, "find", pattern="**/*.jsonl", path="."),
        _call(5, "ls", path="pi"),
    ),
    _result(1, "read", "\n".join(f"line {n}" for n in range(80))),
    _result(2, "read", "one line"),
    _result(3, "grep", "\n".join(f"reader.py:{n}: json.loads(line)" for n in range(3, 40, 6))),
    _result(4, "find", "a.jsonl\nb.jsonl"),
    _result(5, "ls", "agent/\ncli/\nsession/\ntools/\n__init__.py\nerrors.py"),
    _answer(_call(6, "bash", command="python -m pytest -q tests/session", timeout=120)),
    _result(
        6,
        "bash",
        "\n".join(f"tests/session/test_{n}.py \x1b[32m....\x1b[0m" for n in range(12))
        + "\n\x1b[31mFAILED\x1b[0m test_reader.py\n1 failed, 88 passed in 4.21s\n\nExit code: 1",
        failed=True,
        durationMs=4600,
    ),
    _answer(
        _call(7, "edit", path="pi/session/reader.py", edits=[{"oldText": "a", "newText": "b"}]),
        _call(
            8,
            "write",
            path="tests/test_new.py",
            content="import pytest\n\n\ndef test_it():\n    assert 1 + 1 == 2  # obvious\n",
        ),
        _call(9, "mcp_search", query="prefix sums", limit=5),
    ),
    _result(
        7,
        "edit",
        "Applied 1 edit",
        details={"diff": diff("x", _OLD, _NEW).display, "patch": ""},
    ),
    _result(8, "write", "Wrote 68 bytes"),
    _result(9, "mcp_search", "no such server\x1b[2J", failed=True),
    _answer({"type": "text", "text": _ANSWER}, stop="stop"),
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Thanks! What does this picture show?"},
            {"type": "image", "mimeType": "image/png", "data": base64.b64encode(_PNG).decode()},
        ],
        "timestamp": 0,
    },
    {
        "role": "bashExecution",
        "command": "git status --short",
        "output": " M pi/session/reader.py\n?? tests/test_new.py\n",
        "cancelled": False,
        "truncated": False,
        "exitCode": 0,
        "timestamp": 0,
    },
    {
        "role": "compactionSummary",
        "summary": "We fixed **resume**.",
        "tokensBefore": 123_456,
        "timestamp": 0,
    },
    {
        "role": "branchSummary",
        "summary": "Another way was tried.",
        "fromId": None,
        "timestamp": 0,
    },
    {
        "role": "custom",
        "customType": "reminder",
        "content": "Stand up and walk a bit.",
        "display": True,
        "timestamp": 0,
    },
    _answer(
        {"type": "text", "text": "It is a"}, stop="error", errorMessage="529: the model is busy"
    ),
]


def events(size: int = 7) -> Iterator[dict[str, Any]]:
    """What an agent would say of it, answers in pieces of so many characters."""
    for message in MESSAGES:
        if message["role"] != "assistant":
            if message["role"] == "toolResult":
                yield {
                    "type": "tool_execution_end",
                    "toolCallId": message["toolCallId"],
                    "toolName": message["toolName"],
                    "result": {
                        key: message[key] for key in ("content", "details") if key in message
                    },
                    "isError": message["isError"],
                    **({"durationMs": message["durationMs"]} if "durationMs" in message else {}),
                }
            yield {"type": "message_start", "message": message}
            yield {"type": "message_end", "message": message}
            continue
        yield {"type": "message_start", "message": {**message, "content": []}}
        for index, content in enumerate(message["content"]):
            for event in _stream(index, content, size):
                yield {"type": "message_update", "usage": {}, "assistantMessageEvent": event}
        yield {"type": "message_end", "message": message}
        for content in message["content"]:
            if content["type"] == "toolCall":
                yield {
                    "type": "tool_execution_start",
                    "toolCallId": content["id"],
                    "toolName": content["name"],
                    "args": content["arguments"],
                }
    yield {"type": "agent_settled", "aborted": False}


def _stream(index: int, content: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    import json

    at = {"contentIndex": index}
    if content["type"] == "toolCall":
        yield {"type": "toolcall_start", **at, "id": content["id"], "toolName": content["name"]}
        written = json.dumps(content["arguments"])
        for start in range(0, len(written), size):
            yield {"type": "toolcall_delta", **at, "delta": written[start : start + size]}
        yield {"type": "toolcall_end", **at, "toolCall": content}
        return
    kind = content["type"]
    yield {"type": f"{kind}_start", **at}
    for start in range(0, len(content[kind]), size):
        yield {"type": f"{kind}_delta", **at, "delta": content[kind][start : start + size]}
    yield {"type": f"{kind}_end", **at, "content": content[kind]}
