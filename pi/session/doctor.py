"""What is wrong with a session file, line by line. It only reads; repair.py puts it right.

Version 1 and 2 files are looked at as far as their form goes: opening one rewrites it anyway.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pi.errors import SessionError
from pi.session.migrate import version_of
from pi.session.reader import (
    SPACE,
    decode_json,
    is_blank,
    lines_forward,
    read_header,
    skim,
)
from pi.session.source import Source
from pi.wire.entries import SESSION_VERSION

__all__ = ["KINDS", "Finding", "Kind", "Line", "examine", "read_lines", "salvage"]

Kind = Literal[
    "not-a-session",
    "torn-end",
    "damaged-line",
    "fused-lines",
    "extra-header",
    "missing-parent",
    "duplicate-id",
    "cycle",
    "unknown-type",
    "old-version",
]

KINDS: dict[Kind, str] = {
    "not-a-session": "is not a session",
    "torn-end": "ends in the middle of a record",
    "damaged-line": "is not a record",
    "fused-lines": "holds a broken record and a whole one behind it",
    "extra-header": "is a second header",
    "missing-parent": "follows an entry that is not there",
    "duplicate-id": "has the id of an earlier entry",
    "cycle": "is its own ancestor",
    "unknown-type": "has a type that this version of pi does not know",
    "old-version": "has an old format; opening it rewrites it",
}

REMARKS: frozenset[Kind] = frozenset({"unknown-type", "old-version"})
"""What is worth knowing, and no damage."""

KNOWN = frozenset(
    {
        *("message", "model_change", "thinking_level_change", "usage", "compaction"),
        *("context_edit", "branch_summary", "custom", "custom_message", "label", "session_info"),
    }
)

_START = b'{"type":"'


@dataclass(frozen=True, slots=True)
class Finding:
    """line: number from 1, 0 for the file. entry: the id it is about. detail: what is missing,
    twice there, or unknown."""

    kind: Kind
    line: int = 0
    entry: str = ""
    detail: str = ""

    @property
    def is_damage(self) -> bool:
        return self.kind not in REMARKS

    def __str__(self) -> str:
        where = f"line {self.line} " if self.line else ""
        entry = f"(entry {self.entry}) " if self.entry else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{where}{entry}{KINDS[self.kind]}{detail}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line behind the header, blank ones left out.

    state: an entry, some other JSON (a second header), or no JSON. id, parent, type: of an entry,
    and of a damaged line as far as its beginning tells.
    """

    number: int
    start: int
    end: int
    state: Literal["entry", "header", "damaged"]
    type: str = ""
    id: str = ""
    parent: str | None = None
    closed: bool = True


def examine(source: Source) -> list[Finding]:
    """Everything there is to say about a file, in the order of its lines."""
    try:
        header, _ = read_header(source)
    except SessionError as error:
        return [Finding("not-a-session", detail=str(error))]
    version = version_of(header)
    lines = read_lines(source)
    found = (
        [Finding("old-version", detail=f"version {version}")] if version < SESSION_VERSION else []
    )
    for line in lines:
        if line.state == "header":
            found.append(Finding("extra-header", line.number))
        elif line.state == "damaged":
            found.append(_damage(source, line))
        elif line.type not in KNOWN:
            found.append(Finding("unknown-type", line.number, line.id, line.type))
    if version >= 2:
        found += _tree_findings([line for line in lines if line.state == "entry"])
    return sorted(found, key=lambda finding: finding.line)


def read_lines(source: Source) -> list[Line]:
    """Every line but the header. Raises SessionError for what is no session."""
    header, body = read_header(source)
    linked = version_of(header) >= 2
    found: list[Line] = []
    number, behind = 1, 0
    for start, line in lines_forward(source, 0, source.size):
        # What lies between two lines that hold something is nothing but line ends.
        number += start - behind
        behind = start + len(line)
        is_header = start < body <= behind + 1
        if not is_header and not is_blank(line):
            found.append(_line(number, start, line, linked, behind < source.size))
    return found


def salvage(line: bytes) -> list[bytes]:
    """The whole records in a line that is none: what was written behind a torn one, or two."""
    at = line.find(_START, 1)
    while at >= 0:
        if _is_record(line[at:]):
            return [part for part in (line[:at], line[at:]) if _is_record(part)]
        at = line.find(_START, at + 1)
    return []


def _is_record(data: bytes) -> bool:
    """A content block at the end of a torn line is JSON as well, but no entry."""
    if data.rstrip(SPACE)[-1:] != b"}":
        return False
    value = decode_json(data)
    return isinstance(value, dict) and _named(value) and "parentId" in value


def _line(number: int, start: int, line: bytes, linked: bool, closed: bool) -> Line:
    end = start + len(line)
    value = decode_json(line)
    if isinstance(value, dict) and value.get("type") == "session":
        return Line(number, start, end, "header", closed=closed)
    if isinstance(value, dict) and (not linked or _named(value)):
        kind, parent = value.get("type"), value.get("parentId")
        return Line(
            number,
            start,
            end,
            "entry",
            kind if isinstance(kind, str) else "",
            value["id"] if _named(value) else "",
            parent if isinstance(parent, str) and parent else None,
            closed,
        )
    # A beginning that is whole still says where the line was in the tree.
    next_record = line.find(_START, 1)
    start_of_it = line if next_record < 0 else line[:next_record]
    head = skim(start_of_it + b"}") if value is None else None
    if head is None:
        return Line(number, start, end, "damaged", closed=closed)
    return Line(number, start, end, "damaged", head.type, head.id, head.parent, closed)


def _named(value: dict[str, Any]) -> bool:
    return isinstance(value.get("id"), str) and bool(value["id"])


def _damage(source: Source, line: Line) -> Finding:
    data = source.read(line.start, line.end)
    if salvage(data):
        return Finding("fused-lines", line.number, line.id)
    return Finding("damaged-line" if line.closed else "torn-end", line.number, line.id)


def _tree_findings(entries: list[Line]) -> list[Finding]:
    found: list[Finding] = []
    rows: dict[str, int] = {}
    for row, line in enumerate(entries):
        if line.id in rows:
            earlier = entries[rows[line.id]].number
            found.append(Finding("duplicate-id", line.number, line.id, f"line {earlier}"))
        else:
            rows[line.id] = row
    for line in entries:
        if line.parent is not None and line.parent not in rows:
            found.append(Finding("missing-parent", line.number, line.id, line.parent))
    found += [
        Finding("cycle", entries[row].number, entries[row].id) for row in cycles(entries, rows)
    ]
    return found


def cycles(entries: list[Line], rows: dict[str, int]) -> list[int]:
    """One row of each closed circle of parents: the one that comes first in the file."""
    unseen, open_, done = 0, 1, 2
    state = bytearray(len(entries))
    found: list[int] = []
    for first in range(len(entries)):
        way: list[int] = []
        row: int | None = first
        while row is not None and state[row] == unseen:
            state[row] = open_
            way.append(row)
            parent = entries[row].parent
            row = None if parent is None else rows.get(parent)
        if row is not None and state[row] == open_:
            found.append(min(way[way.index(row) :]))
        for passed in way:
            state[passed] = done
    return sorted(found)
