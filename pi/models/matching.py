"""How names are compared: substrings, subsequences, and the order names sort in.

All comparisons ignore case. Nothing here knows providers' credentials or files.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pi.wire.messages import THINKING_LEVELS, ThinkingLevel

__all__ = [
    "Name",
    "best_match",
    "collation_key",
    "fuzzy_match",
    "split_thinking",
]


class Name(NamedTuple):
    """What a model is found by."""

    provider: str
    id: str
    name: str
    api: str

    @property
    def reference(self) -> str:
        return f"{self.provider}/{self.id}"


def split_thinking(pattern: str) -> tuple[str, ThinkingLevel] | None:
    """`sonnet:high` as ("sonnet", "high"); None when the last part is no level."""
    head, colon, tail = pattern.rpartition(":")
    if not colon:
        return None
    return next(((head, level) for level in THINKING_LEVELS if level == tail), None)


# Compiled by `re` at their first use: most runs get by without.
_DATED = r"-\d{8}$"


def best_match(pattern: str, names: Iterable[Name]) -> Name | None:
    """The name that holds `pattern` in id or name and sorts last; dated ids only if all are."""
    wanted = pattern.lower()
    found = [n for n in names if wanted in n.id.lower() or wanted in n.name.lower()]
    undated = [n for n in found if not re.search(_DATED, n.id)]
    # Of equals the first counts, as lists keep a provider's preference.
    return max(undated or found, key=lambda n: collation_key(n.id), default=None)


# The order of ASCII punctuation in the Unicode collation (CLDR root), which JavaScript sorts by:
# all of it before digits, digits before letters.
_RANKS = {
    ord(char): chr(rank)
    for rank, char in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789", start=1)
}


def collation_key(text: str) -> tuple[str, str]:
    """Sort key: punctuation, digits, letters; case only decides between equals, lower first."""
    return text.lower().translate(_RANKS), text.swapcase()


_MIXED = r"^(?:([a-z]+)([0-9]+)|([0-9]+)([a-z]+))$"


def fuzzy_match(query: str, text: str) -> bool:
    """Whether each word of `query` is a subsequence of `text`; "5opus" also as "opus5"."""
    lowered = text.lower()
    return all(_word(word, lowered) for word in re.split(r"[\s/]+", query.lower()) if word)


def _word(word: str, text: str) -> bool:
    if _subsequence(word, text):
        return True
    mixed = re.match(_MIXED, word)
    if mixed is None:
        return False
    swapped = f"{mixed[2]}{mixed[1]}" if mixed[1] else f"{mixed[4]}{mixed[3]}"
    return _subsequence(swapped, text)


def _subsequence(word: str, text: str) -> bool:
    position = 0
    for char in word:
        position = text.find(char, position) + 1
        if position == 0:
            return False
    return True
