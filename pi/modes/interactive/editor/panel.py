"""The editor: where prompts are written.

It grows with its text up to a part of the screen and scrolls inside. Keys come as names and act by
what the keymap says; what it does not know it leaves to the application.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pi.modes.interactive.cells import crop, cut, width
from pi.modes.interactive.completion.asking import Completer
from pi.modes.interactive.completion.base import Provider
from pi.modes.interactive.editor.buffer import EditBuffer, word_end, word_start
from pi.modes.interactive.editor.dropped import dropped_files, is_image
from pi.modes.interactive.editor.history import History
from pi.modes.interactive.editor.layout import Layout, clusters, next_cluster
from pi.modes.interactive.editor.markers import MARKER, Markers
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean
from pi.modes.interactive.view import Key, Lines

__all__ = ["Editor", "Submission"]

LONG_PASTE_LINES = 10
LONG_PASTE_CHARACTERS = 1000
"""A paste of more than either becomes a marker."""
_FEWEST_ROWS = 5  # the editor may grow to so many even on a small screen

_NARROW = 8

_THINKING = {
    level: f"thinking{level.capitalize()}"
    for level in ("off", "minimal", "low", "medium", "high", "xhigh", "max")
}


class Submission(NamedTuple):
    """What was written: markers are replaced. images: files to go with it."""

    text: str
    images: tuple[Path, ...] = ()


class Editor:
    """A panel (see view.py).

    on_submit: Enter was pressed on something. changed: call to have a new frame drawn.
    home: what `~` in a dropped path stands for. padding: cells at both sides. thinking: the level
    that colours the border. hardware_cursor: the terminal draws the caret, not this.
    """

    def __init__(
        self,
        keymap: Keymap,
        theme: Theme,
        *,
        on_submit: Callable[[Submission], None],
        changed: Callable[[], None] = lambda: None,
        providers: Sequence[Provider] = (),
        home: Path,
        padding: int = 0,
        popup_rows: int = 5,
        hardware_cursor: bool = False,
    ) -> None:
        self.keymap, self.theme = keymap, theme
        self.on_submit = on_submit
        self.padding = padding
        self.hardware_cursor = hardware_cursor
        self.thinking = "off"
        self.focused = True
        self.height = 24
        self.cursor: tuple[int, int] | None = None
        self._history = History()
        self.completer = Completer(providers, changed, popup_rows)
        self._home = home
        self._markers = Markers()
        self._buffer = EditBuffer()
        self._layout = Layout("", 80, self._markers.label)
        self._top = 0
        self._shown_rows = 1
        self._rows_above = self._popup_row = self._margin = 0  # where what is drawn is
        self._goal: int | None = None  # the cell that moving up and down keeps to
        self._jump: Callable[[str], None] | None = None  # waits for a character
        self._drawn: tuple[object, list[str]] | None = None
        self._actions = self._all_actions()

    # What the application does with it

    @property
    def text(self) -> str:
        """All of it, markers replaced by what they stand for."""
        return self._markers.expand(self._buffer.text)

    @text.setter
    def text(self, text: str) -> None:
        self._history.leave()
        self._replace(_cleaned(text))

    @property
    def is_empty(self) -> bool:
        return not self._buffer.text

    @property
    def draws_caret(self) -> bool:
        return self.focused and not self.hardware_cursor

    @property
    def mode(self) -> str:
        """ "shell" for a line that starts with `!`, "quietShell" for `!!`, else "prompt"."""
        text = self._buffer.text.lstrip()
        return "prompt" if text[:1] != "!" else "quietShell" if text[1:2] == "!" else "shell"

    def take(self) -> Submission:
        """What was written, out of the editor and into the history."""
        submission = Submission(self.text.strip(), self._markers.images(self._buffer.text))
        self._history.add(submission.text)
        self.clear()
        return submission

    def remember(self, text: str) -> None:
        """Add a prompt to the history, as the newest."""
        self._history.add(_cleaned(text))

    def clear(self) -> None:
        self._history.leave()
        self.completer.close()
        self._jump = self._goal = None
        self._buffer.clear()

    def insert(self, text: str) -> None:
        """As if it had been pasted."""
        self._paste(text)
        self._edited()

    def attach(self, image: Path) -> None:
        """Put in an image, as a marker."""
        self._buffer.put(self._spaced(self._markers.image(image, self._buffer.text)))
        self._edited()

    def invalidate(self) -> None:
        self._drawn = None

    # Keys

    def handle(self, key: Key) -> bool:
        if key.name == "paste":
            self.insert(key.text)
            return True
        actions = self.keymap.actions(key)
        if self._jump is not None:
            jump, self._jump = self._jump, None
            if key.text:
                jump(key.text)
                return True
            if "tui.select.cancel" in actions:
                return True
        if self.completer.popup is not None and (done := self._choose(actions)) is not None:
            return done
        for action in actions:
            act = self._actions.get(action)
            if act is not None and act():
                return True
        if key.text:
            self._buffer.type(key.text)
            self._edited()
            return True
        return False

    def mouse(self, event: Mouse) -> bool:
        """A click puts the caret there, or takes what is offered."""
        popup, row = self.completer.popup, event.y - self._rows_above
        if popup is not None and event.y >= self._popup_row:
            clicked = popup.point(event._replace(y=event.y - self._popup_row))
            if clicked:
                self._accept("tab")
            return clicked is not None
        if event.action != "press" or event.button != "left":
            return False
        if not 0 <= row < self._shown_rows:
            return False
        cell = max(0, event.x - self._margin)
        self._buffer.go(self._layout_now().index(self._top + row, cell))
        self._moved()
        return True

    def _all_actions(self) -> dict[str, Callable[[], bool]]:
        """Action to what it does; False leaves the key to the next action, or the application."""
        buffer = self._buffer

        def move(where: Callable[[], int]) -> Callable[[], bool]:
            def act() -> bool:
                buffer.go(where())
                self._moved()
                return True

            return act

        def edit(do: Callable[[], None], *, unless_empty: bool = False) -> Callable[[], bool]:
            def act() -> bool:
                if unless_empty and not buffer.text:
                    return False
                do()
                self._edited()
                return True

            return act

        def caret() -> int:
            return buffer.cursor_position

        def line_end() -> int:
            end = buffer.line_end()
            return end if end > caret() else min(end + 1, len(buffer.text))

        def line_start() -> int:
            start = buffer.line_start()
            return start if start < caret() else max(start - 1, 0)

        return {
            "tui.editor.cursorUp": self._up,
            "tui.editor.cursorDown": self._down,
            "tui.editor.historyPrevious": lambda: self._older() or True,
            "tui.editor.historyNext": lambda: self._newer() or True,
            "tui.editor.cursorLeft": move(buffer.left),
            "tui.editor.cursorRight": move(buffer.right),
            "tui.editor.cursorWordLeft": move(lambda: word_start(buffer.text, caret())),
            "tui.editor.cursorWordRight": move(lambda: word_end(buffer.text, caret())),
            "tui.editor.cursorLineStart": move(buffer.line_start),
            "tui.editor.cursorLineEnd": move(buffer.line_end),
            "tui.editor.jumpForward": lambda: self._wait_for(self._jump_forward),
            "tui.editor.jumpBackward": lambda: self._wait_for(self._jump_backward),
            "tui.editor.pageUp": lambda: self._by_rows(-self._shown_rows),
            "tui.editor.pageDown": lambda: self._by_rows(self._shown_rows),
            "tui.editor.deleteCharBackward": edit(lambda: buffer.remove(buffer.left(), caret())),
            "tui.editor.deleteCharForward": edit(
                lambda: buffer.remove(caret(), buffer.right()), unless_empty=True
            ),
            "tui.editor.deleteWordBackward": edit(
                lambda: buffer.cut(word_start(buffer.text, caret()), caret())
            ),
            "tui.editor.deleteWordForward": edit(
                lambda: buffer.cut(caret(), word_end(buffer.text, caret()))
            ),
            "tui.editor.deleteToLineStart": edit(lambda: buffer.cut(line_start(), caret())),
            "tui.editor.deleteToLineEnd": edit(lambda: buffer.cut(caret(), line_end())),
            "tui.editor.yank": edit(buffer.yank),
            "tui.editor.yankPop": edit(buffer.yank_pop),
            "tui.editor.undo": edit(buffer.undo),
            "tui.editor.redo": edit(buffer.redo),
            "tui.input.newLine": edit(lambda: buffer.put("\n")),
            "tui.input.submit": self._enter,
            "tui.input.tab": self._tab,
            "app.tools.expand": self._unfold,
        }

    def _enter(self) -> bool:
        buffer = self._buffer
        at = buffer.cursor_position
        if buffer.text[at - 1 : at] == "\\":
            buffer.change(at - 1, at, "\n")
            self._edited()
        elif buffer.text.strip():
            self.on_submit(self.take())
        return True

    def _tab(self) -> bool:
        self.completer.ask(self._buffer.text, self._buffer.cursor_position, asked=True)
        popup = self.completer.popup
        if popup is not None and len(popup.found.items) == 1:
            self._accept("tab")
        return True

    def _choose(self, actions: Sequence[str]) -> bool | None:
        """A key while the list is open; None if it is none of the list's."""
        popup = self.completer.popup
        assert popup is not None
        for action in actions:
            match action:
                case "tui.select.up":
                    popup.move(-1)
                case "tui.select.down":
                    popup.move(1)
                case "tui.select.pageUp":
                    popup.move(-popup.most)
                case "tui.select.pageDown":
                    popup.move(popup.most)
                case "tui.input.tab" | "tui.select.confirm" if self._stale():
                    self.completer.close()
                    return None  # it was not chosen from what belongs to this text
                case "tui.input.tab":
                    self._accept("tab")
                case "tui.select.confirm":
                    self._accept("enter")
                case "tui.select.cancel":
                    self.completer.dismiss()
                    # Ctrl+C closes the list and empties the editor.
                    return "app.clear" not in actions
                case _:
                    continue
            return True
        return None

    def _stale(self) -> bool:
        return self.completer.stale(self._buffer.text, self._buffer.cursor_position)

    def _accept(self, by: str) -> None:
        popup = self.completer.popup
        assert popup is not None
        item, found = popup.item, popup.found
        end = found.end + self._buffer.cursor_position - popup.caret  # typed since it was found
        text = item.last or item.text if by == "enter" else item.text
        typed = self._buffer.text[found.start : end]
        self._history.leave()
        buffer = self._buffer
        put = found.put and found.put(buffer.text, buffer.cursor_position, item)
        if put:
            buffer.replace(*put)
        else:
            buffer.change(found.start, max(found.start, end), text)
        self._goal = None
        self.completer.close()
        # What was typed out already needs no choosing: Enter sends it.
        if by == "enter" and (item.then == "submit" or typed == item.text.rstrip()):
            self.on_submit(self.take())
        elif by == "tab":
            more = item.then == "more"
            self.completer.ask(self._buffer.text, self._buffer.cursor_position, asked=more)

    # Moving

    def _up(self) -> bool:
        row, _ = self._layout_now().place(self._buffer.cursor_position)
        if row > 0:
            return self._by_rows(-1)
        if self._history.browsing or self._buffer.cursor_position == 0:
            self._older()
        else:
            self._buffer.go(0)
            self._moved()
        return True

    def _down(self) -> bool:
        layout = self._layout_now()
        row, _ = layout.place(self._buffer.cursor_position)
        if row < layout.rows - 1:
            return self._by_rows(1)
        if not self._newer():
            self._buffer.go(len(self._buffer.text))
            self._moved()
        return True

    def _by_rows(self, by: int) -> bool:
        layout = self._layout_now()
        row, cell = layout.place(self._buffer.cursor_position)
        goal = cell if self._goal is None else self._goal
        self._buffer.go(layout.index(max(0, min(layout.rows - 1, row + by)), goal))
        self._moved()
        self._goal = goal
        return True

    def _older(self) -> bool:
        older = self._history.previous(self._buffer.text, self._buffer.cursor_position)
        if older is not None:
            self._replace(older, 0)
        return older is not None

    def _newer(self) -> bool:
        newer = self._history.next()
        if newer is not None:
            self._replace(*newer)
        return newer is not None

    def _wait_for(self, jump: Callable[[str], None]) -> bool:
        self._jump = jump
        return True

    def _jump_forward(self, character: str) -> None:
        self._go_if(self._buffer.text.find(character, self._buffer.cursor_position + 1))

    def _jump_backward(self, character: str) -> None:
        self._go_if(self._buffer.text.rfind(character, 0, self._buffer.cursor_position))

    def _go_if(self, index: int) -> None:
        if index >= 0:
            self._buffer.go(index)
            self._moved()

    def _moved(self) -> None:
        self._goal = None
        if self.completer.popup is not None:
            self.completer.ask(self._buffer.text, self._buffer.cursor_position)

    # Text

    def _edited(self) -> None:
        self._history.leave()
        self._goal = None
        self.completer.ask(self._buffer.text, self._buffer.cursor_position)

    def _replace(self, text: str, caret: int | None = None) -> None:
        self._goal = None
        self.completer.close()
        self._buffer.replace(text, caret)

    def _paste(self, text: str) -> None:
        text = MARKER.sub("", text)
        if self.mode == "prompt" and (files := dropped_files(text, self._home)):
            around = self._buffer.text
            parts = []
            for path in files:
                image = is_image(path)
                parts.append(self._markers.image(path, around) if image else _quoted(path))
                around += parts[-1]
            after = self._buffer.text[self._buffer.cursor_position :][:1]
            text = " ".join(parts) + (" " if after.isalnum() or text[-1:].isspace() else "")
            self._buffer.put(self._spaced(text))
            return
        text = _cleaned(text)
        if text.count("\n") >= LONG_PASTE_LINES or len(text) > LONG_PASTE_CHARACTERS:
            text = self._markers.paste(text, self._buffer.text)
        elif text[:1] in ("/", "~", ".") and "\n" not in text:
            text = self._spaced(text)
        if text:
            self._buffer.put(text)

    def _spaced(self, text: str) -> str:
        """With a space before it where a word would run into it."""
        before = self._buffer.text[: self._buffer.cursor_position][-1:]
        return f" {text}" if before.isalnum() or MARKER.match(before) else text

    def _unfold(self) -> bool:
        """The pasted text in place of its marker at the caret."""
        at = self._paste_at_caret()
        if at is None:
            return False
        self._buffer.change(at, at + 1, self._markers.expand(self._buffer.text[at]))
        self._edited()
        return True

    def _paste_at_caret(self) -> int | None:
        """Where the marker of a paste is that the caret is before or behind."""
        text, caret = self._buffer.text, self._buffer.cursor_position
        for at in (caret, caret - 1):
            if 0 <= at < len(text) and MARKER.match(text[at]):
                marker = self._markers.of(text[at])
                return at if marker is not None and marker.image is None else None
        return None

    # Drawing

    def render(self, columns: int) -> Lines:
        popup = self.completer.popup
        buffer = self._buffer
        state: tuple[object, ...] = (
            *(buffer.text, buffer.cursor_position, columns, self.height, self.focused),
            *(self.thinking, self.theme, self.padding, self.hardware_cursor, self._jump is None),
            *(popup, popup.chosen if popup is not None else 0, self.keymap),
        )
        if self._drawn is not None and self._drawn[0] == state:
            return self._drawn[1]
        lines = self._draw(columns)
        self._drawn = (state, lines)
        return lines

    def _draw(self, columns: int) -> list[str]:
        padding = min(self.padding, max(0, (columns - 2) // 2))
        room = max(1, columns - 2 * padding - (0 if padding else 1))
        layout = self._layout_for(room)
        caret = self._buffer.cursor_position
        row, cell = layout.place(caret)
        most = min(max(_FEWEST_ROWS, self.height * 3 // 10), max(1, self.height - 2))
        rows = self._shown_rows = min(layout.rows, most)
        self._top = max(row - rows + 1, min(self._top, row, layout.rows - rows))
        bordered = self.height > 2
        lines = []
        if bordered:
            lines.append(self._border(columns, self._note(), "↑", self._top))
        self._rows_above, self._margin = len(lines), padding
        self.cursor = (len(lines) + row - self._top, min(padding + cell, columns - 1))
        margin = " " * padding
        for number in range(self._top, self._top + rows):
            start, text = layout.row(number)
            at = caret - start if number == row and self.draws_caret else None
            lines.append(margin + self._row(text, at, layout))
        if bordered:
            below = layout.rows - self._top - rows
            hint = ""
            if self._paste_at_caret() is not None and (
                keys := self.keymap.keys_of("app.tools.expand")
            ):
                hint = f"{keys[0]} unfolds the paste"
            lines.append(self._border(columns, hint, "↓", below))
        self._popup_row = len(lines)
        if self.completer.popup is not None and (left := self.height - len(lines)) > 0:
            lines += self.completer.popup.render(columns, left, self.theme)
        if columns < _NARROW:  # a wide character or the caret may not fit
            lines = [crop(line, 0, columns) for line in lines]
        return lines

    def _row(self, text: str, caret: int | None, layout: Layout) -> str:
        """A row; caret: where in it, if it is to be drawn."""
        if caret is None:
            return self._styled(text, layout)
        under = next_cluster(text, caret)
        after = text[caret + len(under) :]
        shown = layout.shown(under) if under else " "
        return (
            f"{self._styled(text[:caret], layout)}\x1b[7m{shown}\x1b[27m"
            f"{self._styled(after, layout)}"
        )

    def _styled(self, text: str, layout: Layout) -> str:
        if "\t" not in text and (text.isascii() or not MARKER.search(text)):
            return text
        parts = []
        for cluster in clusters(text):
            shown = layout.shown(cluster)
            parts.append(self.theme.fg("accent", shown) if MARKER.match(cluster) else shown)
        return "".join(parts)

    def _note(self) -> str:
        """What the border says besides its colour."""
        if self._jump is not None:
            return "jump to which character?"
        return {"shell": "shell", "quietShell": "shell, kept from the model"}.get(self.mode, "")

    def _border(self, columns: int, note: str, arrow: str, hidden: int) -> str:
        token = _THINKING.get(self.thinking, "border") if self.mode == "prompt" else "bashMode"
        left = f"── {note} " if note else ""
        right = f" {arrow} {hidden} more ──" if hidden else ""
        fill = columns - width(left) - width(right)
        if fill < 0:
            left, right = cut(left, columns), ""
            fill = columns - width(left)
        return self.theme.fg(token, left + "─" * fill + right)

    def _layout_now(self) -> Layout:
        return self._layout_for(self._layout.columns)

    def _layout_for(self, columns: int) -> Layout:
        if self._layout.columns != columns or self._layout.text != self._buffer.text:
            self._layout = Layout(self._buffer.text, columns, self._markers.label)
        return self._layout


def _cleaned(text: str) -> str:
    """Without anything a terminal acts on; tabs stay, the model may need them."""
    text = MARKER.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "\t".join(map(clean, text.split("\t")))


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text
