"""Parts that extensions build with: what they draw, what keys and the mouse do to them."""

from collections.abc import Callable
from typing import Any

import pytest

from pi.modes.interactive.cells import plain, width
from pi.modes.interactive.components.controls import Input, Loader, Option, SelectList, TextBox
from pi.modes.interactive.components.layout import Box, Columns, Rows, Scrolled
from pi.modes.interactive.components.part import Part
from pi.modes.interactive.components.settings import Setting, SettingsList
from pi.modes.interactive.components.text import Line, Markdown, Spacer, Text
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Key
from pi.resources.themes import builtin_theme


class Stage:
    """A screen that counts."""

    def __init__(self) -> None:
        self.theme = Theme.of(builtin_theme("dark"))
        self.keymap = Keymap()
        self.redrawn = 0
        self.waiting: list[Callable[[], Any]] = []

    def redraw(self) -> None:
        self.redrawn += 1

    def later(self, seconds: float, call: Callable[[], Any]) -> Callable[[], None]:
        self.waiting.append(call)
        return lambda: self.waiting.remove(call)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def shown(part: Any, columns: int = 20) -> list[str]:
    rows = part.render(columns)
    assert all(width(row) <= columns for row in rows)
    return [plain(row).rstrip() for row in rows]


def press(part: Any, *names: str) -> list[bool]:
    return [
        bool(part.handle(Key(name, text=name if len(name) == 1 else " " * (name == "space"))))
        for name in names
    ]


def click(x: int, y: int) -> Mouse:
    return Mouse("press", "left", x, y)


def test_texts(stage: Stage) -> None:
    assert shown(Text("some words that wrap", pad=1), 12) == [" some words", " that wrap"]
    assert shown(Text(lambda: "now"), 12) == ["now"]
    assert shown(Line("a line that is too long"), 12) == ["a line that…"]
    assert shown(Spacer(2)) == ["", ""]
    text = Markdown(stage, "# Head\n\n- **one**\n- two")
    assert "Head" in shown(text)[0]
    assert text.render(20) is text.render(20), "drawn once"
    text.text = "other"
    assert shown(text) == ["other"]


def test_rows_and_columns_put_parts_together(stage: Stage) -> None:
    rows = Rows(Line("above"), Columns(Text("left text"), Line("right"), widths=[6], gap=2))
    assert shown(rows) == ["above", "left    right", "text"]
    narrow = Columns(Line("漢字漢字"), Line("b"), widths=[5])
    assert shown(narrow, 8) == ["漢字… b"]


def test_a_box_frames_and_bounds(stage: Stage) -> None:
    box = Box(stage, Text("some words that wrap"), title="Title")
    assert shown(box, 16) == [
        "╭ Title ───────╮",
        "│ some words   │",
        "│ that wrap    │",
        "╰──────────────╯",
    ]
    box.height = 3
    assert shown(box, 16)[-1].startswith("╰")
    assert len(shown(box, 16)) == 3
    for columns in range(1, 9):
        assert all(width(row) <= max(columns, 3) for row in box.render(columns))


def test_keys_focus_and_cursor_go_through(stage: Stage) -> None:
    got: list[str] = []
    field = Input(stage, text="ab", on_submit=got.append)
    rows = Rows(Line("Name:"), field, focus=field)
    box = Box(stage, rows, title="Who")
    box.focused = True
    assert shown(box, 16)[2] == "│ > ab         │"
    assert box.cursor == (2, 6)
    assert rows.focused
    assert field.focused
    assert press(box, "c", "enter") == [True, True]
    assert got == ["abc"]
    rows.focus = None
    box.render(16)
    assert box.cursor is None
    assert press(box, "c") == [False]


def test_an_input(stage: Stage) -> None:
    left: list[str] = []
    field = Input(stage, placeholder="type", secret=True, on_cancel=lambda: left.append("x"))
    assert shown(field) == ["> type"]
    press(field, "a", "b")
    assert (shown(field), field.text) == (["> ••"], "ab")
    field.text = ""
    press(field, "escape")
    assert left == ["x"]
    assert press(Input(stage), "escape", "f1") == [False, False], "left to others"


def test_a_text_box(stage: Stage) -> None:
    got: list[str] = []
    box = TextBox(stage, text="one", rows=2, on_submit=got.append)
    press(box, "shift+enter", "t", "w", "o")
    assert shown(box) == ["one", "two"]
    assert box.cursor == (1, 3)
    press(box, "enter")
    assert got == ["one\ntwo"]


