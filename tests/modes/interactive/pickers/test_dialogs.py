from collections.abc import Callable

from pi.modes.interactive.pickers.dialogs import (
    ConfirmDialog,
    EditorDialog,
    InputDialog,
    LoaderPanel,
    SelectDialog,
)
from pi.modes.interactive.pickers.stage import Stage

from .conftest import Done, Loop, golden, press, screen, type_in


def test_select(stage: Stage, done: Done) -> None:
    panel = SelectDialog(stage, done, "Where to?", ["North", "South", "East"], about="Choose.")
    golden(panel, "dialog-select")
    press(panel, "down", "enter")
    assert done.value == 1


def test_where_there_is_little_room_one_sees_what_is_asked(stage: Stage, done: Done) -> None:
    title = "Which of these is to be used for the deployment?"
    line = "── Which of these is to be used for … ──"
    for panel in (
        SelectDialog(stage, done, title, ["development", "staging", "production"]),
        InputDialog(stage, done, title),
        EditorDialog(stage, done, title),
    ):
        assert screen(panel, 40, 6).split("\n")[0] == line
    sure = screen(ConfirmDialog(stage, done, "Allow?", "rm -rf build"), 40, 6).split("\n")
    assert [row.strip() for row in sure[1:4]] == ["rm -rf build", "→ Yes", "No"]


def test_a_long_question_is_read_whole(stage: Stage, done: Done) -> None:
    title = "Which of these is to be used for the deployment?"
    options = ["development", "staging, a copy of production without any real data", "production"]
    panel = SelectDialog(stage, done, title, options, timeout=60)
    shown = screen(panel, 40)
    assert shown.split("\n")[:3] == [
        "─" * 40,
        " Which of these is to be used for the",
        " deployment? (60s)",
    ]
    assert "any real data" not in shown
    press(panel, "down")
    assert " staging, a copy of production without\n any real data\n" in screen(panel, 40)
    assert screen(panel, 80).startswith(
        "── Which of these is to be used for the deployment? (60s) ─"
    )
    assert screen(panel, 80).count("any real data") == 1
    assert "production" in screen(panel, 40, 7), "where there is little room the choices come first"
    line = InputDialog(stage, done, "A question " * 40)
    assert "\n>\n" in screen(line, 40, 8)


def test_nothing_to_choose_from(stage: Stage, done: Done) -> None:
    assert "nothing to choose from" in screen(SelectDialog(stage, done, "Which?", []))


def test_select_by_digit(stage: Stage, done: Done) -> None:
    panel = SelectDialog(stage, done, "Where to?", ["North", "South"])
    press(panel, "3")
    assert done.values == []
    press(panel, "2")
    assert done.value == 1


def test_time_runs_out(stage: Stage, loop: Loop) -> None:
    results = [Done() for _ in range(4)]
    panels = [
        SelectDialog(stage, results[0], "Which?", ["a"], timeout=5),
        ConfirmDialog(stage, results[1], "Sure?", timeout=5),
        InputDialog(stage, results[2], "Name", timeout=5),
        EditorDialog(stage, results[3], "Text", timeout=4.5),
    ]
    assert all("(5s)" in screen(panel) for panel in panels)
    drawn = loop.redraws
    loop.run(2)
    assert loop.redraws > drawn
    assert all("(3s)" in screen(panel) for panel in panels)
    loop.run(4)
    assert [result.values for result in results] == [[None], [False], [None], [None]]
    assert loop.waiting == 0


def test_an_answer_stops_the_clock(stage: Stage, loop: Loop, done: Done) -> None:
    panel = ConfirmDialog(stage, done, "Sure?", "It cannot be undone.", timeout=3)
    loop.run(1)
    press(panel, "enter")
    assert loop.waiting == 0
    loop.run(10)
    assert done.value is True


def test_confirm(stage: Stage) -> None:
    for keys, expected in (
        (["enter"], True),
        (["down", "enter"], False),
        (["y"], True),
        (["n"], False),
        (["escape"], False),
        (["ctrl+c"], False),
        (["2"], False),
    ):
        result = Done()
        press(ConfirmDialog(stage, result, "Sure?"), *keys)
        assert result.value is expected, keys


def test_confirm_looks(stage: Stage, done: Done) -> None:
    golden(ConfirmDialog(stage, done, "Delete it?", "This cannot be undone."), "dialog-confirm")


def test_input(stage: Stage, done: Done) -> None:
    panel = InputDialog(stage, done, "Name", about="Of the session", placeholder="none")
    golden(panel, "dialog-input")
    type_in(panel, "my name")
    press(panel, "ctrl+w")
    type_in(panel, "dog")
    press(panel, "enter")
    assert done.value == "my dog"


def test_input_cancelled_and_prefilled(stage: Stage) -> None:
    result = Done()
    press(InputDialog(stage, result, "Name", prefill="as it was"), "enter")
    assert result.value == "as it was"
    result = Done()
    press(InputDialog(stage, result, "Name", prefill="as it was"), "escape")
    assert result.value is None


def test_a_secret_is_not_shown(stage: Stage, done: Done) -> None:
    panel = InputDialog(stage, done, "Key", secret=True)
    type_in(panel, "sk-secret")
    assert "secret" not in screen(panel) and "•••••••••" in screen(panel)
    press(panel, "enter")
    assert done.value == "sk-secret"


def test_editor(stage: Stage, done: Done) -> None:
    panel = EditorDialog(stage, done, "Instructions", about="For the summary", prefill="one\ntwo")
    golden(panel, "dialog-editor")
    press(panel, "shift+enter")
    type_in(panel, "three")
    press(panel, "enter")
    assert done.value == "one\ntwo\nthree"


def test_editor_leaves_to_another_one(stage: Stage, done: Done, loop: Loop) -> None:
    calls: list[tuple[str, Callable[[str | None], None]]] = []
    panel = EditorDialog(
        stage, done, "Text", prefill="a", external=lambda text, back: calls.append((text, back))
    )
    press(panel, "ctrl+g")
    text, back = calls[0]
    assert text == "a"
    back(None)
    back("b\nc")
    assert "c" in screen(panel)
    press(panel, "escape")
    back("too late")
    assert done.value is None


def test_loader(stage: Stage, done: Done, loop: Loop) -> None:
    panel = LoaderPanel(stage, done, "Summarising…", title="Tree")
    golden(panel, "loader")
    first = screen(panel)
    loop.run(0.35)
    assert screen(panel) != first
    panel.say("Nearly there")
    assert "Nearly there" in screen(panel)
    assert press(panel, "x")
    press(panel, "escape")
    assert done.value is None
    assert loop.waiting == 0


def test_a_loader_that_is_taken_away_is_silent(stage: Stage, done: Done, loop: Loop) -> None:
    panel = LoaderPanel(stage, done, "Working", can_cancel=False)
    press(panel, "escape")
    panel.close()
    loop.run(5)
    assert done.values == []
