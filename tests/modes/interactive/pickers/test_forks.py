from pi.modes.interactive.pickers.forks import ForkPicker
from pi.modes.interactive.pickers.stage import Stage

from .conftest import Done, golden, press, screen, type_in

POINTS = [("a", "what is in\n\na.txt?"), ("b", "again please"), ("c", "李子 " * 200)]


def test_fork(stage: Stage, done: Done) -> None:
    panel = ForkPicker(stage, done, POINTS)
    golden(panel, "forks")
    press(panel, "up", "enter")
    assert done.value == "b"


def test_search_and_cancel(stage: Stage, done: Done) -> None:
    panel = ForkPicker(stage, done, POINTS)
    type_in(panel, "a.txt")
    assert panel.current is not None and panel.current.value == "a"
    press(panel, "escape")
    assert done.value is None


def test_nothing_to_fork(stage: Stage, done: Done) -> None:
    panel = ForkPicker(stage, done, [])
    assert "no message to fork" in screen(panel)
    press(panel, "enter", "up")
    assert done.values == []
