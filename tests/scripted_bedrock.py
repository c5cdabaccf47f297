"""A turn of a script as Bedrock's ConverseStream answers it: events in binary frames.

Frame: total and header lengths, their CRC, headers, payload, CRC of all that (big endian).
Source: the public description of the event stream encoding.
"""

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any
from zlib import crc32

__all__ = ["bedrock_events", "frame"]

_STOPS = {"stop": "end_turn", "toolUse": "tool_use", "length": "max_tokens"}


def frame(payload: bytes, **headers: str) -> bytes:
    """One message. headers: without their colon, "_" for "-"."""
    head = b""
    for name, value in headers.items():
        key, data = b":" + name.replace("_", "-").encode(), value.encode()
        head += bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(data)) + data
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return message + struct.pack(">I", crc32(message))


def bedrock_events(turn: dict[str, Any]) -> Iterator[bytes]:
    """The frames. A turn's `events` are `{"kind": {…}}`, or `{"exception": kind, …}`."""
    for event in turn["events"] if "events" in turn else _events(turn):
        if "exception" in event:
            kind = event["exception"]
            body = {key: value for key, value in event.items() if key != "exception"}
            yield frame(
                json.dumps(body).encode(),
                exception_type=kind,
                content_type="application/json",
                message_type="exception",
            )
            continue
        ((kind, data),) = event.items()
        yield frame(
            json.dumps({**data, "p": "abcdefghij"}, ensure_ascii=False).encode(),
            event_type=kind,
            content_type="application/json",
            message_type="event",
        )


def _events(turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"messageStart": {"role": "assistant"}}
    for index, block in enumerate(turn["blocks"]):
        at = {"contentBlockIndex": index}
        if "tool" in block:
            start = {"toolUse": {"toolUseId": block["id"], "name": block["tool"]}}
            yield {"contentBlockStart": {**at, "start": start}}
        for delta in _deltas(block, turn):
            yield {"contentBlockDelta": {**at, "delta": delta}}
        yield {"contentBlockStop": at}
    stop = turn["raw_stop"] if "raw_stop" in turn else _STOPS[turn.get("stop", "stop")]
    if stop is not None:
        yield {"messageStop": {"stopReason": stop}}
    usage = turn.get("usage", {})
    if usage is not None:
        yield {"metadata": {"usage": _usage(usage), "metrics": {"latencyMs": 7}}}


def _deltas(block: dict[str, Any], turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "text" in block:
        yield from ({"text": piece} for piece in _pieces(block["text"], turn))
    elif "redacted" in block:
        yield {"reasoningContent": {"redactedContent": block["redacted"]}}
    elif "thinking" in block:
        yield from (
            {"reasoningContent": {"text": piece}} for piece in _pieces(block["thinking"], turn)
        )
        if signature := block.get("signature", base64.b64encode(b"sig").decode()):
            yield {"reasoningContent": {"signature": signature}}
    else:
        text = block["args_text"] if "args_text" in block else json.dumps(block["args"])
        yield from ({"toolUse": {"input": piece}} for piece in _pieces(text, turn))


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    counts = {
        "inputTokens": usage.get("input", 10),
        "outputTokens": usage.get("output", 5),
        "cacheReadInputTokens": usage.get("cacheRead", 0),
        "cacheWriteInputTokens": usage.get("cacheWrite", 0),
    }
    if "cacheWrite1h" in usage:
        details = [
            {"ttl": "1h", "inputTokens": usage["cacheWrite1h"]},
            {"ttl": "5m", "inputTokens": usage.get("cacheWrite", 0) - usage["cacheWrite1h"]},
        ]
        counts["cacheDetails"] = details
    return {**counts, "totalTokens": sum(v for v in counts.values() if isinstance(v, int))}


def _pieces(text: str, turn: dict[str, Any]) -> Iterator[str]:
    size = turn.get("piece", 12)
    for at in range(0, len(text), size):
        yield text[at : at + size]
