"""The session that is open, for extensions to read."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pi.session.context import active_entries
from pi.wire.entries import SessionEntry, SessionHeader
from pi.wire.messages import AgentMessage, ToolResultMessage, text_of

if TYPE_CHECKING:
    from pi.extensions.execution import Stage

__all__ = ["SessionFacts", "SessionView", "TreeNode"]


@dataclass(slots=True)
class TreeNode:
    """An entry and those that follow it, in the order they were written. label: its mark."""

    entry: SessionEntry
    label: str | None = None
    children: "list[TreeNode]" = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session on this machine. name: the one it was given. first_message: what it began with.

    messages: how many. used: when somebody last said something in it, Unix milliseconds.
    """

    path: Path
    id: str
    cwd: str
    name: str | None
    first_message: str | None
    messages: int
    used: int


class SessionView:
    """Entries are dicts with the keys of docs/sessions.md. Read them, do not change them."""

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
        return self._stage.host.storage.folder

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

    def kept(self, custom_type: str, entry_id: str | None = None) -> list[Any]:
        """What `pi.append_entry` stored under that name on the branch, the oldest first.

        entry_id: up to this entry, the leaf unless given.
        """
        return [
            entry.get("data")
            for entry in self.branch(entry_id)
            if entry["type"] == "custom" and entry["customType"] == custom_type
        ]

    def results(self, tool: str) -> list[ToolResultMessage]:
        """The results of a tool on the branch, the oldest first; what it keeps is `details`."""
        return [
            message
            for entry in self.branch()
            if entry["type"] == "message"
            and (message := entry["message"])["role"] == "toolResult"
            and message["toolName"] == tool
        ]

    def context_entries(self) -> list[SessionEntry]:
        """What the model's context is made of: the branch, from its last compaction on."""
        active = active_entries(self._store.history)
        first = [] if active.compaction is None else [active.compaction]
        return [*first, *active.entries]

    def messages(self) -> list[AgentMessage]:
        """The context as the model gets it, edits and summaries applied: a copy."""
        return deepcopy(list(self._stage.host.session.transcript.messages))

    @property
    def answer(self) -> str:
        """The text of the model's last answer, "" before there is one."""
        for message in reversed(self._stage.host.session.transcript.messages):
            if message["role"] == "assistant":
                return text_of(message["content"])
        return ""

    def label(self, entry_id: str) -> str | None:
        """The mark of an entry."""
        return self._labels().get(entry_id)

    def tree(self) -> list[TreeNode]:
        """All entries by what they follow: the first ones, each with those that follow it."""
        history = self._store.history
        index = history.index()
        labels = self._labels()
        nodes: dict[int, TreeNode] = {}
        roots: list[TreeNode] = []
        for row in range(len(index)):
            entry = history.at(row)
            if entry is not None:
                nodes[row] = TreeNode(entry, labels.get(index.id(row)))
        for row, node in nodes.items():
            # What follows a damaged entry moves up.
            above = next((each for each in index.up(row) if each != row and each in nodes), None)
            (roots if above is None else nodes[above].children).append(node)
        return roots

    def _labels(self) -> dict[str, str]:
        """The marks that are in force, by entry."""
        history = self._store.history
        found: dict[str, str] = {}
        for row in history.index().of_type("label"):
            entry = history.at(row)
            if entry is not None and entry["type"] == "label":
                found[entry["targetId"]] = entry.get("label", "")
        return {target: label for target, label in found.items() if label}
