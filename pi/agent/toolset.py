"""The tools that are on, and what the model is told of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pi.agent.transcript import Transcript
from pi.tools.base import Tool, declaration
from pi.wire.messages import AgentMessage, ToolDeclaration
from pi.wire.system import replay_system, system_change

__all__ = ["Told", "ToolSet"]

_SAYS = ("content", "sections", "toolsAdded", "toolsRemoved")
"""What a system message may say."""


class ToolSet(NamedTuple):
    """sections: the system prompt for them. declared: how the model is told of them, None for as
    they say themselves. hidden: names of those that are on, and recorded as such, but that requests
    leave out: the model reaches them in another way.
    """

    tools: Sequence[Tool]
    sections: Mapping[str, str]
    declared: Sequence[ToolDeclaration] | None = None
    hidden: frozenset[str] = frozenset()

    def by_name(self) -> dict[str, Tool]:
        return {tool.name: tool for tool in self.tools}

    def declarations(self) -> Sequence[ToolDeclaration]:
        if self.declared is not None:
            return self.declared
        return [declaration(tool) for tool in self.tools]

    def visible(self, messages: Sequence[AgentMessage]) -> Sequence[AgentMessage]:
        """The messages without the declarations that requests leave out."""
        if not self.hidden:
            return messages
        kept: list[AgentMessage] = []
        for message in messages:
            if message["role"] == "system":
                message = message.copy()
                for key in ("toolsAdded", "toolsRemoved"):
                    tools: Any = message.get(key)
                    if tools:
                        left = [each for each in tools if each["name"] not in self.hidden]
                        message[key] = left
                if not any(message.get(key) for key in _SAYS):
                    continue
            kept.append(message)
        return kept


class Told:
    """What the model has been told of prompt and tools, and what it is to be told next.

    now: what the next request goes with. before: what comes back after a run that has its own.
    """

    def __init__(self, transcript: Transcript, now: ToolSet) -> None:
        self.now = now
        self.before: ToolSet | None = None
        self._transcript = transcript
        self._changed = False

    def use(self, chosen: ToolSet) -> None:
        """From the next request on."""
        self.now = chosen
        self.before = None
        self._changed = True

    def patch_if_changed(self) -> list[AgentMessage]:
        """What changed since the last request, if anybody touched it."""
        return self.patch() if self._changed else []

    def patch(self) -> list[AgentMessage]:
        """What the next request, which is made now, tells anew."""
        self._changed = False
        return self.pending()

    def pending(self) -> list[AgentMessage]:
        """The same, only looked at."""
        state = replay_system(self._transcript.messages)
        patch = system_change(state, self.now.sections, self.now.declarations())
        return [] if patch is None else [patch]
