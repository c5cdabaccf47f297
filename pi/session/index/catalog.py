"""The index as its users see it: bring it up to date, list, search.

An answer is always made from the files as they are now. What the database did not take, because
others kept it busy, is held for this answer and written the next time.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pi.errors import SessionError
from pi.session.index.database import damaged, locked_out, make_anew, open_database, without_file
from pi.session.index.query import Excerpt, best, excerpts, matching_keys
from pi.session.index.records import (
    Learned,
    Row,
    Told,
    forget,
    forget_all,
    read_rows,
    read_summaries,
    store,
    tell,
)
from pi.session.index.summary import Summary, milliseconds
from pi.session.index.survey import Stamp, Survey, survey
from pi.session.index.texts import Said, query_of
from pi.session.source import FileSource

__all__ = ["Hit", "Listed", "Progress", "SessionIndex", "listed"]

Progress = Callable[[int, int], None]
"""Told bytes read and bytes to read, now and then."""

SUMMARIES = 64 << 20
"""Bytes of sessions read between two transactions."""

TEXTS = 4 << 20
"""Characters of text written in one transaction: others wait half a second at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed:
    """A session of the list. size: bytes. used: Unix milliseconds of the last words in it, or,
    where nobody has said anything, of its beginning."""

    path: Path
    size: int
    used: int
    summary: Summary

    @property
    def title(self) -> str:
        """Its name, else the first message, else nothing."""
        return self.summary.name or self.summary.first or ""


@dataclass(frozen=True, slots=True)
class Hit:
    """score: the higher the better, to be compared within one search only."""

    session: Listed
    score: float
    excerpt: Excerpt


