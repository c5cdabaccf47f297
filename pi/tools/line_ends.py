"""Line ends of a file: CRLF, LF and CR, mixed as they may be, and kept where nothing changes."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from pi.tools.edit_match import Replacement

__all__ = ["LineEnds"]

_END = re.compile("\r\n|\r|\n")


class LineEnds:
    """A text with all its line ends as LF, and the way back.

    text: the text to work on.
    """

    def __init__(self, original: str) -> None:
        self._original = original
        self._plain = "\r" not in original
        if self._plain:
            self.text = original
            return
        self.text = original.replace("\r\n", "\n").replace("\r", "\n")
        self._ends: list[str] = []
        self._positions: list[int] = []  # of each end, in `text`
        self._pairs: list[int] = []  # of those that are CRLF: each is one character shorter there
        removed = 0
        for match in _END.finditer(original):
            position = match.start() - removed
            self._ends.append(match.group())
            self._positions.append(position)
            if match.group() == "\r\n":
                self._pairs.append(position)
                removed += 1

    def restore(self, replacements: Sequence[Replacement]) -> str:
        """The original with `replacements` of `text` applied.

        New lines end as the line does where the replacement starts; a last line without an end
        follows the one before it.
        """
        parts: list[str] = []
        at = 0
        for item in replacements:
            start, end = self._original_position(item.start), self._original_position(item.end)
            parts += (self._original[at:start], item.new.replace("\n", self._end_at(item.start)))
            at = end
        parts.append(self._original[at:])
        return "".join(parts)

    def _original_position(self, position: int) -> int:
        return position if self._plain else position + bisect_left(self._pairs, position)

    def _end_at(self, position: int) -> str:
        if self._plain or not self._ends:
            return "\n"
        index = bisect_left(self._positions, position)
        if index == len(self._ends):
            index = bisect_right(self._positions, position) - 1
        return self._ends[index]
