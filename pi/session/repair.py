"""A session file put right: rewritten beside itself, with the old one kept as NAME.jsonl.bak.

Whole lines stay byte for byte unless their place in the tree is what is wrong. Broken lines are
left out (the copy has them), and what followed them follows what they followed.
"""

import os
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from pi.session.doctor import Finding, Line, cycles, examine, read_lines, salvage
from pi.session.ids import new_entry_id
from pi.session.journal import Journal
from pi.session.migrate import version_of
from pi.session.reader import decode_json, read_header
from pi.session.replacement import replacement
from pi.session.source import FileSource, Source
from pi.wire.jsonio import dump_line

__all__ = ["Repaired", "repair"]

BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class Repaired:
    """findings: what was wrong. left: what still is. copy: the file as it was, if it changed."""

    findings: tuple[Finding, ...]
    left: tuple[Finding, ...]
    copy: Path | None


@dataclass(slots=True)
class _Piece:
    """A line on its way into the new file. line: its place in the tree, as it shall be.

    record: what of it is kept, where that is not all of it.
    """

    line: Line
    record: bytes | None = None
    changed: bool = False

    def data(self, source: Source) -> bytes:
        if self.record is not None:
            return self.record
        return source.read(self.line.start, self.line.end)

    def written(self, source: Source) -> bytes:
        data = self.data(source)
        if not self.changed:
            return data.strip(b"\r\n") + b"\n"
        value = decode_json(data)
        value["id"], value["parentId"] = self.line.id, self.line.parent
        return dump_line(value)

    def follow(self, parent: str | None) -> None:
        self.line = replace(self.line, parent=parent)
        self.changed = True


def repair(path: Path) -> Repaired:
    """Put a session right. Raises SessionError when it is open elsewhere or cannot be written."""
    journal = Journal.open(path)
    try:
        findings = tuple(examine(journal))
        hopeless = bool(findings) and findings[0].kind == "not-a-session"
        if hopeless or not any(finding.is_damage for finding in findings):
            return Repaired(findings, findings, None)
        copy = _replace(journal, _mended(journal))
    finally:
        journal.close()
    after = FileSource(path)
    try:
        return Repaired(findings, tuple(examine(after)), copy)
    finally:
        after.close()


def _mended(source: Source) -> list[_Piece]:
    header, _ = read_header(source)
    pieces: list[_Piece] = []
    lost: dict[str, str | None] = {}
    for line in read_lines(source):
        if line.state == "entry":
            pieces.append(_Piece(line))
        elif line.state == "damaged":
            if line.id:
                lost.setdefault(line.id, line.parent)
            records = salvage(source.read(line.start, line.end))
            pieces += (_salvaged(line, record) for record in records)
    if version_of(header) >= 2:
        _separate(pieces, source)
        _adopt(pieces, lost)
        _open_circles(pieces)
    return pieces


def _salvaged(line: Line, record: bytes) -> _Piece:
    value = decode_json(record)
    parent = value["parentId"]
    parent = parent if isinstance(parent, str) and parent else None
    return _Piece(replace(line, state="entry", id=value["id"], parent=parent), record)


def _separate(pieces: list[_Piece], source: Source) -> None:
    """Drop lines that are there twice; give others with a taken id one of their own.

    What comes after a renamed entry and names the id means the nearer one.
    """
    taken = {piece.line.id for piece in pieces}
    seen: dict[str, _Piece] = {}
    now: dict[str, str] = {}
    kept: list[_Piece] = []
    for piece in pieces:
        own, parent = piece.line.id, piece.line.parent
        known = seen.setdefault(own, piece)
        if known is not piece and known.data(source) == piece.data(source):
            continue
        if parent in now:
            piece.follow(now[parent])
        if known is not piece:
            fresh = now[own] = new_entry_id(taken)
            taken.add(fresh)
            piece.line = replace(piece.line, id=fresh)
            piece.changed = True
        kept.append(piece)
    pieces[:] = kept


def _adopt(pieces: list[_Piece], lost: dict[str, str | None]) -> None:
    """Let entries whose parent is gone follow its parent, or else the line before them."""
    ids = {piece.line.id for piece in pieces}
    before: str | None = None
    for piece in pieces:
        parent = piece.line.parent
        passed: set[str] = set()
        while parent is not None and parent not in ids and parent in lost and parent not in passed:
            passed.add(parent)
            parent = lost[parent]
        if parent is not None and parent not in ids:
            parent = before
        if parent != piece.line.parent:
            piece.follow(parent)
        before = piece.line.id


def _open_circles(pieces: list[_Piece]) -> None:
    """Let the first entry of each circle follow the line before it, or none if that leads back."""
    rows = {piece.line.id: row for row, piece in enumerate(pieces)}
    for row in cycles([piece.line for piece in pieces], rows):
        parent = pieces[row - 1].line.id if row else None
        at, passed = parent, set[str]()
        while at is not None and at not in passed:
            passed.add(at)
            at = pieces[rows[at]].line.parent
        pieces[row].follow(None if pieces[row].line.id in passed else parent)


def _replace(journal: Journal, pieces: list[_Piece]) -> Path:
    """Put the pieces in the place of the file, in one step; the copy of what was there."""
    path = journal.path
    _, body = read_header(journal)
    header = journal.read(0, body).rstrip(b"\r\n")
    with replacement(path, f"cannot rewrite session {path}") as half:
        with closing(Journal.create(half, header[header.rfind(b"\n") + 1 :] + b"\n")) as fresh:
            batch: list[bytes] = []
            size = 0
            for piece in pieces:
                batch.append(piece.written(journal))
                size += len(batch[-1])
                if size >= BATCH:
                    fresh.append(b"".join(batch))
                    batch, size = [], 0
            if batch:
                fresh.append(b"".join(batch))
        half.chmod(path.stat().st_mode & 0o777)
        copy = _keep(path)
        if sys.platform == "win32":  # where no open file can be replaced
            journal.close()
        os.replace(half, path)
    return copy


def _keep(path: Path) -> Path:
    """A copy under a name of its own; an earlier one is not overwritten."""
    import shutil  # noqa: PLC0415  (only for a repair)

    number = 0
    while True:
        copy = path.with_name(f"{path.name}.bak" + (f".{number}" if number else ""))
        try:
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            number += 1
            continue
        try:
            shutil.copy2(path, copy)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
        return copy
