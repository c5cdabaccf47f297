"""The whole tree of a session: one row an entry, in the order of the file.

Built on demand by one pass that decodes almost nothing. Spans, parents and types are flat arrays;
the only dict is id → row.

A parent is the nearest earlier entry with the wanted id (ids may repeat in a damaged file), else a
later one, else none: the entry is a root then.
"""

from array import array
from collections.abc import Iterator

from pi.session.reader import Head, decode, is_garbage, lines_forward, skim
from pi.session.source import Source

__all__ = ["TreeIndex"]

NO_ROW = -1


class TreeIndex:
    """Rows 0 to len(self) - 1.

    garbage: offsets of damaged lines. One with an intact beginning has a row as well.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.garbage = array("q")
        self._starts = array("q")
        self._ends = array("q")
        self._parents = array("q")
        self._kinds = array("i")
        self._kind_names: list[str] = []
        self._kind_numbers: dict[str, int] = {}
        self._rows: dict[str, int] = {}

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
        waiting: list[tuple[int, str]] = []
        for offset, line in lines_forward(source, start, end):
            head = skim(line)
            if head is not None:
                row = self.add(head, offset, offset + len(line))
                if head.parent is not None and self._parents[row] == NO_ROW:
                    waiting.append((row, head.parent))
                if verify and decode(line) is None:
                    self.garbage.append(offset)
            elif is_garbage(line):
                self.garbage.append(offset)
        for row, parent in waiting:
            self._parents[row] = self._rows.get(parent, NO_ROW)

    def add(self, head: Head, start: int, end: int) -> int:
        """One more entry at the end; returns its row."""
        row = len(self.ids)
        kind = self._kind_numbers.get(head.type)
        if kind is None:
            kind = self._kind_numbers[head.type] = len(self._kind_names)
            self._kind_names.append(head.type)
        parent = NO_ROW if head.parent is None else self._rows.get(head.parent, NO_ROW)
        self.ids.append(head.id)
        self._starts.append(start)
        self._ends.append(end)
        self._parents.append(parent)
        self._kinds.append(kind)
        self._rows[head.id] = row
        return row

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._rows

    def row(self, entry_id: str) -> int | None:
        """The latest entry with this id."""
        return self._rows.get(entry_id)

    def row_at(self, start: int) -> int | None:
        """The entry whose line begins at an offset."""
        low, high = 0, len(self._starts)
        while low < high:
            middle = (low + high) // 2
            if self._starts[middle] < start:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self._starts) and self._starts[low] == start else None

    def span(self, row: int) -> tuple[int, int]:
        """Offsets of the line, newline excluded."""
        return self._starts[row], self._ends[row]

    def type(self, row: int) -> str:
        return self._kind_names[self._kinds[row]]

    def parent(self, row: int) -> int | None:
        parent = self._parents[row]
        return None if parent == NO_ROW else parent

    def up(self, row: int) -> Iterator[int]:
        """`row`, its parent, and so on to a root. A cycle ends where it closes."""
        seen: set[int] = set()
        at: int | None = row
        while at is not None and at not in seen:
            yield at
            seen.add(at)
            at = self.parent(at)

    def of_type(self, kind: str) -> list[int]:
        """Rows of one type, in the order of the file."""
        number = self._kind_numbers.get(kind)
        if number is None:
            return []
        return [row for row, other in enumerate(self._kinds) if other == number]

    def children(self) -> dict[int | None, list[int]]:
        """Rows by parent row, roots under None; rows of a closed cycle hang under each other."""
        found: dict[int | None, list[int]] = {}
        for row in range(len(self.ids)):
            found.setdefault(self.parent(row), []).append(row)
        return found
