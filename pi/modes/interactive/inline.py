"""Regular mode: the conversation in the terminal's own scrollback.

What has not yet gone there is *live*: it stands on the screen above the editor and may change.
Where live rows and what is below them are more than the terminal has rows, the topmost are
committed: the terminal scrolls them away and nobody touches them again. Only rows that will stay as
they are may go; an unfinished component says how many by `settled_rows` (None once it is finished).
Rows that may still change and have no place on the screen are held back until they are settled.

The screen is never cleared and no absolute position is used, because what stands above the live
rows is not ours: everything is relative to the row of the cursor.

What lies over a frame is laid over rows of the screen, not of the scrollback: while there is
something, the live rows are made to fill the screen, and a row is written as it is below before it
goes. (A terminal that becomes smaller may scroll covered rows away before anybody is asked; these
then come once more.)
"""

import re
from collections.abc import Sequence

from pi.modes.interactive.cells import crop, plain, width
from pi.modes.interactive.view import Component, Cover, Lines

__all__ = ["Inline", "holds_image", "image_removal", "row_to_write"]

_IMAGE = "\x1b_G"  # kitty's protocol
_IMAGE_FILE = "\x1b]1337;"  # iTerm2's
_IMAGE_ID = r"\x1b_G[^;\x1b]*?\bi=(\d+)"


