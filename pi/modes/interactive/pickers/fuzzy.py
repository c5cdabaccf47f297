"""Fuzzy search: letters in their order, words in any; what fits together ranks first.

A place is worth more where letters stand side by side, where a word begins, and near the beginning.
Weights are chosen so that lists rank as the reference's do.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["fuzzy_filter", "fuzzy_score"]

T = TypeVar("T")

RUN = 5.0
"""For each letter that follows the one before at once, times the length of the run."""
GAP = 2.0
"""Lost for each letter in between."""
WORD_START = 10.0
EXACT = 100.0
SWAPPED = 5.0
"""Lost where "5opus" was found as "opus5"."""
PLACES = 8
"""Occurrences of a whole word that are weighed."""
LATE = 0.1
"""Lost for each letter before one that matches."""

_STARTS_AFTER = frozenset(" \t\n\r\f\v-_./:")
_MIXED = re.compile(r"([a-z]+)([0-9]+)|([0-9]+)([a-z]+)")


def fuzzy_filter(items: Iterable[T], query: str, text_of: Callable[[T], str]) -> list[T]:
    """The items that match, best first; equals, and all for an empty query, in their order."""
    words = [word for word in re.split(r"[\s/]+", query.lower()) if word]
    if not words:
        return list(items)
    found: list[tuple[float, T]] = []
    for item in items:
        score = fuzzy_score(words, text_of(item))
        if score is not None:
            found.append((score, item))
    found.sort(key=lambda pair: -pair[0])
    return [item for _, item in found]


def fuzzy_score(words: Iterable[str], text: str) -> float | None:
    """How well lower-case words match, the higher the better; None where one does not."""
    text = text.lower()
    total = 0.0
    for word in words:
        score = _word(word, text)
        if score is None:
            return None
        total += score
    return total


def _word(word: str, text: str) -> float | None:
    score = _letters(word, text)
    if score is None and (mixed := _MIXED.fullmatch(word)):
        one, two, three, four = mixed.groups()
        score = _letters(f"{two}{one}" if one else f"{four}{three}", text)
        return None if score is None else score - SWAPPED
    return score


def _letters(word: str, text: str) -> float | None:
    places: list[int] = []
    at = -1
    for letter in word:
        at = text.find(letter, at + 1)
        if at < 0:
            return None
        places.append(at)
    best = _worth(places, text)
    # Where the letters stand together, the best of the first few such places.
    start = text.find(word) if len(word) > 1 else text.find(word, places[0] + 1)
    for _ in range(PLACES):
        if start < 0:
            break
        best = max(best, _worth(range(start, start + len(word)), text))
        start = text.find(word, start + 1)
    return best + (EXACT if word == text else 0)


def _worth(places: Iterable[int], text: str) -> float:
    worth = 0.0
    run = 0
    last = -1
    for at in places:
        if last >= 0 and at == last + 1:
            run += 1
            worth += run * RUN
        else:
            run = 0
            if last >= 0:
                worth -= (at - last - 1) * GAP
        if at == 0 or text[at - 1] in _STARTS_AFTER:
            worth += WORD_START
        worth -= at * LATE
        last = at
    return worth
