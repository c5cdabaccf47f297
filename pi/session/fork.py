"""A session copied into a new one, which says where it came from: all of it, or one path.

A path is copied without its labels, which stand anywhere in the tree; those in force for what is
copied are set again at its end.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from pi.errors import SessionError
from pi.session.history import History
from pi.session.ids import new_entry_id
from pi.session.journal import Journal
from pi.session.migrate import migrated_lines, version_of
from pi.session.reader import SPACE, lines_forward, read_header, skim
from pi.session.replacement import replacement
from pi.session.source import FileSource, MemorySource, Source
from pi.session.store import SessionStore, new_header, session_file_name
from pi.wire.entries import SESSION_VERSION, LabelEntry, SessionEntry
from pi.wire.jsonio import dump_line
from pi.wire.messages import text_of

__all__ = ["clone_session", "fork_before", "fork_points", "fork_session"]

BATCH = 1 << 20


def fork_session(path: Path, cwd: str, folder: Path, *, id: str | None = None) -> SessionStore:
    """Copy every entry of a session, all branches, into a new one in `folder`, and open that.

    Lines are copied as they are, ids included; damaged ones are left behind. The source is only
    read, and may be open elsewhere. Raises SessionError, and leaves no file, when that fails.
    """
    original = FileSource(path)
    try:
        header, _ = read_header(original)
        source: Source = original
        if version_of(header) < SESSION_VERSION:
            source = MemorySource(b"".join(migrated_lines(original)))
        fresh = new_header(cwd, session_id=id, parent=os.path.abspath(path))
        target = folder / session_file_name(fresh)
        _write(target, dump_line(fresh), source)
    finally:
        original.close()
    return SessionStore.open(target)


def fork_points(store: SessionStore) -> list[tuple[str, str]]:
    """The id and text of every message of the user, on all branches, in the order of the file."""
    return [
        (entry["id"], text)
        for entry in store.entries()
        if (text := _user_text(entry))  # one of images alone cannot be edited and said again
    ]


def fork_before(store: SessionStore, entry_id: str, folder: Path) -> tuple[SessionStore, str]:
    """A new session with what came before a message of the user, and the text of that message.

    Raises SessionError where there is no such message, or the new session cannot be written.
    """
    entry = store.get(entry_id)
    text = None if entry is None else _user_text(entry)
    if entry is None or text is None:
        raise SessionError(f"cannot fork at {entry_id!r}: it is no message of the user")
    return _path_copy(store, entry["parentId"], folder), text


def clone_session(store: SessionStore, folder: Path, entry_id: str | None = None) -> SessionStore:
    """A new session with the path to an entry, the leaf unless given.

    Raises SessionError for an unknown entry, and where there is nothing to copy yet.
    """
    if entry_id is not None and store.get(entry_id) is None:
        raise SessionError(f"no entry {entry_id!r} in session {store.id}")
    if store.path is not None and not store.saved:
        raise SessionError("this session has nothing to copy yet", hint="Send a message first.")
    return _path_copy(store, entry_id or store.leaf_id, folder)


def _path_copy(store: SessionStore, leaf: str | None, folder: Path) -> SessionStore:
    """The path to an entry as a new session: in a file if the original is to have one.

    Like any new session, it stays in memory until something was said in it.
    """
    parent = None if store.path is None else os.path.abspath(store.path)
    fresh = new_header(store.cwd, parent=parent)
    entries = [] if leaf is None else _rejoined(store, leaf)
    lines = b"".join(dump_line(entry) for entry in (fresh, *entries))
    target = None if store.path is None else folder / session_file_name(fresh)
    if target is None or not any(_is_conversation(entry) for entry in entries):
        return SessionStore(History(MemorySource(lines)), path=target)
    _write(target, lines, None)
    return SessionStore.open(target)


def _rejoined(store: SessionStore, leaf: str) -> list[SessionEntry]:
    """The entries of a path without labels, each after the one before, and the labels behind."""
    copied: list[SessionEntry] = []
    path = store.path_to(leaf)
    instead = _after_labels(path)
    for entry in path:
        if entry["type"] == "label":
            continue
        fields: dict[str, Any] = {**entry, "parentId": copied[-1]["id"] if copied else None}
        if entry["type"] == "compaction":
            kept = fields.get("firstKeptEntryId")
            fields["firstKeptEntryId"] = instead.get(kept, kept)
        copied.append(cast("SessionEntry", fields))
    ids = {entry["id"] for entry in copied}
    for label in list(_labels_in_force(store)):
        if label["targetId"] in ids:
            entry_id = new_entry_id(ids)
            ids.add(entry_id)
            parent = copied[-1]["id"]
            copied.append(cast("SessionEntry", {**label, "id": entry_id, "parentId": parent}))
    return copied


def _after_labels(path: list[SessionEntry]) -> dict[Any, str]:
    """For each label on a path the next entry that is none: what a compaction kept begins there."""
    following: dict[Any, str] = {}
    after = ""
    for entry in reversed(path):
        if entry["type"] == "label":
            following[entry["id"]] = after or entry["id"]
        else:
            after = entry["id"]
    return following


def _labels_in_force(store: SessionStore) -> Iterator[LabelEntry]:
    """The latest label of each entry, on whatever branch it was set, in the order of first use."""
    labels: dict[str, LabelEntry] = {}
    index = store.history.index()
    for row in index.of_type("label"):
        entry = store.get(index.id(row))
        if entry is None or entry["type"] != "label":
            continue
        if entry.get("label"):
            labels[entry["targetId"]] = entry
        else:
            labels.pop(entry["targetId"], None)
    yield from labels.values()


def _user_text(entry: SessionEntry) -> str | None:
    """What the user said in an entry; None for an entry that is nothing of the kind."""
    message = cast("dict[str, Any]", entry).get("message")
    if entry["type"] != "message" or not isinstance(message, dict) or message["role"] != "user":
        return None
    return text_of(message["content"])


def _is_conversation(entry: SessionEntry) -> bool:
    return entry["type"] == "message" and entry["message"]["role"] in ("user", "assistant")


def _write(target: Path, first: bytes, source: Source | None) -> None:
    """A whole new file or none: `first`, then the entries of a source."""
    with replacement(target, f"cannot write session {target}") as half:
        with closing(Journal.create(half, first)) as journal:
            if source is not None:
                _copy(source, journal)
        os.replace(half, target)


def _copy(source: Source, journal: Journal) -> None:
    batch: list[bytes] = []
    size = 0
    for _, line in lines_forward(source, 0, source.size):
        if skim(line) is None:
            continue
        batch += (line.strip(SPACE), b"\n")
        size += len(line)
        if size >= BATCH:
            journal.append(b"".join(batch))
            batch.clear()
            size = 0
    if batch:
        journal.append(b"".join(batch))
