"""Reading in fullscreen mode: keys, wheel, drags and search."""

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.reading import Reading, Wheel
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.view import Key
from pi.resources.themes import builtin_theme

from .terminal import Block, Bottom, Terminal

THEME = Theme.of(builtin_theme("dark"))
ROWS = 12


class Setup:
    """A hundred rows in a window of ten."""

    def __init__(self, wheel: Wheel = 3) -> None:
        self.now = 10.0
        self.copied: list[str] = []
        self.terminal = Terminal(40, ROWS)
        self.blocks = [Block([f"row {n}"]) for n in range(100)]
        self.blocks[40].marked = True  # type: ignore[attr-defined]
        self.bottom = Bottom(["> ", "footer"], (0, 2))
        self.screen = Screen(self.terminal, THEME, "fullscreen", scrollbar="hidden")
        keymap = Keymap()
        self.reading = Reading(
            self.screen.viewport,
            lambda: keymap,
            THEME,
            self.copied.append,
            wheel=wheel,
            clock=lambda: self.now,
        )
        self.draw()

    def draw(self) -> list[str]:
        panels = [self.reading, self.bottom] if self.reading.searching else [self.bottom]
        self.screen.draw(Frame(self.blocks, panels, panels[0]))
        return self.terminal.display()

    def press(self, *names: str, listing: bool = False) -> list[str]:
        for name in names:
            text = name if len(name) == 1 else ""
            assert self.reading.handle(Key(name, name, text), listing), name
        return self.draw()

    def mouse(self, button: int, x: int, y: int, end: str = "M") -> bool:
        return self.reading.handle(Key("mouse", f"\x1b[<{button};{x + 1};{y + 1}{end}"))


def test_keys_scroll() -> None:
    setup = Setup()
    assert setup.draw()[0] == "row 90"
    assert setup.press("pageUp")[0] == "row 82"
    assert setup.press("pageDown")[0] == "row 90"
    assert setup.press("ctrl+home")[0] == "row 0"
    assert setup.press("ctrl+end")[0] == "row 90"
    assert setup.press("ctrl+up")[0] == "row 40"


def test_a_list_that_is_open_keeps_its_keys() -> None:
    setup = Setup()
    assert not setup.reading.handle(Key("pageUp"), listing=True)
    assert not setup.reading.handle(Key("x", "x", "x"))
    assert not setup.reading.handle(Key("ctrl+c"))
    assert setup.draw()[0] == "row 90"


def test_the_wheel() -> None:
    setup = Setup()
    assert setup.mouse(64, 5, 5)
    assert setup.draw()[0] == "row 87"
    assert setup.mouse(65, 5, 5)
    assert setup.draw()[0] == "row 90"
    assert setup.mouse(64 + 8, 5, 5)
    assert setup.draw()[0] == "row 75"


def test_a_wheel_that_is_spun_goes_faster_up_to_six() -> None:
    setup = Setup("auto")
    setup.mouse(64, 5, 5)
    assert setup.draw()[0] == "row 89"
    for _ in range(8):
        setup.now += 0.01
        setup.mouse(64, 5, 5)
    assert setup.draw()[0] == f"row {89 - 2 - 3 - 4 - 5 - 6 * 4}"
    setup.now += 1
    setup.mouse(65, 5, 5)
    assert setup.draw()[0] == "row 52"


def test_selecting_copies() -> None:
    setup = Setup()
    assert setup.mouse(0, 0, 0)
    assert setup.mouse(32, 4, 1)
    assert setup.mouse(0, 4, 1, "m")
    assert setup.copied == ["row 90\nrow 9"]
    assert not setup.mouse(0, 1, ROWS - 1)


def test_selecting_without_copying_and_then_copying_by_key() -> None:
    setup = Setup()
    setup.reading.copy_on_select = False
    setup.mouse(0, 0, 0)
    setup.mouse(32, 5, 0)
    setup.mouse(0, 5, 0, "m")
    assert setup.copied == []
    setup.press("ctrl+c")
    assert setup.copied == ["row 90"]
    assert not setup.reading.handle(Key("ctrl+c"))


def test_searching() -> None:
    setup = Setup()
    shown = setup.press("ctrl+shift+f")
    assert "search the conversation" in shown[-3]
    shown = setup.press("r", "o", "w", "4", "4", "4")
    assert "not found" in shown[-3]
    setup.press("backspace", "backspace", "backspace", "backspace")
    shown = setup.press("w")
    assert shown[-3].startswith(" / row")
    assert shown[-3].endswith("100 of 100")
    assert setup.terminal.cursor == (ROWS - 3, 6)
    shown = setup.press("shift+enter")
    assert shown[-3].endswith("99 of 100")
    shown = setup.press("enter", "enter")
    assert shown[-3].endswith("1 of 100")
    assert shown[0] == "row 0"
    shown = setup.press("escape")
    assert shown[-2:] == [">", "footer"]
    assert setup.screen.viewport.query == ""


@pytest.mark.parametrize("columns", [8, 20, 80])
def test_the_search_fits(columns: int) -> None:
    setup = Setup()
    setup.press("ctrl+shift+f", "r")
    for row in setup.reading.render(columns):
        assert width(row) <= columns
        assert plain(row).startswith(" / r")


def test_two_clicks_take_a_word_and_three_a_paragraph() -> None:
    setup = Setup()
    rows = ["", "see ~/src/a-b_c.py,  日本 (now)", "and 3.14 too", "", "below"]
    setup.blocks.append(Block(rows))
    shown = setup.draw()
    first = shown.index("see ~/src/a-b_c.py,  日本 (now)")

    def click(x: int, y: int, times: int, pause: float = 0.1) -> str:
        setup.now += 10
        setup.copied.clear()
        for _ in range(times):
            setup.now += pause
            assert setup.mouse(0, x, y)
            assert setup.mouse(0, x, y, "m")
        return "|".join(setup.copied)

    assert click(6, first, 1) == ""
    assert click(6, first, 2) == "~/src/a-b_c.py"
    assert click(22, first, 2) == "日本"
    assert click(28, first, 2) == "now"
    assert click(5, first + 1, 2) == "3.14"
    assert click(6, first, 3) == "~/src/a-b_c.py|see ~/src/a-b_c.py,  日本 (now)\nand 3.14 too"
    assert click(2, first + 3, 3) == "below|below"
    assert click(6, first, 2, pause=0.9) == "", "two clicks, not a double one"
    setup.now += 10
    setup.mouse(0, 6, first)
    setup.mouse(0, 6, first, "m")
    setup.copied.clear()
    setup.mouse(0, 4, first + 1)
    setup.mouse(0, 4, first + 1, "m")
    assert setup.copied == [], "nor are two in different places"
