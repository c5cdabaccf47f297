"""The text being written: moving, deleting and cutting in grapheme clusters, with undo.

It is prompt-toolkit's Buffer, which keeps text, caret and the stacks for undo and redo.
"""

import re
from collections import deque
from typing import Literal

from pi.modes.interactive.editor.layout import next_cluster, previous_cluster
from pi.modes.interactive.editor.markers import MARKER
from pi.modes.interactive.toolkit import Buffer, Document

__all__ = ["EditBuffer", "word_end", "word_start"]

MOST_CUT = 60

# A word, other signs, or a marker; what is between them is white space.
_WORD = re.compile(rf"[\w'’]+|[^\w\s{MARKER.pattern[1:-1]}]+|{MARKER.pattern}")


def word_start(text: str, index: int) -> int:
    """Where the word at or before an index starts."""
    start = 0
    for found in _WORD.finditer(text, text.rfind("\n", 0, max(0, index - 1)) + 1, index):
        start = found.start()
    if start or index == 0:
        return start
    # Only white space to the left in this line: to the end of the line above.
    line = text.rfind("\n", 0, index)
    stripped = text[: line + 1].rstrip()
    return 0 if line < 0 else word_start(stripped, len(stripped)) if stripped else 0


def word_end(text: str, index: int) -> int:
    """Where the word at or after an index ends."""
    found = _WORD.search(text, index)
    return len(text) if found is None else found.end()


class EditBuffer(Buffer):
    """Actions that belong together make one step for undo: letters of a word, deletions in a row.

    What is cut in a row is one piece in the ring.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(document=Document(text, len(text)))
        self.ring: deque[str] = deque(maxlen=MOST_CUT)
        self._last: Literal["", "type", "space", "delete", "cut", "yank"] = ""
        self._yanked = (0, 0)

    def moved(self) -> None:
        """Whatever comes next is a step of its own."""
        self._last = ""

    def replace(self, text: str, caret: int | None = None) -> None:
        """Put another text in its place, as one step."""
        if text != self.text:
            self.save_to_undo_stack()
        self._set(text, len(text) if caret is None else caret)
        self._last = ""

    def clear(self) -> None:
        """Empty, with nothing to undo; the ring stays."""
        self.reset(Document())
        self._last = ""

    def type(self, text: str) -> None:
        """Insert what a key types."""
        kind: Literal["type", "space"] = "space" if text.isspace() else "type"
        if self._last != "type" and not (self._last == kind == "space"):
            self.save_to_undo_stack()
        self._insert(text)
        self._last = kind

    def put(self, text: str) -> None:
        """Insert something whole."""
        self.save_to_undo_stack()
        self._insert(text)
        self._last = ""

    def change(self, start: int, end: int, text: str, *, joined: bool = False) -> None:
        """Replace a part, the caret behind it. joined: with the step before."""
        if not joined:
            self.save_to_undo_stack()
        self._set(self.text[:start] + text + self.text[end:], start + len(text))
        self._last = ""

    def go(self, index: int) -> None:
        self.cursor_position = max(0, min(index, len(self.text)))
        self._last = ""

    def left(self) -> int:
        """The index one cluster to the left of the caret."""
        at = self.cursor_position
        if at and self.text[at - 1] == "\n":
            return at - 1
        start = self.text.rfind("\n", 0, at) + 1
        return at - len(previous_cluster(self.text[start:at], at - start))

    def right(self) -> int:
        at = self.cursor_position
        if self.text[at : at + 1] == "\n":
            return at + 1
        end = self.text.find("\n", at, at + 64)
        return at + len(next_cluster(self.text[at : at + 64 if end < 0 else end], 0))

    def line_start(self) -> int:
        return self.text.rfind("\n", 0, self.cursor_position) + 1

    def line_end(self) -> int:
        end = self.text.find("\n", self.cursor_position)
        return len(self.text) if end < 0 else end

    def remove(self, start: int, end: int) -> None:
        """Delete without keeping it in the ring."""
        if start == end:
            return
        if self._last != "delete":
            self.save_to_undo_stack()
        self._set(self.text[:start] + self.text[end:], start)
        self._last = "delete"

    def cut(self, start: int, end: int) -> None:
        """Delete into the ring, together with what was cut just before."""
        if start == end:
            return
        text = self.text[start:end]
        before = start < self.cursor_position
        if self._last == "cut":
            joined = self.ring.popleft()
            text = text + joined if before else joined + text
        self.save_to_undo_stack()
        self.ring.appendleft(text)
        self._set(self.text[:start] + self.text[end:], start)
        self._last = "cut"

    def yank(self) -> None:
        """Insert the newest piece of the ring."""
        if not self.ring:
            return
        text = self.ring[0]
        self.save_to_undo_stack()
        at = self.cursor_position
        self._insert(text)
        self._yanked = (at, at + len(text))
        self._last = "yank"

    def yank_pop(self) -> None:
        """Right after `yank`: the piece before it instead."""
        if self._last != "yank":
            return
        self.ring.rotate(-1)
        start, end = self._yanked
        text = self.ring[0]
        self.save_to_undo_stack()
        self._set(self.text[:start] + text + self.text[end:], start + len(text))
        self._yanked = (start, start + len(text))
        self._last = "yank"

    def undo(self) -> None:
        super().undo()
        self._last = ""

    def redo(self) -> None:
        super().redo()
        self._last = ""

    def _insert(self, text: str) -> None:
        at = self.cursor_position
        self._set(self.text[:at] + text + self.text[at:], at + len(text))

    def _set(self, text: str, caret: int) -> None:
        self.set_document(Document(text, caret), bypass_readonly=True)
