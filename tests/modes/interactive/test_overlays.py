"""Overlays: where they lie, what they cover, who has the keyboard, and that nothing is lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.overlays import Layer, Overlays, laid_over, place
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pointer import Pointer
from pi.modes.interactive.screen import Frame, Screen, ScreenMode
from pi.runtime.overlay import Overlay

from .terminal import Block, Bottom, Terminal
from .test_inline import Story, steps

THEME = Theme("t", {})

# Rows, columns and sizes that the program whose formats this shares gives for the same wishes.
PLACES: list[tuple[dict[str, Any], tuple[int, int, int], tuple[int, int, int, int]]] = [
    # wishes; columns, rows, height; row, column, width, height
    ({}, (100, 30, 7), (11, 10, 80, 7)),
    ({}, (40, 15, 7), (4, 0, 40, 7)),
    ({"width": "50%", "margin": 2, "anchor": "top-right"}, (100, 30, 7), (2, 48, 50, 7)),
    ({"width": "50%", "margin": 2, "anchor": "bottom-left"}, (100, 30, 7), (21, 2, 50, 7)),
    ({"width": 40, "anchor": "top-left"}, (100, 30, 7), (0, 0, 40, 7)),
    ({"width": 40, "anchor": "top-center"}, (100, 30, 7), (0, 30, 40, 7)),
    ({"width": 40, "anchor": "left-center"}, (100, 30, 7), (11, 0, 40, 7)),
    ({"width": 40, "anchor": "right-center"}, (100, 30, 7), (11, 60, 40, 7)),
    ({"width": 40, "anchor": "bottom-center"}, (100, 30, 7), (23, 30, 40, 7)),
    ({"width": 40, "anchor": "bottom-right"}, (100, 30, 7), (23, 60, 40, 7)),
    ({"width": 21, "offset_x": 3, "offset_y": -2}, (100, 30, 7), (9, 42, 21, 7)),
    ({"width": 21, "offset_x": 3, "anchor": "top-right"}, (100, 30, 7), (0, 79, 21, 7)),
    ({"width": 35, "margin": {"top": 5, "left": 10}}, (100, 30, 7), (14, 37, 35, 7)),
    ({"width": 35, "margin": {"top": 5, "left": 10}}, (40, 15, 7), (6, 10, 30, 7)),
    ({"width": 500, "margin": 1}, (100, 30, 7), (11, 1, 98, 7)),
    ({"width": 30, "row": 28, "column": 28, "margin": 2}, (100, 30, 7), (21, 28, 30, 7)),
    ({"width": 30, "row": -3, "column": 200}, (100, 30, 7), (0, 70, 30, 7)),
    ({"width": 30, "row": "33%", "column": "33%", "margin": 2}, (100, 30, 7), (8, 23, 30, 7)),
    ({"width": 30, "row": "12.5%", "column": "100%"}, (100, 30, 7), (2, 70, 30, 7)),
    ({"width": 30, "row": "50%", "column": "50%", "offset_x": 2}, (100, 30, 7), (11, 37, 30, 7)),
    ({"width": "25%", "min_width": 30}, (100, 30, 7), (11, 35, 30, 7)),
    ({"width": "25%", "min_width": 500, "margin": 3}, (100, 30, 7), (11, 3, 94, 7)),
    ({"width": 0}, (100, 30, 7), (11, 49, 1, 7)),
    ({"margin": {"right": 60}}, (40, 15, 7), (4, 0, 1, 7)),
    ({"width": 30, "margin": 40}, (100, 30, 7), (40, 40, 20, 7)),
    ({"width": 30, "margin": -4, "anchor": "top-left"}, (100, 30, 7), (0, 0, 30, 7)),
]


@pytest.mark.parametrize(("wishes", "terminal", "bounds"), PLACES)
def test_where_an_overlay_lies(
    wishes: dict[str, Any], terminal: tuple[int, int, int], bounds: tuple[int, int, int, int]
) -> None:
    columns, rows, height = terminal
    assert place(Overlay(**wishes), columns, rows, height) == bounds


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"anchor": "middle"}, "no anchor 'middle'"),
        ({"width": "half"}, "width of an overlay must be a number or a share"),
        ({"min_width": "50%"}, "min_width of an overlay must be a number, not '50%'"),
        ({"margin": {"up": 1}}, "no margin 'up'"),
    ],
)
def test_what_is_no_wish_is_told(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Overlay(**wishes)


@pytest.mark.parametrize(
    ("below", "row", "column", "cells", "expected"),
    [
        ("0123456789", "ab", 3, 2, "012ab56789"),
        ("0123456789", "a", 3, 4, "012a   789"),
        ("01", "ab", 4, 2, "01  ab"),
        ("", "ab", 0, 2, "ab"),
        ("0123456789", "abcdef", 8, 2, "01234567ab"),
        ("漢字漢字漢", "ab", 3, 2, "漢 ab 字漢"),  # half of one at both borders
        ("0123456789", "漢字", 2, 3, "01漢 56789"),
    ],
)
def test_a_row_on_a_row(below: str, row: str, column: int, cells: int, expected: str) -> None:
    laid = laid_over(below, row, column, cells, 10)
    assert laid == expected
    assert width(laid) <= 10


def test_colours_end_at_the_borders() -> None:
    laid = laid_over("\x1b[31mred red red\x1b[39m", "\x1b[32mgreen", 2, 5, 11)
    assert plain(laid) == "regreened red"[:2] + "green" + "red red red"[7:]
    assert "\x1b[32mgreen\x1b[0m" in laid
    assert laid.index("\x1b[31m", laid.index("green")) > 0, "what follows is red again"


class Setup:
    """A terminal with a conversation on it, and overlays over it."""

    def __init__(
        self, columns: int = 20, rows: int = 6, mode: ScreenMode = "regular", **options: Any
    ) -> None:
        self.terminal = Terminal(columns, rows)
        self.blocks: list[Block] = []
        self.bottom = Bottom(["> ", "footer"], (0, 2))
        self.screen = Screen(self.terminal, THEME, mode, scrollbar="hidden", **options)
        self.drawn = 0
        self.overlays = Overlays(lambda: self.bottom, self.changed, lambda: self.screen.size)

    def changed(self) -> None:
        self.drawn += 1

    def frame(self) -> Frame:
        over = self.overlays if self.overlays.visible() else None
        focus = None if self.overlays.focused else self.bottom
        return Frame(self.blocks, [self.bottom], focus, over=over)

    def draw(self) -> list[str]:
        self.screen.draw(self.frame())
        return self.terminal.display()

    def open(
        self, rows: list[str], cursor: tuple[int, int] | None = None, **wishes: Any
    ) -> tuple[Bottom, Layer]:
        panel = Bottom(rows, cursor)
        return panel, self.overlays.open(panel, Overlay(**wishes))


def test_over_a_short_conversation_the_whole_screen_is_there() -> None:
    setup = Setup()
    setup.terminal.write_raw("$ pi\r\n")
    setup.blocks = [Block(["one", "two"])]
    setup.draw()
    _, layer = setup.open(["[##]"], width=4, anchor="bottom-right")
    assert setup.draw() == ["one", "two", ">", "footer", "", " " * 16 + "[##]"]
    assert setup.terminal.history() == ["$ pi"]
    layer.close()
    assert setup.draw() == ["one", "two", ">", "footer", "", ""]
    assert setup.terminal.text() == ["$ pi", "one", "two", ">", "footer"]
    assert setup.terminal.cursor == (2, 2)


@pytest.mark.parametrize("mode", ["regular", "fullscreen"])
def test_what_is_below_comes_back(mode: ScreenMode) -> None:
    setup = Setup(mode=mode)
    setup.blocks = [Block([f"row {n} " + "漢" * 6 for n in range(9)])]
    before = setup.draw()
    for number in range(9):
        _, layer = setup.open(["┌──┐", "└──┘"], width=4, row=number % 5, column=number)
        assert setup.draw() != before
        layer.close()
        assert setup.draw() == before
    assert setup.terminal.cursor == (4, 2)


@pytest.mark.parametrize("mode", ["regular", "fullscreen"])
def test_nothing_is_written_while_nothing_changes(mode: ScreenMode) -> None:
    setup = Setup(mode=mode)
    setup.blocks = [Block([f"row {n}" for n in range(9)])]
    panel, _ = setup.open(["[a]"], (0, 1), width=3, row=1, column=5)
    setup.draw()
    count = len(setup.terminal.writes)
    setup.draw()
    assert len(setup.terminal.writes) == count
    panel.put(["[b]"])
    setup.draw()
    assert "[b]" in setup.terminal.writes[-1]
    assert "footer" not in setup.terminal.writes[-1]


def test_scrollback_never_has_an_overlay_in_it() -> None:
    setup = Setup()
    setup.open(["####"] * 4, width=4, anchor="top-left")
    for number in range(30):
        setup.blocks.append(Block([f"row {number}"]))
        shown = setup.draw()
        assert [row[:4] for row in shown[:4]] == ["####"] * 4
        assert not any("#" in row for row in setup.terminal.history())
    setup.overlays.clear()
    setup.draw()
    assert setup.terminal.text() == [*(f"row {n}" for n in range(30)), ">", "footer"]


@pytest.mark.parametrize("end", ["suspend", "restart", "close"])
def test_what_stays_on_the_screen_is_what_was_below(end: str) -> None:
    setup = Setup()
    setup.blocks = [Block([f"row {n}" for n in range(3)])]
    setup.open(["####"] * 6, width=4, anchor="top-left")
    assert setup.draw()[0] == "####0"
    getattr(setup.screen, end)()
    assert not any("#" in row for row in setup.terminal.text())
    assert setup.terminal.text()[:3] == ["row 0", "row 1", "row 2"]


def test_a_smaller_terminal_loses_nothing() -> None:
    setup = Setup(20, 8)
    setup.blocks = [Block([f"row {n}" for n in range(20)])]
    setup.open(["####"] * 3, width=4, anchor="top-left")
    setup.draw()
    setup.terminal.resize(20, 4)
    setup.draw()
    setup.overlays.clear()
    setup.draw()
    seen = setup.terminal.text()
    assert [row for row in (f"row {n}" for n in range(20)) if row not in seen] == []


wishes = st.fixed_dictionaries(
    {
        "width": st.integers(1, 40),
        "row": st.integers(0, 12),
        "column": st.integers(0, 35),
        "capturing": st.booleans(),
    }
)


@settings(max_examples=150)
@given(steps, st.lists(st.one_of(st.none(), wishes), max_size=20), st.integers(2, 12))
def test_any_stream_of_changes_below_ends_in_the_whole_text_once(
    story_steps: list[tuple[str, int]], shown: list[dict[str, Any] | None], rows: int
) -> None:
    setup, story = Setup(30, rows), Story()
    setup.blocks, setup.bottom = story.blocks, story.bottom
    for at, (kind, number) in enumerate(story_steps):
        if kind == "suspend":
            setup.screen.suspend()
        story.step(kind, number)
        setup.blocks = story.blocks
        if at < len(shown):
            if (wish := shown[at]) is not None:
                setup.open(["##漢字##", "####"], (0, 1), **wish)
            elif setup.overlays.layers:
                setup.overlays.layers[0].close()
        setup.draw()
        assert not any("#" in row for row in setup.terminal.history())
    setup.overlays.clear()
    story.finish()
    story.bottom.put(["> "])
    story.bottom.cursor = (0, 0)
    setup.draw()
    assert [row for row in setup.terminal.text() if row] == [
        row for row in (*story.text(), ">") if row
    ]


def test_max_height_margins_and_the_terminal_bound_what_is_shown() -> None:
    setup = Setup(20, 6)
    panel, layer = setup.open([f"line {n}" for n in range(20)], width=8, max_height=3)
    assert [row[6:] for row in setup.draw() if "line" in row] == ["line 0", "line 1", "line 2"]
    assert panel.height == 3
    assert layer.bounds == (1, 6, 8, 3)
    layer.close()
    _, layer = setup.open([f"line {n}" for n in range(20)], width=8, margin=1, anchor="top-left")
    assert [row[1:] for row in setup.draw() if "line" in row] == [f"line {n}" for n in range(4)]
    assert layer.bounds == (1, 1, 8, 4)


def test_images_below_are_not_drawn() -> None:
    setup = Setup(20, 6)
    image = "\x1b[2A\x1b_Ga=T,i=7;AAAA\x1b\\\x1b[2B"
    setup.blocks = [Block(["", "", image, "text"])]
    setup.draw()
    _, layer = setup.open(["##"], width=2, row=0, column=0)
    setup.draw()
    assert "a=d,d=i,i=7" in setup.terminal.writes[-1], "it would lie over the overlay"
    layer.close()
    setup.draw()
    assert "a=T,i=7" in setup.terminal.writes[-1]
    setup.open(["##"], width=2, anchor="bottom-left")
    setup.draw()
    assert "a=d,d=i,i=7" not in setup.terminal.writes[-1], "it is not touched"


# The keyboard


def test_the_last_one_shown_has_the_keyboard_and_lies_in_front() -> None:
    setup = Setup()
    _, back = setup.open(["back"], width=4, row=0, column=0)
    _, front = setup.open(["FRONT"], width=5, row=0, column=2)
    assert setup.draw()[0] == "baFRONT"
    assert (back.focused, front.focused) == (False, True)
    back.focus()
    assert setup.draw()[0] == "backONT"
    assert (back.focused, front.focused) == (True, False)
    back.unfocus()
    assert front.focused
    assert setup.draw()[0] == "backONT", "it stays in front"
    front.hide()
    assert (front.hidden, setup.overlays.focused) == (True, None)
    front.show()
    assert front.focused
    front.close()
    assert (setup.overlays.focused, back.claim) == (None, None)


def test_one_that_does_not_capture_is_only_looked_at() -> None:
    setup = Setup()
    _, layer = setup.open(["info"], width=4, anchor="top-right", capturing=False)
    assert setup.overlays.focused is None
    assert setup.draw()[0] == ">" + " " * 15 + "info"
    assert setup.terminal.cursor == (0, 2), "where the editor has it"
    layer.focus()
    assert layer.focused
    layer.unfocus()
    layer.hide()
    layer.show()
    assert setup.overlays.focused is None


def test_one_that_is_not_to_be_seen_has_no_keyboard() -> None:
    setup = Setup(20, 6)
    _, layer = setup.open(["wide"], width=4, visible=lambda columns, rows: columns >= 30)
    assert (layer.focused, setup.draw()[2].strip()) == (False, "")
    setup.terminal.resize(40, 6)
    assert (layer.focused, any("wide" in row for row in setup.draw())) == (True, True)


def test_where_the_keyboard_goes() -> None:
    setup = Setup()
    _, one = setup.open(["one"])
    _, two = setup.open(["two"])
    two.unfocus("editor")
    assert (setup.overlays.focused, setup.overlays.has_nobody) == (None, False)
    one.focus()
    assert one.focused
    one.unfocus("nobody")
    assert (setup.overlays.focused, setup.overlays.has_nobody) == (None, True)
    two.focus()
    two.unfocus(one)
    assert one.focused
    assert not setup.overlays.has_nobody


def test_a_panel_at_the_bottom_has_it_until_it_is_done() -> None:
    setup = Setup()
    _, layer = setup.open(["over"])
    dialog = Bottom(["question"])
    editor, setup.bottom = setup.bottom, dialog
    setup.overlays.bottom_opened(dialog)
    assert setup.overlays.focused is None
    setup.overlays.bottom_closed(dialog)
    setup.bottom = editor
    assert layer.focused


@pytest.mark.parametrize("mode", ["regular", "fullscreen"])
def test_the_cursor_is_where_the_one_with_the_keyboard_has_it(mode: ScreenMode) -> None:
    setup = Setup(mode=mode)
    setup.blocks = [Block([f"row {n}" for n in range(9)])]
    panel, _ = setup.open(["name:", "> "], (1, 2), width=8, row=1, column=5)
    setup.draw()
    assert setup.terminal.cursor == (2, 7)
    assert "\x1b[?25h" in setup.terminal.writes[-1]
    panel.cursor = None
    panel.put(["no", "cursor"])
    setup.draw()
    assert "\x1b[?25h" not in setup.terminal.writes[-1]
    panel.cursor = (7, 0)  # among what is not shown
    panel.put(["name", "> "])
    setup.draw()
    assert setup.overlays.cursor is None


def press(x: int, y: int) -> Mouse:
    return Mouse("press", "left", x, y)


def test_the_mouse_finds_the_one_in_front() -> None:
    setup = Setup(mode="fullscreen")
    heard: list[tuple[str, int, int]] = []

    class Panel(Bottom):
        def __init__(self, name: str) -> None:
            super().__init__([name * 6] * 2, None)
            self.mouse: Callable[[Mouse], None] = lambda m: heard.append((name, m.x, m.y))

    back = setup.overlays.open(Panel("b"), Overlay(width=6, row=0, column=0))
    front = setup.overlays.open(Panel("f"), Overlay(width=6, row=1, column=3))
    setup.draw()
    pointer = Pointer(setup.screen, lambda: setup.overlays)
    assert pointer.act(press(4, 1))
    assert pointer.act(press(1, 1))
    assert (back.focused, front.focused) == (True, False)
    assert pointer.act(press(4, 1))
    assert not pointer.act(press(15, 4))
    assert not pointer.act(Mouse("press", "wheelUp", 4, 1))  # nobody takes it: the view scrolls
    assert heard == [("f", 1, 0), ("b", 1, 1), ("b", 4, 1), ("b", 4, 1)]


def test_closing_twice_tells_once() -> None:
    setup = Setup()
    given: list[Any] = []
    layer = setup.overlays.open(Bottom(["x"]), Overlay(), given.append)
    layer.close("first")
    layer.close("second")
    assert given == ["first"]
    assert setup.overlays.visible() == []
