"""System messages: what a row of them amounts to, and the message that brings about a change.

The first system message of a session carries every prompt section and tool declaration; later ones
patch them: a section set to None is removed, `toolsRemoved` goes before `toolsAdded`. Free text
in `content` adds up and stands before the sections. What changes keeps its place, and what was gone
has its old one when it comes back: the prompt is then the one that providers have cached, byte for
byte. Source: docs/session-format.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pi.wire.messages import SystemMessage, ToolDeclaration, now_ms, text_of

__all__ = ["SystemState", "diff_sections", "replay_system", "system_change"]


@dataclass(frozen=True, slots=True)
class SystemState:
    """The prompt and the tools in force, in the order the model sees them.

    texts: non-empty `content` of the messages. tools: by name.
    """

    texts: tuple[str, ...] = ()
    sections: dict[str, str] = field(default_factory=dict)
    tools: dict[str, ToolDeclaration] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The system prompt as one text."""
        return "\n\n".join(part for part in (*self.texts, *self.sections.values()) if part)


def replay_system(messages: Iterable[Mapping[str, Any]]) -> SystemState:
    """The state after these messages, oldest first; those of other roles are passed over.

    Session files are written by many programs: a part of the wrong shape is left out.
    """
    texts: list[str] = []
    sections: dict[str, str | None] = {}  # None, here and below, keeps a place free
    tools: dict[str, ToolDeclaration | None] = {}
    for message in messages:
        if message.get("role") != "system":
            continue
        if text := text_of(message.get("content") or ""):
            texts.append(text)
        for key, section in _mapping(message.get("sections")).items():
            if isinstance(section, str) or (section is None and key in sections):
                sections[key] = section
        for removed in _named(message.get("toolsRemoved")):
            if removed["name"] in tools:
                tools[removed["name"]] = None
        for added in _named(message.get("toolsAdded")):
            tools[added["name"]] = added
    return SystemState(
        tuple(texts),
        {key: section for key, section in sections.items() if section is not None},
        {name: tool for name, tool in tools.items() if tool is not None},
    )


def diff_sections(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str | None]:
    """The patch from `old` to `new`: what is new or different in new's order, then what is gone."""
    patch: dict[str, str | None] = {
        key: text for key, text in new.items() if key not in old or old[key] != text
    }
    patch.update((key, None) for key in old if key not in new)
    return patch


def system_change(
    state: SystemState,
    sections: Mapping[str, str],
    tools: Sequence[ToolDeclaration],
    *,
    timestamp: int | None = None,
) -> SystemMessage | None:
    """The message that brings `state` to these sections and tools; None when it is there already.

    From an empty state it is the message a session starts with. A tool whose declaration changed
    is both removed and added. timestamp: Unix milliseconds, now by default.
    """
    message: SystemMessage = {"role": "system", "content": "", "timestamp": 0}
    if patch := diff_sections(state.sections, sections):
        # Rebuilt for the order of keys in which sessions are written.
        message = {"role": "system", "content": "", "sections": patch, "timestamp": 0}
    message["timestamp"] = now_ms() if timestamp is None else timestamp
    wanted = {tool["name"]: tool for tool in tools}
    if added := [tool for name, tool in wanted.items() if state.tools.get(name) != tool]:
        message["toolsAdded"] = added
    if removed := [name for name, tool in state.tools.items() if wanted.get(name) != tool]:
        message["toolsRemoved"] = [{"name": name} for name in removed]
    return message if patch or added or removed else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(value: Any) -> list[Any]:
    """The items of a list of tools that have a name."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict) and isinstance(item.get("name"), str)]
