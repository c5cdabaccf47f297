"""Patterns for the names of files: `*`, `?`, `[]`, `{}`, `**` and groups such as `+(a|b)`.

wcmatch knows what they mean, as regular expressions. Those of groups can keep Python's matcher busy
without end, `+(a|a)b` for one, as can many stars, and anybody may have written them, in a package
or a project: they are followed state by state here, in a time that grows with pattern and name
only.
"""

import importlib
import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Matcher", "TooMuchError", "compile_pattern", "find_names", "leads_out"]

_LONGEST = 4096
"""Characters of a pattern: no path is longer."""
_EXPANSIONS = 1000
"""Patterns that one with braces may stand for."""
_STARS = 6
"""In one pattern, as far as they are left to Python's matcher."""
_NEGATIONS = 5
"""Groups `!()` in one pattern."""
_MOST = 1 << 18
"""Characters of all the regular expressions that a pattern with braces stands for."""
# Compiled by `re` at their first use: few lists hold such patterns.
_GROUP = r"[?*+@!]\("
_MAGIC = r"[*?\[(\\]"
_TOKENS = r"\\.|\[[!^]?\]?[^\]]*\]|[?*+@!]\(|[()]|."


class TooMuchError(ValueError):
    """The pattern is too long, or stands for too many names."""


class Matcher(Protocol):
    def __call__(self, name: str, /) -> object: ...


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Matcher:
    """What says of a whole name whether it is meant. Raises TooMuchError."""
    matchers: list[Matcher] = []
    length = 0
    for plain in _expanded(pattern):
        expression = _expression(plain)
        length += len(expression)
        if length > _MOST:
            raise TooMuchError(pattern)
        matchers.append(
            _Stepwise(expression) if _is_hard(plain) else re.compile(expression).fullmatch
        )
    if len(matchers) == 1:
        return matchers[0]
    return lambda name: any(matches(name) for matches in matchers)


def find_names(pattern: str, root: Path) -> Sequence[str]:
    """Of the files and folders in `root` that are meant, relative to it. Raises TooMuchError."""
    from wcmatch import glob  # noqa: PLC0415  (few packages list patterns)

    patterns = _expanded(pattern)
    hard = any(map(_is_hard, patterns))
    try:
        names = glob.glob(
            [_widened(plain) for plain in patterns] if hard else patterns,
            flags=glob.GLOBSTAR | glob.EXTGLOB | glob.CASE,
            root_dir=root,
        )
    except RecursionError:
        raise TooMuchError(pattern) from None
    if hard:
        matches = compile_pattern(pattern)
        names = [name for name in names if matches(_slashed(name, root))]
    return names


def leads_out(pattern: str, root: Path, within: Path) -> bool:
    """Whether it looks outside of a folder: at all of a disk, for one. Raises TooMuchError."""
    top = f"{os.path.normpath(within)}{os.sep}"
    for plain in _expanded(pattern):
        parts = plain.split("/")
        start = next((i for i, part in enumerate(parts) if re.search(_MAGIC, part)), len(parts))
        place = os.path.normpath(os.path.join(root, "/".join((*parts[:start], ""))))
        if not f"{place}{os.sep}".startswith(top):
            return True
        if any(part.replace("\\", "") == ".." for part in parts[start:]):
            return True
    return False


def _slashed(name: str, root: Path) -> str:
    """As expressions want it: a folder ends in a slash."""
    name = name.replace(os.sep, "/").rstrip("/")
    return f"{name}/" if os.path.isdir(root / name) else name


def _expanded(pattern: str) -> Sequence[str]:
    """The patterns without braces that one with braces stands for."""
    if len(pattern) > _LONGEST:
        raise TooMuchError(pattern)
    if "{" not in pattern:
        return [pattern]
    import bracex  # noqa: PLC0415  (as in find_names)

    try:
        return list(dict.fromkeys(bracex.iexpand(pattern, keep_escapes=True, limit=_EXPANSIONS)))
    except (bracex.ExpansionLimitException, RecursionError):
        raise TooMuchError(pattern) from None


def _expression(pattern: str) -> str:
    from wcmatch import glob  # noqa: PLC0415  (as in find_names)

    # What follows one is in what is written for it, twice.
    if pattern.count("!(") > _NEGATIONS:
        raise TooMuchError(pattern)
    try:
        (expression,), _ = glob.translate(pattern, flags=glob.GLOBSTAR | glob.EXTGLOB | glob.CASE)
    except RecursionError:
        raise TooMuchError(pattern) from None
    return str(expression)


def _is_hard(pattern: str) -> bool:
    """Whether Python's matcher may try too many ways."""
    return pattern.count("*") > _STARS or re.search(_GROUP, pattern) is not None


