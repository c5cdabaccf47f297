from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.config.settings_shapes import problems_of
from pi.config.settings_types import Settings
from pi.config.settings_write import write_setting
from pi.errors import ConfigError
from pi.modes.interactive.pickers.models import ModelRow
from pi.modes.interactive.pickers.settings import SettingsPicker
from pi.modes.interactive.pickers.settings_list import SETTINGS, value_at
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.pickers.themes import ThemePicker

from .conftest import Done, golden, press, screen, type_in

MODELS = [
    ModelRow("mock", "m1", "One", levels=("off", "low", "high")),
    ModelRow("mock", "m2"),
]


class Written:
    def __init__(self) -> None:
        self.calls: list[tuple[tuple[str, ...], Any, str]] = []

    def __call__(self, path: tuple[str, ...], value: Any, scope: str) -> None:
        self.calls.append((path, value, scope))


def picker(stage: Stage, done: Done, written: Any, **more: Any) -> SettingsPicker:
    more.setdefault("models", MODELS)
    return SettingsPicker(stage, done, more.pop("user", {}), write=written, **more)


def go(panel: SettingsPicker, key: str) -> None:
    while panel.current is None or panel.current.value != key:
        press(panel, "down")


def test_looks(stage: Stage, done: Done) -> None:
    golden(picker(stage, done, Written()), "settings")
    golden(picker(stage, done, Written(), project={"theme": "light"}), "settings-scopes")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_what_is_offered_can_be_written_and_is_the_default(setting: Any) -> None:
    for value in setting.values:
        assert problems_of(setting.key, value) == []
    assert setting.default in setting.values
    value: Any = Settings()
    for name in setting.path:
        snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
        value = getattr(value, snake)
    assert value == setting.default or (value is None and setting.default is False)


def test_every_setting_goes_through_its_values_and_back(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written)
    for setting in SETTINGS:
        go(panel, setting.key)
        written.calls.clear()
        for key in ("enter", "space", "right", "left"):
            press(panel, key)
        for _ in range(len(setting.values) - 2):
            press(panel, "enter")
        values = [value for _, value, _ in written.calls]
        assert values[-1] == setting.default
        assert {path for path, _, _ in written.calls} == {setting.path}
        if len(setting.values) > 2:
            assert values[0] != values[1] and values[3] == values[1]
    press(panel, "escape")
    assert done.value is None


def test_search_then_change(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written)
    type_in(panel, "hide thinking")
    press(panel, "enter")
    assert written.calls == [(("hideThinkingBlock",), True, "user")]
    assert panel.current is not None and panel.current.note == "on"
    press(panel, "ctrl+u")
    type_in(panel, "autocompletemaxvis")
    assert panel.current is not None and panel.current.value == "autocompleteMaxVisible"


def test_back_to_the_default(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written, user={"compaction": {"enabled": False}, "outputPad": 0})
    go(panel, "compaction.enabled")
    assert panel.current is not None and panel.current.note == "off"
    press(panel, "delete")
    assert panel.current.note == "on"
    press(panel, "delete")
    go(panel, "outputPad")
    assert panel.current.note == "0"
    assert written.calls == [(("compaction", "enabled"), None, "user")]


def test_a_value_of_the_persons_own_is_shown(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written, user={"autocompleteMaxVisible": 9, "outputPad": True})
    go(panel, "autocompleteMaxVisible")
    assert panel.current is not None and panel.current.note == "9"
    press(panel, "enter")
    assert written.calls[-1][1] == 3
    go(panel, "outputPad")
    press(panel, "left")
    assert written.calls[-1][1] == 1


def test_what_cannot_be_written_is_told_and_not_shown_as_changed(stage: Stage, done: Done) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("settings.json: locked by somebody")

    panel = picker(stage, done, refuse)
    go(panel, "outputPad")
    press(panel, "enter")
    assert "locked by somebody" in screen(panel)
    assert panel.current is not None and panel.current.note == "1"


def test_scopes(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written, user={"outputPad": 0}, project={"steeringMode": "all"})
    go(panel, "steeringMode")
    assert panel.current is not None and panel.current.note == "one-at-a-time"
    press(panel, "tab")
    assert panel.current.note == "all"
    assert "cacheWarming" not in [choice.value for choice in panel.shown]
    go(panel, "outputPad")
    assert panel.current.note == "0 (yours)"
    press(panel, "enter")
    assert written.calls == [(("outputPad",), 1, "project")]
    assert not press(picker(stage, done, written), "tab")


def test_without_and_other_defaults(stage: Stage, done: Done) -> None:
    panel = picker(
        stage, done, Written(), without={"cacheWarming"}, defaults={"tuiMode": "regular"}
    )
    assert "cacheWarming" not in [choice.value for choice in panel.shown]
    go(panel, "tuiMode")
    assert panel.current is not None and panel.current.note == "regular"


def test_thinking_of_certain_models(stage: Stage, done: Done) -> None:
    written = Written()
    panel = picker(stage, done, written)
    go(panel, "modelThinkingLevels")
    press(panel, "enter")
    golden(panel, "settings-thinking-models")
    press(panel, "enter")
    golden(panel, "settings-thinking-level")
    press(panel, "down", "enter")
    assert written.calls == [(("modelThinkingLevels", "mock/m1"), "low", "user")]
    assert "low" in screen(panel)
    press(panel, "enter", "enter")  # the marked one again
    assert written.calls[-1][1] is None
    press(panel, "enter", "escape", "escape", "escape")
    assert done.value is None


def test_theme_with_preview(stage: Stage, done: Done) -> None:
    written, previews = Written(), list[str]()
    panel = picker(stage, done, written, themes=["mine"], preview=previews.append)
    go(panel, "theme")
    press(panel, "enter")
    golden(panel, "settings-theme")
    press(panel, "down", "down", "down", "down")
    assert previews == ["system", "system/system", "dark", "light", "mine"]
    press(panel, "enter")
    assert written.calls == [(("theme",), "mine", "user")]
    press(panel, "enter", "up", "escape")
    assert previews[-2:] == ["light", "mine"]
    press(panel, "delete")
    assert written.calls[-1] == (("theme",), None, "user") and previews[-1] == "system"


def test_a_theme_each(stage: Stage, done: Done) -> None:
    previews: list[str] = []
    panel = ThemePicker(stage, done, [], current="light/dark", preview=previews.append)
    assert panel.current is not None and panel.current.label == "automatic"
    assert previews == ["light/dark"]
    press(panel, "enter")
    assert "light terminals" in screen(panel)
    assert previews[-1] == "light"
    press(panel, "escape")
    assert previews[-1] == "light/dark"
    press(panel, "enter", "up", "up", "enter")
    assert "dark terminals" in screen(panel)
    press(panel, "enter")
    assert done.value == "system/dark"


def test_changes_reach_the_file(stage: Stage, done: Done, tmp_path: Path) -> None:
    paths = find_paths(read_environment({"HOME": str(tmp_path)}), tmp_path)
    user = read_settings(paths).user
    panel = SettingsPicker(
        stage, done, user, write=lambda path, value, scope: write_setting(paths, scope, path, value)
    )
    go(panel, "terminal.showImages")
    press(panel, "enter")
    go(panel, "httpIdleTimeoutMs")
    press(panel, "enter")
    saved = read_settings(paths)
    assert value_at(saved.user, ("terminal", "showImages")) is False
    assert saved.resolve(trusted=False).http_idle_timeout_ms == 0
