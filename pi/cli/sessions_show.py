"""One session read whole, for `pi sessions show`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.cli.columns import ago, clean, cut, size_of
from pi.cli.sessions_output import folder_text, iso, listed_record
from pi.session.history import History
from pi.session.index.catalog import Listed, listed
from pi.session.migrate import migrated_lines, version_of
from pi.session.source import FileSource, MemorySource, Source
from pi.session.statistics import Statistics, measure
from pi.session.store import damage_notice

__all__ = ["Shown", "read_session", "shown_record", "shown_text"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One session, read whole."""

    session: Listed
    version: int
    leaf: str | None
    statistics: Statistics
    notices: tuple[str, ...]


def read_session(path: Path) -> Shown:
    """Reads only: an old version is brought up to date in memory. Raises SessionError."""
    session = listed(path)
    source = FileSource(path)
    try:
        current: Source = source
        history = History(source)
        version = version_of(history.header)
        if version < 2:
            current = MemorySource(b"".join(migrated_lines(source)))
            history = History(current)
        counted = measure(history)
        damage = history.damage()
        notices = () if damage is None else (damage_notice(str(path), damage),)
        return Shown(session, version, history.leaf, counted, notices)
    finally:
        source.close()


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
        ("Folder", folder_text(summary.cwd, home)),
        ("Forked from", summary.parent or ""),
        ("Created", summary.created),
        ("Last used", f"{iso(session.used)} ({ago(session.used)})"),
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


def _message(said: tuple[str, str] | None) -> dict[str, str] | None:
    return None if said is None else {"role": said[0], "text": said[1]}


def _quoted(said: tuple[str, str] | None) -> str:
    return "" if said is None else f"{said[0]}: {said[1]}"


def _branches(count: int) -> str:
    return "1 branch" if count == 1 else f"{count:,} branches"
