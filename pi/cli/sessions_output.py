"""Sessions, findings and figures as `pi sessions` shows them: for people, and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pi.cli.columns import ago, clean, cut, size_of, table
from pi.session.doctor import Finding
from pi.session.index.catalog import Hit, Listed
from pi.session.index.summary import Summary
from pi.session.statistics import Statistics

__all__ = [
    "Shown",
    "finding_record",
    "hit_list",
    "hit_record",
    "listed_record",
    "session_list",
    "shown_record",
    "shown_text",
]

ID = 8
"""Characters of an id that are shown at least."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One session, read whole."""

    session: Listed
    version: int
    leaf: str | None
    statistics: Statistics
    notices: tuple[str, ...]


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
        "modified": _iso(listed.used),
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
            cut(_folder(one.summary.cwd, home), max(16, width // 3)),
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
        where = clean(f"{ids[summary.id]}  {ago(hit.session.used)}  {_folder(summary.cwd, home)}")
        lines.append(cut(f"{where}  {_title(summary)}", width))
        place = piece.role if piece.entry is None else f"{piece.role} {piece.entry}"
        lines.append(cut(f"    {place}: {clean(_marked(piece.text, piece.marks))}", width))
    return "".join(f"{line}\n" for line in lines)


def shown_record(shown: Shown) -> dict[str, Any]:
    counted = shown.statistics
    tokens = counted.tokens
    return {
        **listed_record(shown.session),
        "version": shown.version,
        "leafId": shown.leaf,
        "entries": counted.entries,
        "messageCount": counted.messages,
        "userMessages": counted.users,
        "assistantMessages": counted.assistants,
        "toolCalls": counted.tool_calls,
        "toolResults": counted.tool_results,
        "compactions": counted.compactions,
        "labels": counted.labels,
        "branches": counted.branches,
        "models": dict(counted.models),
        "tokens": {
            "input": tokens.input,
            "output": tokens.output,
            "cacheRead": tokens.cache_read,
            "cacheWrite": tokens.cache_write,
            "total": tokens.total,
        },
        "cost": round(counted.cost, 6),
        "firstMessage": _message(counted.first),
        "lastMessage": _message(counted.last),
        "notices": list(shown.notices),
    }


def shown_text(shown: Shown, width: int, home: Path) -> str:
    session, counted = shown.session, shown.statistics
    summary, tokens = session.summary, counted.tokens
    models = ", ".join(f"{name} ({count:,})" for name, count in counted.models.most_common())
    rows = [
        ("Session", summary.id),
        ("Name", summary.name or ""),
        ("File", f"{session.path} ({size_of(session.size)}, version {shown.version})"),
        ("Folder", _folder(summary.cwd, home)),
        ("Forked from", summary.parent or ""),
        ("Created", summary.created),
        ("Last used", f"{_iso(session.used)} ({ago(session.used)})"),
        (
            "Messages",
            f"{counted.messages:,}: user {counted.users:,}, assistant {counted.assistants:,}, "
            f"tool results {counted.tool_results:,}",
        ),
        ("Tool calls", f"{counted.tool_calls:,}"),
        ("Entries", f"{counted.entries:,}, {_branches(counted.branches)}"),
        ("Compactions", f"{counted.compactions:,}" if counted.compactions else ""),
        (
            "Tokens",
            f"{tokens.total:,}: input {tokens.input:,}, output {tokens.output:,}, "
            f"cache read {tokens.cache_read:,}, cache write {tokens.cache_write:,}",
        ),
        ("Cost", f"${counted.cost:,.4f}"),
        ("Models", models),
        ("First", _quoted(counted.first)),
        ("Last", _quoted(counted.last)),
        *(("Notice", notice) for notice in shown.notices),
    ]
    full = ("Session", "File", "Forked from", "Notice")
    lines = [
        f"{label:<12}{value}" if label in full else cut(f"{label:<12}{value}", width)
        for label, text in rows
        if (value := clean(text))
    ]
    return "".join(f"{line}\n" for line in lines)


def finding_record(finding: Finding) -> dict[str, Any]:
    record = {
        "kind": finding.kind,
        "line": finding.line or None,
        "entryId": finding.entry or None,
        "detail": finding.detail or None,
        "damage": finding.is_damage,
        "message": str(finding),
    }
    return {key: value for key, value in record.items() if value is not None}


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


def _folder(cwd: str, home: Path) -> str:
    if cwd == str(home) or cwd.startswith(f"{home}/"):
        return clean("~" + cwd[len(str(home)) :])
    return clean(cwd)


def _marked(text: str, marks: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(marks):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return text


def _message(said: tuple[str, str] | None) -> dict[str, str] | None:
    return None if said is None else {"role": said[0], "text": said[1]}


def _quoted(said: tuple[str, str] | None) -> str:
    return "" if said is None else f"{said[0]}: {said[1]}"


def _branches(count: int) -> str:
    return "1 branch" if count == 1 else f"{count:,} branches"


def _iso(milliseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
