"""Compiles a pattern's tree to a nondeterministic automaton over bytes.

The automaton is a handful of flat arrays, so that the compiled module can run it without the
interpreter. Characters beyond ASCII become the byte sequences of UTF-8; a class shares its
sequences' common ends, so `\\w` takes about 300 states instead of thousands.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache

from pi._speedups.pattern.charset import ASCII_CLASSES, Ranges, word
from pi._speedups.pattern.nodes import (
    Alternation,
    Chars,
    Concat,
    Empty,
    Look,
    LookKind,
    Node,
    Repeat,
)

__all__ = [
    "FAIL",
    "LOOK",
    "MATCH",
    "SPLIT",
    "STEP",
    "Program",
    "TooLarge",
    "check_size",
    "compile_program",
]

MATCH, SPLIT, LOOK, STEP, FAIL = range(5)

_STATES = 500_000
_UTF8_LIMITS = (0x7F, 0x7FF, 0xFFFF, 0x10FFFF)
_ASCII_WORD = frozenset(
    byte for low, high in ASCII_CLASSES["word"] for byte in range(low, high + 1)
)

# A node of a class: ranges of bytes (low, high) and the node each leads to, -1 for the end.
Edges = tuple[tuple[int, int, int], ...]


class TooLarge(ValueError):
    """The pattern, its counted repetitions written out, has too many states."""


@dataclass(frozen=True, slots=True)
class Program:
    """The automaton. State i has kind[i] and, by kind:

    SPLIT: goes on at first[i] and at second[i]. LOOK: at first[i] if the condition second[i]
    holds. STEP: edges first[i] … first[i] + second[i] of low, high (inclusive bytes) and target.

    classes maps each byte to its equivalence class; the class `end` stands for the end of the
    line (or of the text), and with `lines` the line feed is mapped to it. word_points are the
    flat ranges of Unicode's word characters, where the pattern asks for them, else empty.
    """

    kind: bytes
    first: array[int]
    second: array[int]
    low: bytes
    high: bytes
    target: array[int]
    start: int
    classes: bytes
    end: int
    lines: bool
    looks_at_words: bool
    word_points: array[int]


def compile_program(node: Node, *, lines: bool = True) -> Program:
    """The automaton of a tree; `lines`: a line feed ends what it looks at.

    Raises TooLarge.
    """
    check_size(node)
    compiler = _Compiler()
    start = compiler.emit(node, compiler.add(MATCH))
    edges = compiler.edges
    ascii_words = any(look.ascii for look in compiler.word_looks)
    unicode_words = any(not look.ascii for look in compiler.word_looks)
    if ascii_words and unicode_words:
        raise TooLarge("word boundaries with and without Unicode in one pattern")
    classes, end = _classes(edges, lines, ascii_words or unicode_words)
    points = [point for low, high in word() for point in (low, high)] if unicode_words else []
    return Program(
        kind=bytes(compiler.kind),
        first=array("i", compiler.first),
        second=array("i", compiler.second),
        low=bytes(edge[0] for edge in edges),
        high=bytes(edge[1] for edge in edges),
        target=array("i", [edge[2] for edge in edges]),
        start=start,
        classes=classes,
        end=end,
        lines=lines,
        looks_at_words=ascii_words or unicode_words,
        word_points=array("i", points),
    )


def check_size(node: Node) -> None:
    """Raises TooLarge for a tree that would take too many states, before anyone writes them."""
    try:
        size = _size(node)
    except RecursionError:
        raise TooLarge("the pattern is nested too deeply") from None
    if size > _STATES:
        raise TooLarge(f"the pattern needs more than {_STATES} states")


def _size(node: Node) -> int:
    """About how many states a tree takes, without writing them."""
    match node:
        case Chars(ranges, raw):
            return 1 if raw else len(_utf8_edges(ranges))
        case Concat(parts):
            return sum(map(_size, parts))
        case Alternation(parts):
            return sum(map(_size, parts)) + len(parts)
        case Repeat(inner, least, most):
            return (_size(inner) + 1) * max(least, 1 if most is None else most, 1)
        case _:
            return 1


def _classes(edges: list[tuple[int, int, int]], lines: bool, words: bool) -> tuple[bytes, int]:
    """Bytes that no edge tells apart share a class."""
    cuts = bytearray(257)  # cuts[b]: byte b is not in the class of b - 1
    for low, high, _ in edges:
        cuts[low] = 1
        cuts[high + 1] = 1
    if words:
        for low, high in (*ASCII_CLASSES["word"], (0x80, 0xFF)):
            cuts[low] = 1
            cuts[high + 1] = 1
    if lines:
        cuts[0x0A] = cuts[0x0B] = 1
    out = bytearray(256)
    current = 0
    for byte in range(256):
        if byte and cuts[byte]:
            current += 1
        out[byte] = current
    if lines:
        # The line feed's own class becomes that of the end: the last number.
        own = out[0x0A]
        for byte in range(256):
            if byte == 0x0A:
                out[byte] = current
            elif out[byte] > own:
                out[byte] -= 1
        return bytes(out), current
    return bytes(out), current + 1


class _Compiler:
    """Builds from the end: `emit(node, after)` gives the state where `node` starts."""

    def __init__(self) -> None:
        self.kind = bytearray()
        self.first: list[int] = []
        self.second: list[int] = []
        self.edges: list[tuple[int, int, int]] = []
        self.word_looks: set[Look] = set()

    def add(self, kind: int, first: int = 0, second: int = 0) -> int:
        self.kind.append(kind)
        self.first.append(first)
        self.second.append(second)
        return len(self.kind) - 1

    def emit(self, node: Node, after: int) -> int:
        match node:
            case Empty():
                return after
            case Chars(ranges, raw):
                edges = _byte_edges(ranges) if raw else _utf8_edges(ranges)
                return self.place(edges, after)
            case Look(kind):
                if kind not in (LookKind.START, LookKind.END):
                    self.word_looks.add(node)
                return self.add(LOOK, after, kind)
            case Concat(parts):
                for part in reversed(parts):
                    after = self.emit(part, after)
                return after
            case Alternation(parts):
                start = self.emit(parts[-1], after)
                for part in reversed(parts[:-1]):
                    start = self.add(SPLIT, self.emit(part, after), start)
                return start
            case Repeat():
                return self.repeat(node, after)

    def repeat(self, node: Repeat, after: int) -> int:
        start = after
        if node.most is None:
            start = self.add(SPLIT, 0, after)
            self.first[start] = self.emit(node.node, start)
        else:
            for _ in range(node.most - node.least):
                start = self.add(SPLIT, self.emit(node.node, start), after)
        before = len(self.kind)
        for _ in range(node.least):
            start = self.emit(node.node, start)
            if len(self.kind) == before:  # what matches only the empty text may stand once
                break
        return start

    def place(self, nodes: tuple[Edges, ...], after: int) -> int:
        """Writes a class's nodes, which point to earlier ones only; the last is its start."""
        base = len(self.kind)
        if not nodes:
            return self.add(FAIL)
        for edges in nodes:
            self.add(STEP, len(self.edges), len(edges))
            self.edges.extend(
                (low, high, after if to < 0 else base + to) for low, high, to in edges
            )
        return len(self.kind) - 1


