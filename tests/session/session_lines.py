"""Session lines for tests, as short to write as they are to read."""

import json
from pathlib import Path
from typing import Any

SESSION_ID = "01a209b2-1217-75eb-8c8a-d017d3f16216"
TIME = "2026-11-23T18:36:05.000Z"
MILLISECONDS = 1795458965000


def header(**changes: Any) -> dict[str, Any]:
    fields = {"type": "session", "version": 3, "id": SESSION_ID, "timestamp": TIME, "cwd": "/work"}
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def entry(type: str, id: str, parent: str | None, /, **fields: Any) -> dict[str, Any]:
    return {"type": type, "id": id, "parentId": parent, "timestamp": TIME, **fields}


def message(id: str, parent: str | None, role: str, content: Any, **fields: Any) -> dict[str, Any]:
    body = {"role": role, "content": content, "timestamp": 1, **fields}
    return entry("message", id, parent, message=body)


def user(id: str, parent: str | None, text: str | None = None) -> dict[str, Any]:
    return message(id, parent, "user", [{"type": "text", "text": text or id}])


def assistant(id: str, parent: str | None, model: str = "m1", **fields: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": id}]
    return message(
        id, parent, "assistant", content, provider="mock", model=model, stopReason="stop", **fields
    )


def system(id: str, parent: str | None) -> dict[str, Any]:
    return message(id, parent, "system", id)


def compaction(id: str, parent: str | None, first_kept: str, **fields: Any) -> dict[str, Any]:
    summary = fields.pop("summary", f"summary {id}")
    return entry(
        "compaction",
        id,
        parent,
        summary=summary,
        firstKeptEntryId=first_kept,
        tokensBefore=9,
        **fields,
    )


def edit(id: str, parent: str | None, target: str, replacement: Any) -> dict[str, Any]:
    return entry("context_edit", id, parent, targetId=target, replacement=replacement)


def dump(line: Any) -> bytes:
    if isinstance(line, bytes):
        return line
    return json.dumps(line, separators=(",", ":")).encode()


def file_bytes(*lines: Any) -> bytes:
    return b"".join(dump(line) + b"\n" for line in lines)


def write(path: Path, *lines: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_bytes(*lines))
    return path


def parsed(path: Path) -> list[Any]:
    """Every line of a file; fails for one that is no JSON."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