def _widened(pattern: str) -> str:
    """A pattern that means at least as much, and is none of those."""
    parts: list[str] = []
    depth = 0
    for token in re.findall(_TOKENS, pattern, re.DOTALL):
        group = re.fullmatch(_GROUP, token) is not None
        if depth:
            depth += 1 if group or token == "(" else -1 if token == ")" else 0
        elif group:
            depth = 1
            parts.append("+(")
        else:
            parts.append(token)
    segments: list[str] = []
    for segment in "".join(parts).split("/"):
        if segment == "**":
            return "/".join((*segments, "**"))  # all there is below
        few = "+(" not in segment and segment.count("*") <= 2
        segments.append(segment if few else "*")
    return "/".join(segments)


_Step = tuple[str, Any, tuple[int, ...]]
"""What it does, with what, and where it goes on: "char" takes one that a test allows, "at" and
"ahead" take none, "fork" goes on everywhere, "end" nowhere."""


class _Stepwise:
    """A regular expression of wcmatch, as the states of an automaton.

    A state is looked into once for each place in a name. Raises TooMuchError for one that holds
    groups in groups without end.
    """

    def __init__(self, expression: str) -> None:
        self._parser: Any = importlib.import_module("re._parser")
        self._steps: list[_Step] = [("end", None, ())]
        try:
            self._start = self._sequence(self._parser.parse(expression), 0)
        except RecursionError:
            raise TooMuchError(expression) from None

    def __call__(self, name: str, /) -> bool:
        return self._reaches(self._start, name, 0, {}, whole=True)

    def _reaches(
        self, start: int, name: str, at: int, known: dict[tuple[int, int], bool], *, whole: bool
    ) -> bool:
        """known: what looking ahead or back has shown. whole: to the end of the name."""
        size = len(name)
        seen = set()
        waiting = [(start, at)]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            state, at = place
            kind, with_, onward = self._steps[state]
            if kind == "end":
                if at == size or not whole:
                    return True
                continue
            if kind == "char":
                if at < size and with_(name[at]):
                    waiting.append((onward[0], at + 1))
                continue
            if kind == "at":
                if not with_(at, size):
                    continue
            elif kind == "look":
                wanted, width, inner = with_
                if (state, at) not in known:
                    known[state, at] = at >= width and self._reaches(
                        inner, name, at - width, known, whole=False
                    )
                if known[state, at] is not wanted:
                    continue
            waiting += [(next_, at) for next_ in reversed(onward)]
        return False

    def _add(self, kind: str, with_: Any, *onward: int) -> int:
        self._steps.append((kind, with_, onward))
        return len(self._steps) - 1

    def _sequence(self, items: Any, onward: int) -> int:
        for item in reversed(list(items)):
            onward = self._item(str(item[0]), item[1], onward)
        return onward

    def _item(self, what: str, details: Any, onward: int) -> int:
        match what:
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                return self._add("char", _test(what, details), onward)
            case "AT":
                end = str(details) in ("AT_END", "AT_END_STRING")
                return self._add("at", _at_end if end else _at_start, onward)
            case "SUBPATTERN":
                return self._sequence(details[-1], onward)
            case "ATOMIC_GROUP":  # spares a matcher that goes back, and changes no meaning here
                return self._sequence(details, onward)
            case "BRANCH":
                return self._add("fork", None, *(self._sequence(x, onward) for x in details[1]))
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, items = details
                return self._repeat(least, most, items, onward)
            case "ASSERT" | "ASSERT_NOT":
                direction, items = details
                width = items.getwidth()[1] if direction < 0 else 0
                looked = (what == "ASSERT", width, self._sequence(items, 0))
                return self._add("look", looked, onward)
        raise AssertionError(f"wcmatch writes {what}")

    def _repeat(self, least: int, most: Any, items: Any, onward: int) -> int:
        if most is self._parser.MAXREPEAT:
            loop = self._add("fork", None)
            body = self._sequence(items, loop)
            self._steps[loop] = ("fork", None, (body, onward))
            # Not one of its own for the first time: groups in groups would double with each.
            state, least = (body, least - 1) if least else (loop, 0)
        else:
            state = onward
            for _ in range(most - least):
                state = self._add("fork", None, self._sequence(items, state), onward)
        for _ in range(least):
            state = self._sequence(items, state)
        return state


def _at_start(at: int, _size: int) -> bool:
    return at == 0


def _at_end(at: int, size: int) -> bool:
    return at == size


def _test(what: str, details: Any) -> Callable[[str], bool]:
    if what == "ANY":
        return lambda _char: True
    if what == "LITERAL":
        return lambda char: ord(char) == details
    if what == "NOT_LITERAL":
        return lambda char: ord(char) != details
    ranges, wanted = [], True
    for kind, value in details:
        match str(kind):
            case "NEGATE":
                wanted = False
            case "LITERAL":
                ranges.append((value, value))
            case "RANGE":
                ranges.append(value)
            case _:
                raise AssertionError(f"wcmatch writes {kind}")
    return lambda char: any(low <= ord(char) <= high for low, high in ranges) is wanted