def test_a_list_to_choose_from(stage: Stage) -> None:
    got: list[Any] = []
    moved: list[Any] = []
    options = [Option(n, f"option {n}", about=f"about {n}") for n in range(20)]
    listed = SelectList(stage, options, most=3, on_select=got.append, on_move=moved.append)
    assert shown(listed, 40) == [
        "→ option 0  about 0",
        "  option 1  about 1",
        "  option 2  about 2",
        "  (1/20)",
    ]
    press(listed, "down", "up", "up", "enter")
    assert (moved, got) == ([1, 0, 19], [19])
    assert "→ option 19" in shown(listed, 40)[2]
    assert listed.mouse(click(3, 0))
    assert got == [19, 17]
    assert not listed.mouse(click(3, 3)), "the place in the list is no option"
    for _ in range(4):
        assert listed.mouse(Mouse("press", "wheelDown", 0, 0))
    assert moved[-2:] == [19, 19] and got == [19, 17]
    assert press(listed, "escape", "z") == [False, False]


def test_a_list_that_filters(stage: Stage) -> None:
    got: list[Any] = []
    listed = SelectList(stage, ["apple", "banana", "cherry"], searching=True, on_select=got.append)
    shown(listed)
    press(listed, "n", "a")
    assert shown(listed)[1:] == ["→ banana"]
    assert listed.cursor == (0, 4)
    press(listed, "enter", "q", "enter")
    assert got == ["banana"]
    assert listed.current is None
    assert shown(listed, 30)[1] == "  nothing of that name"
    assert shown(listed)[1] == "  nothing of that n…"


def test_a_list_of_settings(stage: Stage) -> None:
    told: list[tuple[str, str]] = []
    listed = SettingsList(
        stage,
        [
            Setting("sound", "Sound", "off"),
            Setting("size", "Size", "small", ("small", "large"), "of everything"),
        ],
        on_change=lambda key, value: told.append((key, value)),
    )
    assert shown(listed) == ["→ Sound  off", "  Size   small"]
    press(listed, "space", "down", "enter", "enter")
    assert told == [("sound", "on"), ("size", "large"), ("size", "small")]
    assert shown(listed)[-1] == "  of everything"
    assert listed.mouse(click(2, 0))
    assert told[-1] == ("sound", "off")
    shown(listed)
    assert not listed.mouse(click(2, 3)), "what is said below it is no setting"
    assert listed.mouse(Mouse("press", "wheelDown", 0, 0))
    assert shown(listed)[1] == "→ Size   small"


def test_a_window_on_something_long(stage: Stage) -> None:
    window = Scrolled(stage, Text("\n".join(f"line {n}" for n in range(10))), 3)
    assert [row[:6] for row in shown(window)] == ["line 0", "line 1", "line 2"]
    assert shown(window)[0].endswith("█")
    press(window, "down", "pageDown", "pageDown", "pageDown", "pageDown", "down")
    assert [row[:6] for row in shown(window)] == ["line 7", "line 8", "line 9"]
    assert window.mouse(Mouse("press", "wheelUp", 0, 0))
    assert shown(window)[0][:6] == "line 6"
    assert not window.mouse(click(0, 0))
    short = Scrolled(stage, Text("short"), 3)
    assert shown(short) == ["short"]
    assert not short.mouse(Mouse("press", "wheelUp", 0, 0)), "whoever is below may scroll"


def test_a_spinner_turns_until_it_is_closed(stage: Stage) -> None:
    left: list[str] = []
    loader = Loader(stage, "Loading", on_cancel=lambda: left.append("x"))
    before = shown(loader)
    stage.waiting.pop()()
    assert shown(loader) != before
    assert stage.redrawn == 1
    press(loader, "escape")
    assert left == ["x"]
    loader.close()
    assert stage.waiting == []


def test_the_mouse_finds_its_part(stage: Stage) -> None:
    heard: list[tuple[str, int, int]] = []

    class Spot(Part):
        def __init__(self, name: str) -> None:
            self.name = name

        def render(self, width: int) -> list[str]:
            return [self.name * 3] * 2

        def mouse(self, event: Mouse) -> bool:
            heard.append((self.name, event.x, event.y))
            return self.name != "b"

    both = Box(stage, Rows(Spot("a"), Columns(Spot("b"), Spot("c"), widths=[4, 4])))
    both.render(20)
    for x, y in ((2, 1), (4, 2), (2, 3), (7, 4), (0, 0), (2, 5)):
        both.mouse(click(x, y))
    assert heard == [("a", 0, 0), ("a", 2, 1), ("b", 0, 0), ("c", 0, 1)]
    assert not both.mouse(click(2, 3))
    assert both.mouse(click(7, 4))
    assert both.mouse(Mouse("drag", "left", 1, 1)), "to whom the button went down on"
    assert heard[-1] == ("c", -6, -2)


def test_what_extensions_import_is_there() -> None:
    import pi.extensions.ui as public

    assert all(getattr(public, name) is not None for name in public.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = public.Nothing
