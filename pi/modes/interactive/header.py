"""What stands at the top when pi starts: its name, the keys one needs first, what it found."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pi._version import __version__
from pi.modes.interactive.cells import cut, width, wrap
from pi.modes.interactive.pickers.stage import Stage, key_label
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Lines

__all__ = ["Header"]


@dataclass(slots=True)
class Header:
    """loaded: what instructions and resources there are, "Context" to their names."""

    stage: Stage
    loaded: Sequence[tuple[str, Sequence[str]]] = ()
    _drawn: tuple[int, list[str]] | None = field(default=None)

    def invalidate(self) -> None:
        self._drawn = None

    def render(self, width_: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width_:
            self._drawn = (width_, self._rows(width_))
        return self._drawn[1]

    def _rows(self, columns: int) -> list[str]:
        theme = self.stage.theme
        keys = [
            (key_label(self.stage, "app.interrupt"), "stop"),
            (key_label(self.stage, "app.clear"), "clear, twice: quit"),
            ("/", "commands"),
            ("!", "shell"),
            ("@", "files"),
            (key_label(self.stage, "app.tools.expand"), "more of tools"),
        ]
        hints = [f"{key} {what}" for key, what in keys if key]
        rows = [
            "",
            cut(f" {theme.fg('accent', theme.bold('pi'))} {theme.fg('dim', __version__)}", columns),
        ]
        room = max(1, columns - 2)
        rows += (f" {theme.fg('dim', row)}" for row in _rows_of(hints, room))
        for what, names in self.loaded:
            if names:
                line = f"{what}: {', '.join(clean_line(name) for name in names)}"
                rows += (f" {theme.fg('muted', row)}" for row in wrap(line, room))
        rows.append("")
        return rows


def _rows_of(hints: Sequence[str], room: int) -> list[str]:
    """As many in a row as there is room for; one that is too long is wrapped."""
    rows: list[str] = []
    for hint in hints:
        joined = f"{rows[-1]} · {hint}" if rows else hint
        if rows and width(joined) <= room:
            rows[-1] = joined
        else:
            rows += wrap(hint, room)
    return rows
