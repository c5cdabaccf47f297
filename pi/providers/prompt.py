"""System messages replayed: the prompt and the tools as they stand at the end of a conversation.

For APIs that take one system prompt beside the conversation. Later system messages patch the
first: a section is replaced in its place, added at the end or (None) removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pi.wire.messages import AgentMessage, SystemMessage, ToolDeclaration, text_of

__all__ = ["Prompt", "fold"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """text: free text, then sections, a blank line between; "" for none. tools: in force."""

    text: str
    tools: tuple[ToolDeclaration, ...]


def fold(messages: Sequence[AgentMessage]) -> Prompt:
    """What all system messages among `messages` amount to."""
    sections: dict[str, str] = {}
    texts: list[str] = []
    tools: dict[str, ToolDeclaration] = {}
    for message in messages:
        if message["role"] == "system":
            _patch(message, sections, texts, tools)
    return Prompt("\n\n".join([*texts, *sections.values()]), tuple(tools.values()))


def _patch(
    message: SystemMessage,
    sections: dict[str, str],
    texts: list[str],
    tools: dict[str, ToolDeclaration],
) -> None:
    for name, text in (message.get("sections") or {}).items():
        if text:
            sections[name] = text
        else:
            sections.pop(name, None)
    if text := text_of(message.get("content") or ""):
        texts.append(text)
    for gone in message.get("toolsRemoved") or ():
        tools.pop(gone["name"], None)
    for tool in message.get("toolsAdded") or ():
        tools[tool["name"]] = tool
