"""What the tree navigator knows of entries: their kind without decoding, their text with it.

Only what is on the screen is decoded. The kind of all entries is told by the first bytes of their
lines; where those are unusual, and of answers that begin with thinking, by more of them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pi.models.listing import short_count
from pi.modes.interactive.faults import fault_text
from pi.modes.interactive.sanitize import clean_line
from pi.session.history import History
from pi.session.reader import decode
from pi.wire.messages import text_of

__all__ = ["FILTERS", "Filter", "TreeEntries"]

Filter = Literal["default", "no-tools", "user-only", "labeled-only", "all"]
FILTERS: tuple[Filter, ...] = ("default", "no-tools", "user-only", "labeled-only", "all")

HEAD = 400
"""Bytes of a line that tell its kind, usually."""

SHOWN = 400
"""Characters of a text that may be shown: more than any terminal is wide."""

_HIDDEN, _SAID, _USER, _TOOL, _SILENT = range(5)
"""Bookkeeping; what belongs to the conversation; of the user; results; answers without text."""

_ROLE = re.compile(rb'"message":\{"role":"([A-Za-z]+)"')
_KINDS = {b"user": _USER, b"toolResult": _TOOL, b"assistant": _SILENT}
_SPOKEN_TYPES = frozenset({"compaction", "branch_summary", "custom_message"})
_TEXT = b'"type":"text"'
_ENDED = (b'"stopReason":"error"', b'"stopReason":"aborted"')

_DETAILS = ("command", "path", "file_path", "pattern", "query", "url", "name")
"""Arguments that say the most about a call, the first of them that there is."""


class TreeEntries:
    """The entries of a session. Follows it as it grows: call `refresh` then."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.index = history.index()
        self._kinds = bytearray()
        self._labels: dict[str, tuple[str, str]] = {}
        self._entries: dict[int, dict[str, Any]] = {}
        self._calls: dict[str, str] = {}
        self.refresh()

    def __len__(self) -> int:
        return len(self._kinds)

    def refresh(self) -> None:
        self.index = self._history.index()
        for row in range(len(self._kinds), len(self.index)):
            self._kinds.append(self._kind(row))
        self._labels = self._read_labels()

    def visible(self, wanted: Filter, leaf: int | None) -> bytearray:
        """1 for each row that a filter leaves. leaf: where the session goes on."""
        hidden: tuple[int, ...]
        match wanted:
            case "labeled-only":
                shown = bytearray(len(self))
                for target in self._labels:
                    if (row := self.index.row(target)) is not None:
                        shown[row] = 1
                return shown
            case "all":
                hidden = ()
            case "user-only":
                hidden = (_HIDDEN, _SAID, _TOOL, _SILENT)
            case "no-tools":
                hidden = (_HIDDEN, _TOOL, _SILENT)
            case _:
                hidden = (_HIDDEN, _SILENT)
        table = bytes(0 if kind in hidden else 1 for kind in range(256))
        shown = self._kinds.translate(table)
        if wanted != "user-only" and leaf is not None and self._kinds[leaf] == _SILENT:
            shown[leaf] = 1
        return shown

    def label(self, row: int) -> tuple[str, str] | None:
        """The label on an entry, and when it was set (ISO 8601)."""
        return self._labels.get(self.index.id(row))

    def entry(self, row: int) -> dict[str, Any]:
        """{} for a damaged one."""
        found = self._entries.get(row)
        if found is None:
            if len(self._entries) > 2000:
                self._entries.clear()
            found = self._entries[row] = decode(self._line(row)) or {}
        return found

    def describe(self, row: int) -> tuple[str, str, str]:
        """(who or what, its text, token of the theme); the text may be empty."""
        entry = self.entry(row)
        kind = entry.get("type")
        message = entry.get("message")
        if kind == "message" and isinstance(message, dict):
            return self._describe_message(row, message)
        describe = _OTHERS.get(kind) if isinstance(kind, str) else None
        if not entry or describe is None:
            return f"[{clean_line(self.index.type(row)) or 'damaged'}]", "", "dim"
        what, text = describe(entry)
        token = "customMessageLabel" if kind in _SPOKEN_TYPES else "dim"
        return f"[{_short(what)}]" + (":" if text else ""), _short(text), token

    def copied(self, row: int) -> str:
        """The whole text of an entry, as something else may want it; empty for none."""
        entry = self.entry(row)
        message = entry.get("message")
        source = message if isinstance(message, dict) else entry
        for key in ("command", "content", "summary"):
            value = source.get(key)
            if isinstance(value, str):
                return value
            if isinstance(value, list):
                return _text(value)
        return ""

    def words(self, row: int) -> str:
        """What a search looks at, in lower case: what is shown, and all that was said."""
        label = self.label(row)
        what, text, _ = self.describe(row)
        if self._kinds[row] in (_USER, _SAID, _SILENT):
            text = self.copied(row)
        return f"{label[0] if label else ''} {what} {text}".casefold()

    def _describe_message(self, row: int, message: Mapping[str, Any]) -> tuple[str, str, str]:
        role = message.get("role")
        text = _short(_text(message.get("content")))
        match role:
            case "user":
                return "user:", text or "(no text)", "accent"
            case "assistant":
                if not text:
                    reason = message.get("stopReason")
                    error = message.get("errorMessage")
                    text = "(aborted)" if reason == "aborted" else _calls_text(message)
                    if reason == "error":
                        text = (
                            f"(failed: {_short(fault_text(str(error)))})" if error else "(failed)"
                        )
                return "assistant:", text, "success"
            case "toolResult":
                call = self._call(row, message)
                failed = bool(message.get("isError"))
                return f"[{call}]", "(failed)" if failed else "", "error" if failed else "muted"
            case "bashExecution":
                return "[bash]:", _short(str(message.get("command", ""))), "bashMode"
            case "custom":
                return f"[{_short(str(message.get('customType', 'custom')))}]:", text, "muted"
            case _:
                return f"[{_short(str(role))}]", "", "muted"

    def _call(self, row: int, message: Mapping[str, Any]) -> str:
        """The call that a result answers: `read: a.txt`."""
        name, call_id = message.get("toolName"), message.get("toolCallId")
        name = _short(name) if isinstance(name, str) else "tool"
        if not isinstance(call_id, str):
            return name
        if call_id not in self._calls:
            self._calls[call_id] = name
            for steps, above in enumerate(self.index.up(row)):
                if steps > 64:
                    break  # results follow their call closely
                if self._kinds[above] in (_SILENT, _SAID) and self._take_calls(above, call_id):
                    break
        return self._calls[call_id]

    def _take_calls(self, row: int, wanted: str) -> bool:
        """Note the calls of an answer; whether the wanted one is among them."""
        message = self.entry(row).get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, list):
            return False
        found = False
        for block in content:
            if isinstance(block, dict) and block.get("type") == "toolCall":
                call_id = block.get("id")
                if isinstance(call_id, str):
                    self._calls[call_id] = _call_text(block)
                    found = found or call_id == wanted
        return found

    def _kind(self, row: int) -> int:
        kind = self.index.type(row)
        if kind != "message":
            return _SAID if kind in _SPOKEN_TYPES else _HIDDEN
        start, end = self.index.span(row)
        head = self._history.source.read(start, min(end, start + HEAD))
        match = _ROLE.search(head)
        if match is None:
            message = (decode(self._line(row)) or {}).get("message")
            role = str(message.get("role", "")) if isinstance(message, dict) else ""
            found = _KINDS.get(role.encode(errors="replace"), _SAID)
        else:
            found = _KINDS.get(match[1], _SAID)
        if found != _SILENT:
            return found
        if _TEXT not in head:
            line = self._line(row)
            if _TEXT not in line and not any(ended in line for ended in _ENDED):
                spoken = _text((decode(line) or {}).get("message", {}).get("content"))
                return _SAID if spoken.strip() else _SILENT
        return _SAID

    def _line(self, row: int) -> bytes:
        return self._history.source.read(*self.index.span(row))

    def _read_labels(self) -> dict[str, tuple[str, str]]:
        labels: dict[str, tuple[str, str]] = {}
        for row in self.index.of_type("label"):
            entry = self.entry(row)
            target, label, time = (entry.get(key) for key in ("targetId", "label", "timestamp"))
            if isinstance(target, str):
                labels.pop(target, None)
                if isinstance(label, str) and label:
                    labels[target] = (label, time if isinstance(time, str) else "")
        return labels