def _byte_edges(ranges: Ranges) -> tuple[Edges, ...]:
    return (tuple((low, high, -1) for low, high in ranges),) if ranges else ()


@lru_cache(maxsize=256)
def _utf8_edges(ranges: Ranges) -> tuple[Edges, ...]:
    sequences = [sequence for low, high in ranges for sequence in _utf8_sequences(low, high)]
    nodes: dict[Edges, int] = {}

    def build(part: list[tuple[tuple[int, int], ...]]) -> int:
        edges: list[tuple[int, int, int]] = []
        at = 0
        while at < len(part):
            head = part[at][0]
            stop = at
            while stop < len(part) and part[stop][0] == head:
                stop += 1
            rest = [sequence[1:] for sequence in part[at:stop]]
            to = build(rest) if rest[0] else -1
            if edges and edges[-1][2] == to and edges[-1][1] + 1 == head[0]:
                edges[-1] = (edges[-1][0], head[1], to)
            else:
                edges.append((head[0], head[1], to))
            at = stop
        return nodes.setdefault(tuple(edges), len(nodes))

    if not sequences:
        return ()
    root = build(sequences)
    ordered = sorted(nodes, key=nodes.__getitem__)
    if root != len(ordered) - 1:  # the start must be last: write it once more
        ordered.append(ordered[root])
    return tuple(ordered)


def _utf8_sequences(low: int, high: int) -> list[tuple[tuple[int, int], ...]]:
    """The range as sequences of byte ranges, in order."""
    out: list[tuple[tuple[int, int], ...]] = []
    start = low
    for size, limit in enumerate(_UTF8_LIMITS, 1):
        if start > limit or start > high:
            continue
        stop = min(high, limit)
        _split(start, stop, size, out)
        start = stop + 1
    return out


def _split(low: int, high: int, size: int, out: list[tuple[tuple[int, int], ...]]) -> None:
    """Cuts until each byte of the sequence ranges independently of the others."""
    for level in range(1, size):
        mask = (1 << (6 * level)) - 1
        if low & ~mask == high & ~mask:
            continue
        if low & mask:
            _split(low, low | mask, size, out)
            _split((low | mask) + 1, high, size, out)
            return
        if high & mask != mask:
            _split(low, (high & ~mask) - 1, size, out)
            _split(high & ~mask, high, size, out)
            return
    first, last = _encode(low, size), _encode(high, size)
    out.append(tuple(zip(first, last, strict=True)))


def _encode(point: int, size: int) -> list[int]:
    if size == 1:
        return [point]
    lead = (0, 0, 0xC0, 0xE0, 0xF0)[size] | (point >> (6 * (size - 1)))
    return [lead] + [0x80 | ((point >> (6 * k)) & 0x3F) for k in range(size - 2, -1, -1)]
