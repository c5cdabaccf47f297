"""What must agree between two programs on one script: structure, names, numbers and order.

Ids, times and each program's own prose (prompt, tool descriptions, error sentences) are replaced by
placeholders that keep whether they are there.
"""

import base64
import io
import re
from collections.abc import Iterable
from typing import Any

from PIL import Image

__all__ = ["entries", "events", "prose_results", "request"]

VOLATILE = {"timestamp", "durationMs", "wall_time_seconds", "fullOutputPath", "full_output_path"}
HEADERS = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "content-type")


_NOTICE = re.compile(r"(?<=\n\n)\[[^\n]*\](?:\n\[[^\n]*\])*(?=\n\n|$)")
_TAGGED = re.compile(r"(?<=>)\[[^\]\n]*\](?=</file>)")
_SKILL_NOTE = re.compile(r"(<skill name=[^\n]*>\n)[^\n]*?(/[^\n]*?)\.?\n\n")
_IMAGE_NOTE = re.compile(r"(?:Read image|Image) file (\[\S+\])(?:\n.*)*")


def words(text: str) -> str:
    """A result or prompt with notices replaced: what they say is each program's own."""
    text = _TAGGED.sub("[notice]", _NOTICE.sub("[notice]", text))
    text = re.sub(r"\n\n(?:Exit code: |Command exited with code )(\d+)$", r"\n\n<exit \1>", text)
    text = _IMAGE_NOTE.sub(r"<image \1>", text)
    text = _SKILL_NOTE.sub(r"\1<note \2>\n\n", text)
    if re.fullmatch(r"\[Line 1 is .*\]", text):
        return "[notice]"
    if re.fullmatch(r"No (?:matches|files)\b[^\n]*", text):
        return "<nothing>"
    if re.fullmatch(r"\(.*(?:image|tool).*\)|Image reading is disabled\.|.*[Ii]mage\(s\).*:", text):
        return "<no image>"
    return text


def picture(data: str) -> str:
    """Kind and size of an image: two encoders make different bytes of it."""
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return f"{image.format} {image.width}x{image.height}"


def events(records: Iterable[dict[str, Any]]) -> list[Any]:
    """JSON mode's records. Usage on updates is dropped: the reference's depends on timing."""
    result = []
    ids: dict[str, str] = {}
    for record in records:
        record = dict(record)
        kind = record["type"]
        if kind == "message_update":
            result.append(["update", _value(record["assistantMessageEvent"], {})])
            continue
        if kind == "tool_execution_update":
            continue  # how often output is reported is a matter of timing
        if kind == "tool_execution_end":
            record["result"] = _result(record)
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


def prose_results(records: Iterable[dict[str, Any]]) -> set[str]:
    """The ids of the calls whose results are a program's own words, from session entries."""
    messages = (record["message"] for record in records if record["type"] == "message")
    return {message["toolCallId"] for message in messages if _is_prose(message)}


def _is_prose(message: dict[str, Any]) -> bool:
    """Failures, and the confirmations of the tools that change files."""
    return message["role"] == "toolResult" and (
        message["isError"] or message["toolName"] in ("edit", "write")
    )


def request(recorded: dict[str, Any], prose: set[str]) -> Any:
    """A request of the server's log: path, the headers that matter, body.

    prose: see prose_results.
    """
    body = recorded["body"]
    headers = {k: v for k, v in recorded["headers"].items() if k in HEADERS}
    plain = {k: _wire(v, prose) for k, v in body.items() if k not in ("system", "tools")}
    if "prompt_cache_key" in plain:
        plain["prompt_cache_key"] = "<id>"
    if "system" in body:
        plain["system"] = [{**block, "text": "<text>"} for block in body["system"]]
    if "tools" in body:
        plain["tools"] = [_undescribed(tool) for tool in body["tools"]]
    return {"path": recorded["path"], "headers": headers, "body": plain}


def _wire(value: Any, prose: set[str]) -> Any:
    """A request's messages, with error texts and the system prompt replaced."""
    if isinstance(value, list):
        return [_wire(item, prose) for item in value]
    if isinstance(value, str):
        return words(value)
    if isinstance(value, dict):
        if value.get("type") == "base64":
            return {**value, "data": picture(value["data"])}
        if value.get("type") == "image_url":
            return picture(value["image_url"]["url"].partition(",")[2])
        if value.get("role") in ("system", "developer"):
            return {**value, "content": "<text>"}
        if (value.get("tool_use_id") or value.get("tool_call_id")) in prose:
            return {**value, "content": "<prose>"}
        return {key: _wire(item, prose) for key, item in value.items()}
    return value


def _undescribed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "<text>" if key == "description" else _undescribed(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_undescribed(item) for item in value]
    return value


def _result(ended: dict[str, Any]) -> dict[str, Any]:
    result = dict(ended["result"])
    result["content"] = [_block(block) for block in result["content"]]
    structured = result.get("structuredContent")
    if isinstance(structured, str):
        result["structuredContent"] = words(structured)
    elif isinstance(structured, dict) and structured.get("type") == "image":
        result["structuredContent"] = {
            **_block(structured),
            "note": words(structured["note"]),
        }
    if ended["isError"] or ended["toolName"] in ("edit", "write"):
        result["content"] = "<prose>"
        result.pop("structuredContent", None)
    return result


def _message(message: dict[str, Any]) -> dict[str, Any]:
    message = {key: value for key, value in message.items() if key not in VOLATILE}
    if message["role"] == "system":
        sections = message.get("sections")
        message["sections"] = {k: v and "<text>" for k, v in sections.items()} if sections else {}
        message["sections"].pop("docs", None)  # each program points to its own documentation
        message["toolsAdded"] = [_undescribed(tool) for tool in message.get("toolsAdded", [])]
    if _is_prose(message):
        message["content"] = "<prose>"
    if "errorMessage" in message:
        message["errorMessage"] = message["errorMessage"][:3] if _is_status(message) else "<error>"
    if isinstance(message.get("content"), list):
        message["content"] = [_block(block) for block in message["content"]]
    if "details" in message:
        message["details"] = _value(message["details"], {})
    return message


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") == "text":
        return {**block, "text": words(block["text"])}
    if block.get("type") == "image":
        return {**block, "data": picture(block["data"])}
    return {**block, "argumentsError": "<prose>"} if "argumentsError" in block else block


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
    if key in ("parentSession",):
        return "<path>"
    if key in ("id", "parentId", "targetId") and isinstance(item, str):
        return ids.setdefault(item, f"#{len(ids)}")
    if key == "argumentsError":
        return "<prose>"
    if key == "cwd":
        return "<cwd>"
    if key in ("errorMessage", "finalError"):
        return item[:3] if item[:3].isdigit() else "<error>"
    return _value(item, ids)