class SessionIndex:
    """Use in a `with`; not for several threads."""

    def __init__(self, file: Path) -> None:
        """file: the database; made, or made anew, where that is needed. Never fails for it."""
        self._file = file
        self._database = open_database(file)
        self._skipped: dict[bytes, str] = {}
        self._held: dict[bytes, Summary] = {}
        self._behind = 0

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
        self._database.close()

    @property
    def lasting(self) -> bool:
        """Whether what is learned is kept in a file."""
        return self._database.lasting

    @property
    def notices(self) -> list[str]:
        """One line each for the person, about what was asked last."""
        notices = [] if self._database.notice is None else [self._database.notice]
        if self._behind:
            notices.append(
                f"The texts of {self._behind} sessions are not in the index yet: another process "
                "is writing to it. Search again in a moment."
            )
        return [*notices, *(f"Skipped {why}" for _, why in sorted(self._skipped.items()))]

    def sessions(self, root: Path) -> list[Listed]:
        """Every session below `root`, the last used first. Reads only what has changed."""
        return self._sound(lambda: _sorted(self._listed(self._refresh(survey(root))).values()))

    def peek(self, root: Path) -> tuple[list[Listed], list[Path]]:
        """What is known without reading a file, the last used first, and the files that
        `sessions` would read, the last written first."""

        def work() -> tuple[list[Listed], list[Path]]:
            files = survey(root).files
            kept = read_rows(self._database.connection)
            rows = {
                p: kept[p] for p, stamp in files.items() if p in kept and kept[p].stamp == stamp
            }
            unread = [path for path, stamp in files.items() if path not in rows and stamp.size]
            unread.sort(key=lambda path: -files[path].mtime)
            known = _sorted(self._listed(self._usable(rows)).values())
            return known, [Path(os.fsdecode(path)) for path in unread]

        return self._sound(work)

    def matching(
        self, root: Path, matches: Callable[[str], bool], progress: Progress | None = None
    ) -> set[Path]:
        """Sessions below `root` in which something that was said matches, by looking at it all."""

        def work() -> set[Path]:
            rows = self._refresh(survey(root))
            self._tell(rows, progress)
            paths = {row.key: path for path, row in rows.items()}
            found = matching_keys(self._database.connection, paths, matches)
            return {Path(os.fsdecode(paths[key])) for key in found}

        return self._sound(work)

    def search(
        self,
        root: Path,
        words: str,
        *,
        limit: int | None = 20,
        only: Callable[[Listed], bool] | None = None,
        every_entry: bool = False,
        progress: Progress | None = None,
    ) -> list[Hit]:
        """What the user and the assistant said, and names of sessions: best first.

        words: see texts.query_of; raises SessionError when there is none. only: which sessions to
        look in. every_entry: all that match, not just the best of each session.
        """
        query = query_of(words)
        if not query:
            raise SessionError(f"there is no word to search for in {words!r}")

        def work() -> list[Hit]:
            rows = self._refresh(survey(root))
            self._tell(rows, progress)
            if only is None:
                paths = {row.key: path for path, row in rows.items()}
            else:
                listed = self._listed(rows)
                paths = {rows[path].key: path for path, one in listed.items() if only(one)}
            connection = self._database.connection
            matches = best(connection, query, paths, each=every_entry)[:limit]
            shown = self._listed({path: rows[path] for path in {paths[m.key] for m in matches}})
            pieces = excerpts(connection, query, matches)
            return [
                Hit(shown[paths[match.key]], match.score, piece)
                for match, piece in zip(matches, pieces, strict=True)
            ]

        return self._sound(work)

    def reindex(self, root: Path, progress: Progress | None = None) -> list[Listed]:
        """Forget everything, and read every session below `root` with its texts."""

        def work() -> list[Listed]:
            if not self._write(forget_all):
                raise SessionError(
                    "another process is writing to the session index", hint="Try again in a moment."
                )
            rows = self._refresh(survey(root))
            self._tell(rows, progress)
            return _sorted(self._listed(rows).values())

        return self._sound(work)

    def _sound(self, work: Callable[[], T]) -> T:
        """Do it; again with a fresh file where this one is damaged, and without one at last."""
        for attempt in range(3):
            self._skipped.clear()
            self._held.clear()
            self._behind = 0
            try:
                return work()
            except sqlite3.Error as error:
                if attempt == 2 or not self._database.lasting:
                    raise SessionError(f"the session index fails: {error}") from error
                if attempt == 0 and damaged(error):
                    self._database = make_anew(self._database, self._file)
                else:
                    self._database = without_file(self._database, str(error))
        raise AssertionError("the last attempt returns or raises")

    def _write(self, change: Callable[[sqlite3.Connection], None]) -> bool:
        """One transaction; False where others would not let go. Raises sqlite3.Error otherwise."""
        connection = self._database.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if locked_out(error):
                return False
            raise
        try:
            change(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return True

    def _listed(self, rows: dict[bytes, Row]) -> dict[bytes, Listed]:
        """Without those that are no sessions."""
        kept = read_summaries(self._database.connection, [row.key for row in rows.values()])
        listed = {}
        for path, row in rows.items():
            summary = self._held.get(path) or kept.get(row.key)
            if summary is not None and row.problem is None:
                listed[path] = _entry(path, row.stamp, summary)
        return listed

    def _refresh(self, found: Survey) -> dict[bytes, Row]:
        """The rows of all files there are, after reading what has changed.

        The key of a row that could not be written is negative; `_held` has its summary.
        """
        for folder, reason in found.unread.items():
            self._skipped[folder] = f"{os.fsdecode(folder)}: {reason}"
        known = read_rows(self._database.connection)
        rows: dict[bytes, Row] = {}
        changed: list[bytes] = []
        for path, stamp in found.files.items():
            row = known.get(path)
            if row is not None and row.stamp == stamp:
                rows[path] = row
            elif stamp.size:
                changed.append(path)
        gone = [row.key for path, row in known.items()
                if path not in found.files and found.covers(path)]  # fmt: skip
        if not changed and not gone:
            return self._usable(rows)
        # Later texts get higher numbers, and search looks at those first.
        changed.sort(key=lambda path: found.files[path].mtime)
        batch: list[Learned] = []
        size = 0
        for path in changed:
            stamp = found.files[path]
            learned = self._learn(path, stamp, known.get(path))
            if learned is None:
                continue
            batch.append(learned)
            summary = learned.summary
            rows[path] = Row(stamp, -1, 0, learned.edges, summary.end, summary.problem)
            self._held[path] = summary
            size += stamp.size
            if size >= SUMMARIES:
                self._store(batch, ())
                batch, size = [], 0
        self._store(batch, gone)
        written = read_rows(self._database.connection)
        for path, row in rows.items():
            kept = written.get(path)
            if kept is not None and kept.stamp == row.stamp:
                rows[path] = kept
                self._held.pop(path, None)
        return self._usable(rows)

    def _usable(self, rows: dict[bytes, Row]) -> dict[bytes, Row]:
        for path, row in rows.items():
            if row.problem is not None:
                self._skipped[path] = row.problem
        return {path: row for path, row in rows.items() if row.problem is None}

    def _store(self, batch: list[Learned], gone: Iterable[int]) -> None:
        def change(connection: sqlite3.Connection) -> None:
            store(connection, batch)
            forget(connection, gone)

        self._write(change)

    def _learn(self, path: bytes, stamp: Stamp, row: Row | None) -> Learned | None:
        """Read a file, from where it had grown if it only did that; None where it cannot be."""
        from pi.session.index.scan import (  # noqa: PLC0415  (not when nothing has changed)
            begin,
            fingerprint,
            follow,
        )

        try:
            source = FileSource(Path(os.fsdecode(path)))
        except SessionError as error:
            if os.path.lexists(path):
                self._skipped[path] = str(error)
            return None
        try:
            known = None
            if row is not None and _has_grown(source, stamp, row):
                known = read_summaries(self._database.connection, [row.key]).get(row.key)
            summary = begin(source) if known is None else follow(source, known)
            return Learned(path, stamp, fingerprint(source, summary.end), summary, known is None)
        except SessionError as error:
            return Learned(path, stamp, 0, Summary(problem=str(error)), True)
        except OSError as error:
            self._skipped[path] = f"{os.fsdecode(path)}: {error.strerror}"
            return None
        finally:
            source.close()

    def _tell(self, rows: dict[bytes, Row], progress: Progress | None) -> None:
        """Bring the texts up to date. `_behind` counts the sessions that others keep from it."""
        pending = [(path, row) for path, row in rows.items() if row.told < row.end]
        pending.sort(key=lambda item: item[1].key)
        total = sum(row.end - row.told for _, row in pending)
        done = 0
        batch: list[Told] = []
        missed: set[int] = set()
        size = 0

        def write(connection: sqlite3.Connection) -> None:
            for chunk in batch:
                if not tell(connection, chunk):
                    missed.add(chunk.row.key)

        def flush() -> None:
            nonlocal size
            if not self._write(write):
                missed.update(chunk.row.key for chunk in batch)
            batch.clear()
            size = 0
            if progress is not None:
                progress(done, total)

        for path, row in pending:
            if row.key < 0:
                self._behind += 1
                continue
            for chunk in self._chunks(path, row):
                batch.append(chunk)
                done += chunk.end - chunk.start
                size += sum(len(spoken.text) for spoken in chunk.texts)
                if size >= TEXTS:
                    flush()
        if batch:
            flush()
        self._behind += len(missed)

    def _chunks(self, path: bytes, row: Row) -> Iterator[Told]:
        """The texts of a session that are not in yet, in pieces that one transaction can take."""
        from pi.session.index.scan import said  # noqa: PLC0415  (not when nothing has changed)

        try:
            source = FileSource(Path(os.fsdecode(path)))
        except SessionError as error:
            self._skipped[path] = str(error)
            return
        texts: list[Said] = []
        start = behind = row.told
        size = 0
        try:
            for behind, spoken in said(source, row.told, row.end):
                if spoken is not None:
                    texts.append(spoken)
                    size += len(spoken.text)
                if size >= TEXTS:
                    yield Told(row, start, behind, tuple(texts))
                    start, size = behind, 0
                    texts.clear()
            yield Told(row, start, row.end, tuple(texts))
        except OSError as error:
            self._skipped[path] = f"{os.fsdecode(path)}: {error.strerror}"
        finally:
            source.close()


def listed(path: Path) -> Listed:
    """One session as the list has it, read from its file. Raises SessionError."""
    from pi.session.index.scan import begin  # noqa: PLC0415  (only to read a file)

    source = FileSource(path)
    try:
        summary = begin(source)
        seen = path.stat()
        stamp = Stamp(source.size, seen.st_mtime_ns, 0)
    except OSError as error:
        raise SessionError(f"cannot read session {path}: {error.strerror}") from error
    finally:
        source.close()
    return _entry(os.fsencode(path), stamp, summary)


def _sorted(listed: Iterable[Listed]) -> list[Listed]:
    return sorted(listed, key=lambda one: (-one.used, str(one.path)))


def _entry(path: bytes, stamp: Stamp, summary: Summary) -> Listed:
    used = summary.modified
    if used is None:
        used = milliseconds(summary.created)
    if used is None:
        used = stamp.mtime // 1_000_000
    return Listed(Path(os.fsdecode(path)), stamp.size, used, summary)


def _has_grown(source: FileSource, stamp: Stamp, row: Row) -> bool:
    """Whether what is known of a file still stands at its beginning."""
    from pi.session.index.scan import fingerprint  # noqa: PLC0415  (as in _learn)

    end = row.end
    return (
        row.problem is None
        and stamp.inode == row.stamp.inode
        and stamp.size > row.stamp.size
        and source.size >= end
        and fingerprint(source, end) == row.edges
        # A last line that had no newline must have got one since, not more of itself.
        and (b"\n" in source.read(end - 1, end + 1) or source.size == end)
    )