class Inline:
    """The live rows, and where among them the terminal's cursor is.

    done: components committed whole. done_rows: rows committed of the next one.
    refill: where rows below become free, show as many again of those that were scrolled away for
        them, so that the last row stays where it is. The scrollback has those twice then.
    """

    def __init__(self, reflows: bool) -> None:
        self.done = 0
        self.done_rows = 0
        self.refill = False
        self._free = 0  # rows below the live ones that they once took
        self._scrolled = 0  # rows committed since, that are out of sight
        self._reflows = reflows
        self._transcript: Sequence[Component] = ()
        self._rows: list[str] = []  # on the terminal
        self._below: dict[int, str] = {}  # of these, what is covered, as it is below
        self._at = 0  # the cursor's row among them
        self._column = 0  # -1: not known
        self._columns = self._height = 0
        # Of the rows drawn last: of the transcript; of these, settled.
        self._above = self._settled = 0
        # The component that is committed in part, as it was drawn then.
        self._partial: Lines = ()
        self._partial_columns = 0

    def paint(
        self,
        parts: list[str],
        transcript: Sequence[Component],
        bottom: list[str],
        cursor: tuple[int, int] | None,
        columns: int,
        rows: int,
        over: Cover | None = None,
    ) -> None:
        """Add what makes the terminal show this: nothing when it already does."""
        if self._rows and (columns, rows) != (self._columns, self._height):
            self._resize(parts, columns, rows)
        self._columns, self._height, self._transcript = columns, rows, transcript
        wanted, settled = self._live(columns)
        free = self._free + len(self._rows) - len(wanted) - len(bottom)
        if self.refill and self._rows and free > 0 and self._scrolled:
            self._take_back(min(free, self._scrolled), columns)
            wanted, settled = self._live(columns)
        above = len(wanted)
        wanted += bottom
        overflow = max(0, len(wanted) - rows)
        commit = min(overflow, settled)
        held = overflow - commit
        if held:
            wanted[commit : commit + held] = []
        if over is not None or self._below:
            self._cover(wanted, commit, columns, rows, over)
        self._write(parts, wanted)
        if commit:
            self._commit(commit)
            self._scrolled += commit
            del wanted[:commit]
            self._at -= commit
        self._free = max(0, self._free + len(self._rows) - len(wanted))
        self._rows = wanted
        self._above = max(0, above - commit - held)
        self._settled = min(settled - commit, self._above)
        if over is not None and over.cursor is not None:
            row, column = over.cursor
        elif cursor is None:
            row, column = max(0, len(wanted) - 1), 0
        else:
            row, column = self._above + cursor[0], cursor[1]
        if (row, column) != (self._at, self._column):
            self._move(parts, row)
            parts.append(f"\r\x1b[{column}C" if column else "\r")
            self._column = column

    def _cover(
        self, wanted: list[str], commit: int, columns: int, rows: int, over: Cover | None
    ) -> None:
        """Lay what is over the frame over those rows that stay on the screen."""
        self._below = {}
        if over is None:
            return
        wanted += [""] * (commit + rows - len(wanted))
        for at, row in over.cover(wanted[commit:], columns).items():
            self._below[at] = wanted[commit + at]
            wanted[commit + at] = row

    def leave(self, parts: list[str], *, last: bool = False) -> None:
        """Erase what is below the settled rows, put the cursor there; those are committed.

        last: nothing is drawn any more, so what could still have changed stays as it is.
        """
        self._end(parts, self._above if last else self._settled)
        self._commit(self._settled)
        self._above = self._settled = 0

    def restart(self, parts: list[str], *, keep: bool = True) -> None:
        """As `leave`, but another transcript begins. keep: what is shown of this one stays."""
        self._end(parts, self._above if keep else 0)
        self.done = self.done_rows = self._above = self._settled = 0
        self._partial = ()

    def forget(self) -> None:
        """The rows are no longer where they were."""
        self._rows, self._below = [], {}
        self._free = self._scrolled = 0
        self._at = self._column = self._above = self._settled = 0

    def _end(self, parts: list[str], keep: int) -> None:
        if self._rows:
            removed = image_removal(self._rows[keep:])
            if removed:
                parts.append(removed)
            for at, row in self._below.items():
                if at < keep:  # it stays there for good
                    self._move(parts, at)
                    parts += ("\r", row_to_write(row, self._columns))
            if keep < len(self._rows):
                self._move(parts, keep)
                parts.append("\r" + _erased(len(self._rows) - keep))
            else:
                self._move(parts, keep - 1)
                parts.append("\r\n")
        self._rows, self._below = [], {}
        self._at = self._column = self._free = self._scrolled = 0

    def _take_back(self, count: int, columns: int) -> None:
        """Count the last committed rows as live again."""
        self._scrolled -= count
        while count > 0 and (self.done or self.done_rows):
            if not self.done_rows:
                self.done -= 1
                self._partial = self._transcript[self.done].render(columns)
                self.done_rows, self._partial_columns = len(self._partial), columns
            taken = min(count, self.done_rows)
            self.done_rows -= taken
            count -= taken

    def _live(self, columns: int) -> tuple[list[str], int]:
        """Rows that are not committed, and how many of the first are settled."""
        live: list[str] = []
        settled = 0
        counting = True
        for index in range(self.done, len(self._transcript)):
            component = self._transcript[index]
            lines = component.render(columns)
            skip = 0
            if index == self.done and self.done_rows:
                skip = self._continued(lines, columns)
            live += lines[skip:] if skip else lines
            if counting:
                fixed: int | None = getattr(component, "settled_rows", None)
                if fixed is None:
                    settled = len(live)
                else:
                    settled += max(0, min(fixed, len(lines)) - skip)
                    counting = False
        return live, settled

    def _continued(self, lines: Lines, columns: int) -> int:
        """How many rows of a component that was committed in part are those on the terminal."""
        count, before = self.done_rows, self._partial
        if columns != self._partial_columns:
            count = _same_letters(before[:count], lines)
        elif lines is not before and lines[:count] != before[:count]:
            # Drawn differently since (folded, another theme): go on where it differs, so that
            # all of what it says now is there.
            old = [plain(row) for row in before[:count]]
            new = [plain(row) for row in lines[:count]]
            pairs = zip(old, new, strict=False)
            count = next((at for at, (a, b) in enumerate(pairs) if a != b), min(count, len(new)))
        self.done_rows, self._partial, self._partial_columns = count, lines, columns
        return count

    def _commit(self, count: int) -> None:
        """Count rows as gone for good, in components as they were drawn last."""
        while count > 0 and self.done < len(self._transcript):
            component = self._transcript[self.done]
            lines = component.render(self._columns)
            left = len(lines) - self.done_rows
            if count < left:
                self.done_rows += count
                self._partial, self._partial_columns = lines, self._columns
                return
            count -= left
            if not count and getattr(component, "settled_rows", None) is not None:
                # Nothing is left of it, but it may go on.
                self.done_rows = len(lines)
                self._partial, self._partial_columns = lines, self._columns
                return
            self.done += 1
            self.done_rows, self._partial = 0, ()
            component.invalidate()  # nobody will ask for these rows again

    def _write(self, parts: list[str], wanted: list[str]) -> None:
        old, columns = self._rows, self._columns
        both = min(len(old), len(wanted))
        changed = [at for at in range(both) if old[at] is not wanted[at] and old[at] != wanted[at]]
        if changed or len(wanted) < len(old):
            removed = image_removal([*(old[at] for at in changed), *old[both:]])
            if removed:
                parts.append(removed)
        for at in changed:
            self._move(parts, at)
            parts += ("\r", row_to_write(wanted[at], columns))
            self._column = -1
        if len(wanted) > both:
            if both:
                self._move(parts, both - 1)
                parts.append("\r\n")
            else:
                parts.append("\r")
            parts.append("\r\n".join([row_to_write(row, columns) for row in wanted[both:]]))
            self._at, self._column = len(wanted) - 1, -1
        elif len(wanted) < len(old):
            self._move(parts, len(wanted))
            parts.append("\r" + _erased(len(old) - len(wanted)))
            self._column = 0

    def _move(self, parts: list[str], row: int) -> None:
        steps = row - self._at
        if steps:
            parts.append(f"\x1b[{steps}B" if steps > 0 else f"\x1b[{-steps}A")
            self._at = row

    def _resize(self, parts: list[str], columns: int, rows: int) -> None:
        """Find the live rows again on a terminal of another size.

        The terminal keeps the cursor on the screen and scrolls away what then has no place above
        it; of those rows only that is taken as committed of which it is sure that they went.
        """
        self._free = self._scrolled = 0
        # What is scrolled away while it is covered has to come once more.
        self._settled = min(self._settled, min(self._below, default=self._settled))
        if columns == self._columns:
            gone = max(0, self._at - rows + 1)
            self._commit(min(gone, self._settled))
            del self._rows[:gone]
            self._at -= gone
            self._above = max(0, self._above - gone)
            if rows < self._height and self._at + 1 < len(self._rows):
                # What was below the cursor has been cut off, or not.
                del self._rows[self._at + 1 :]
                if self._at + 1 < rows:
                    parts.append("\x1b[B\r\x1b[J\x1b[A")
                self._column = -1
            return
        narrower = self._reflows and columns < self._columns
        shown = (min(width(row), self._columns) for row in self._rows)
        heights = [max(1, -(-cells // columns)) if narrower else 1 for cells in shown]
        below = sum(heights[self._at :])
        del heights[self._at :]
        up = sum(heights) + (max(0, self._column) // columns if narrower else 0)
        over, gone = up - rows + 1, 0
        while gone < len(heights) and heights[gone] <= over:
            over -= heights[gone]
            gone += 1
        self._commit(min(gone, self._settled))
        up = min(up, rows - 1)
        removed = image_removal(self._rows)
        parts.append((f"\x1b[{up}A" if up else "") + "\r" + _erased(min(up + below, rows)))
        parts.append(removed)
        self._rows = []
        self._at = self._column = 0


def holds_image(row: str) -> bool:
    return _IMAGE in row or _IMAGE_FILE in row


def row_to_write(row: str, columns: int) -> str:
    """The row cut to the terminal, with the rest of the terminal's row erased behind it."""
    cells = width(row)
    if holds_image(row):
        return "\x1b[K" + row  # erasing behind it would erase the image
    if cells < columns:
        return row + "\x1b[K"
    return row if cells == columns else crop(row, 0, columns)


def _erased(rows: int) -> str:
    """What erases so many rows from the cursor's on, and leaves the cursor where it is.

    Not in one go (ED), because at the top of the screen tmux takes that for clearing it, and puts
    what was there into the scrollback.
    """
    return "\x1b7" + "\x1b[2K\x1b[1B" * (rows - 1) + "\x1b[2K\x1b8"


def image_removal(rows: Sequence[str]) -> str:
    """What takes the images of these rows (kitty's) off the terminal; text does not cover them."""
    found = [match for row in rows if _IMAGE in row for match in re.findall(_IMAGE_ID, row)]
    return "".join(f"\x1b_Ga=d,d=i,i={number},q=2\x1b\\" for number in found)


def _same_letters(before: Lines, lines: Lines) -> int:
    """How many rows of `lines` say what `before` says, broken at another width.

    A row that says more is not among them: some of it is then seen twice, but nothing is lost.
    """
    letters = sum(_letters(row) for row in before)
    if not letters:
        return min(len(before), len(lines))
    for at, row in enumerate(lines):
        letters -= _letters(row)
        if letters <= 0:
            return at if letters < 0 else at + 1
    return len(lines)


def _letters(row: str) -> int:
    return sum(map(str.isalnum, plain(row)))
