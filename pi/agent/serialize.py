"""A conversation as text for a model that is to summarise it, and the files it touched.

As text it cannot be mistaken for a conversation to go on with. Thinking is left out; of a long tool
result the beginning is enough.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pi.session.context import to_model_messages
from pi.wire.jsonio import dumps
from pi.wire.messages import AgentMessage, text_of

__all__ = ["Files", "conversation_parts", "with_files", "without_files"]

RESULT_CHARS = 2000
_READING = ("read",)
_CHANGING = ("write", "edit")


@dataclass(frozen=True, slots=True)
class Files:
    """Paths as the calls named them."""

    read: set[str] = field(default_factory=set)
    modified: set[str] = field(default_factory=set)

    def note_calls(self, messages: Iterable[AgentMessage]) -> None:
        """Add what the tool calls of these messages name, and the calls that those made."""
        for message in messages:
            if message["role"] == "assistant":
                for block in message["content"]:
                    if block["type"] == "toolCall":
                        self._note(block["name"], block["arguments"])
            elif message["role"] == "toolResult":
                nested = message.get("nestedCalls")
                for call in nested.get("calls", ()) if isinstance(nested, dict) else ():
                    if isinstance(call, dict):
                        self._note(call.get("name"), call.get("arguments"))

    def _note(self, name: Any, arguments: Any) -> None:
        path = arguments.get("path") if isinstance(arguments, dict) else None
        if not isinstance(path, str):
            return
        if name in _READING:
            self.read.add(path)
        elif name in _CHANGING:
            self.modified.add(path)

    def note_summary(self, entry: Mapping[str, Any] | None) -> None:
        """Add what a compaction or branch summary of ours lists; an extension's is its own."""
        if entry is None or entry.get("fromHook"):
            return
        details = entry.get("details")
        if isinstance(details, dict):
            for key, paths in (("readFiles", self.read), ("modifiedFiles", self.modified)):
                listed = details.get(key)
                if isinstance(listed, list):
                    paths.update(path for path in listed if isinstance(path, str))

    def details(self) -> dict[str, list[str]]:
        """As summaries store them: sorted, a file that was changed only as changed."""
        return {
            "readFiles": sorted(self.read - self.modified),
            "modifiedFiles": sorted(self.modified),
        }


def with_files(summary: str, details: Mapping[str, Sequence[str]]) -> str:
    """The summary, and behind it the lists that are not empty."""
    for key, tag in (("readFiles", "read-files"), ("modifiedFiles", "modified-files")):
        if details[key]:
            paths = "\n".join(details[key])
            summary += f"\n\n<{tag}>\n{paths}\n</{tag}>"
    return summary


def without_files(summary: str) -> str:
    """The summary alone: the lists are kept as data and added again."""
    for tag in ("modified-files", "read-files"):
        head, found, rest = summary.rpartition(f"\n\n<{tag}>\n")
        if found and rest.endswith(f"\n</{tag}>"):
            summary = head
    return summary


def conversation_parts(messages: Iterable[AgentMessage]) -> list[str]:
    """One text for each thing said, called or returned, to be joined by empty lines."""
    parts: list[str] = []
    for message in to_model_messages(messages):
        if message["role"] == "user":
            if text := text_of(message["content"]):
                parts.append(f"[User]: {text}")
        elif message["role"] == "toolResult":
            if text := text_of(message["content"]):
                parts.append(f"[Tool result]: {_shortened(text)}")
        elif message["role"] == "assistant":
            if text := text_of(message["content"]):
                parts.append(f"[Assistant]: {text}")
            calls = [
                f"{block['name']}({_arguments(block['arguments'])})"
                for block in message["content"]
                if block["type"] == "toolCall"
            ]
            if calls:
                parts.append(f"[Assistant tool calls]: {'; '.join(calls)}")
    return parts


def _shortened(text: str) -> str:
    left_out = len(text) - RESULT_CHARS
    if left_out <= 0:
        return text
    return f"{text[:RESULT_CHARS]}\n\n[{left_out} more characters left out]"


def _arguments(arguments: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={dumps(value).decode('utf-8', 'replace')}" for name, value in arguments.items()
    )
