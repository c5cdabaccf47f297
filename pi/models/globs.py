"""Shell-style patterns on model ids, matched in time linear in the text, whatever the pattern.

A pattern becomes a small automaton; the sets of its states that a text leads through are kept, so
that a list of models costs little more than a dictionary's look-ups.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise

__all__ = ["glob_matches", "is_glob"]

MOST_ALTERNATIVES = 256
LONGEST_WITH_BRACES = 500
"""Of a pattern's braces, written out. What has more, or is longer, is taken as it stands."""

# Of characters: ranges of code points, and whether it is those that do not match.
_Chars = tuple[tuple[tuple[int, int], ...], bool]
_NO_SLASH: _Chars = (((0x2F, 0x2F),), True)
_ANY: _Chars = ((), True)
_END = 0


def is_glob(pattern: str) -> bool:
    return any(char in pattern for char in "*?[")


def glob_matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches, case aside; `*` and `?` stop at "/", a segment `**` does not.

    `[a-z]`, `[!a-z]`, `{a,b}`, `@(a|b)`, `?(…)`, `*(…)`, `+(…)` and a leading `!` for "not" work.
    """
    negated = False
    while pattern.startswith("!") and not pattern.startswith("!("):
        negated, pattern = not negated, pattern[1:]
    matched = any(one.matches(text) for one in _alternatives(pattern))
    return matched is not negated


@cache
def _alternatives(pattern: str) -> tuple["_Matcher", ...]:
    texts: tuple[str, ...] = (pattern,)
    if len(pattern) <= LONGEST_WITH_BRACES:
        written_out = tuple(islice(_braces(pattern), MOST_ALTERNATIVES + 1))
        if len(written_out) <= MOST_ALTERNATIVES:
            texts = written_out
    return tuple(_Matcher(text) for text in texts)


def _braces(pattern: str) -> Iterator[str]:
    """`a{b,c}` as "ab" and "ac", nested too; a brace without comma or partner stays."""
    start = pattern.find("{")
    while start >= 0:
        depth = 0
        commas: list[int] = []
        for i in range(start, len(pattern)):
            if pattern[i] == "{":
                depth += 1
            elif pattern[i] == "}":
                depth -= 1
                if depth == 0:
                    if not commas:
                        break
                    head, tail = pattern[:start], pattern[i + 1 :]
                    for a, b in pairwise([start, *commas, i]):
                        yield from _braces(head + pattern[a + 1 : b] + tail)
                    return
            elif pattern[i] == "," and depth == 1:
                commas.append(i)
        start = pattern.find("{", start + 1)
    yield pattern


class _Matcher:
    """A pattern without braces as states, of which _END is where a match ends.

    A state takes a character and goes on, or goes on in several places without one.
    """

    def __init__(self, pattern: str) -> None:
        self._takes: list[_Chars | None] = [None]
        self._goes: list[tuple[int, ...]] = [()]
        try:
            items = _Parser(pattern).sequence()
        except ValueError:  # such as a range that runs backwards: then it is no glob
            items = [_exactly(char) for char in pattern]
        self._start = self._reached([self._chain(items, _END)])
        self._moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        states = self._start
        for char in text:
            following = self._moves.get((states, char))
            if following is None:
                following = self._moves[states, char] = self._step(states, char)
            states = following
        return _END in states

    def _step(self, states: frozenset[int], char: str) -> frozenset[int]:
        points = {ord(one) for one in (char, char.lower()[:1], char.upper()[:1])}
        return self._reached(
            [
                self._goes[state][0]
                for state in states
                if (chars := self._takes[state]) is not None and _takes(chars, points)
            ]
        )

    def _reached(self, states: list[int]) -> frozenset[int]:
        """With what they lead to without a character."""
        found: set[int] = set()
        while states:
            state = states.pop()
            if state not in found:
                found.add(state)
                if self._takes[state] is None:
                    states.extend(self._goes[state])
        return frozenset(found)

    def _chain(self, items: "list[_Item]", following: int) -> int:
        """The state that begins the items, built from their end."""
        for item in reversed(items):
            if isinstance(item, _Group):
                following = self._group(item, following)
            else:
                following = self._state(item, (following,))
        return following

    def _group(self, group: "_Group", following: int) -> int:
        if group.how in "*+":
            again = self._state(None, ())
            begins = tuple(self._chain(items, again) for items in group.choices)
            self._goes[again] = (*begins, following)
            return again if group.how == "*" else self._state(None, begins)
        begins = tuple(self._chain(items, following) for items in group.choices)
        return self._state(None, (*begins, following) if group.how == "?" else begins)

    def _state(self, takes: _Chars | None, goes: tuple[int, ...]) -> int:
        self._takes.append(takes)
        self._goes.append(goes)
        return len(self._takes) - 1


class _Group:
    """Any of some sequences. how: "@" once, "?" at most once, "*" any number of times, "+" once or
    more."""

    def __init__(self, how: str, choices: "list[list[_Item]]") -> None:
        self.how = how
        self.choices = choices


_Item = _Chars | _Group


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def sequence(self, depth: int = 0) -> list[_Item]:
        """Up to the end, or inside a group up to its next bar or its closing parenthesis."""
        items: list[_Item] = []
        pattern = self.pattern
        while self.at < len(pattern):
            char = pattern[self.at]
            if depth and char in "|)":
                break
            if char in "@?*+" and pattern[self.at + 1 : self.at + 2] == "(":
                if depth > 100:
                    raise ValueError("groups are nested too deep")
                if ")" in pattern[self.at :]:
                    items.append(self._group(char, depth))
                    continue
            if char == "*":
                items.append(self._stars())
                continue
            self.at += 1
            if char == "?":
                items.append(_NO_SLASH)
            elif char == "[" and (end := pattern.find("]", self.at + 1)) > 0:
                items.append(_class(pattern[self.at : end]))
                self.at = end + 1
            elif char == "\\" and self.at < len(pattern):
                items.append(_exactly(pattern[self.at]))
                self.at += 1
            else:
                items.append(_exactly(char))
        return items

    def _group(self, how: str, depth: int) -> _Group:
        self.at += 2
        choices = [self.sequence(depth + 1)]
        while self.pattern.startswith("|", self.at):
            self.at += 1
            choices.append(self.sequence(depth + 1))
        self.at += 1
        return _Group(how, choices)

    def _stars(self) -> _Item:
        pattern = self.pattern
        start = self.at
        before = pattern[start - 1] if start else "/"
        while self.at < len(pattern) and pattern[self.at] == "*":
            self.at += 1
        after = pattern[self.at : self.at + 1]
        if self.at - start == 2 and before == "/" and after in ("/", ""):
            everything = _Group("*", [[_ANY]])
            if not after:
                return everything
            self.at += 1
            return _Group("?", [[everything, _exactly("/")]])
        return _Group("*", [[_NO_SLASH]])


def _exactly(char: str) -> _Chars:
    return ((ord(char), ord(char)),), False


def _class(body: str) -> _Chars:
    """Between the brackets. Raises ValueError for a range that runs backwards."""
    negated = body[0] in "!^"
    ranges = [(0x2F, 0x2F)] if negated else []
    at = int(negated)
    while at < len(body):
        low = high = ord(body[at])
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            high = ord(body[at + 2])
            at += 2
            if high < low:
                raise ValueError("a range runs backwards")
        ranges.append((low, high))
        at += 1
    return tuple(ranges), negated


def _takes(chars: _Chars, points: set[int]) -> bool:
    """points: the character in both cases."""
    ranges, negated = chars
    return any(low <= point <= high for low, high in ranges for point in points) is not negated
