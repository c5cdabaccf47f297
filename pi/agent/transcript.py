"""The active branch as the model sees it, kept in step with the session it is stored in."""

from collections.abc import Sequence

from pi.agent.tokens import context_tokens
from pi.session.context import SessionContext, active_entries, reports_usage
from pi.session.store import SessionStore
from pi.wire.entries import (
    CompactionEntry,
    ContextEditEntry,
    CustomMessageEntry,
    MessageEntry,
)
from pi.wire.messages import AgentMessage, AssistantMessage, SystemMessage, Usage, now_ms
from pi.wire.system import replay_system

__all__ = ["Transcript", "system_in_force"]


class Transcript:
    """Messages and the entries they come from, oldest first.

    Whatever changes the context goes through here, to the store first.
    """

    def __init__(self, store: SessionStore, context: SessionContext | None = None) -> None:
        """context: the store's as it is now, from whoever has built it already."""
        self.store = store
        self._take(store.build_context() if context is None else context)

    def reload(self) -> None:
        """Take the context from the store anew, after it moved or was compacted."""
        self._take(self.store.build_context())

    def _take(self, context: SessionContext) -> None:
        self.messages: list[AgentMessage] = list(context.messages)
        self._ids = list(context.entry_ids)
        self._measured = context.measured

    def add(self, message: AgentMessage) -> MessageEntry | CustomMessageEntry:
        """Store a finished message and show it from now on."""
        entry: MessageEntry | CustomMessageEntry
        if message["role"] == "custom":
            entry = self.store.append_custom_message(
                message["customType"],
                message["content"],
                display=message["display"],
                details=message.get("details"),
            )
        else:
            entry = self.store.append_message(message)
        self.messages.append(message)
        self._ids.append(entry["id"])
        if reports_usage(message):
            self._measured = len(self.messages) - 1
        return entry

    def omit_last(self) -> ContextEditEntry:
        """Take the last message out of the context; it stays in the history."""
        self.messages.pop()
        self._measured = None
        return self.store.append_context_edit(self._ids.pop(), None)

    def compact(
        self,
        summary: str,
        first_kept: str | None,
        tokens_before: int,
        *,
        details: object,
        usage: Usage | None,
        from_hook: bool = False,
    ) -> CompactionEntry:
        """Let a summary stand for what came before an entry, and show that."""
        entry = self.store.append_compaction(
            summary,
            first_kept,
            tokens_before,
            system_message=system_in_force(self.messages),
            details=details,
            usage=usage,
            from_hook=from_hook,
        )
        self.reload()
        return entry

    def ids_of_last(self, count: int) -> list[str]:
        """The entries of the newest messages, oldest first."""
        return self._ids[-count:]

    @property
    def last_answer(self) -> AssistantMessage | None:
        """The last message, if it is an answer."""
        last = self.messages[-1] if self.messages else None
        return last if last is not None and last["role"] == "assistant" else None

    @property
    def tokens(self) -> int:
        """How many tokens the context has, as far as that is known."""
        return context_tokens(self.messages, self._measured)

    @property
    def is_known(self) -> bool:
        """Whether `tokens` rests on a report, or there is nothing to report yet."""
        return self._measured is not None or not any(
            message["role"] == "compactionSummary" for message in self.messages
        )

    @property
    def was_just_compacted(self) -> bool:
        """Whether nothing was said since the last compaction."""
        active = active_entries(self.store.history)
        return active.compaction is not None and active.after == len(active.entries)

    def tokens_with(self, coming: Sequence[AgentMessage]) -> int:
        """The same, once these are added."""
        return context_tokens([*self.messages, *coming], self._measured)


def system_in_force(messages: Sequence[AgentMessage]) -> SystemMessage | None:
    """Prompt and tools as they stand after these, as one message that starts over."""
    before = [m for m in messages if m["role"] == "system"]
    if not before:
        return None
    state = replay_system(before)
    message: SystemMessage = {
        "role": "system",
        "content": "\n\n".join(state.texts),
        "timestamp": 0,
    }
    if state.sections:
        message = {
            "role": "system",
            "content": message["content"],
            "sections": dict(state.sections),
            "timestamp": 0,
        }
    if state.tools:
        message["toolsAdded"] = list(state.tools.values())
    message["timestamp"] = now_ms()
    return message
