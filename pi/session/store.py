"""The session a run writes to: its entries, its leaf, and the only way to add to it.

A new session stays in memory until it holds a message of the user or the assistant, so that
opening and closing pi leaves no file; from then on each entry is one line, written before the
call returns.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from pi.errors import SessionError
from pi.session.context import SessionContext, build_context
from pi.session.history import Damage, History
from pi.session.ids import check_session_id, new_entry_id, new_session_id
from pi.session.journal import Journal
from pi.session.migrate import migrate, version_of
from pi.session.source import MemorySource
from pi.wire.entries import (
    SESSION_VERSION,
    BranchSummaryEntry,
    CompactionEntry,
    ContextEditEntry,
    CustomEntry,
    CustomMessageEntry,
    LabelEntry,
    MessageEntry,
    ModelChangeEntry,
    SessionEntry,
    SessionHeader,
    SessionInfoEntry,
    ThinkingLevelChangeEntry,
    UsageEntry,
    iso_now,
)
from pi.wire.jsonio import dump_line
from pi.wire.messages import AgentMessage, SystemMessage, Usage, UserContent

__all__ = ["SessionStore", "new_header", "session_file_name"]


class SessionStore:
    """One open session. Not for several threads. Close it, or use it in a `with`.

    path: the file, even before it exists; None for a session in memory only.
    """

    def __init__(
        self, history: History, *, path: Path | None = None, journal: Journal | None = None
    ) -> None:
        """Use `create`, `open` or `in_memory`."""
        self.path = path
        self._notices: list[str] = []
        self._history = history
        self._journal = journal
        self._closed = False

    @classmethod
    def create(
        cls, cwd: str, folder: Path, *, id: str | None = None, parent: str | None = None
    ) -> "SessionStore":
        """A new session in `folder` (see locate.session_folder). parent: file it is forked from.

        Raises SessionError for an id that cannot be one.
        """
        header = new_header(cwd, session_id=id, parent=parent)
        return cls._new(header, folder / session_file_name(header))

    @classmethod
    def open(cls, path: Path, *, cwd: str = "") -> "SessionStore":
        """The session in a file. Versions 1 and 2 are rewritten as 3 first.

        A missing or empty file begins a new session there, run in `cwd`. Raises SessionError for
        what is no session, for one that another pi has open, and for one that cannot be written.
        """
        if not os.path.exists(path):
            return cls._new(new_header(cwd), path)
        journal = Journal.open(path)
        try:
            if journal.size == 0:
                journal.append(dump_line(new_header(cwd)))
            history = History(journal)
            notices = []
            version = version_of(history.header)
            if version < SESSION_VERSION:
                journal = migrate(journal)
                history = History(journal)
                notices.append(
                    f"session {path} had version {version} and was rewritten as version "
                    f"{SESSION_VERSION}; the old file is kept beside it"
                )
            store = cls(history, path=path, journal=journal)
        except BaseException:
            journal.close()
            raise
        store._notices = notices
        store._note_lock()
        return store

    @classmethod
    def in_memory(cls, cwd: str, *, id: str | None = None) -> "SessionStore":
        """A session that is gone when it is closed."""
        return cls._new(new_header(cwd, session_id=id), None)

    @classmethod
    def _new(cls, header: SessionHeader, path: Path | None) -> "SessionStore":
        return cls(History(MemorySource(dump_line(header))), path=path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back to others. Safe to call twice."""
        self._closed = True
        if self._journal is not None:
            self._journal.close()

    @property
    def header(self) -> SessionHeader:
        return self._history.header

    @property
    def id(self) -> str:
        return self.header["id"]

    @property
    def cwd(self) -> str:
        """Where the session was started; empty for files that do not say."""
        cwd: object = self.header.get("cwd")
        return cwd if isinstance(cwd, str) else ""

    @property
    def name(self) -> str | None:
        return self._history.name

    @property
    def leaf_id(self) -> str | None:
        """The entry that the next one follows; None at the very beginning."""
        return self._history.leaf

    @property
    def history(self) -> History:
        """For readers of the whole tree: index, path, damage."""
        return self._history

    @property
    def notices(self) -> list[str]:
        """One line each for the person, so far: damage skipped, an old version rewritten, no lock.

        Ask after the context was built: a large session is not read before.
        """
        damage = self._history.damage()
        if damage is None:
            return list(self._notices)
        return [*self._notices, damage_notice(self._history.source.name, damage)]

    @property
    def saved(self) -> bool:
        """Whether there is a file yet."""
        return self._journal is not None

    def get(self, entry_id: str) -> SessionEntry | None:
        return self._history.get(entry_id)

    def entries(self) -> Iterator[SessionEntry]:
        """All branches, in the order they were written."""
        return self._history.entries()

    def path_to(self, entry_id: str | None = None) -> list[SessionEntry]:
        """From the root to an entry, the leaf unless given."""
        self._must_have(entry_id)
        return self._history.path(entry_id)

    def branch(self, entry_id: str | None) -> None:
        """Go on from an earlier entry; None starts another root."""
        self._must_have(entry_id)
        self._history.move(entry_id)

    def build_context(self) -> SessionContext:
        return build_context(self._history)

    def append(self, fields: dict[str, Any]) -> SessionEntry:
        """Write an entry after the leaf and make it the leaf.

        `fields` has `type` and whatever belongs to that type; id, parentId and timestamp are
        added. Raises SessionError, and leaves everything as it was, when it cannot be stored.
        """
        return self._append(fields, self.leaf_id)

    def append_message(self, message: AgentMessage) -> MessageEntry:
        return cast("MessageEntry", self.append({"type": "message", "message": message}))

    def append_model_change(self, provider: str, model_id: str) -> ModelChangeEntry:
        fields = {"type": "model_change", "provider": provider, "modelId": model_id}
        return cast("ModelChangeEntry", self.append(fields))

    def append_thinking_level(self, level: str) -> ThinkingLevelChangeEntry:
        fields = {"type": "thinking_level_change", "thinkingLevel": level}
        return cast("ThinkingLevelChangeEntry", self.append(fields))

    def append_usage(
        self, kind: str, provider: str, model: str, usage: Usage, note: str | None = None
    ) -> UsageEntry:
        fields = {
            "type": "usage",
            "kind": kind,
            "provider": provider,
            "model": model,
            "usage": usage,
            "note": note,
        }
        return cast("UsageEntry", self.append(_present(fields)))

    def append_session_info(self, name: str) -> SessionInfoEntry:
        """Name the session; line ends become spaces, an empty name takes the name away."""
        name = name.replace("\r\n", " ").replace("\r", " ").replace("\n", " ").strip()
        return cast("SessionInfoEntry", self.append({"type": "session_info", "name": name}))

    def append_context_edit(
        self, target_id: str, replacement: str | list[Any] | None
    ) -> ContextEditEntry:
        """Give an entry other content in the context, None to leave it out."""
        self._must_have(target_id)
        fields = {
            "type": "context_edit",
            "targetId": target_id,
            "replacement": None if replacement is None else {"content": replacement},
        }
        return cast("ContextEditEntry", self.append(fields))

    def append_custom(self, custom_type: str, data: Any = None) -> CustomEntry:
        fields = {"type": "custom", "customType": custom_type, "data": data}
        return cast("CustomEntry", self.append(_present(fields)))

    def append_custom_message(
        self,
        custom_type: str,
        content: str | list[UserContent],
        *,
        display: bool,
        details: Any = None,
    ) -> CustomMessageEntry:
        fields = {
            "type": "custom_message",
            "customType": custom_type,
            "content": content,
            "display": display,
            "details": details,
        }
        return cast("CustomMessageEntry", self.append(_present(fields)))

    def append_label(self, target_id: str, label: str | None) -> LabelEntry:
        """Mark an entry, or take its mark away with None."""
        self._must_have(target_id)
        fields = {"type": "label", "targetId": target_id, "label": label}
        return cast("LabelEntry", self.append(_present(fields)))

    def append_compaction(
        self,
        summary: str,
        first_kept_id: str | None,
        tokens_before: int,
        *,
        system_message: SystemMessage | None = None,
        details: Any = None,
        usage: Usage | None = None,
        from_hook: bool | None = None,
    ) -> CompactionEntry:
        """Let a summary stand for what came before an entry; None keeps nothing before it."""
        fields = {
            "type": "compaction",
            "summary": summary,
            "firstKeptEntryId": first_kept_id,
            "tokensBefore": tokens_before,
            "details": details,
            "usage": usage,
            "fromHook": from_hook,
            "systemMessage": system_message,
        }
        fields = _present(fields)
        fields.setdefault("firstKeptEntryId", _OWN_ID)
        return cast("CompactionEntry", self.append(fields))

    def append_branch_summary(
        self,
        branch_from: str | None,
        summary: str,
        *,
        details: Any = None,
        usage: Usage | None = None,
        from_hook: bool | None = None,
    ) -> BranchSummaryEntry:
        """Go on from an earlier entry with a summary of the branch that is left."""
        self._must_have(branch_from)
        fields = {
            "type": "branch_summary",
            "fromId": self.leaf_id or "root",
            "summary": summary,
            "details": details,
            "usage": usage,
            "fromHook": from_hook,
        }
        return cast("BranchSummaryEntry", self._append(_present(fields), branch_from))

    def _append(self, fields: dict[str, Any], parent: str | None) -> SessionEntry:
        if self._closed:
            raise SessionError("this session is closed")
        history = self._history
        entry_id = new_entry_id(history.index() if history.whole else None)
        entry: dict[str, Any] = {
            "type": fields["type"],
            "id": entry_id,
            "parentId": parent,
            "timestamp": iso_now(),
            **{
                key: entry_id if value is _OWN_ID else value
                for key, value in fields.items()
                if key != "type"
            },
        }
        try:
            line = dump_line(entry)
        except (TypeError, ValueError, RecursionError) as error:
            raise SessionError(f"a {fields['type']} entry cannot be stored: {error}") from error
        if self._journal is not None:
            start = self._journal.append(line)
        else:
            start = self._hold(line, entry)
        written = cast("SessionEntry", entry)
        history.added(written, start, start + len(line) - 1)
        return written

    def _hold(self, line: bytes, entry: dict[str, Any]) -> int:
        """Keep a line in memory, or write everything so far when it is time for the file."""
        memory = cast("MemorySource", self._history.source)
        start = memory.append(line)
        if self.path is not None and _is_conversation(entry):
            try:
                self._journal = Journal.create(self.path, memory.read(0, memory.size))
            except BaseException:
                memory.truncate(start)
                raise
            self._history.source = self._journal
            self._note_lock()
        return start

    def _note_lock(self) -> None:
        if self._journal is not None and not self._journal.locked:
            self._notices.append(
                f"session {self.path} is on a file system without locks: do not open it twice"
            )

    def _must_have(self, entry_id: str | None) -> None:
        if entry_id is not None and entry_id not in self._history:
            raise SessionError(f"no entry {entry_id!r} in session {self.id}")


_OWN_ID: Any = object()


def new_header(
    cwd: str, *, session_id: str | None = None, parent: str | None = None
) -> SessionHeader:
    """The first line of a new session."""
    header: SessionHeader = {
        "type": "session",
        "version": SESSION_VERSION,
        "id": new_session_id() if session_id is None else check_session_id(session_id),
        "timestamp": iso_now(),
        "cwd": cwd,
    }
    if parent is not None:
        header["parentSession"] = parent
    return header


def session_file_name(header: SessionHeader) -> str:
    """2026-01-31T12-00-00-000Z_ID.jsonl"""
    stamp = header["timestamp"].replace(":", "-").replace(".", "-")
    return f"{stamp}_{header['id']}.jsonl"


def damage_notice(path: str, damage: Damage) -> str:
    lines = "line is" if damage.count == 1 else "lines are"
    return (
        f"session {path}: {damage.count} {lines} damaged and skipped, "
        f"first at line {damage.first_line}"
    )


def _is_conversation(entry: dict[str, Any]) -> bool:
    return entry["type"] == "message" and entry["message"].get("role") in ("user", "assistant")


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}
