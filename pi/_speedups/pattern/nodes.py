"""The tree of a parsed pattern. Groups and greediness leave no trace: only whether it matches."""

from dataclasses import dataclass
from enum import IntEnum

from pi._speedups.pattern.charset import Ranges

__all__ = ["Alternation", "Chars", "Concat", "Empty", "Look", "LookKind", "Node", "Repeat"]


class LookKind(IntEnum):
    """Conditions on a position. The numbers are shared with automaton.pyx."""

    START = 0
    END = 1
    WORD = 2
    NOT_WORD = 3
    WORD_START = 4
    WORD_END = 5
    WORD_START_HALF = 6
    WORD_END_HALF = 7


@dataclass(frozen=True, slots=True)
class Empty:
    """Matches nothing at all, everywhere."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set; with `raw`, one byte."""

    ranges: Ranges
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A condition on the position; `ascii` narrows what counts as a word character."""

    kind: LookKind
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """`node` from `least` to `most` times; most None is without end."""

    node: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    parts: tuple["Node", ...]


Node = Empty | Chars | Look | Repeat | Concat | Alternation
