"""What somebody types to find a session: words, "phrases", or `re:` and an expression."""

import re
from collections.abc import Callable
from dataclasses import dataclass

# Expressions in linear time, whatever somebody types: nothing may hang here.
from pi._speedups import search_bytes
from pi._speedups.pattern.query import make_query
from pi._speedups.pattern.syntax import PatternError
from pi.modes.interactive.pickers.fuzzy import fuzzy_score
from pi.session.index.catalog import Listed

__all__ = ["SessionQuery", "parse_session_query", "summary_text"]

_PARTS = re.compile(r'"([^"]*)"?|(\S+)')
_PATTERN = "re:"
BEGINNING = 120


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """text: as typed. pattern: whether a text matches; None where words are searched.

    problem: why an expression is none.
    """

    text: str
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    pattern: Callable[[str], bool] | None = None
    problem: str = ""

    def score(self, text: str) -> float | None:
        """How well a `summary_text` matches; None for not."""
        if self.problem:
            return None
        if self.pattern is not None:
            return 0.0 if self.pattern(text) else None
        if any(phrase not in text for phrase in self.phrases):
            return None
        return fuzzy_score(self.words, text)


def parse_session_query(text: str) -> SessionQuery:
    text = text.strip()
    if text.startswith(_PATTERN):
        written = text[len(_PATTERN) :].strip()
        if not written:
            return SessionQuery(text, problem="an expression is to follow")
        try:
            query = make_query(written, ignore_case=True)
        except PatternError as error:
            return SessionQuery(text, problem=str(error))

        def matches(searched: str) -> bool:
            return bool(search_bytes(query, searched.encode(errors="replace"), most=1, keep=1))

        return SessionQuery(text, pattern=matches)
    words: list[str] = []
    phrases: list[str] = []
    for match in _PARTS.finditer(text):
        phrase, word = match.groups()
        if word is not None:
            words += [part for part in word.lower().split("/") if part]
        elif phrase.strip():
            phrases.append(" ".join(phrase.casefold().split()))
    return SessionQuery(text, tuple(words), tuple(phrases))


def summary_text(listed: Listed) -> str:
    """What is searched of a session at each key: name, beginning, folder, id, in lower case.

    Of a long first message only the beginning: the rest is found with all else that was said.
    """
    summary = listed.summary
    first = (summary.first or "")[:BEGINNING]
    text = f"{summary.name or ''} {first} {summary.cwd} {summary.id}"
    return " ".join(text.casefold().split())
