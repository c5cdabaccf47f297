"""How names are compared: substrings, globs, subsequences, and the order names sort in.

All comparisons ignore case. Nothing here knows providers' credentials or files.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from pi.wire.messages import THINKING_LEVELS, ThinkingLevel

__all__ = [
    "Name",
    "best_match",
    "collation_key",
    "fuzzy_match",
    "glob_matches",
    "is_glob",
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


def is_glob(pattern: str) -> bool:
    return any(char in pattern for char in "*?[")


def glob_matches(pattern: str, text: str) -> bool:
    """Shell-style matching of the whole text; `*` and `?` stop at "/", a segment `**` does not.

    `[a-z]`, `[!a-z]`, `{a,b}`, `@(a|b)`, `?(…)`, `*(…)`, `+(…)` and a leading `!` for "not" work.
    """
    negated = False
    while pattern.startswith("!") and not pattern.startswith("!("):
        negated, pattern = not negated, pattern[1:]
    matched = any(_compiled(one).fullmatch(text) for one in _braces(pattern))
    return matched is not negated


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translate(pattern), re.IGNORECASE)


def _translate(pattern: str) -> str:
    out: list[str] = []
    closers: list[str] = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char in "@?*+" and pattern[i + 1 : i + 2] == "(" and ")" in pattern[i:]:
            out.append("(?:")
            closers.append(")" + {"@": "", "?": "?", "*": "*", "+": "+"}[char])
            i += 2
            continue
        if closers and char == "|":
            out.append("|")
        elif closers and char == ")":
            out.append(closers.pop())
        elif char == "*":
            run = len(pattern[i:]) - len(pattern[i:].lstrip("*"))
            before, after = pattern[i - 1 : i] if i else "/", pattern[i + run : i + run + 1]
            if run == 2 and before == "/" and after in ("/", ""):
                out.append("(?:.*/)?" if after else ".*")
                i += run + (1 if after else 0)
                continue
            out.append("[^/]*")
            i += run
            continue
        elif char == "?":
            out.append("[^/]")
        elif char == "[" and (end := pattern.find("]", i + 2)) > 0:
            body = pattern[i + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            if body[0] in "!^":
                body = "^/" + body[1:]
            out.append(f"[{body}]")
            i = end + 1
            continue
        elif char == "\\" and i + 1 < len(pattern):
            i += 1
            out.append(re.escape(pattern[i]))
        else:
            out.append(re.escape(char))
        i += 1
    while closers:
        out.append(closers.pop())
    text = "".join(out)
    try:
        re.compile(text)
    except re.error:  # such as a range that runs backwards: then it is no glob
        return re.escape(pattern)
    return text


def _braces(pattern: str) -> list[str]:
    """`a{b,c}` as ["ab", "ac"], nested too; a brace without comma or partner stays."""
    start = pattern.find("{")
    while start >= 0:
        depth, commas, end = 0, [], -1
        for i in range(start, len(pattern)):
            if pattern[i] == "{":
                depth += 1
            elif pattern[i] == "}":
                depth -= 1
                if depth == 0:
                    end = i
                    break
            elif pattern[i] == "," and depth == 1:
                commas.append(i)
        if end > 0 and commas and len(pattern) < 500:
            cuts = [start, *commas, end]
            parts = [pattern[a + 1 : b] for a, b in pairwise(cuts)]
            head, tail = pattern[:start], pattern[end + 1 :]
            return [whole for part in parts for whole in _braces(head + part + tail)]
        start = pattern.find("{", start + 1)
    return [pattern]


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
