"""What must agree between two programs on one script: structure, names, numbers and order.

Ids, times and each program's own prose (prompt, tool descriptions, error sentences) are replaced by
placeholders that keep whether they are there.
"""

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["entries", "events", "request"]

VOLATILE = {"timestamp", "durationMs"}
HEADERS = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "content-type")


def events(records: Iterable[dict[str, Any]]) -> list[Any]:
    """JSON mode's records. Usage on updates is dropped: the reference's depends on timing."""
    result = []
    ids: dict[str, str] = {}
    for record in records:
        record = dict(record)
        kind = record["type"]
        if kind == "message_update":
            result.append(["update", record["assistantMessageEvent"]])
            continue
        if kind == "tool_execution_update":
            continue  # how often output is reported is a matter of timing
        if kind == "tool_execution_end":
            record["result"] = _result(record["result"], record["isError"])
        if kind == "message_start" and record["message"]["role"] == "assistant":
            # The reference sends the message it is filling, so its state depends on timing.
            record["message"] = "assistant"
        result.append(_value(record, ids))
    return _merged(result)


def _merged(records: list[Any]) -> list[Any]:
    """Ends of tool calls that ran together, in a fixed order: which is first is chance."""
    merged: list[Any] = []
    for record in records:
        merged.append(record)
        at = len(merged) - 1
        while (
            at
            and _kind(merged[at]) == _kind(merged[at - 1]) == "tool_execution_end"
            and merged[at]["toolCallId"] < merged[at - 1]["toolCallId"]
        ):
            merged[at - 1 : at + 1] = merged[at], merged[at - 1]
            at -= 1
    return merged


def _kind(record: Any) -> Any:
    return record.get("type") if isinstance(record, dict) else None


def entries(records: Iterable[dict[str, Any]]) -> list[Any]:
    ids: dict[str, str] = {}
    return [_value(record, ids) for record in records]


def request(recorded: dict[str, Any]) -> Any:
    """A request of the server's log: path, the headers that matter, body."""
    body = recorded["body"]
    headers = {k: v for k, v in recorded["headers"].items() if k in HEADERS}
    plain = {k: _wire(v) for k, v in body.items() if k not in ("system", "tools")}
    if "system" in body:
        plain["system"] = [{**block, "text": "<text>"} for block in body["system"]]
    if "tools" in body:
        plain["tools"] = [_undescribed(tool) for tool in body["tools"]]
    return {"path": recorded["path"], "headers": headers, "body": plain}


def _wire(value: Any) -> Any:
    """A request's messages, with error texts and the system prompt replaced."""
    if isinstance(value, list):
        return [_wire(item) for item in value]
    if isinstance(value, dict):
        if value.get("role") in ("system", "developer"):
            return {**value, "content": "<text>"}
        if value.get("type") == "tool_result" and value.get("is_error"):
            return {**value, "content": "<error>"}
        if value.get("role") == "tool" and _says_error(value["content"]):
            return {**value, "content": "<error>"}
        return {key: _wire(item) for key, item in value.items()}
    return value


def _says_error(content: Any) -> bool:
    text = content if isinstance(content, str) else str(content)
    return bool(re.search(r"not found|not run|not executed|invalid|Validation|exited with", text))


def _undescribed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "<text>" if key == "description" else _undescribed(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_undescribed(item) for item in value]
    return value


def _result(result: dict[str, Any], failed: bool) -> dict[str, Any]:
    result = dict(result)
    if failed:
        result["content"] = "<error>"
        result.pop("structuredContent", None)
    return result


def _message(message: dict[str, Any]) -> dict[str, Any]:
    message = {key: value for key, value in message.items() if key not in VOLATILE}
    if message["role"] == "system":
        sections = message.get("sections")
        message["sections"] = {k: v and "<text>" for k, v in sections.items()} if sections else {}
        message["sections"].pop("docs", None)  # each program points to its own documentation
        message["toolsAdded"] = [_undescribed(tool) for tool in message.get("toolsAdded", [])]
    if message["role"] == "toolResult" and message["isError"]:
        message["content"] = "<error>"
    if "errorMessage" in message:
        message["errorMessage"] = message["errorMessage"][:3] if _is_status(message) else "<error>"
    for block in message["content"] if isinstance(message["content"], list) else []:
        if "argumentsError" in block:
            block["argumentsError"] = "<error>"
    return message


def _is_status(message: dict[str, Any]) -> bool:
    return message["errorMessage"][:3].isdigit()


def _value(value: Any, ids: dict[str, str]) -> Any:
    """Ids by order of appearance, times dropped, messages normalised."""
    if isinstance(value, dict):
        if "role" in value:
            return _message(value)
        return {key: _named(key, item, ids) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_value(item, ids) for item in value]
    return value


def _named(key: str, item: Any, ids: dict[str, str]) -> Any:
    if key in ("id", "parentId", "targetId") and isinstance(item, str):
        return ids.setdefault(item, f"#{len(ids)}")
    if key == "cwd":
        return "<cwd>"
    if key in ("errorMessage", "finalError"):
        return item[:3] if item[:3].isdigit() else "<error>"
    return _value(item, ids)
