"""The rows of a session's whole tree, from its bytes; rows.pyx is compiled."""

from array import array
from collections.abc import Callable, Iterator

from pi._speedups._jsonl import Head, usual_head

__all__ = ["TreeRows"]

Parse = Callable[[bytes, int], Head | None]
Measure = Callable[[bytes], tuple[float, float, float, float, float] | None]
Read = Callable[[int, int], bytes]

_NO_ROW = -1
_KINDS = ("message", "usage", "compaction", "branch_summary")


class TreeRows:
    """The entries of a session, one row each, in the order of the file.

    `feed` it the bytes behind the header, then `finish`. parse(line, offset) reads what looks
    unusual: a head, or None for no entry. A parent is the nearest earlier row with the wanted id,
    else a later one, else none. Offsets are those of the file.
    """

    def __init__(self, parse: Parse, start: int = 0) -> None:
        self._parse = parse
        self._position = start
        self._pieces: list[bytes] = []
        self._held = 0
        self._ids: list[str] = []
        self._starts = array("q")
        self._ends = array("q")
        self._parents = array("i")
        self._kinds = array("i")
        self._kind_names: list[str] = []
        self._kind_numbers: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._waiting: list[tuple[int, str]] = []
        self._children: dict[int, list[int]] | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes of the file."""
        chunk = data if isinstance(data, bytes) else bytes(memoryview(data))
        lower = 0
        while (cut := chunk.find(b"\n", lower)) >= 0:
            line = chunk[lower:cut]
            offset = self._position + lower - self._held
            if self._pieces:
                line = b"".join((*self._pieces, line))
                self._pieces.clear()
                self._held = 0
            if line:
                self._line(line, offset)
            lower = cut + 1
        if rest := chunk[lower:]:
            self._pieces.append(rest)
            self._held += len(rest)
        self._position += len(chunk)

    def finish(self) -> None:
        """The end of the file, for now: a last line without newline counts, late parents settle."""
        if line := b"".join(self._pieces):
            offset = self._position - self._held
            self._pieces.clear()
            self._held = 0
            self._line(line, offset)
        for row, parent in self._waiting:
            self._parents[row] = self._rows.get(parent, _NO_ROW)
        self._waiting.clear()

    def skip_to(self, offset: int) -> None:
        """What is fed next begins here."""
        self._position = offset

    def _line(self, line: bytes, offset: int) -> None:
        head = usual_head(line)
        if head is None or head[0] == "session":
            head = self._parse(line, offset)
            if head is None:
                return
        row = self.add(*head, offset, offset + len(line))
        if head[2] is not None and self._parents[row] == _NO_ROW:
            self._waiting.append((row, head[2]))

    def add(self, kind: str, entry_id: str, parent: str | None, start: int, end: int) -> int:
        """One more entry at the end; returns its row."""
        row = len(self._ids)
        number = self._kind_numbers.get(kind)
        if number is None:
            number = self._kind_numbers[kind] = len(self._kind_names)
            self._kind_names.append(kind)
        self._parents.append(_NO_ROW if parent is None else self._rows.get(parent, _NO_ROW))
        self._ids.append(entry_id)
        self._starts.append(start)
        self._ends.append(end)
        self._kinds.append(number)
        self._rows[entry_id] = row
        self._children = None
        return row

    def __len__(self) -> int:
        return len(self._ids)

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

    def id(self, row: int) -> str:
        return self._ids[self._known(row)]

    def span(self, row: int) -> tuple[int, int]:
        """Offsets of the line, newline excluded."""
        return self._starts[self._known(row)], self._ends[row]

    def kind(self, row: int) -> str:
        return self._kind_names[self._kinds[self._known(row)]]

    def parent(self, row: int) -> int | None:
        parent = self._parents[self._known(row)]
        return None if parent == _NO_ROW else parent

    def of_kind(self, kind: str) -> list[int]:
        """Rows of one type, in the order of the file."""
        number = self._kind_numbers.get(kind)
        if number is None:
            return []
        return [row for row, other in enumerate(self._kinds) if other == number]

    def path(self, row: int) -> list[int]:
        """`row`, its parent, and so on to a root. A cycle ends where it closes."""
        return list(self._up(self._known(row)))

    def children(self, row: int | None) -> list[int]:
        """Rows whose parent is this one, roots for None; in the order of the file."""
        if self._children is None:
            found: dict[int, list[int]] = {}
            for child, parent in enumerate(self._parents):
                found.setdefault(parent, []).append(child)
            self._children = found
        return list(self._children.get(_NO_ROW if row is None else self._known(row), ()))

    def leaves(self) -> list[int]:
        """Rows that no other follows."""
        followed = set(self._parents)
        return [row for row in range(len(self._ids)) if row not in followed]

    def common_ancestor(self, one: int, other: int) -> int | None:
        """The nearest row on the paths of both; None where they have none in common."""
        above = set(self._up(self._known(one)))
        return next((row for row in self._up(self._known(other)) if row in above), None)

    def totals(
        self, read: Read, measure: Measure, rows: list[int] | None = None
    ) -> tuple[float, float, float, float, float]:
        """Sums of input, output, cache read and cache write tokens, and cost, of all rows or some.

        read(start, end) gives a line again where it must be parsed, measure(line) its usage.
        """
        sums = [0.0] * 5
        wanted = {self._kind_numbers.get(kind) for kind in _KINDS}
        for row in range(len(self._ids)) if rows is None else rows:
            if self._kinds[self._known(row)] in wanted:
                usage = measure(read(self._starts[row], self._ends[row]))
                if usage is not None:
                    for at in range(5):
                        sums[at] += usage[at]
        return sums[0], sums[1], sums[2], sums[3], sums[4]

    def _known(self, row: int) -> int:
        if not 0 <= row < len(self._ids):
            raise IndexError(f"no row {row}")
        return row

    def _up(self, row: int) -> Iterator[int]:
        seen: set[int] = set()
        at = row
        while at != _NO_ROW and at not in seen:
            yield at
            seen.add(at)
            at = self._parents[at]
