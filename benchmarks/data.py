"""Seeded data: the same arguments give the same bytes."""

import random
import re
from pathlib import Path
from typing import Any

import orjson

__all__ = ["sse_stream", "write_session", "write_sessions"]

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


def write_sessions(
    root: Path, count: int, size: int, *, folders: int = 40
) -> tuple[int, list[str]]:
    """`count` sessions of about `size` bytes together, as `folders` projects leave them.

    Returns the bytes, and the words in them, the most frequent first.

    Their lengths differ as real ones do: most are short, a few hold most of the bytes. Words are
    as frequent as in a language (Zipf), so that a search finds few texts or many.
    """
    source = random.Random(count)
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    vocabulary = ["".join(source.choices(letters, k=source.randint(2, 10))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    pool = source.choices((*vocabulary[:-9], *ODD), weights, k=400_000)
    lengths = [source.paretovariate(1.2) for _ in range(count)]
    scale = size / sum(lengths)
    written = 0
    for number, length in enumerate(lengths):
        project = f"/home/someone/project{number % folders}"
        folder = root / f"-{project.replace('/', '-')}--"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}-00-00-000Z"
        session = f"{number:08x}-0000-7000-8000-{count:012x}"
        path = folder / f"{stamp}_{session}.jsonl"
        written += _write_talk(path, source, pool, session, project, int(length * scale))
    return written, vocabulary[:-9]


def _write_talk(
    path: Path, source: random.Random, pool: list[str], session: str, cwd: str, size: int
) -> int:
    """One session of at least `size` bytes, ten texts at least."""

    def passage(words: int) -> str:
        at = source.randrange(len(pool) - words)
        return " ".join(pool[at : at + words])

    usage = {"input": 1500, "output": 300, "cacheRead": 20000, "cacheWrite": 300}
    usage |= {"totalTokens": 22100, "cost": dict.fromkeys(("input", "output", "total"), 0.01)}  # type: ignore[dict-item]
    began = EPOCH + source.randrange(10**10)
    stamp = "2026-01-01T00:00:00.000Z"
    lines: list[bytes] = []
    header = {"type": "session", "version": 3, "id": session, "timestamp": stamp, "cwd": cwd}
    lines.append(orjson.dumps(header) + b"\n")
    parent: str | None = None
    number = 0
    total = 0
    while total < size or number < 10:
        message: dict[str, Any]
        if number % 3 == 0:
            content = [{"type": "text", "text": passage(source.choice([8, 20, 120]))}]
            message = {"role": "user", "content": content}
        elif number % 3 == 1:
            content = [
                {"type": "thinking", "thinking": passage(100), "thinkingSignature": "c2ln" * 40},
                {"type": "text", "text": passage(source.choice([20, 60, 250]))},
                {
                    "type": "toolCall",
                    "id": f"c{number}",
                    "name": "read",
                    "arguments": {"path": "a"},
                },  # type: ignore[dict-item]
            ]
            message = {"role": "assistant", "content": content, "api": "anthropic-messages"}
            message |= {"provider": "mock", "model": "m1", "usage": usage, "stopReason": "toolUse"}
        else:
            text = passage(source.choice([20, 100, 400, 1500, 1500, 5000]))
            message = {"role": "toolResult", "toolCallId": f"c{number - 1}", "toolName": "read"}
            message |= {"content": [{"type": "text", "text": text}], "isError": False}
        message["timestamp"] = began + number * 1000
        entry_id = f"{number:08x}"
        entry = {"type": "message", "id": entry_id, "parentId": parent, "timestamp": stamp}
        lines.append(orjson.dumps({**entry, "message": message}) + b"\n")
        total += len(lines[-1])
        parent = entry_id
        number += 1
    return path.write_bytes(b"".join(lines))
