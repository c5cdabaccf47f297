"""Parts that a person works with: a line, a text, a list to choose from; and a spinner."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pi.modes.interactive.cells import cut, pad, width
from pi.modes.interactive.components.part import Part, Stage
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.pickers.fuzzy import fuzzy_filter
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.status import FRAME_SECONDS, SPINNER
from pi.modes.interactive.view import Key, Lines

if TYPE_CHECKING:
    from pi.modes.interactive.pickers.field import TextField

__all__ = ["Input", "Loader", "Option", "SelectList", "TextBox"]


def _ignored(*args: Any) -> None:
    pass


class Input(Part):
    """One line. on_submit: gets it at Enter. on_cancel: Escape. secret: shown as dots."""

    def __init__(
        self,
        screen: Stage,
        *,
        text: str = "",
        placeholder: str = "",
        prompt: str = "> ",
        secret: bool = False,
        on_submit: Callable[[str], Any] = _ignored,
        on_cancel: Callable[[], Any] | None = None,
    ) -> None:
        self._screen = screen
        self._field = _text_field(text, secret=secret, placeholder=placeholder)
        self._prompt = prompt
        self.on_submit, self.on_cancel = on_submit, on_cancel

    @property
    def text(self) -> str:
        return self._field.text

    @text.setter
    def text(self, text: str) -> None:
        self._field.text = text

    def render(self, width_: int) -> Lines:
        before = width(self._prompt)
        text, at = self._field.draw(self._screen.theme, max(1, width_ - before - 1))
        self.cursor = 0, before + at
        return [cut(self._screen.theme.fg("accent", self._prompt) + text, width_)]

    def handle(self, key: Key) -> bool:
        actions = self._screen.keymap.actions(key)
        if "tui.select.cancel" in actions and self.on_cancel is not None:
            self.on_cancel()
        elif "tui.select.confirm" in actions or "tui.input.submit" in actions:
            self.on_submit(self.text)
        else:
            return self._field.act(key, actions)
        return True


class TextBox(Part):
    """Several lines, of which at most `rows` are shown. Enter submits, as in the editor."""

    def __init__(
        self,
        screen: Stage,
        *,
        text: str = "",
        rows: int = 8,
        on_submit: Callable[[str], Any] = _ignored,
        on_cancel: Callable[[], Any] | None = None,
    ) -> None:
        self._screen = screen
        from pi.modes.interactive.pickers.field import TextArea  # noqa: PLC0415  (see _text_field)

        self._area = TextArea(text)
        self.rows = rows
        self.on_submit, self.on_cancel = on_submit, on_cancel

    @property
    def text(self) -> str:
        return self._area.text

    @text.setter
    def text(self, text: str) -> None:
        self._area.text = text

    def render(self, width_: int) -> Lines:
        rows, self.cursor = self._area.rows(width_, max(1, min(self.rows, self.height)))
        return rows

    def handle(self, key: Key) -> bool:
        actions = self._screen.keymap.actions(key)
        if "tui.select.cancel" in actions and self.on_cancel is not None:
            self.on_cancel()
        elif "tui.input.submit" in actions:
            self.on_submit(self.text)
        else:
            return self._area.act(key, actions)
        return True


@dataclass(frozen=True, slots=True)
class Option:
    """value: what choosing it gives. about: beside the label."""

    value: Any
    label: str
    about: str = ""


class SelectList(Part):
    """options: Option, or texts. most: rows at a time. searching: typing filters."""

    def __init__(
        self,
        screen: Stage,
        options: Iterable[Option | str],
        *,
        on_select: Callable[[Any], Any] = _ignored,
        on_cancel: Callable[[], Any] | None = None,
        on_move: Callable[[Any], Any] = _ignored,
        most: int = 10,
        searching: bool = False,
    ) -> None:
        self._screen = screen
        self._all = [Option(each, each) if isinstance(each, str) else each for each in options]
        self._shown = self._all
        self._scroll = Scroll(len(self._all))
        self._field = _text_field(placeholder="type to search") if searching else None
        self.most = most
        self.on_select, self.on_cancel, self.on_move = on_select, on_cancel, on_move

    @property
    def current(self) -> Any:
        """The value that Enter would give; None where nothing is left."""
        return self._shown[self._scroll.index].value if self._shown else None

    def render(self, width_: int) -> Lines:
        theme = self._screen.theme
        rows: list[str] = []
        self.cursor = None
        if self._field is not None:
            text, at = self._field.draw(theme, max(1, width_ - 3))
            self.cursor = 0, 2 + at
            rows.append(theme.fg("accent", "/ ") + text)
        if not self._shown:
            self._scroll.items = {}
            return [*rows, theme.fg("muted", cut("  nothing of that name", width_))]
        window = self._scroll.window(max(1, min(self.most, self.height - len(rows) - 1)))
        self._scroll.items = dict(enumerate(window, len(rows)))
        room = min(max(width(self._shown[at].label) for at in window), max(8, width_ // 2))
        for at in window:
            option, current = self._shown[at], at == self._scroll.index
            label = pad(cut(option.label, room), room) if option.about else option.label
            about = theme.fg("muted", f"  {option.about}") if option.about else ""
            mark = theme.fg("accent", "→ ") if current else "  "
            rows.append(
                cut(mark + (theme.fg("accent", label) if current else label) + about, width_)
            )
        if len(window) < len(self._shown):
            place = f"  ({self._scroll.index + 1}/{len(self._shown)})"
            rows.append(theme.fg("dim", cut(place, width_)))
        return rows

    def handle(self, key: Key) -> bool:
        actions = self._screen.keymap.actions(key)
        if "tui.select.cancel" in actions and self.on_cancel is not None:
            self.on_cancel()
        elif "tui.select.confirm" in actions:
            if self._shown:
                self.on_select(self.current)
        elif self._scroll.act(actions):
            self.on_move(self.current)
        elif self._field is not None and self._field.act(key, actions):
            query = self._field.text
            self._shown = fuzzy_filter(self._all, query, lambda o: f"{o.label} {o.about}")
            self._scroll.resize(len(self._shown), 0)
            self.on_move(self.current)
        else:
            return False
        return True

    def mouse(self, event: Mouse) -> bool:
        did = self._scroll.point(event)
        if did == "moved":
            self.on_move(self.current)
        elif did == "chosen":
            self.on_select(self.current)
        return did is not None


class Loader(Part):
    """Something takes its time. on_cancel: Escape; None where one has to wait."""

    def __init__(
        self, screen: Stage, text: str, *, on_cancel: Callable[[], Any] | None = None
    ) -> None:
        self._screen = screen
        self.text = text
        self.on_cancel = on_cancel
        self._frame = 0
        self._off: Callable[[], None] | None = screen.later(FRAME_SECONDS, self._turn)

    def render(self, width_: int) -> Lines:
        frame = SPINNER[self._frame % len(SPINNER)]
        return [cut(f"{self._screen.theme.fg('accent', frame)} {self.text}", width_)]

    def handle(self, key: Key) -> bool:
        if self.on_cancel is None or not self._screen.keymap.matches(key, "tui.select.cancel"):
            return False
        self.on_cancel()
        return True

    def close(self) -> None:
        if self._off is not None:
            self._off()
            self._off = None

    def _turn(self) -> None:
        if self._off is not None:
            self._frame += 1
            self._off = self._screen.later(FRAME_SECONDS, self._turn)
            self._screen.redraw()


def _text_field(text: str = "", **options: Any) -> "TextField":
    # The editor's buffer comes along with it: an extension that draws a list does without.
    from pi.modes.interactive.pickers.field import TextField  # noqa: PLC0415

    return TextField(text, **options)
