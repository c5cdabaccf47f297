"""Rows of the index: read, written, and taken out. One statement of the schema, one function."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import NamedTuple

from pi.session.index.summary import Summary
from pi.session.index.survey import Stamp
from pi.session.index.texts import Said, segmented

__all__ = [
    "Learned",
    "Row",
    "Told",
    "forget",
    "forget_all",
    "read_rows",
    "read_summaries",
    "store",
    "tell",
]

NUMBERS = 32
"""Bits of a text's number, below the session's key."""

FEW = 100
"""Summaries that are looked up one by one; of more, all are read."""

_SUMMARY = tuple(field.name for field in fields(Summary))
_COLUMNS = ("path", *Stamp._fields, "edges", *_SUMMARY)
_READ = f"SELECT path, {', '.join(Stamp._fields)}, key, told, edges, end, problem FROM sessions"
_SUMMARIES = f"SELECT key, {', '.join(_SUMMARY)} FROM sessions"
_INSERT = f"INSERT INTO sessions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_UPDATE = (
    f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _COLUMNS)}, told = ? WHERE key = ?"
)


class Row(NamedTuple):
    """What the database knows of a file, but its summary. There are thousands, each time.

    told: offset up to which its texts are in. edges, end, problem: as in Learned and Summary.
    """

    stamp: Stamp
    key: int
    told: int
    edges: int
    end: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Learned:
    """What was read of a file. anew: from its beginning, whatever was known before."""

    path: bytes
    stamp: Stamp
    edges: int
    summary: Summary
    anew: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Texts between two offsets of the session that a row is about."""

    row: Row
    start: int
    end: int
    texts: tuple[Said, ...]


def read_rows(connection: sqlite3.Connection) -> dict[bytes, Row]:
    """By path."""
    return {
        path: Row(Stamp(size, mtime, inode), *rest)
        for path, size, mtime, inode, *rest in connection.execute(_READ)
    }


def read_summaries(connection: sqlite3.Connection, keys: Sequence[int]) -> dict[int, Summary]:
    """Those of the sessions `keys`, by key."""
    found: dict[int, Summary] = {}
    if len(keys) > FEW:
        wanted = set(keys)
        cursor = connection.execute(_SUMMARIES)
        return {key: Summary(*rest) for key, *rest in cursor if key in wanted}
    for key in keys:
        for _, *rest in connection.execute(f"{_SUMMARIES} WHERE key = ?", (key,)):
            found[key] = Summary(*rest)
    return found


def store(connection: sqlite3.Connection, learned: Iterable[Learned]) -> None:
    """Inside a transaction. What others wrote meanwhile is overwritten: it is as true."""
    for one in learned:
        values = (one.path, *one.stamp, one.edges, *astuple(one.summary))
        known = connection.execute(
            "SELECT key, told, name FROM sessions WHERE path = ?", (one.path,)
        ).fetchone()
        if known is None:
            key = connection.execute(_INSERT, values).lastrowid
            assert key is not None
            name = None
        else:
            key, told, name = known
            if one.anew:
                _forget_texts(connection, key)
                told, name = 0, None
            connection.execute(_UPDATE, (*values, told, key))
        if one.summary.name != name:
            _name(connection, key, one.summary.name)


def tell(connection: sqlite3.Connection, told: Told) -> bool:
    """Inside a transaction: add texts. False when somebody else was there first."""
    key = told.row.key
    known = connection.execute(
        "SELECT told, inode, edges FROM sessions WHERE key = ?", (key,)
    ).fetchone()
    if known != (told.start, told.row.stamp.inode, told.row.edges):
        return False
    low, high = key << NUMBERS, (key + 1) << NUMBERS
    last = connection.execute(
        "SELECT max(text) FROM entries WHERE text >= ? AND text < ?", (low, high)
    ).fetchone()[0]
    first = (low if last is None else last) + 1
    connection.executemany(
        "INSERT INTO entries (text, entry, role, time) VALUES (?, ?, ?, ?)",
        ((first + at, said.entry, said.role, said.time) for at, said in enumerate(told.texts)),
    )
    connection.executemany(
        "INSERT INTO texts (rowid, body) VALUES (?, ?)",
        ((first + at, segmented(said.text)) for at, said in enumerate(told.texts)),
    )
    connection.execute("UPDATE sessions SET told = ? WHERE key = ?", (told.end, key))
    return True


def forget(connection: sqlite3.Connection, keys: Iterable[int]) -> None:
    """Inside a transaction: the sessions are gone, and nothing of them stays."""
    for key in keys:
        _forget_texts(connection, key)
        connection.execute("DELETE FROM sessions WHERE key = ?", (key,))


def forget_all(connection: sqlite3.Connection) -> None:
    """Inside a transaction."""
    for table in ("texts", "entries", "sessions"):
        connection.execute(f"DELETE FROM {table}")


def _forget_texts(connection: sqlite3.Connection, key: int) -> None:
    span = (key << NUMBERS, (key + 1) << NUMBERS)
    connection.execute("DELETE FROM texts WHERE rowid >= ? AND rowid < ?", span)
    connection.execute("DELETE FROM entries WHERE text >= ? AND text < ?", span)


def _name(connection: sqlite3.Connection, key: int, name: str | None) -> None:
    at = key << NUMBERS
    connection.execute("DELETE FROM texts WHERE rowid = ?", (at,))
    connection.execute("DELETE FROM entries WHERE text = ?", (at,))
    if name is not None:
        connection.execute(
            "INSERT INTO entries (text, entry, role, time) VALUES (?, '', 'name', '')", (at,)
        )
        connection.execute("INSERT INTO texts (rowid, body) VALUES (?, ?)", (at, segmented(name)))
