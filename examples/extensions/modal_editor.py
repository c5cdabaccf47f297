"""An editor with modes, as in vi: Escape leaves typing, i and a go back to it.

In normal mode h j k l move, w b by words, 0 $ to the ends of the line, x deletes, u undoes; what
is no letter (Ctrl+C, Enter, the keys of pi) works in both. Escape in normal mode stops pi.
"""

from typing import Any

from pi.extensions import Context, Pi, SessionStart
from pi.extensions.ui import Key, cut, pad, width

MOVES = {
    "h": "left",
    "j": "down",
    "k": "up",
    "l": "right",
    "w": "alt+right",
    "b": "alt+left",
    "0": "home",
    "$": "end",
    "x": "delete",
    "u": "ctrl+-",
}


class ModalEditor:
    """Around pi's own editor, which does the editing and the drawing."""

    def __init__(self, editor: Any, theme: Any) -> None:
        self.editor, self.theme = editor, theme
        self.normal = False
        self.height = 24

    @property
    def cursor(self) -> tuple[int, int] | None:
        place: tuple[int, int] | None = self.editor.cursor
        return place

    def render(self, width_: int) -> list[str]:
        *rows, last = self.editor.render(width_)
        mode = " NORMAL " if self.normal else " INSERT "
        label = self.theme.style(mode, fg="accent", bold=True, inverse=self.normal)
        room = width_ - width(mode)
        return [*rows, pad(cut(last, room, ""), room) + label if room > 0 else last]

    def handle(self, key: Key) -> bool:
        if not self.normal:
            if key.name == "escape" and self.editor.completer.popup is None:
                self.normal = True
                return True
            return bool(self.editor.handle(key))
        if key.name in ("i", "a"):
            self.normal = False
            return key.name == "i" or self.editor.handle(Key("right")) or True
        if key.name in MOVES:
            self.editor.handle(Key(MOVES[key.name]))
            return True
        # Other letters do nothing here; everything else is the editor's, then pi's.
        return bool(key.text) or self.editor.handle(key)

    def invalidate(self) -> None:
        self.editor.invalidate()


def extend(pi: Pi) -> None:
    @pi.on("session_start")
    def start(event: SessionStart, ctx: Context) -> None:
        before = ctx.ui.get_editor_component()

        def make(screen: Any, theme: Any, keys: Any, editor: Any) -> ModalEditor:
            # Another extension may have put its own around pi's already.
            inner = editor if before is None else before(screen, theme, keys, editor)
            return ModalEditor(inner, theme)

        ctx.ui.set_editor_component(make)