def _text(content: Any) -> str:
    """Of a message, whatever is in there."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    blocks = [
        block
        for block in content
        if isinstance(block, dict)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    ]
    return text_of(blocks)


def _short(text: str) -> str:
    return " ".join(clean_line(text[: SHOWN * 2]).split())[:SHOWN]


def _calls_text(message: Mapping[str, Any]) -> str:
    """What an answer without words wants: `(read: a.txt, bash: ls)`."""
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    calls = [
        _call_text(block)
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "toolCall"
    ]
    return f"({', '.join(calls) or 'no text'})"


def _call_text(block: Mapping[str, Any]) -> str:
    name = str(block.get("name", "tool"))
    arguments = block.get("arguments")
    if isinstance(arguments, dict):
        for key in _DETAILS:
            value = arguments.get(key)
            if isinstance(value, str) and value:
                return _short(f"{name}: {value}")
    return _short(name)


def _compaction(entry: Mapping[str, Any]) -> str:
    tokens = entry.get("tokensBefore")
    return f"compaction: {short_count(tokens)} tokens" if isinstance(tokens, int) else "compaction"


_OTHERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "compaction": lambda entry: (_compaction(entry), str(entry.get("summary") or "")),
    "branch_summary": lambda entry: ("branch summary", str(entry.get("summary") or "")),
    "custom_message": lambda entry: (
        str(entry.get("customType") or "custom"),
        _text(entry.get("content")),
    ),
    "model_change": lambda entry: (f"model: {entry.get('modelId')}", ""),
    "thinking_level_change": lambda entry: (f"thinking: {entry.get('thinkingLevel')}", ""),
    "label": lambda entry: (f"label: {entry.get('label') or '(removed)'}", ""),
    "session_info": lambda entry: (f"name: {entry.get('name') or '(removed)'}", ""),
    "custom": lambda entry: (f"custom: {entry.get('customType')}", ""),
    "usage": lambda entry: (f"usage: {entry.get('kind')}", ""),
    "context_edit": lambda entry: ("context edit", ""),
}
