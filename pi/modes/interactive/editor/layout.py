"""Lines of text as rows on the screen: where they break, and which row and cell an index is at.

A row breaks after a space, before and after wide characters and markers, and anywhere in a word
that is longer than a row. One space may hang over the end of a row, where the column for the caret
is; nothing is left out, so that every index has its place.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate

# Grapheme clusters: what a person takes for one character.
from wcwidth import iter_graphemes

from pi.modes.interactive.cells import crop, width
from pi.modes.interactive.editor.markers import MARKER

__all__ = ["TAB", "Layout", "clusters", "next_cluster", "previous_cluster"]

TAB = "    "
"""How a tab is drawn."""

Row = tuple[int, int]
"""Start and end in its line."""


def clusters(text: str) -> Iterator[str]:
    """The text in grapheme clusters; a marker is always one of its own."""
    if text.isascii():
        yield from text
        return
    at = 0
    for found in MARKER.finditer(text):
        yield from iter_graphemes(text[at : found.start()])
        yield found[0]
        at = found.end()
    yield from iter_graphemes(text[at:])


def next_cluster(line: str, at: int) -> str:
    """The cluster that starts at an index of a line; "" at its end."""
    return next(clusters(line[at : at + 64]), "") if not line.isascii() else line[at : at + 1]


def previous_cluster(line: str, at: int) -> str:
    """The cluster before an index of a line; "" at its start."""
    if line.isascii():
        return line[max(0, at - 1) : at]
    last = ""
    # From a place that surely is a boundary; whole lines would be slow in a long one.
    start = max(0, at - 64)
    for last in clusters(line[start:at]):  # noqa: B007
        pass
    return last


class Layout:
    """A text at a width. label: what a marker is drawn as."""

    def __init__(self, text: str, columns: int, label: Callable[[str], str]) -> None:
        self.text = text
        self.columns = columns
        self._label = label
        self.lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self._rows = [
            _ONE_ROW
            if len(line) <= columns and line.isascii() and "\t" not in line
            else self._broken(line)
            for line in self.lines
        ]
        self._first = [0, *accumulate(map(len, self._rows))]

    @property
    def rows(self) -> int:
        return self._first[-1]

    def line_at(self, index: int) -> tuple[int, int]:
        """The number of the line an index of the text is in, and where that starts."""
        number = bisect_right(self._starts, index, hi=len(self.lines)) - 1
        return number, self._starts[number]

    def place(self, index: int) -> tuple[int, int]:
        """Row and cell of an index."""
        number, start = self.line_at(index)
        at = index - start
        rows = self._rows[number]
        if len(rows) == 1:
            return self._first[number], self._width(self.lines[number][:at])
        row = bisect_right(rows, at, key=lambda one: one[0]) - 1
        cells = self._width(self.lines[number][rows[row][0] : at])
        return self._first[number] + row, cells

    def index(self, row: int, cell: int) -> int:
        """The index whose place is nearest to a cell of a row, from the left."""
        number = bisect_right(self._first, row, hi=len(self.lines)) - 1
        rows = self._rows[number]
        start, end = self._span(number, row - self._first[number])
        at = start
        last = at
        used = 0
        for cluster in clusters(self.lines[number][start:end]):
            used += self._width(cluster)
            if used > cell:
                break
            last = at
            at += len(cluster)
        if at == end and row - self._first[number] < len(rows) - 1:
            at = last  # the end of this row is the start of the next
        return self._starts[number] + at

    def row(self, row: int) -> tuple[int, str]:
        """Where a row starts in the text, and its characters."""
        number = bisect_right(self._first, row, hi=len(self.lines)) - 1
        start, end = self._span(number, row - self._first[number])
        return self._starts[number] + start, self.lines[number][start:end]

    def shown(self, cluster: str) -> str:
        """How a cluster is drawn."""
        if cluster == "\t":
            return TAB
        if MARKER.match(cluster):
            return crop(self._label(cluster), 0, self.columns)
        return cluster

    def _span(self, number: int, row: int) -> Row:
        rows = self._rows[number]
        if rows is _ONE_ROW:
            return 0, len(self.lines[number])
        return rows[row]

    def _width(self, text: str) -> int:
        if text.isascii() and "\t" not in text:
            return len(text)
        if "\t" not in text and not MARKER.search(text):
            return width(text)
        return sum(width(self.shown(cluster)) for cluster in clusters(text))

    def _broken(self, line: str) -> tuple[Row, ...]:
        if MARKER.search(line):
            return tuple(_break(line, self.columns, lambda c: width(self.shown(c))))
        return _remembered(line, self.columns)


_ONE_ROW: tuple[Row, ...] = ((0, 0),)


@lru_cache(4096)
def _remembered(line: str, columns: int) -> tuple[Row, ...]:
    return tuple(_break(line, columns, lambda c: len(TAB) if c == "\t" else width(c)))


def _break(line: str, columns: int, width_of: Callable[[str], int]) -> Iterator[Row]:
    start = at = used = 0  # of the row; of the cluster; cells of the row before it
    stop, used_to_stop = 0, 0  # where the row may break
    for cluster in clusters(line):
        cells = width_of(cluster)
        alone = cells > 1 and cluster != "\t"
        if alone and at > start:
            stop, used_to_stop = at, used
        if used + cells > columns and at > start:
            if cluster == " ":
                yield start, at + 1
                start = stop = at = at + 1
                used = used_to_stop = 0
                continue
            if stop > start:
                yield start, stop
                start, used = stop, used - used_to_stop
            if used + cells > columns and at > start:
                yield start, at
                start, used = at, 0
            stop, used_to_stop = start, 0
        at += len(cluster)
        used += cells
        if alone or cluster in " \t":
            stop, used_to_stop = at, used
    yield start, len(line)
