"""Seeded data: the same arguments give the same bytes."""

import random
import re
from pathlib import Path
from typing import Any

import orjson

__all__ = ["sse_stream", "write_session"]

PLAIN = "branch buffer cache chunk class cursor delta error file index line merge model queue token"
ODD = ("naïve", "über", "漢字", "данные", "🙂", '"quoted"', "back\\slash", "tab\t", "a\u2028b")
WORDS = (*re.findall(r"\w+", PLAIN), *ODD)

EPOCH = 1_760_000_000_000


def _text(source: random.Random, size: int) -> str:
    words = source.choices(WORDS, k=max(1, size // 7))
    return " ".join(words)


def write_session(path: Path, entries: int, cwd: Path, *, compact_every: int = 150) -> int:
    """A conversation of user, assistant and tool result messages, about 4.5 KB an entry, with a
    compaction every so often, as a session of that length has; the bytes written."""
    source = random.Random(entries)
    dumps = orjson.dumps
    usage = {"input": 1500, "output": 300, "cacheRead": 20000, "cacheWrite": 300}
    usage |= {"totalTokens": 22100, "cost": dict.fromkeys(("input", "output", "cacheRead"), 0.01)}
    usage["cost"] |= {"cacheWrite": 0.01, "total": 0.04}  # type: ignore[operator]
    # Long texts are cut from one pool: making them word by word would take minutes.
    pool = _text(source, 1 << 20)

    def passage(size: int) -> str:
        at = source.randrange(len(pool) - size)
        return pool[at : at + size]

    parent: str | None = None
    recent: list[str] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:

        def put(kind: str, number: int, **rest: Any) -> None:
            nonlocal parent
            entry_id = f"{number:08x}"
            seconds = EPOCH // 1000 + number
            stamp = f"2026-01-{1 + number // 86400 % 28:02d}T00:00:00.000Z"
            entry = {"type": kind, "id": entry_id, "parentId": parent, "timestamp": stamp, **rest}
            if kind == "message":
                rest["message"]["timestamp"] = seconds * 1000
            out.write(dumps(entry) + b"\n")
            parent = entry_id
            recent.append(entry_id)
            del recent[:-30]

        header = {
            "type": "session",
            "version": 3,
            "id": f"00000000-0000-7000-8000-{entries:012x}",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "cwd": str(cwd),
        }
        out.write(dumps(header) + b"\n")
        put("model_change", 1, provider="mock", modelId="m1")
        put("thinking_level_change", 2, thinkingLevel="off")
        for number in range(3, entries):
            if number % compact_every == 0:
                put(
                    "compaction",
                    number,
                    summary=passage(3000),
                    firstKeptEntryId=recent[-12],
                    tokensBefore=150_000,
                )
                continue
            step = number % 3
            if step == 0:
                content: list[dict[str, Any]] = [{"type": "text", "text": passage(400)}]
                put("message", number, message={"role": "user", "content": content})
            elif step == 1:
                content = [
                    {
                        "type": "thinking",
                        "thinking": passage(800),
                        "thinkingSignature": "c2ln" * 40,
                    },
                    {"type": "text", "text": passage(1200)},
                    {
                        "type": "toolCall",
                        "id": f"call_{number}",
                        "name": "read",
                        "arguments": {"path": f"src/file{number}.py"},
                    },
                ]
                put(
                    "message",
                    number,
                    message={
                        "role": "assistant",
                        "content": content,
                        "api": "anthropic-messages",
                        "provider": "mock",
                        "model": "m1",
                        "usage": usage,
                        "stopReason": "toolUse",
                    },
                )
            else:
                size = source.choice([60, 400, 2000, 9000, 9000, 30000])
                put(
                    "message",
                    number,
                    message={
                        "role": "toolResult",
                        "toolCallId": f"call_{number - 1}",
                        "toolName": "read",
                        "content": [{"type": "text", "text": passage(size)}],
                        "isError": False,
                    },
                )
    return path.stat().st_size


def sse_stream(deltas: int, per_chunk: int = 50) -> list[bytes]:
    """A Messages API answer of that many text deltas, as chunks of a network body."""

    def event(data: dict[str, Any]) -> bytes:
        return b"event: " + data["type"].encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"

    usage = {"input_tokens": 10, "output_tokens": 1}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": usage}
    events = [
        event({"type": "message_start", "message": {**start, "model": "m1"}}),
        event(
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            }
        ),
    ]
    source = random.Random(deltas)
    for _ in range(deltas):
        delta = {"type": "text_delta", "text": source.choice(WORDS) + " "}
        events.append(event({"type": "content_block_delta", "index": 0, "delta": delta}))
    events += [
        event({"type": "content_block_stop", "index": 0}),
        event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": deltas},
            }
        ),
        event({"type": "message_stop"}),
    ]
    return [b"".join(events[at : at + per_chunk]) for at in range(0, len(events), per_chunk)]
