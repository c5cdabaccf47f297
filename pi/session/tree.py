"""The whole tree of a session: one row an entry, in the order of the file.

Built on demand by one pass that decodes almost nothing; the rows are `pi._speedups.TreeRows`. The
file is read in blocks, and a large one by a thread that is one block ahead of the scan.

A parent is the nearest earlier entry with the wanted id (ids may repeat in a damaged file), else a
later one, else none: the entry is a root then.
"""

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

from pi._speedups import TreeRows
from pi.session.reader import Head, decode, is_garbage, skim
from pi.session.source import Source

__all__ = ["Totals", "TreeIndex"]

BLOCK = 1 << 18
LARGE = 32 << 20
"""Bytes from which a second thread pays, and larger blocks with it."""
LARGE_BLOCK = 4 << 20
"""Each block is handed from one thread to the other: half a megabyte costs a third of the speed."""


class Totals(NamedTuple):
    """Tokens, and cost in dollars, as the entries that report usage say."""

    input: int | float = 0
    output: int | float = 0
    cache_read: int | float = 0
    cache_write: int | float = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int | float:
        return self.input + self.output + self.cache_read + self.cache_write


class TreeIndex:
    """Rows 0 to len(self) - 1.

    garbage: offsets of damaged lines. One with an intact beginning has a row as well.
    """

    def __init__(self) -> None:
        self.garbage = array("q")
        self._tree = TreeRows(self._parse)

    @classmethod
    def build(cls, source: Source, start: int, end: int, *, verify: bool = False) -> "TreeIndex":
        """Index the entries between two offsets; `start` is where the header's line ends.

        verify: decode each line, to find damage behind an intact beginning.
        """
        index = cls()
        index.extend(source, start, end, verify=verify)
        return index

    def extend(self, source: Source, start: int, end: int, *, verify: bool = False) -> None:
        """Take in further lines, and settle parents that come later than their children."""
        first = len(self._tree)
        self._tree.skip_to(start)
        for block in _blocks(source, start, end):
            self._tree.feed(block)
        self._tree.finish()
        if verify:
            for row in range(first, len(self._tree)):
                begin, stop = self._tree.span(row)
                if decode(source.read(begin, stop)) is None:
                    self.garbage.append(begin)

    def add(self, head: Head, start: int, end: int) -> int:
        """One more entry at the end; returns its row."""
        return self._tree.add(*head, start, end)

    def _parse(self, line: bytes, offset: int) -> Head | None:
        head = skim(line)
        if head is None and is_garbage(line):
            self.garbage.append(offset)
        return head

    def __len__(self) -> int:
        return len(self._tree)

    def __contains__(self, entry_id: object) -> bool:
        return isinstance(entry_id, str) and self._tree.row(entry_id) is not None

    @property
    def ids(self) -> list[str]:
        """Of all rows, made anew at each call."""
        return [self._tree.id(row) for row in range(len(self._tree))]

    def id(self, row: int) -> str:
        return self._tree.id(row)

    def row(self, entry_id: str) -> int | None:
        """The latest entry with this id."""
        return self._tree.row(entry_id)

    def row_at(self, start: int) -> int | None:
        """The entry whose line begins at an offset."""
        return self._tree.row_at(start)

    def span(self, row: int) -> tuple[int, int]:
        """Offsets of the line, newline excluded."""
        return self._tree.span(row)

    def type(self, row: int) -> str:
        return self._tree.kind(row)

    def parent(self, row: int) -> int | None:
        return self._tree.parent(row)

    def up(self, row: int) -> Iterator[int]:
        """`row`, its parent, and so on to a root. A cycle ends where it closes."""
        return iter(self._tree.path(row))

    def of_type(self, kind: str) -> list[int]:
        """Rows of one type, in the order of the file."""
        return self._tree.of_kind(kind)

    def children_of(self, row: int | None) -> list[int]:
        """Rows that follow one, roots for None; in the order of the file."""
        return self._tree.children(row)

    def children(self) -> dict[int | None, list[int]]:
        """Rows by parent row, roots under None; rows of a closed cycle hang under each other."""
        found: dict[int | None, list[int]] = {}
        for row in range(len(self._tree)):
            found.setdefault(self._tree.parent(row), []).append(row)
        return found

    def leaves(self) -> list[int]:
        """Rows that no other follows, in the order of the file."""
        return self._tree.leaves()

    def common_ancestor(self, one: int, other: int) -> int | None:
        """The nearest row on the paths of both; None where they have none in common."""
        return self._tree.common_ancestor(one, other)

    def labels(self, source: Source) -> dict[str, str]:
        """Labels by the id of the entry they are on: what the latest label entry of each says."""
        found: dict[str, str] = {}
        for row in self._tree.of_kind("label"):
            entry = decode(source.read(*self._tree.span(row))) or {}
            target, label = entry.get("targetId"), entry.get("label")
            if isinstance(target, str):
                found.pop(target, None)
                if isinstance(label, str) and label:
                    found[target] = label
        return found

    def totals(self, source: Source, rows: list[int] | None = None) -> Totals:
        """Usage of all entries, or of some: answers, tools, compactions, summaries, `usage`."""
        *tokens, cost = self._tree.totals(source.read, _usage_in, rows)
        sent, got, read, written = (int(n) if n.is_integer() else n for n in tokens)
        return Totals(sent, got, read, written, cost)


def _usage_in(line: bytes) -> tuple[float, float, float, float, float] | None:
    entry: Any = decode(line)
    if isinstance(entry, dict) and entry.get("type") == "message":
        entry = entry.get("message")
    usage = entry.get("usage") if isinstance(entry, dict) else None
    if not isinstance(usage, dict):
        return None
    cost = usage.get("cost")
    return (
        _figure(usage.get("input")),
        _figure(usage.get("output")),
        _figure(usage.get("cacheRead")),
        _figure(usage.get("cacheWrite")),
        _figure(cost.get("total")) if isinstance(cost, dict) else 0.0,
    )


def _figure(value: object) -> float:
    """A number as it counts; 0 for what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        return float(value)
    except OverflowError:
        return 0.0


def _blocks(source: Source, start: int, end: int) -> Iterator[memoryview]:
    """The bytes between two offsets, each block valid until the next is asked for."""
    if end - start < LARGE:
        buffer = memoryview(bytearray(max(0, min(BLOCK, end - start))))
        while start < end and (count := source.read_into(start, buffer[: end - start])):
            start += count
            yield buffer[:count]
        return
    # A thread of its own fills one buffer while the other is scanned without the GIL.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (large files only)

    buffers = [memoryview(bytearray(LARGE_BLOCK)) for _ in range(2)]
    with ThreadPoolExecutor(1, "session-read") as reader:
        coming = reader.submit(source.read_into, start, buffers[0])
        while start < end and (count := coming.result()):
            current = buffers[0][: min(count, end - start)]
            start += count
            buffers.reverse()
            if start < end:
                coming = reader.submit(source.read_into, start, buffers[0])
            yield current
