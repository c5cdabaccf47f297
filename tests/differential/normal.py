"""What must agree between two programs on one script: structure, names, numbers and order.

Ids, times and each program's own prose (prompt, tool descriptions, error sentences) are replaced by
placeholders that keep whether they are there.
"""

import base64
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from PIL import Image

__all__ = ["differences", "entries", "events", "prose_results", "request"]

VOLATILE = {"timestamp", "durationMs", "wall_time_seconds", "fullOutputPath", "full_output_path"}
SESSION_HEADERS = {
    "session-id",
    "session_id",
    "x-affinity",
    "x-client-request-id",
    "x-session-affinity",
    "x-session-id",
    "x-opencode-session",
}
HEADERS = {
    "anthropic-beta",
    "anthropic-version",
    "api-key",
    "authorization",
    "cf-aig-authorization",
    "chatgpt-account-id",
    "content-type",
    "openai-beta",
    "openai-intent",
    "originator",
    "x-api-key",
    "x-goog-api-key",
    "x-initiator",
    *SESSION_HEADERS,
}
# Where a request has the result of a tool, and which call it is of.
_RESULTS = ("content", "output")
_RESULT_IDS = ("tool_use_id", "tool_call_id", "toolUseId", "call_id")
_NEW_ID = re.compile(r"(?<=read_)\d{13}_\d+|(?<=pi_tool_load_)\w+")


_NOTICE = re.compile(r"(?<=\n\n)\[[^\n]*\](?:\n\[[^\n]*\])*(?=\n\n|$)")
_TAGGED = re.compile(r"(?<=>)\[[^\]\n]*\](?=</file>)")
_SKILL_NOTE = re.compile(r"(<skill name=[^\n]*>\n)[^\n]*?(/[^\n]*?)\.?\n\n")
_IMAGE_NOTE = re.compile(r"(?:Read image|Image) file (\[\S+\])(?:\n.*)*")


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, a line each."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in {**theirs, **ours}:
            yield from differences(
                theirs.get(key, "(absent)"), ours.get(key, "(absent)"), f"{path}.{key}"
            )
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for place, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(*pair, f"{path}[{place}]")
    elif theirs != ours:
        yield f"{path}: {theirs!r:.400} | {ours!r:.400}"


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
    headers = {k: v for k, v in recorded["headers"].items() if k in HEADERS}
    for name in SESSION_HEADERS & headers.keys():
        headers[name] = "<id>"
    body = {key: _member(key, value, prose) for key, value in recorded["body"].items()}
    return {"path": recorded["path"], "headers": headers, "body": body}


def _member(key: str, value: Any, prose: set[str]) -> Any:
    """A member of a request's body: what is a program's own prose is replaced."""
    if key in ("prompt_cache_key", "sessionId"):
        return "<id>"
    if key in ("system", "systemInstruction", "instructions"):
        return _unsaid(value)
    if key in ("tools", "toolConfig"):
        return _undescribed(value)
    return _wire(value, prose)


def _unsaid(value: Any) -> Any:
    """A system prompt in any form, its text replaced."""
    if isinstance(value, dict):
        return {key: "<text>" if key == "text" else _unsaid(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_unsaid(part) for part in value]
    return "<text>" if isinstance(value, str) and len(value) > 20 else value


def _wire(value: Any, prose: set[str]) -> Any:
    """A request's messages, with error texts and the system prompt replaced."""
    if isinstance(value, list):
        return [_wire(item, prose) for item in value]
    if isinstance(value, str):
        return _NEW_ID.sub("<new id>", words(value))
    if not isinstance(value, dict):
        return value
    if value.get("type") == "base64" or "mimeType" in value:
        return {**value, "data": picture(value["data"])}
    if "bytes" in value:
        return picture(value["bytes"])
    if "image_url" in value:
        image = value["image_url"]
        url = image["url"] if isinstance(image, dict) else image
        return {**value, "image_url": picture(url.partition(",")[2])}
    if value.get("type") == "additional_tools":
        return _undescribed(value)
    if value.get("role") in ("system", "developer") and "content" in value:
        return {**value, "content": _unsaid(value["content"])}
    # Of the two ids that Responses keep in one, a result names the first.
    calls = {call.partition("|")[0] for call in prose} | prose
    if any(value.get(key) in calls for key in _RESULT_IDS):
        return {key: "<prose>" if key in _RESULTS else item for key, item in value.items()}
    if (value.get("name") in ("edit", "write") and "response" in value) or "error" in value:
        return {**value, **dict.fromkeys({"response", "error"} & value.keys(), "<prose>")}
    return {key: _wire(item, prose) for key, item in value.items()}


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
        message["errorMessage"] = _status(message["errorMessage"])
    if isinstance(message.get("content"), list):
        message["content"] = [_block(block) for block in message["content"]]
    for key in ("details", "diagnostics"):
        if key in message:
            message[key] = _value(message[key], {})
    return message


def _block(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") == "text":
        return {**block, "text": words(block["text"])}
    if block.get("type") == "image":
        return {**block, "data": picture(block["data"])}
    return {**block, "argumentsError": "<prose>"} if "argumentsError" in block else block


def _status(text: str) -> str:
    """An error's text, reduced to the status that it names."""
    found = re.search(r"\b[45]\d\d\b", text)
    return found[0] if found else "<error>"


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
        return _status(item)
    return _value(item, ids)
