"""Lists of sessions and of what was found in them: for people, and as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pi.cli.columns import ago, clean, cut, table
from pi.session.index.catalog import Hit, Listed
from pi.session.index.summary import Summary

__all__ = ["folder_text", "hit_list", "hit_record", "iso", "listed_record", "session_list"]

ID = 8
"""Characters of an id that are shown at least."""


def listed_record(listed: Listed) -> dict[str, Any]:
    """The keys of the SDK's session list, and what the index knows besides."""
    summary = listed.summary
    record: dict[str, Any] = {
        "path": str(listed.path),
        "id": summary.id,
        "cwd": summary.cwd,
        "name": summary.name,
        "parentSessionPath": summary.parent,
        "created": summary.created or None,
        "modified": iso(listed.used),
        "messageCount": summary.messages,
        "userMessages": summary.user_messages,
        "assistantMessages": summary.assistant_messages,
        "firstMessage": summary.first,
        "size": listed.size,
    }
    return {
        key: value
        for key, value in record.items()
        if value is not None or key not in ("name", "parentSessionPath")
    }


def hit_record(hit: Hit) -> dict[str, Any]:
    piece = hit.excerpt
    return {
        "session": listed_record(hit.session),
        "entryId": piece.entry,
        "role": piece.role,
        "timestamp": piece.time or None,
        "snippet": piece.text,
        "highlights": [list(mark) for mark in piece.marks],
        "score": round(hit.score, 6),
    }


def session_list(sessions: Sequence[Listed], width: int, home: Path, *, folders: bool) -> str:
    """A table with a line of headings. folders: with the folder each belongs to."""
    ids = _short_ids([one.summary.id for one in sessions])
    head = ["ID", "LAST USED", "MESSAGES", "FOLDER", "SESSION"]
    rows = [head] + [
        [
            ids[one.summary.id],
            ago(one.used),
            str(one.summary.messages),
            cut(folder_text(one.summary.cwd, home), max(16, width // 3)),
            _title(one.summary),
        ]
        for one in sessions
    ]
    if not folders:
        rows = [[*row[:3], row[4]] for row in rows]
    return table(rows, width, right=(2,))


def hit_list(hits: Sequence[Hit], width: int, home: Path) -> str:
    """Two lines each: the session, and the place in it, with *asterisks* around what matches."""
    ids = _short_ids([hit.session.summary.id for hit in hits])
    lines = []
    for hit in hits:
        summary, piece = hit.session.summary, hit.excerpt
        parts = (ids[summary.id], ago(hit.session.used), folder_text(summary.cwd, home))
        lines.append(cut("  ".join((*parts, _title(summary))), width))
        place = piece.role if piece.entry is None else f"{piece.role} {piece.entry}"
        lines.append(cut(f"    {place}: {clean(_marked(piece.text, piece.marks))}", width))
    return "".join(f"{line}\n" for line in lines)


def _short_ids(ids: Sequence[str]) -> dict[str, str]:
    """The shortest beginnings, of one length for the eye, that tell the ids apart."""
    length = ID
    longest = max(map(len, ids), default=0)
    different = set(ids)
    while length < longest and len({name[:length] for name in different}) < len(different):
        length += 1
    return {name: clean(name[:length]) for name in different}


def _title(summary: Summary) -> str:
    return clean(summary.name or summary.first or "") or "(no messages)"


def folder_text(cwd: str, home: Path) -> str:
    if cwd == str(home) or cwd.startswith(f"{home}/"):
        return clean("~" + cwd[len(str(home)) :])
    return clean(cwd)


def _marked(text: str, marks: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(marks):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return text


def iso(milliseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
