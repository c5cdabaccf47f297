"""What pickers stand on in tests: a real theme and keymap, and a clock that is moved by hand."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.view import Key, Panel
from pi.resources.themes import builtin_theme

GOLDEN = Path(__file__).with_name("golden")


class Loop:
    """Calls what is due when a test lets time pass. redraws: how often one was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.redraws = 0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self._number += 1
        item = (self.now + seconds, self._number, call)
        self._calls.append(item)
        return lambda: self._calls.remove(item) if item in self._calls else None

    def redraw(self) -> None:
        self.redraws += 1

    def post(self, call: Callable[[], None]) -> None:
        self.later(0, call)

    def run(self, seconds: float = 0.0) -> None:
        until = self.now + seconds
        while due := sorted(item for item in self._calls if item[0] <= until):
            self._calls.remove(due[0])
            self.now = max(self.now, due[0][0])
            due[0][2]()
        self.now = until

    @property
    def waiting(self) -> int:
        return len(self._calls)


class Done:
    """Takes results."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any) -> None:
        self.values.append(value)

    @property
    def value(self) -> Any:
        assert len(self.values) == 1, self.values
        return self.values[0]


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def stage(loop: Loop) -> Stage:
    theme = Theme.of(builtin_theme("dark"))
    return Stage(theme, Keymap(), loop.redraw, loop.later, loop.post)


@pytest.fixture
def done() -> Done:
    return Done()


def press(panel: Panel, *names: str) -> bool:
    """Press keys; what the last one gave."""
    handled = False
    for name in names:
        text = name if len(name) == 1 else " " if name == "space" else ""
        handled = panel.handle(Key(name, name, text))
    return handled


def type_in(panel: Panel, text: str) -> None:
    for char in text:
        panel.handle(Key("space" if char == " " else char, char, char))


def screen(panel: Panel, columns: int = 80, height: int = 24) -> str:
    """As one sees it without colours; checks what must hold of every frame."""
    panel.height = height
    lines = panel.render(columns)
    assert panel.render(columns) is lines
    assert len(lines) <= height
    for line in lines:
        assert width(line) <= columns, (columns, line)
        assert "\n" not in line
    if panel.cursor is not None:
        row, column = panel.cursor
        assert 0 <= row < len(lines) and 0 <= column < columns
    return "\n".join(plain(line).rstrip() for line in lines)


def golden(panel: Panel, name: str, *, height: int = 24) -> None:
    """Compare with what is kept, at three widths; GOLDEN=write keeps anew. Draws tiny ones."""
    parts = [f"== {columns}\n{screen(panel, columns, height)}\n" for columns in (40, 80, 120)]
    text = "".join(parts)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    for columns in (1, 2, 7, 20, 33):
        for rows in (1, 2, 5, 9):
            screen(panel, columns, rows)
    panel.height = height
