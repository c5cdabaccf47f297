"""The SQLite file of the index: opened, made, and made anew when it is of no use.

Whatever keeps it from being used, there is a database all the same: one in memory, that begins
empty, with a line that says why.
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pi.session.index.guard import PATIENCE, Busy, Guard, NoLocks
from pi.session.index.mounts import is_network

__all__ = ["Database", "damaged", "locked_out", "make_anew", "open_database", "without_file"]

APPLICATION = 0x70692D69
"""SQLite's application id for this file: "pi-i"."""

SCHEMA = 1
"""Raised by one with every change below. Any other number, older or newer, is made anew."""

TABLES = """
    CREATE TABLE sessions (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        path BLOB NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        edges INTEGER NOT NULL,
        id TEXT NOT NULL,
        cwd TEXT NOT NULL,
        created TEXT NOT NULL,
        parent TEXT,
        name TEXT,
        first TEXT,
        messages INTEGER NOT NULL,
        user_messages INTEGER NOT NULL,
        assistant_messages INTEGER NOT NULL,
        modified INTEGER,
        end INTEGER NOT NULL,
        problem TEXT,
        told INTEGER NOT NULL DEFAULT 0
    );
    -- key of the session << 32 | number of the text in it; number 0 is the session's name
    CREATE TABLE entries (
        text INTEGER PRIMARY KEY,
        entry TEXT NOT NULL,
        role TEXT NOT NULL,
        time TEXT NOT NULL
    );
"""
"""told: offset up to which the texts are in. edges: see summary.fingerprint."""

TEXTS = "CREATE VIRTUAL TABLE texts USING fts5(body, tokenize = 'unicode61 remove_diacritics 2')"


@dataclass(slots=True)
class Database:
    """connection: in autocommit mode. lasting: False in memory. notice: why, or what was done."""

    connection: sqlite3.Connection
    lasting: bool
    notice: str | None = None
    guard: Guard | None = None

    def close(self) -> None:
        """The connection first: while it lives, nobody may replace the file."""
        try:
            self.connection.close()
        finally:
            if self.guard is not None:
                self.guard.close()


def open_database(file: Path) -> Database:
    """The index in `file`, with its lock file beside it. Never raises for the state of either."""
    try:
        if is_network(file.parent):
            return _in_memory("it is on a network file system")
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = _open(file)
        return opened if isinstance(opened, Database) else _make(file, opened)
    except Busy:
        return _in_memory("another process is making it anew")
    except NoLocks:
        return _in_memory("its file system has no locks")
    except OSError as error:
        return _in_memory(f"{file.parent}: {error.strerror}")
    except sqlite3.Error as error:
        return _in_memory(f"{file}: {error}")


def make_anew(old: Database, file: Path) -> Database:
    """An empty database in place of one that turned out to be damaged."""
    old.close()
    try:
        return _make(file, "damaged")
    except Busy:
        return _in_memory("it is damaged, and other processes have it open")
    except (NoLocks, OSError, sqlite3.Error) as error:
        return _in_memory(f"it is damaged and cannot be replaced: {error}")


def without_file(old: Database, reason: str) -> Database:
    """An empty database in memory in place of one that cannot be used, and why it cannot."""
    old.close()
    return _in_memory(reason)


def damaged(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, not its surroundings: it is worth making anew."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def locked_out(error: sqlite3.Error) -> bool:
    """Whether others kept the database busy for longer than anybody waits."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


Unfit = Literal["missing", "damaged", "other schema"]


def _open(file: Path) -> Database | Unfit:
    """The database as it is, or what keeps it from being used."""
    guard = Guard(_lock_file(file), "shared")
    connection: sqlite3.Connection | None = None
    try:
        state: Unfit | None = "missing"
        if file.exists() and file.stat().st_size > 0:
            connection = _connect(file)
            state = _state(connection)
        if state is None and connection is not None:
            opened = Database(connection, True, guard=guard)
            connection = guard = None  # type: ignore[assignment]
            return opened
        return state or "damaged"
    except sqlite3.Error as error:
        if not damaged(error):
            raise
        return "damaged"
    finally:
        if connection is not None:
            connection.close()
        if guard is not None:
            guard.close()


def _make(file: Path, state: Unfit) -> Database:
    """Make the file anew, unless somebody else has meanwhile."""
    with Guard(_lock_file(file), "alone"):
        # Damage may show only when a page is read: who found it has not merely looked.
        if state == "damaged" or not _fit(file):
            for suffix in ("", "-wal", "-shm", "-journal"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            # What was said to a model is nobody else's to read.
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            connection = _connect(file)
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                if mode != "wal":
                    raise NoLocks
                _fill(connection)
            finally:
                connection.close()
    opened = _open(file)
    if not isinstance(opened, Database):
        raise OSError(0, "the index does not stay as it was made", str(file))
    if state == "damaged":
        opened.notice = "The session index was damaged and is made anew."
    return opened


def _fit(file: Path) -> bool:
    try:
        connection = _connect(file)
        try:
            return file.stat().st_size > 0 and _state(connection) is None
        finally:
            connection.close()
    except (OSError, sqlite3.Error):
        return False


def _state(connection: sqlite3.Connection) -> Unfit | None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, schema) != (APPLICATION, SCHEMA):
        return "other schema"
    connection.execute("SELECT key FROM sessions LIMIT 1").fetchone()
    return None


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error:  # the first to look into a damaged file
        connection.close()
        raise
    return connection


def _fill(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN; {TABLES} {TEXTS}; PRAGMA application_id = {APPLICATION}; "
        f"PRAGMA user_version = {SCHEMA}; COMMIT;"
    )


def _in_memory(reason: str) -> Database:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _fill(connection)
    return Database(connection, False, f"Working without the session index: {reason}.")


def _lock_file(file: Path) -> Path:
    return file.with_suffix(".lock")
