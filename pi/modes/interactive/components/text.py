"""Parts that are only looked at."""

from collections.abc import Callable

from pi.modes.interactive.cells import cut, wrap_rows
from pi.modes.interactive.components.part import Part, Themed
from pi.modes.interactive.view import Lines

__all__ = ["Line", "Markdown", "Spacer", "Text"]

Said = str | Callable[[], str]
"""A text, or what gives it when it is drawn: in the colours of the theme that is on then."""


class Text(Part):
    """Wrapped between words. pad: cells at both sides. style: of each row."""

    def __init__(
        self, text: Said, *, pad: int = 0, style: Callable[[str], str] | None = None
    ) -> None:
        self.text = text
        self.pad = pad
        self.style = style

    def render(self, width: int) -> Lines:
        text = self.text if isinstance(self.text, str) else self.text()
        rows = wrap_rows(text, max(1, width - 2 * self.pad))
        space = " " * self.pad
        return [space + (row if self.style is None else self.style(row)) for row in rows]


class Line(Part):
    """One row, cut where it is too long."""

    def __init__(self, text: Said) -> None:
        self.text = text

    def render(self, width: int) -> Lines:
        text = self.text if isinstance(self.text, str) else self.text()
        return [cut(text.partition("\n")[0], width)]


class Spacer(Part):
    def __init__(self, rows: int = 1) -> None:
        self.rows = rows

    def render(self, width: int) -> Lines:
        return [""] * self.rows


class Markdown(Part):
    """Drawn as answers are."""

    def __init__(self, screen: Themed, text: str) -> None:
        self._screen = screen
        self._text = text
        self._drawn: tuple[int, Lines] | None = None

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text, self._drawn = text, None

    def invalidate(self) -> None:
        self._drawn = None

    def render(self, width: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width:
            # Its parser is loaded with the first answer, or with the first of these.
            from pi.modes.interactive.markdown import Drawing  # noqa: PLC0415
            from pi.modes.interactive.markdown import Markdown as Source  # noqa: PLC0415

            theme = self._screen.theme
            source = Source(Drawing(getattr(theme, "now", theme), links=False))
            source.finish(self._text)
            self._drawn = width, source.rows(width)
        return self._drawn[1]
