"""System messages replayed: the prompt and the tools as they stand at the end of a conversation.

For APIs that take one system prompt beside the conversation (what it amounts to: pi.wire.system).
An API that takes system messages where they stand folds the leading ones and is told of the rest in
words.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from pi.wire.messages import AgentMessage, SystemMessage, ToolDeclaration, text_of
from pi.wire.system import replay_system

__all__ = [
    "Prompt",
    "change_text",
    "fold",
    "folded_changes",
    "removed_for_good",
    "split_leading",
]


class Prompt(NamedTuple):
    """text: free text, then sections, a blank line between; "" for none. tools: in force."""

    text: str
    tools: tuple[ToolDeclaration, ...]


def fold(messages: Sequence[AgentMessage]) -> Prompt:
    """What all system messages among `messages` amount to."""
    state = replay_system(messages)
    return Prompt(state.prompt, tuple(state.tools.values()))


def split_leading(
    messages: Sequence[AgentMessage],
) -> tuple[Sequence[AgentMessage], Sequence[AgentMessage]]:
    """The system messages before anything else was said, and the rest."""
    for place, message in enumerate(messages):
        if message["role"] != "system":
            return messages[:place], messages[place:]
    return messages, ()


def folded_changes(messages: Sequence[AgentMessage]) -> int:
    """How many system messages, from the first, an API must be told as one that can only add tools.

    The leading ones, and all up to the last that removes a tool or declares one anew.
    """
    leading, rest = split_leading(messages)
    folded = len(leading)
    later = [message for message in rest if message["role"] == "system"]
    declared = {tool["name"] for tool in fold(leading).tools}
    for place, message in enumerate(later, len(leading) + 1):
        names = {tool["name"] for tool in message.get("toolsAdded") or ()}
        if message.get("toolsRemoved") or not names.isdisjoint(declared):
            folded = place
        declared |= names
    return folded


def change_text(message: SystemMessage, *, tools_gone: Collection[str] = ()) -> str:
    """What a later system message changes, for the model to read; "" where it changes no text."""
    parts = [text_of(message.get("content") or "")]
    for name, text in (message.get("sections") or {}).items():
        if text:
            parts.append(f'The section "{name}" of the instructions now reads:\n\n{text}')
        else:
            parts.append(f'The section "{name}" of the instructions no longer applies.')
    if tools_gone:
        names = "\n".join(f"- {name}" for name in tools_gone)
        parts.append(f"From here on these tools do not exist; do not call them:\n{names}")
    return "\n\n".join(part for part in parts if part)


def removed_for_good(message: SystemMessage) -> list[str]:
    """Names of the tools that a system message removes without declaring them anew."""
    added = {tool["name"] for tool in message.get("toolsAdded") or ()}
    return [gone["name"] for gone in message.get("toolsRemoved") or () if gone["name"] not in added]
