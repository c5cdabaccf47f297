"""The session that is open, for extensions to read."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pi.session.context import active_entries
from pi.wire.entries import SessionEntry, SessionHeader
from pi.wire.messages import AgentMessage

if TYPE_CHECKING:
    from pi.extensions.execution import Stage

__all__ = ["SessionView"]


class SessionView:
    """Entries are dicts with the keys of docs/session-format.md. Read them, do not change them."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage

    @property
    def _store(self) -> Any:
        return self._stage.host.store

    @property
    def id(self) -> str:
        return cast(str, self._store.id)

    @property
    def file(self) -> Path | None:
        """None for a session in memory only; it may not exist before the first message."""
        return cast("Path | None", self._store.path)

    @property
    def name(self) -> str | None:
        return cast("str | None", self._store.name)

    @property
    def folder(self) -> Path:
        """Where sessions of this folder are kept."""
        return self._stage.host.folder

    @property
    def header(self) -> SessionHeader:
        return cast(SessionHeader, self._store.header)

    @property
    def leaf_id(self) -> str | None:
        """The entry that the next one follows."""
        return cast("str | None", self._store.leaf_id)

    @property
    def leaf(self) -> SessionEntry | None:
        return None if self.leaf_id is None else self.entry(self.leaf_id)

    def entry(self, entry_id: str) -> SessionEntry | None:
        return cast("SessionEntry | None", self._store.get(entry_id))

    def entries(self) -> Iterator[SessionEntry]:
        """All of them, of every branch, in the order they were written."""
        return cast("Iterator[SessionEntry]", self._store.entries())

    def branch(self, entry_id: str | None = None) -> list[SessionEntry]:
        """From the root to an entry, the leaf unless given."""
        return cast("list[SessionEntry]", self._store.path_to(entry_id))

    def context_entries(self) -> list[SessionEntry]:
        """What the model's context is made of: the branch, from its last compaction on."""
        active = active_entries(self._store.history)
        first = [] if active.compaction is None else [active.compaction]
        return [*first, *active.entries]

    def messages(self) -> list[AgentMessage]:
        """The context as the model gets it, edits and summaries applied."""
        return list(self._stage.host.session.transcript.messages)

    def label(self, entry_id: str) -> str | None:
        """The mark of an entry."""
        found = None
        for entry in self.entries():
            if entry["type"] == "label" and entry["targetId"] == entry_id:
                found = entry.get("label") or None
        return found
