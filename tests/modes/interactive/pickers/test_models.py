from typing import Any

from pi.modes.interactive.pickers.models import ModelPicker, ModelRow, ThinkingPicker
from pi.modes.interactive.pickers.scoped_models import ScopedModelsPicker
from pi.modes.interactive.pickers.stage import Stage

from .conftest import Done, golden, press, screen, type_in

ROWS = [
    ModelRow("mock", "m1", "Mock One", window=200_000, levels=("off", "low", "high"), images=True),
    ModelRow("mock", "m2", window=128_000),
    ModelRow("mock", "big-sonnet", "Big Sonnet"),
    ModelRow("anthropic", "claude-opus-4-5", "Claude Opus 4.5", usable=False),
    ModelRow("mock2", "m1"),
    ModelRow("mock2", "tiny"),
]


def picker(stage: Stage, done: Done, **more: Any) -> ModelPicker:
    return ModelPicker(stage, done, ROWS, current="mock/m2", default="mock/m1", **more)


def names(panel: Any) -> list[str]:
    return [choice.value for choice in panel.shown]


def test_looks(stage: Stage, done: Done) -> None:
    golden(picker(stage, done, scoped=["mock2/tiny", "mock/m1"]), "models-scoped")
    golden(picker(stage, done), "models")


def test_the_current_one_first_the_unusable_when_searched(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    assert names(panel)[0] == "mock/m2" and "anthropic/claude-opus-4-5" not in names(panel)
    assert "1 more model is" in screen(panel)
    type_in(panel, "o")
    assert names(panel)[-1] == "anthropic/claude-opus-4-5"
    press(panel, "backspace")
    press(panel, "enter")
    assert done.value.row is ROWS[1] and not done.value.default


def test_search_over_provider_id_and_name(stage: Stage, done: Done) -> None:
    for query, first in (
        ("mock2 m1", "mock2/m1"),
        ("mock2/m1", "mock2/m1"),
        ("m1 mock2", "mock2/m1"),
        ("sonnet", "mock/big-sonnet"),
        ("one", "mock/m1"),
        ("opus45", "anthropic/claude-opus-4-5"),
    ):
        assert names(picker(stage, done, query=query))[0] == first, query


def test_make_it_the_default(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    press(panel, "down", "ctrl+s")
    assert done.value.row is ROWS[0] and done.value.default


def test_a_model_without_a_key_says_how_to_get_one(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    type_in(panel, "opus")
    press(panel, "enter")
    press(panel, "ctrl+s")
    assert done.values == []
    assert "/login anthropic" in screen(panel)


def test_tabs(stage: Stage, done: Done) -> None:
    panel = picker(stage, done, scoped=["mock2/tiny", "gone/gone", "mock/m2"])
    assert names(panel) == ["mock2/tiny", "mock/m2"]
    assert panel.current is not None and panel.current.value == "mock/m2"
    press(panel, "tab")
    assert len(names(panel)) == len(ROWS) - 1
    press(panel, "tab")
    assert names(panel) == ["mock2/tiny", "mock/m2"]
    assert not press(picker(stage, done), "tab")


def test_a_fresh_catalogue(stage: Stage, done: Done) -> None:
    panel = picker(stage, done)
    press(panel, "down")
    panel.replace([*ROWS, ModelRow("new", "n1")])
    assert panel.current is not None and panel.current.value == "mock/m1"
    assert "n1" in screen(panel)


def test_no_models_at_all(stage: Stage, done: Done) -> None:
    assert "/login" in screen(ModelPicker(stage, done, []))


# Models to cycle through


def scoped(stage: Stage, done: Done, scope: list[str] | None) -> tuple[Any, list[Any], list[Any]]:
    told: list[Any] = []
    saved: list[Any] = []
    panel = ScopedModelsPicker(
        stage, done, ROWS, scope=scope, changed_to=told.append, save=saved.append
    )
    return panel, told, saved


def test_scoped_looks(stage: Stage, done: Done) -> None:
    golden(scoped(stage, done, ["mock2/tiny", "mock/m1"])[0], "scoped-models")


def test_on_and_off(stage: Stage, done: Done) -> None:
    panel, told, saved = scoped(stage, done, None)
    press(panel, "enter")
    assert told[-1] == [row.reference for row in ROWS[1:]]
    assert names(panel)[-1] == "mock/m1" and panel.current.value == "mock/m2"
    assert "not saved" in screen(panel)
    press(panel, "up", "enter")
    assert told[-1] is None  # all of them again
    press(panel, "enter")
    press(panel, "ctrl+s")
    assert saved == [told[-1]]
    assert "not saved" not in screen(panel)
    press(panel, "escape")
    assert done.value is None


def test_all_and_none_also_of_what_is_found(stage: Stage, done: Done) -> None:
    panel, told, _ = scoped(stage, done, ["mock/m1"])
    press(panel, "ctrl+a")
    assert told[-1] is None
    press(panel, "ctrl+x")
    assert told[-1] == []
    type_in(panel, "sonnet")
    press(panel, "ctrl+a")
    assert told[-1] == ["mock/big-sonnet"]
    press(panel, "ctrl+x")
    assert told[-1] == []


def test_a_whole_provider(stage: Stage, done: Done) -> None:
    panel, told, _ = scoped(stage, done, ["mock/m2"])
    press(panel, "ctrl+p")
    assert told[-1] == ["mock/m2", "mock/m1", "mock/big-sonnet"]
    press(panel, "ctrl+p")
    assert told[-1] == []


def test_order(stage: Stage, done: Done) -> None:
    panel, told, _ = scoped(stage, done, ["mock/m1", "mock/m2", "mock2/tiny"])
    press(panel, "down", "alt+up")
    assert told[-1] == ["mock/m2", "mock/m1", "mock2/tiny"]
    assert panel.current.value == "mock/m2"
    press(panel, "alt+up")
    press(panel, "alt+down", "alt+down", "alt+down")
    assert told[-1] == ["mock/m1", "mock2/tiny", "mock/m2"]
    press(panel, "down", "alt+up")  # not on: no place in the order
    assert told[-1] == ["mock/m1", "mock2/tiny", "mock/m2"]


def test_an_order_of_all_of_them_is_kept(stage: Stage, done: Done) -> None:
    panel, told, _ = scoped(stage, done, None)
    press(panel, "alt+down")
    assert told[-1] is not None and told[-1][0] == "mock/m2"
    press(panel, "alt+up")
    assert told[-1] is None


# Thinking


def thinking(stage: Stage, done: Done, **more: Any) -> ThinkingPicker:
    levels = ("off", "low", "medium", "high")
    return ThinkingPicker(
        stage, done, levels, current="medium", default="low", budgets={"high": 16384}, **more
    )


def test_thinking(stage: Stage, done: Done) -> None:
    golden(thinking(stage, done), "thinking")
    press(panel := thinking(stage, done), "down", "enter")
    assert done.value.level == "high" and not done.value.default
    assert panel.ended


def test_thinking_saved_and_searched(stage: Stage, done: Done) -> None:
    panel = thinking(stage, done)
    type_in(panel, "once")
    press(panel, "ctrl+s")
    assert done.value.level == "off" and done.value.default


def test_thinking_without_saving(stage: Stage, done: Done) -> None:
    panel = thinking(stage, done, can_save=False)
    press(panel, "ctrl+s")
    assert done.values == [] and "default" not in screen(panel).split("\n")[-2]


def test_a_model_that_does_not_think(stage: Stage, done: Done) -> None:
    assert "does not think" in screen(ThinkingPicker(stage, done, ["off"], current="off"))
