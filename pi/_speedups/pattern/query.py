"""What a search asks: a pattern's program and the literal text that every match must contain.

The literal is looked for first, with the machine's vector instructions; the program runs only on
the lines that have it, and not at all where the literal is the whole pattern.
"""

from dataclasses import dataclass

from pi._speedups.pattern import syntax
from pi._speedups.pattern.nodes import Alternation, Chars, Concat, Node, Repeat
from pi._speedups.pattern.program import Program, TooLarge, check_size, compile_program

__all__ = ["Query", "make_query"]

# Bytes of source code and prose, the most frequent first; all others are rarer.
_COMMON = b" etaoinsrlcdupmhfgbyv_w.,k()x-=\"'/:0j1zq2;{}[]<>*#+3456789\n\t"
_MOST_CHOICES = 32

_Run = list[tuple[int, int]]  # bytes, each with its fold

_RANK = {byte: len(_COMMON) - at for at, byte in enumerate(_COMMON)}


@dataclass(frozen=True, slots=True)
class Query:
    """needle: text that a matching line contains, b"" for none known; fold[i] is 0x20 where
    needle[i] stands for both cases of an ASCII letter (and is then the lower one), else 0.
    rare: two places in the needle whose bytes are the least frequent.
    choices: without a needle, texts of 2 or 3 bytes (with their folds), all of one length, of
    which a matching line contains one; () for none known.
    program: None where the needle says it all.
    """

    needle: bytes
    fold: bytes
    rare: tuple[int, int]
    choices: tuple[tuple[bytes, bytes], ...]
    program: Program | None


def make_query(pattern: str, *, literal: bool = False, ignore_case: bool = False) -> Query:
    """Reads a pattern, or with `literal` a text that stands for itself.

    Raises syntax.PatternError, naming the place.
    """
    if literal:
        node = syntax.literal(pattern, ignore_case=ignore_case)
    else:
        node = syntax.parse(pattern, ignore_case=ignore_case)
    try:
        check_size(node)
        runs = _Runs()
        runs.visit(node)
        runs.cut()
        needle = runs.best
        exact = runs.exact and len(needle) == runs.length and bool(needle)
        program = None if exact else compile_program(node)
    except (TooLarge, RecursionError) as error:
        reason = str(error) if isinstance(error, TooLarge) else "the pattern is nested too deeply"
        raise syntax.PatternError(pattern, 0, reason) from None
    choices = runs.choices if len(needle) < 2 else []
    if choices:
        needle = []
        size = min(3, *map(len, choices))
        choices = [_rarest(choice, size) for choice in choices]
    text, fold = _split(needle)
    order = sorted(range(len(text)), key=lambda at: (_RANK.get(text[at], 0), at))
    rare = (order[0], order[min(1, len(order) - 1)]) if order else (0, 0)
    return Query(text, fold, rare, tuple(map(_split, choices)), program)


class _Runs:
    """Collects the runs of bytes that are in every match, and keeps the most telling one.

    choices: runs of which one is in every match, from the alternatives of the pattern.
    """

    def __init__(self) -> None:
        self.run: _Run = []
        self.best: _Run = []
        self.choices: list[_Run] = []
        self.exact = True  # so far the pattern is a plain text
        self.length = 0

    def cut(self) -> None:
        if _weight(self.run) > _weight(self.best):
            self.best = self.run
        self.run = []

    def visit(self, node: Node) -> None:
        match node:
            case Concat(parts):
                for part in parts:
                    self.visit(part)
                return
            case Chars() if _one_text(node) is not None:
                text = _one_text(node) or []
                self.run.extend(text)
                self.length += len(text)
                return
            case Repeat(inner, least, most):
                self.exact = False
                if least == 0:
                    self.cut()
                    return
                if least == most and least <= 16 and _one_text(inner) is not None:
                    for _ in range(least):
                        self.visit(inner)
                    return
                # One occurrence, ending a run, and the last one starting the next.
                self.visit(inner)
                self.cut()
                if least > 1 or isinstance(inner, Chars):
                    self.visit(inner)
                return
            case Alternation(parts):
                self.choose(parts)
        self.exact = False
        self.cut()

    def choose(self, parts: tuple[Node, ...]) -> None:
        choices: list[_Run] = []
        for part in parts:
            runs = _Runs()
            runs.visit(part)
            runs.cut()
            if len(runs.best) >= 2:
                choices.append(runs.best)
            elif runs.choices:
                choices.extend(runs.choices)
            else:
                return
        if len(choices) <= _MOST_CHOICES and (
            not self.choices or min(map(_weight, choices)) > min(map(_weight, self.choices))
        ):
            self.choices = choices


def _weight(run: _Run) -> int:
    return sum(80 - _RANK.get(byte, 0) for byte, _ in run)


def _rarest(run: _Run, size: int) -> _Run:
    """The part of this length that says most."""
    return max((run[at : at + size] for at in range(len(run) - size + 1)), key=_weight)


def _split(run: _Run) -> tuple[bytes, bytes]:
    return bytes(byte for byte, _ in run), bytes(fold for _, fold in run)


def _one_text(node: Node) -> _Run | None:
    """The bytes of a set that is one character, or one ASCII letter in both cases."""
    if not isinstance(node, Chars):
        return None
    ranges = node.ranges
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        point = ranges[0][0]
        text = bytes([point]) if node.raw else chr(point).encode()
        return [(byte, 0) for byte in text]
    if len(ranges) == 2 and all(low == high for low, high in ranges):
        upper, lower = ranges[0][0], ranges[1][0]
        if 0x41 <= upper <= 0x5A and lower == upper + 0x20:
            return [(lower, 0x20)]
    return None
