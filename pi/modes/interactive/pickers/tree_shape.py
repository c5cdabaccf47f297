"""The tree of a session as rows: what a filter leaves, branches indented, chains flat.

A run of entries that follow one another is a segment and stays at one depth; where the way parts,
each branch begins a segment of its own. Entries that are not shown pass their children on to the
nearest one above that is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from pi.session.tree import TreeIndex

__all__ = ["Segment", "Shape", "make_shape"]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """head: row of its first entry. above: the segment it branches off, None at the top.

    last: nothing else branches off below it there. depth: 0 where nothing is indented.
    """

    head: int
    above: "Segment | None"
    last: bool
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """rows: of the index, in the order they are shown. segments: which each of them is in.

    parents: rows with something below them, folded or not. place: a row's position.
    """

    rows: list[int] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    parents: frozenset[int] = frozenset()
    place: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def is_head(self, at: int) -> bool:
        """Whether a branch begins here, which can be folded."""
        segment = self.segments[at]
        return segment.depth > 0 and segment.head == self.rows[at]

    def before(self, at: int) -> int:
        """The start of the segment, or, from there, of the one it branches off."""
        segment = self.segments[at]
        if segment.head == self.rows[at] and segment.above is not None:
            segment = segment.above
        return self.place[segment.head]

    def after(self, at: int) -> int:
        """The start of the first branch further down, or the end of this one."""
        segment = self.segments[at]
        for later in range(at + 1, len(self.rows)):
            if self.segments[later] is not segment:
                return later if self.segments[later].above is segment else later - 1
        return len(self.rows) - 1


def make_shape(
    index: TreeIndex, visible: bytearray, active: Collection[int], folded: Collection[int]
) -> Shape:
    """visible: 1 for each row to show. active: rows on the path to the leaf, whose branch is first.

    folded: heads of segments of which only the head is shown.
    """
    children = _children(index, visible)
    roots = children.get(-1, [])
    rows: list[int] = []
    segments: list[Segment] = []
    top = Segment(roots[0], None, True, 0) if roots else Segment(-1, None, True, 0)
    stack: list[tuple[int, Segment]] = []

    def push(below: list[int], segment: Segment, above: Segment | None) -> None:
        if len(below) == 1:
            stack.append((below[0], segment))
            return
        below = sorted(below, key=lambda row: row not in active)
        depth = 1 if above is None else above.depth + 1
        for row in reversed(below):
            stack.append((row, Segment(row, above, row == below[-1], depth)))

    push(roots, top, None)
    while stack:
        row, segment = stack.pop()
        rows.append(row)
        segments.append(segment)
        if row in folded and segment.depth and segment.head == row:
            continue
        below = children.get(row)
        if below:
            push(below, segment, segment)
    place = {row: at for at, row in enumerate(rows)}
    return Shape(rows, segments, frozenset(children), place)


def _children(index: TreeIndex, visible: bytearray) -> dict[int, list[int]]:
    """Visible rows by the nearest visible one above, -1 for none."""
    count = len(visible)
    near = [-1] * count
    children: dict[int, list[int]] = {}
    parent = index.parent
    for row in range(count):
        above = parent(row)
        if above is None:
            found = -1
        elif above < row:
            found = above if visible[above] else near[above]
        else:  # a damaged file: the parent comes later, or the way goes in a circle
            found = next((up for up in list(index.up(row))[1:] if visible[up] and up != row), -1)
        near[row] = found
        if visible[row]:
            children.setdefault(found, []).append(row)
    _open_circles(children, visible)
    return children


def _open_circles(children: dict[int, list[int]], visible: bytearray) -> None:
    """Let what cannot be reached from a root begin at one of its rows."""
    seen = bytearray(len(visible))
    stack = list(children.get(-1, ()))
    for start in range(len(visible)):
        while stack:
            row = stack.pop()
            if not seen[row]:
                seen[row] = 1
                stack += children.get(row, ())
        if visible[start] and not seen[start]:
            for below in children.values():
                if start in below:
                    below.remove(start)
            children.setdefault(-1, []).append(start)
            stack.append(start)
    for row in [row for row, below in children.items() if not below]:
        del children[row]
