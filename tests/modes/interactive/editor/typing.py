"""An editor with somebody at the keyboard."""

from pathlib import Path

from pi.modes.interactive.cells import plain
from pi.modes.interactive.editor.panel import Editor
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import KeyDecoder
from pi.modes.interactive.palette import Theme

PLAIN = Theme("none", {}, depth="none")


class Desk:
    """sent: what was submitted. left: keys that the editor left to the application."""

    def __init__(self, keymap=None, **options):
        self.sent = []
        self.left = []
        self.frames = 0
        options.setdefault("home", Path("/nowhere"))
        self.editor = Editor(
            keymap or Keymap(),
            options.pop("theme", PLAIN),
            on_submit=self.sent.append,
            changed=self._frame,
            **options,
        )
        self._keys = KeyDecoder()

    def _frame(self):
        self.frames += 1

    def type(self, *data):
        """What the terminal sends; time passes between the pieces."""
        for piece in data:
            for key in [*self._keys.feed(piece), *self._keys.flush()]:
                if not self.editor.handle(key):
                    self.left.append(key.name)
        return self

    def paste(self, text):
        return self.type(f"\x1b[200~{text}\x1b[201~")

    def shown(self, columns=40):
        """The rows, the drawn caret as a bar before its cell."""
        lines = self.editor.render(columns)
        return [plain(line.replace("\x1b[7m", "|")) for line in lines]

    def body(self, columns=40):
        """The rows between the borders."""
        lines = self.shown(columns)
        edges = [at for at, line in enumerate(lines) if line.startswith("──")]
        return lines[edges[0] + 1 : edges[1]]

    @property
    def text(self):
        """With the caret as a bar."""
        text, caret = self.editor._buffer.text, self.editor._buffer.cursor_position
        return f"{text[:caret]}|{text[caret:]}"
