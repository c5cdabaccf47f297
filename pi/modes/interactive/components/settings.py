"""A list of settings, each with some values to go through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pi.modes.interactive.cells import cut, pad, width
from pi.modes.interactive.components.part import Part, Stage
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.pickers.scroll import Scroll
from pi.modes.interactive.view import Key, Lines

__all__ = ["Setting", "SettingsList"]


@dataclass(slots=True)
class Setting:
    """key: what `on_change` is told. values: what Enter or Space goes through. about: below."""

    key: str
    label: str
    value: str
    values: Sequence[str] = ("on", "off")
    about: str = ""


class SettingsList(Part):
    """on_change: gets key and value. on_cancel: Escape. most: rows at a time."""

    def __init__(
        self,
        screen: Stage,
        settings: Sequence[Setting],
        *,
        on_change: Callable[[str, str], Any],
        on_cancel: Callable[[], Any] | None = None,
        most: int = 10,
    ) -> None:
        self._screen = screen
        self.settings = list(settings)
        self._scroll = Scroll(len(self.settings))
        self.most = most
        self.on_change, self.on_cancel = on_change, on_cancel

    def render(self, width_: int) -> Lines:
        theme = self._screen.theme
        if not self.settings:
            return []
        window = self._scroll.window(max(1, min(self.most, self.height - 2)))
        self._scroll.items = dict(enumerate(window))
        room = min(max(width(self.settings[at].label) for at in window), max(8, width_ // 2))
        rows: list[str] = []
        for at in window:
            setting, current = self.settings[at], at == self._scroll.index
            label = pad(cut(setting.label, room), room)
            mark = theme.fg("accent", "→ ") if current else "  "
            shown = theme.fg("accent" if current else "muted", setting.value)
            rows.append(cut(f"{mark}{label}  {shown}", width_))
        about = self.settings[self._scroll.index].about
        if about:
            rows += ["", theme.fg("dim", cut(f"  {about}", width_))]
        return rows

    def handle(self, key: Key) -> bool:
        actions = self._screen.keymap.actions(key)
        if "tui.select.cancel" in actions and self.on_cancel is not None:
            self.on_cancel()
        elif "tui.select.confirm" in actions or key.name == "space":
            self._next()
        else:
            return self._scroll.act(actions)
        return True

    def mouse(self, event: Mouse) -> bool:
        did = self._scroll.point(event)
        if did == "chosen":
            self._next()
        return did is not None

    def _next(self) -> None:
        if not self.settings:
            return
        setting = self.settings[self._scroll.index]
        values = list(setting.values)
        at = values.index(setting.value) if setting.value in values else -1
        setting.value = values[(at + 1) % len(values)]
        self.on_change(setting.key, setting.value)
