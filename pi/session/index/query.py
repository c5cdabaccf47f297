"""Full-text search: which texts match, which of them best, and a piece of each to show."""

import sqlite3
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from pi.session.index.database import TEXTS
from pi.session.index.records import NUMBERS
from pi.session.index.texts import GAP

__all__ = ["Excerpt", "Match", "best", "excerpts", "matching_keys"]

CANDIDATES = 10_000
"""Texts that are ranked. Where more match, the word tells little, and the newest are taken."""

NAMED = 3.0
"""How much more a session's name counts than what was said in it."""

WORDS = 24
"""Length of an excerpt."""

_BEGIN, _END = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class Match:
    """score: the higher the better."""

    text: int
    score: float

    @property
    def key(self) -> int:
        return self.text >> NUMBERS


@dataclass(frozen=True, slots=True)
class Excerpt:
    """entry: id of the entry, None for a session's name. marks: spans of `text` that match."""

    entry: str | None
    role: str
    time: str
    text: str
    marks: tuple[tuple[int, int], ...]


def best(
    connection: sqlite3.Connection, query: str, keys: Container[int], *, each: bool
) -> list[Match]:
    """Matches in the sessions `keys`, best first. each: all of them, else the best of a session."""
    found: list[Match] = []
    for text, rank in connection.execute(
        "SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY rowid DESC", (query,)
    ):
        if text >> NUMBERS in keys:
            is_name = not text & ((1 << NUMBERS) - 1)
            found.append(Match(text, -rank * (NAMED if is_name else 1.0)))
            if len(found) == CANDIDATES:
                break
    # Of equals the newer one; `found` has those first, and sorting keeps that.
    found.sort(key=lambda match: -match.score)
    if each:
        return found
    first: dict[int, Match] = {}
    for match in found:
        first.setdefault(match.key, match)
    return list(first.values())


def matching_keys(
    connection: sqlite3.Connection, keys: Container[int], matches: Callable[[str], bool]
) -> set[int]:
    """The sessions among `keys` with a text that matches."""
    found: set[int] = set()
    for text, body in connection.execute("SELECT rowid, body FROM texts"):
        key = text >> NUMBERS
        if key in keys and key not in found and matches(body.replace(GAP, "")):
            found.add(key)
    return found


def excerpts(connection: sqlite3.Connection, query: str, matches: Sequence[Match]) -> list[Excerpt]:
    """A piece of each match, in the same order."""
    # In a table of just these texts: asking the large one for the words of a single text costs
    # almost as much as asking it for all.
    few = sqlite3.connect(":memory:", isolation_level=None)
    try:
        few.execute(TEXTS)
        shown = []
        for match in matches:
            row = connection.execute(
                "SELECT entry, role, time, body FROM entries JOIN texts ON texts.rowid = text "
                "WHERE text = ?",
                (match.text,),
            ).fetchone()
            # Gone when another process has deleted the session in this very moment.
            entry, role, time, body = row or ("", "name", "", "")
            few.execute("INSERT INTO texts (rowid, body) VALUES (?, ?)", (match.text, body))
            shown.append((match.text, entry or None, role, time))
        marked = dict(
            few.execute(
                "SELECT rowid, snippet(texts, 0, ?, ?, '…', ?) FROM texts WHERE texts MATCH ?",
                (_BEGIN, _END, WORDS, query),
            )
        )
    finally:
        few.close()
    return [
        Excerpt(entry, role, time, *_unmarked(marked.get(text, "")))
        for text, entry, role, time in shown
    ]


def _unmarked(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """On one line, without the marks, and where they were."""
    marked = " ".join(marked.replace(GAP, "").split())
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []
    length = 0
    for number, part in enumerate(marked.split(_BEGIN)):
        inside, closed, behind = part.partition(_END)
        if number and closed and inside:
            marks.append((length, length + len(inside)))
        pieces += (inside, behind)
        length += len(inside) + len(behind)
    return "".join(pieces), _joined(marks)


def _joined(marks: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans that touch become one: a word of a script without blanks is marked sign by sign."""
    joined: list[tuple[int, int]] = []
    for start, end in marks:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
