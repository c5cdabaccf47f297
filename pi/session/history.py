"""What a session holds, read no further than somebody asks.

A small session is indexed whole when it is opened. A large one is read from its end: the leaf is
the last entry, its ancestors are found by following parentId backwards, and the index is built
only when an entry is asked for that was not met on the way.

A line whose beginning is intact but which cannot be decoded is skipped as an entry, while its
parent is still followed: one damaged line does not cost what came before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from pi.session.reader import (
    FIRST_BLOCK,
    SPACE,
    Backward,
    Head,
    decode,
    head_of,
    is_garbage,
    read_header,
    skim,
)
from pi.session.source import Source
from pi.session.tree import TreeIndex
from pi.wire.entries import SessionEntry
from pi.wire.jsonio import dumps

__all__ = ["Damage", "History", "Step"]

SMALL = 1 << 20
"""Bytes up to which a session is indexed when it is opened: some milliseconds."""

NEAR = 4 << 20
"""Bytes from the end that are searched for a name before the whole tree is."""


class Step(NamedTuple):
    """One entry on the way from a leaf to the root, and its undecoded line."""

    head: Head
    start: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Lines that are no entries. They stay where they are.

    count: of those met so far. first_line: number of the first of them, from 1.
    """

    count: int
    first_line: int


class History:
    """The entries of one source. It never writes; `added` tells it what was written.

    leaf: id of the entry that the next one follows, None before the first.
    """

    def __init__(
        self, source: Source, *, small: int = SMALL, first_block: int = FIRST_BLOCK
    ) -> None:
        """Raises SessionError when the source is not a session."""
        self.source = source
        self.header, self._body = read_header(source)
        self._end = source.size
        self._first_block = first_block
        self._index: TreeIndex | None = None
        self._spans: dict[str, tuple[int, int]] = {}
        self._garbage: set[int] = set()
        self._name: str | None = None
        self._name_known = False
        if self._end - self._body <= small:
            self._take_index(TreeIndex.build(source, self._body, self._end, verify=True))
        self._leaf = self._find_leaf()

    @property
    def leaf(self) -> str | None:
        return None if self._leaf is None else self._leaf[0]

    @property
    def whole(self) -> bool:
        """Whether every entry is indexed."""
        return self._index is not None

    @property
    def end(self) -> int:
        """How much of the source is known: the offset behind the last known line."""
        return self._end

    def index(self) -> TreeIndex:
        """The whole tree. The first call reads the whole source."""
        if self._index is None:
            return self._take_index(TreeIndex.build(self.source, self._body, self._end))
        return self._index

    def _take_index(self, index: TreeIndex) -> TreeIndex:
        self._index = index
        self._garbage.update(index.garbage)
        return index

    def __contains__(self, entry_id: str) -> bool:
        return entry_id in self._spans or entry_id in self.index()

    def get(self, entry_id: str) -> SessionEntry | None:
        """The entry with this id, the latest if there are several; None where there is none."""
        try:
            start, end = self._span(entry_id)
        except KeyError:
            return None
        return self.decoded(self.source.read(start, end), start)

    def at(self, row: int) -> SessionEntry | None:
        """The entry of a row of the index; None, and counted as damage, for one that is none."""
        start, end = self.index().span(row)
        return self.decoded(self.source.read(start, end), start)

    def text_at(self, row: int) -> bytes | None:
        """The entry of a row as JSON in UTF-8, as it was written; None where there is none."""
        start, end = self.index().span(row)
        line = self.source.read(start, end)
        entry = self.decoded(line, start)
        if entry is None:
            return None
        try:
            line.decode()
        except UnicodeDecodeError:
            return dumps(entry)
        return line.strip(SPACE)

    def decoded(self, line: bytes, start: int) -> SessionEntry | None:
        """A line as an entry; None, and counted as damage, when it is none."""
        entry = decode(line)
        if entry is None:
            self._garbage.add(start)
        return cast("SessionEntry | None", entry)

    def entries(self) -> Iterator[SessionEntry]:
        """Every entry in the order of the file."""
        for row in range(len(self.index())):
            if (entry := self.at(row)) is not None:
                yield entry

    def move(self, entry_id: str | None) -> None:
        """Make an entry the leaf; None for the place before the first. Raises KeyError."""
        self._leaf = None if entry_id is None else (entry_id, *self._span(entry_id))

    def added(self, entry: SessionEntry, start: int, end: int) -> None:
        """An entry was written at these offsets, newline excluded: it is the leaf now."""
        if self._index is not None:
            if start > self._end:
                self._index.extend(self.source, self._end, start)  # what others wrote meanwhile
                self._garbage.update(self._index.garbage)
            self._index.add(head_of(cast("dict[str, object]", entry)), start, end)
        else:
            self._spans[entry["id"]] = (start, end)
        self._leaf = (entry["id"], start, end)
        self._end = end + 1
        if entry["type"] == "session_info":
            self._name, self._name_known = clean_name(entry.get("name")), True

    def up(self, entry_id: str | None = None) -> Iterator[Step]:
        """From an entry, the leaf unless given, to its root. Raises KeyError for an unknown id."""
        leaf = self._leaf if entry_id is None else (entry_id, *self._span(entry_id))
        if leaf is None:
            return iter(())
        if self._index is not None:
            row = self._index.row_at(leaf[1])
            assert row is not None
            return self._up_rows(row, set())
        return self._up_lines(leaf[1], leaf[2])

    def above(self, step: Step, floor: int) -> Iterator[Step]:
        """The ancestors of a step, no further than `floor` where that costs reading.

        The last one has a parent when there are more.
        """
        if self._index is None:
            yield from self._above_line(step.head, step.start, floor, {step.start})
        elif (row := self._index.row_at(step.start)) is not None:
            steps = self._up_rows(row, set())
            next(steps)
            yield from steps

    def path(self, entry_id: str | None = None) -> list[SessionEntry]:
        """Entries from the root to an entry, the leaf unless given. Raises KeyError."""
        found = [self.decoded(step.line, step.start) for step in self.up(entry_id)]
        return [entry for entry in reversed(found) if entry is not None]

    @property
    def name(self) -> str | None:
        """What the latest session_info says, on any branch; None for none or an empty one."""
        if not self._name_known:
            self._name, self._name_known = self._find_name(), True
        return self._name

    def damage(self) -> Damage | None:
        """What was skipped so far; None for nothing."""
        if not self._garbage:
            return None
        first = min(self._garbage)
        lines, at = 1, 0
        while at < first:
            block = self.source.read(at, min(first, at + (1 << 20)))
            if not block:
                break
            lines += block.count(b"\n")
            at += len(block)
        return Damage(len(self._garbage), lines)

    def _span(self, entry_id: str) -> tuple[int, int]:
        span = self._spans.get(entry_id)
        if span is None:
            row = self.index().row(entry_id)
            if row is None:
                raise KeyError(entry_id)
            span = self.index().span(row)
        return span

    def _find_leaf(self) -> tuple[str, int, int] | None:
        for start, line in self._back(self._end):
            entry = decode(line)
            if entry is not None:
                span = (start, start + len(line))
                if self._index is None:
                    self._spans[entry["id"]] = span
                return (entry["id"], *span)
            if is_garbage(line):
                self._garbage.add(start)
        return None

    def _find_name(self) -> str | None:
        if self._index is not None:
            for row in reversed(self._index.of_type("session_info")):
                if (entry := self.at(row)) is not None:
                    return clean_name(entry.get("name"))
            return None
        floor = max(self._body, self._end - NEAR)
        for start, line in Backward(self.source, self._end, floor=floor):
            if line.find(b"session_info", 0, 512) >= 0:
                entry = self.decoded(line, start)
                if entry is not None and entry.get("type") == "session_info":
                    return clean_name(entry.get("name"))
        if floor == self._body:
            return None
        self.index()  # faster than line by line from here on
        return self._find_name()

    def _back(self, end: int) -> Iterator[tuple[int, bytes]]:
        """Lines behind the header, from `end` backwards."""
        return iter(Backward(self.source, end, floor=self._body, first_block=self._first_block))

    def _up_rows(self, row: int, seen: set[int]) -> Iterator[Step]:
        index = self.index()
        for at in index.up(row):
            start, end = index.span(at)
            if start in seen:
                return
            line = self.source.read(start, end)
            parent = index.parent(at)
            head = Head(index.type(at), index.id(at), None if parent is None else index.id(parent))
            yield Step(head, start, line)

    def _up_lines(self, start: int, end: int) -> Iterator[Step]:
        """Backwards through the source; by the index where a parent comes later than its child."""
        line = self.source.read(start, end)
        head = skim(line)
        if head is None:
            return
        yield Step(head, start, line)
        yield from self._above_line(head, start, 0, {start})

    def _above_line(self, below: Head, child: int, floor: int, seen: set[int]) -> Iterator[Step]:
        """Ancestors of the entry `below`, whose line begins at `child`."""
        if below.parent is None:
            return
        wanted = below.parent
        lines = Backward(
            self.source, child, floor=max(floor, self._body), first_block=self._first_block
        )
        lines.wanted = wanted.encode(errors="surrogatepass")
        for offset, line in lines:
            head = skim(line)
            if head is None:
                if is_garbage(line):
                    self._garbage.add(offset)
                continue
            if head.id != wanted:
                continue
            self._spans.setdefault(head.id, (offset, offset + len(line)))
            seen.add(offset)
            child = offset
            yield Step(head, offset, line)
            if head.parent is None:
                return
            wanted = head.parent
            lines.wanted = wanted.encode(errors="surrogatepass")
        if floor > self._body:
            return
        index = self.index()
        row = index.row_at(child)
        parent = None if row is None else index.parent(row)
        if parent is not None:
            yield from self._up_rows(parent, seen)


def clean_name(name: object) -> str | None:
    return (name.strip() or None) if isinstance(name, str) else None
