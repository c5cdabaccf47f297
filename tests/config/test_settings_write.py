"""Programs' changes to settings.json."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import load_settings
from pi.config.settings_shapes import SHAPES
from pi.config.settings_write import change_setting, write_setting
from pi.errors import ConfigError


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    return find_paths(read_environment(home), tmp_path / "work")


def test_a_first_setting_makes_file_and_folder(paths: Paths) -> None:
    write_setting(paths, "user", "theme", "dark")
    write_setting(paths, "project", ("terminal", "showImages"), False)
    settings = load_settings(paths, trusted=True)
    assert (settings.theme, settings.terminal.show_images) == ("dark", False)
    assert paths.settings.read_text() == '{\n  "theme": "dark"\n}'
    assert not Path(f"{paths.settings}.lock").exists()


def test_everything_else_stays(paths: Paths) -> None:
    paths.settings.parent.mkdir(parents=True)
    text = (
        '{\n\t"$schema": "s",\n\t"mine":   {"x": [1,2]},\n\n\t"theme": "a",\n'
        '\t"packages": ["p"]\n}\n'
    )
    paths.settings.write_text(text)
    write_setting(paths, "user", "theme", "b")
    assert paths.settings.read_text() == text.replace('"a"', '"b"')
    change_setting(paths, "user", "packages", lambda now: [*now, "q"])
    write_setting(paths, "user", "theme", None)
    assert paths.settings.read_text() == text.replace('\n\t"theme": "a",\n', "").replace(
        '["p"]', '["p", "q"]'
    )


def test_the_same_value_writes_nothing(paths: Paths) -> None:
    write_setting(paths, "user", "theme", "dark")
    before = paths.settings.stat()
    change_setting(paths, "user", "theme", lambda now: now)
    write_setting(paths, "user", "quietStartup", None)
    assert paths.settings.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("theme", 5, "theme: expected a string"),
        ("tuiMode", "tiny", "tuiMode: expected"),
        ("terminal", {"showImages": 1}, "terminal.showImages: expected"),
        ("terminal", 1, "terminal: expected an object"),
        (("terminal", "showImages"), "x", "terminal.showImages: expected"),
        (("modelThinkingLevels", "a/b.c"), "huge", "modelThinkingLevels.a/b.c: expected"),
        (("compaction", "modelOverrides", "a/b.c", "reserveTokens"), -1, "a/b.c.reserveTokens"),
        ("packages", [{"no": 1}], "packages[0]"),
    ],
)
def test_wrong_values_are_refused(paths: Paths, key: Any, value: Any, place: str) -> None:
    write_setting(paths, "user", "theme", "dark")
    before = paths.settings.read_bytes()
    with pytest.raises(ConfigError) as caught:
        write_setting(paths, "user", key, value)
    assert place in str(caught.value)
    assert str(paths.settings) in str(caught.value)
    assert paths.settings.read_bytes() == before


def test_names_of_models_may_hold_dots(paths: Paths) -> None:
    write_setting(paths, "user", ("modelThinkingLevels", "a/b.c"), "low")
    write_setting(paths, "user", ("compaction", "modelOverrides", "a/b.c", "reserveTokens"), 5)
    settings = load_settings(paths, trusted=True)
    assert settings.model_thinking_levels == {"a/b.c": "low"}
    assert settings.compaction.for_model("a/b.c")[0] == 5


@pytest.mark.parametrize("key", ["httpProxy", "defaultProjectTrust", "cacheWarming"])
def test_a_project_does_not_get_what_is_the_persons(paths: Paths, key: str) -> None:
    with pytest.raises(ConfigError, match="only"):
        write_setting(paths, "project", key, "never")
    assert not paths.project.exists()


@pytest.mark.parametrize("text", ["{bad", "[]", '{"a": 1,}', "\x00", "\xff"])
def test_what_cannot_be_understood_is_left_alone(paths: Paths, text: str) -> None:
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"settings\.json"):
        write_setting(paths, "user", "theme", "dark")
    assert paths.settings.read_bytes() == text.encode("latin-1")


def test_a_link_stays_a_link(paths: Paths, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    dotfiles.write_text("{}")
    paths.settings.parent.mkdir(parents=True)
    paths.settings.symlink_to(dotfiles)
    write_setting(paths, "user", "theme", "dark")
    assert paths.settings.is_symlink()
    assert json.loads(dotfiles.read_text()) == {"theme": "dark"}


def test_skills_in_the_old_form_keep_their_switch(paths: Paths) -> None:
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_text('{"skills": {"enableSkillCommands": false}}')
    change_setting(paths, "user", "skills", lambda _now: ["s"])
    settings = load_settings(paths, trusted=True)
    assert settings.enable_skill_commands is False
    assert [item.value for item in settings.skills] == ["s"]


def test_processes_that_write_at_once_all_succeed(paths: Paths) -> None:
    script = (
        "import sys; from pathlib import Path; from pi.config.paths import Paths;"
        "from pi.config.settings_write import change_setting;"
        "root = Path(sys.argv[1]); paths = Paths(agent=root, cwd=root / 'w', home=root);"
        "[change_setting(paths, 'user', 'enabledModels',"
        " lambda now: [*(now or []), f'{sys.argv[2]}{n}']) for n in range(5)]"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(paths.agent), name]) for name in "abc"
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    written = json.loads(paths.settings.read_text())["enabledModels"]
    assert sorted(written) == sorted(f"{name}{n}" for name in "abc" for n in range(5))


def test_every_documented_key_can_be_written(paths: Paths) -> None:
    """A check that refuses everything would make a key useless."""
    samples: tuple[Any, ...] = (
        True, 1, 4, "text", ["text"], {}, *("off", "all", "tree", "default", "ask", "on", "auto"),
        *("regular", "transcript", "system", "low", "sse"),
    )  # fmt: skip
    for name in SHAPES:
        for sample in samples:
            try:
                write_setting(paths, "user", name.split("."), sample)
                break
            except ConfigError:
                continue
        else:
            pytest.fail(name)
    assert load_settings(paths, trusted=True).diagnostics == ()
