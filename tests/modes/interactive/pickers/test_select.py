from pi.modes.interactive.cells import plain
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.select import Choice, SelectPicker
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.view import Key
from pi.resources.themes import builtin_theme

from .conftest import Done, golden, press, screen, type_in

FRUIT = [
    Choice("apple", "Apple", note="red or green", detail="Keeps for months.", group="Pome"),
    Choice("pear", "Pear", note="green", group="Pome", checked=True),
    Choice("cherry", "Cherry", note="red", group="Stone"),
    Choice("plum", "Plum 李子 🍑", note="violet\nor \x1b[31mred", group="Stone"),
    *(Choice(f"nut{n}", f"Nut {n}", group="Nuts") for n in range(20)),
]


def picker(stage: Stage, done: Done, **more: object) -> SelectPicker[str]:
    return SelectPicker(stage, done, FRUIT, title="Fruit", about="What to eat?", **more)  # type: ignore[arg-type]


def current(panel: SelectPicker[str]) -> str | None:
    return None if panel.current is None else panel.current.value


def test_looks(stage: Stage, done: Done) -> None:
    golden(picker(stage, done, current="pear"), "select")


def test_colours_close_what_they_open(stage: Stage, done: Done) -> None:
    stage.theme = Theme.of(builtin_theme("light"), "256")
    panel = picker(stage, done)
    for line in panel.render(60):
        assert line == plain(line) or line.endswith("m") or "\x1b[39m" in line
    stage.theme = Theme.of(builtin_theme("light"), "none")
    panel.invalidate()
    assert "→ " in screen(panel, 60)


def test_moves_and_wraps(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    press(panel, "up")
    assert current(panel) == "nut19"
    press(panel, "down", "down")
    assert current(panel) == "pear"
    screen(panel)
    press(panel, "pageDown")
    assert current(panel) not in ("pear", "nut19")
    press(panel, "pageDown", "pageDown", "pageDown", "pageDown")
    assert current(panel) == "nut19"
    press(panel, *["pageUp"] * 9)
    assert current(panel) == "apple"


def test_the_current_one_is_always_in_sight(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    for key in ["down"] * 30 + ["up"] * 40:
        press(panel, key)
        for height in (6, 9, 24):
            shown = screen(panel, 60, height)
            label = panel.current.label.split()[-1] if panel.current else ""
            arrow = next(line for line in shown.split("\n") if "→" in line)
            assert label in arrow


def test_filter(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    type_in(panel, "red")
    assert [choice.value for choice in panel.shown][:2] == ["apple", "cherry"]
    type_in(panel, "zz")
    assert "Nothing matches." in screen(panel)
    press(panel, "enter")
    assert done.values == []
    press(panel, "ctrl+w")
    assert len(panel.shown) == len(FRUIT)
    type_in(panel, "chry")
    press(panel, "enter")
    assert done.value == "cherry"


def test_cancel_once(stage: Stage, done: Done) -> None:
    for key in ("escape", "ctrl+c"):
        panel, result = picker(stage, done), Done()
        panel._done = result
        press(panel, key)
        assert result.value is None
        assert not press(panel, "enter")
        assert result.values == [None]


def test_keys_that_mean_nothing_are_left_to_others(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    assert not press(panel, "f5")
    assert not press(SelectPicker(stage, done, FRUIT, title="x", searching=False), "x")


def test_no_choices(stage: Stage, done: Done) -> None:
    panel: SelectPicker[str] = SelectPicker(stage, done, [], title="Nothing", empty="None here.")
    assert "None here." in screen(panel)
    press(panel, "up", "down", "pageUp", "enter")
    assert done.values == []


def test_put_keeps_the_place(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    press(panel, "down", "down")
    panel.put(list(reversed(FRUIT)))
    assert current(panel) == "cherry"


def test_pasted_text_filters(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    panel.handle(Key("paste", "", "che\nrry"))
    assert panel.query == "che rry"
    assert current(panel) == "cherry"


def test_where_there_is_little_room_the_choices_come_first(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    names = ("Pome", "Apple", "Pear", "Cherry")
    for height, rows in ((5, 1), (6, 2), (7, 2), (9, 3)):
        shown = screen(panel, 20, height).split("\n")
        assert sum(any(name in line for name in names) for line in shown) >= rows, (height, shown)
        assert any("→" in line for line in shown)
