"""Small text inputs of pickers: one line, or several. They edit as the editor does."""

from collections.abc import Callable, Sequence

from pi.modes.interactive.cells import crop, width
from pi.modes.interactive.editor.buffer import EditBuffer, word_end, word_start
from pi.modes.interactive.editor.layout import Layout
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean, clean_line
from pi.modes.interactive.view import Key

__all__ = ["TextArea", "TextField"]

MASK = "•"


class TextField:
    """One line. secret: shown as dots. placeholder: shown while it is empty."""

    def __init__(self, text: str = "", *, secret: bool = False, placeholder: str = "") -> None:
        self._secret = secret
        self.placeholder = placeholder
        self._left = 0
        self._buffer = EditBuffer(self._cleaned(text))
        self._edits = self._all_edits()

    @property
    def text(self) -> str:
        return self._buffer.text

    @text.setter
    def text(self, text: str) -> None:
        self._buffer.replace(self._cleaned(text))

    def _cleaned(self, text: str) -> str:
        return clean_line(text)

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        """Whether the key was one for a text."""
        for action in actions:
            if (edit := self._edits.get(action)) is not None:
                edit()
                return True
        text = self._cleaned(key.text)
        if text:
            if key.name == "paste":
                self._buffer.put(text)
            else:
                self._buffer.type(text)
        return bool(text)

    def _all_edits(self) -> dict[str, Callable[[], None]]:
        buffer = self._buffer

        def caret() -> int:
            return buffer.cursor_position

        return {
            "tui.editor.cursorLeft": lambda: buffer.go(buffer.left()),
            "tui.editor.cursorRight": lambda: buffer.go(buffer.right()),
            "tui.editor.cursorWordLeft": lambda: buffer.go(word_start(buffer.text, caret())),
            "tui.editor.cursorWordRight": lambda: buffer.go(word_end(buffer.text, caret())),
            "tui.editor.cursorLineStart": lambda: buffer.go(buffer.line_start()),
            "tui.editor.cursorLineEnd": lambda: buffer.go(buffer.line_end()),
            "tui.editor.deleteCharBackward": lambda: buffer.remove(buffer.left(), caret()),
            "tui.editor.deleteCharForward": lambda: buffer.remove(caret(), buffer.right()),
            "tui.editor.deleteWordBackward": lambda: buffer.cut(
                word_start(buffer.text, caret()), caret()
            ),
            "tui.editor.deleteWordForward": lambda: buffer.cut(
                caret(), word_end(buffer.text, caret())
            ),
            "tui.editor.deleteToLineStart": lambda: buffer.cut(buffer.line_start(), caret()),
            "tui.editor.deleteToLineEnd": lambda: buffer.cut(caret(), buffer.line_end()),
            "tui.editor.yank": buffer.yank,
            "tui.editor.yankPop": buffer.yank_pop,
            "tui.editor.undo": buffer.undo,
            "tui.editor.redo": buffer.redo,
        }

    def draw(self, theme: Theme, cells: int) -> tuple[str, int]:
        """The part of the text that fits, scrolled to the cursor, and the cursor's column."""
        text = self.text
        before = text[: self._buffer.cursor_position]
        if self._secret:
            before, text = MASK * len(before), MASK * len(text)
        if not text:
            return theme.fg("dim", crop(self.placeholder, 0, cells)), 0
        cells = max(1, cells)
        at = width(before)
        self._left = max(0, min(self._left, at))
        if at >= self._left + cells:
            self._left = at - cells + 1
        self._left = min(self._left, max(0, width(text) + 1 - cells))
        return crop(text, self._left, self._left + cells), at - self._left


class TextArea(TextField):
    """Several lines, wrapped; up and down go by rows."""

    _columns = 80

    def _cleaned(self, text: str) -> str:
        return clean(text)

    def _all_edits(self) -> dict[str, Callable[[], None]]:
        return {
            **super()._all_edits(),
            "tui.input.newLine": lambda: self._buffer.put("\n"),
            "tui.editor.cursorUp": lambda: self._by_rows(-1),
            "tui.editor.cursorDown": lambda: self._by_rows(1),
        }

    def _layout(self) -> Layout:
        return Layout(self.text, self._columns, lambda marker: marker)

    def _by_rows(self, by: int) -> None:
        layout = self._layout()
        row, cell = layout.place(self._buffer.cursor_position)
        if 0 <= row + by < layout.rows:
            self._buffer.go(layout.index(row + by, cell))

    def rows(self, cells: int, most: int) -> tuple[list[str], tuple[int, int]]:
        """The rows around the cursor, and where in them it is."""
        cells = max(1, cells)
        self._columns = max(1, cells - 1)  # one is kept for a cursor behind a full row
        layout = self._layout()
        row, cell = layout.place(self._buffer.cursor_position)
        self._left = max(0, min(self._left, row, max(0, layout.rows - most)))
        if row >= self._left + most:
            self._left = row - most + 1
        shown = range(self._left, min(layout.rows, self._left + most))
        rows = [crop(layout.row(at)[1], 0, cells) for at in shown]
        return rows, (row - self._left, min(cell, cells - 1))
