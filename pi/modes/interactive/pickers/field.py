"""Small text inputs of pickers: one line, or several. Keys are those of the editor."""

from collections.abc import Sequence

# Text with a cursor, an undo stack and the notion of words, without anything of a terminal.
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from wcwidth import iter_graphemes

from pi.modes.interactive.cells import crop, width, wrap
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
        self._killed = ""
        self._left = 0
        text = self._cleaned(text)
        self._buffer = Buffer(document=Document(text, len(text)))

    @property
    def text(self) -> str:
        return self._buffer.text

    @text.setter
    def text(self, text: str) -> None:
        text = self._cleaned(text)
        self._buffer.set_document(Document(text, len(text)), bypass_readonly=True)

    def _cleaned(self, text: str) -> str:
        return clean_line(text)

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        """Whether the key was one for a text."""
        for action in actions:
            if self._edit(action):
                return True
        if key.text:
            self._insert(key.text)
            return True
        return False

    def _insert(self, text: str) -> None:
        text = self._cleaned(text)
        if text:
            self._buffer.save_to_undo_stack()
            self._buffer.insert_text(text)

    def _edit(self, action: str) -> bool:
        buffer, document = self._buffer, self._buffer.document
        match action:
            case "tui.editor.cursorLeft":
                buffer.cursor_position -= _last(document.text_before_cursor)
            case "tui.editor.cursorRight":
                buffer.cursor_position += _first(document.text_after_cursor)
            case "tui.editor.cursorWordLeft":
                buffer.cursor_position += document.find_previous_word_beginning() or 0
            case "tui.editor.cursorWordRight":
                buffer.cursor_position += document.find_next_word_ending() or 0
            case "tui.editor.cursorLineStart":
                buffer.cursor_position += document.get_start_of_line_position()
            case "tui.editor.cursorLineEnd":
                buffer.cursor_position += document.get_end_of_line_position()
            case "tui.editor.deleteCharBackward":
                self._delete(-_last(document.text_before_cursor))
            case "tui.editor.deleteCharForward":
                self._delete(_first(document.text_after_cursor))
            case "tui.editor.deleteWordBackward":
                self._kill(document.find_previous_word_beginning() or 0)
            case "tui.editor.deleteWordForward":
                self._kill(document.find_next_word_ending() or 0)
            case "tui.editor.deleteToLineStart":
                self._kill(document.get_start_of_line_position())
            case "tui.editor.deleteToLineEnd":
                self._kill(document.get_end_of_line_position())
            case "tui.editor.yank":
                self._insert(self._killed)
            case "tui.editor.undo":
                buffer.undo()
            case _:
                return False
        return True

    def _kill(self, count: int) -> None:
        if removed := self._delete(count):
            self._killed = removed

    def _delete(self, count: int) -> str:
        """Take away characters before (negative) or after the cursor."""
        if not count:
            return ""
        self._buffer.save_to_undo_stack()
        if count < 0:
            return self._buffer.delete_before_cursor(-count)
        return self._buffer.delete(count)

    def draw(self, theme: Theme, cells: int) -> tuple[str, int]:
        """The part of the text that fits, scrolled to the cursor, and the cursor's column."""
        before = self._buffer.document.text_before_cursor
        text = self.text
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
    """Several lines, wrapped."""

    def _cleaned(self, text: str) -> str:
        return clean(text)

    def _edit(self, action: str) -> bool:
        if action == "tui.input.newLine":
            self._insert("\n")
        elif action == "tui.editor.cursorUp":
            self._buffer.cursor_up()
        elif action == "tui.editor.cursorDown":
            self._buffer.cursor_down()
        else:
            return super()._edit(action)
        return True

    def rows(self, cells: int, most: int) -> tuple[list[str], tuple[int, int]]:
        """The rows around the cursor, and where in them it is."""
        cells = max(1, cells)
        document = self._buffer.document
        rows: list[str] = []
        cursor = (0, 0)
        for number, line in enumerate(document.lines):
            # One cell is kept for a cursor behind the last character of a full row.
            parts = _broken(line, max(1, cells - 1))
            if number == document.cursor_position_row:
                column = document.cursor_position_col
                for at, part in enumerate(parts):
                    if column <= len(part) or at == len(parts) - 1:
                        cursor = (len(rows) + at, min(cells - 1, width(part[:column])))
                        break
                    column -= len(part)
            rows += [crop(part, 0, cells) for part in parts]  # spaces may hang over at a break
        self._left = max(0, min(self._left, cursor[0], max(0, len(rows) - most)))
        if cursor[0] >= self._left + most:
            self._left = cursor[0] - most + 1
        return rows[self._left : self._left + most], (cursor[0] - self._left, cursor[1])


def _broken(line: str, cells: int) -> list[str]:
    """The line in rows that hold all of its characters, those at the breaks too."""
    rows = wrap(line, cells) or [""]
    whole: list[str] = []
    at = 0
    for row in rows[1:]:
        start = line.find(row, at + len(rows[len(whole)]))
        start = start if start >= 0 else at + len(rows[len(whole)])
        whole.append(line[at:start])
        at = start
    return [*whole, line[at:]]


def _last(text: str) -> int:
    """Characters of the last thing one sees."""
    tail = text[-32:]
    return len(list(iter_graphemes(tail))[-1]) if tail else 0


def _first(text: str) -> int:
    head = text[:32]
    return len(next(iter(iter_graphemes(head)))) if head else 0
