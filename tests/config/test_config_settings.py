"""settings.json: defaults, merging, wrong values."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import load_settings, read_settings
from pi.config.settings_shapes import SHAPES, problems_of
from pi.config.settings_types import Settings
from pi.config.tools_list import apply_tool_entries
from tests.differential.test_home import SETTINGS


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    found = find_paths(read_environment(home), tmp_path / "work")
    found.agent.mkdir(parents=True)
    found.project.mkdir(parents=True)
    return found


def settings(
    paths: Paths, user: Any = None, project: Any = None, *, trusted: bool = True
) -> Settings:
    for path, value in ((paths.settings, user), (paths.project_settings, project)):
        if value is not None:
            path.write_text(value if isinstance(value, str) else json.dumps(value))
    return load_settings(paths, trusted=trusted)


def test_nothing_configured(paths: Paths) -> None:
    found = settings(paths)
    assert found.diagnostics == ()
    assert found.default_tools == ("read", "bash", "edit", "write")
    assert found.retry.max_retries == 3
    assert found.retry.provider.max_retry_delay_ms == 60_000
    assert found.compaction.for_model("a/b") == (16_384, 20_000)
    assert found.http_idle_timeout_ms == 300_000
    assert found.theme == "system"


def test_values_reach_their_fields(paths: Paths) -> None:
    found = settings(
        paths,
        {
            "defaultProvider": "p",
            "defaultThinkingLevel": "xhigh",
            "modelThinkingLevels": {"a/b": "low"},
            "enabledModels": ["x", "y"],
            "retry": {"baseDelayMs": 5, "provider": {"timeoutMs": 7}},
            "compaction": {
                "reserveTokens": 1,
                "modelOverrides": {"a/b": {"keepRecentTokens": 2}},
            },
            "thinkingBudgets": {"low": 9},
            "images": {"blockImages": True},
            "httpIdleTimeoutMs": "disabled",
            "quietStartup": "header",
            "npmCommand": ["pnpm", "-s"],
            "editorPaddingX": 2.0,
            "unknown": {"kept": 1},
        },
    )
    assert found.diagnostics == ()
    assert (found.default_provider, found.default_thinking_level) == ("p", "xhigh")
    assert found.model_thinking_levels == {"a/b": "low"}
    assert found.enabled_models == ("x", "y")
    assert (found.retry.base_delay_ms, found.retry.max_retries) == (5, 3)
    assert (found.retry.provider.timeout_ms, found.retry.provider.max_retries) == (7, 0)
    assert found.compaction.for_model("a/b") == (1, 2)
    assert found.compaction.for_model("other/b") == (1, 20_000)
    assert found.thinking_budgets.as_mapping() == {"low": 9}
    assert found.images.block_images
    assert found.images.auto_resize
    assert found.http_idle_timeout_ms == 0
    assert found.quiet_startup == "header"
    assert found.npm_command == ("pnpm", "-s")
    assert repr(found.editor_padding_x) == "2"
    assert found.raw["unknown"] == {"kept": 1}


def test_project_over_user(paths: Paths) -> None:
    found = settings(
        paths,
        {"retry": {"maxRetries": 1, "enabled": False}, "enabledModels": ["a"], "skills": ["s"]},
        {
            "retry": {"maxRetries": 2},
            "enabledModels": ["b"],
            "skills": ["t"],
            "httpProxy": "http://evil",
            "defaultProjectTrust": "always",
        },
    )
    assert (found.retry.max_retries, found.retry.enabled) == (2, False)
    assert found.enabled_models == ("b",)
    assert [(r.value, r.base, r.scope) for r in found.skills] == [
        ("s", paths.agent, "user"),
        ("t", paths.project, "project"),
    ]
    assert found.http_proxy is None
    assert found.default_project_trust == "ask"


def test_untrusted_project_gives_only_its_session_folder(paths: Paths) -> None:
    found = settings(paths, {}, {"sessionDir": "s", "theme": "x", "tuiMode": 1}, trusted=False)
    assert (found.session_dir, found.theme, found.diagnostics) == ("s", "system", ())


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"defaultModel": 5}, "defaultModel: expected a string, found the number 5"),
        ({"defaultThinkingLevel": "huge"}, 'found "huge"'),
        ({"modelThinkingLevels": {"a/b": 1}}, "modelThinkingLevels.a/b: expected"),
        ({"enabledModels": "x"}, "enabledModels: expected a list, found a string"),
        ({"enabledModels": ["a", 5]}, "enabledModels[1]: expected a string"),
        ({"retry": 5}, "retry: expected an object"),
        ({"retry": {"maxRetries": -1}}, "retry.maxRetries: expected a whole number of 0 or more"),
        ({"retry": {"maxRetries": 1.5}}, "retry.maxRetries: expected a whole number"),
        ({"retry": {"enabled": 1}}, "retry.enabled: expected true or false"),
        ({"retry": {"provider": {"timeoutMs": "x"}}}, "retry.provider.timeoutMs: expected"),
        ({"compaction": {"modelOverrides": {"a/b": {"reserveTokens": True}}}}, "a/b.reserveTokens"),
        ({"httpIdleTimeoutMs": -5}, 'a number of 0 or more or "disabled"'),
        ({"packages": [{"no": "source"}]}, 'packages[0]: expected a string or an object with "sou'),
        ({"npmCommand": []}, "npmCommand: expected a list of one or more strings"),
        ({"outputPad": True}, "outputPad: expected 0 or 1, found true"),
        ({"quietStartup": 1}, "quietStartup: expected true, false or"),
        ({"terminal": {"images": True}}, "terminal.images: expected"),
        ({"sessionDir": 5}, "sessionDir: expected a string"),
        ({"fullscreenWheelScrollLines": 101}, "from 1 to 100"),
    ],
)
def test_wrong_values_are_left_out_and_named(
    paths: Paths, value: dict[str, Any], place: str
) -> None:
    found = settings(paths, {**value, "theme": "mine"})
    assert len(found.diagnostics) == 1
    assert found.diagnostics[0].startswith(f"{paths.settings}: ")
    assert place in found.diagnostics[0]
    assert found.theme == "mine"
    assert json.loads(paths.settings.read_text()) == {**value, "theme": "mine"}


@pytest.mark.parametrize("text", ["{bad", "[]", "null", '{"a":1}x', "\x00"])
def test_malformed_file_gives_one_line_and_defaults(paths: Paths, text: str) -> None:
    found = settings(paths, text, {"theme": "project"})
    assert len(found.diagnostics) == 1
    assert str(paths.settings) in found.diagnostics[0]
    assert found.theme == "project"
    assert paths.settings.read_text() == text


def test_malformed_untrusted_project_is_reported(paths: Paths) -> None:
    found = settings(paths, {}, "{bad", trusted=False)
    assert len(found.diagnostics) == 1
    assert str(paths.project_settings) in found.diagnostics[0]


def test_old_names(paths: Paths) -> None:
    found = settings(
        paths,
        {
            "queueMode": "all",
            "websockets": False,
            "skills": {"enableSkillCommands": False, "customDirectories": ["d"]},
            "retry": {"maxDelayMs": 9},
        },
    )
    assert found.diagnostics == ()
    assert found.steering_mode == "all"
    assert found.transport == "sse"
    assert found.enable_skill_commands is False
    assert [r.value for r in found.skills] == ["d"]
    assert found.retry.provider.max_retry_delay_ms == 9


@pytest.mark.parametrize(
    ("user", "project", "expected"),
    [
        (["+grep"], None, "read bash edit write grep"),
        (["grep"], None, "grep"),
        (["-bash", "+grep"], None, "read edit write grep"),
        ([], None, ""),
        (["read", "+ls", "-read"], None, "ls"),
        (["grep"], ["+ls"], "grep ls"),
        (["+grep"], ["-read"], "bash edit write grep"),
        (["+grep"], ["ls"], "ls"),
        (["+grep"], [], "read bash edit write grep"),
        (["-bash", "+bash"], None, "read edit write bash"),
        (["bash", "bash"], None, "bash"),
        (["+"], None, "read bash edit write"),
    ],
)
def test_default_tools(paths: Paths, user: Any, project: Any, expected: str) -> None:
    project_file = None if project is None else {"defaultTools": project}
    found = settings(paths, {"defaultTools": user}, project_file)
    assert " ".join(found.default_tools) == expected


@given(
    inherited=st.lists(st.sampled_from("abc"), unique=True),
    entries=st.lists(st.sampled_from(["a", "b", "+a", "+c", "-a", "-b", "+", ""])),
)
def test_tool_lists_hold_each_name_once(inherited: list[str], entries: list[str]) -> None:
    found = apply_tool_entries(inherited, entries)
    assert len(set(found)) == len(found)
    assert not any(name.startswith(("+", "-")) or not name for name in found)


def test_every_shape_has_a_field(paths: Paths) -> None:
    """A key that is checked and then dropped would be a setting that does nothing."""
    from pi.config.settings import _wire_name

    def names(kind: Any, prefix: str) -> set[str]:
        found = set()
        for name in kind._fields:
            value = getattr(kind(), name)
            if hasattr(value, "_fields"):
                found |= names(type(value), f"{prefix}{_wire_name(name)}.")
            else:
                found.add(prefix + _wire_name(name))
        return found

    internal = {"trusted", "diagnostics", "raw"}
    assert names(Settings, "") - internal == set(SHAPES)


@given(
    where=st.sampled_from(sorted(SHAPES)),
    value=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
)
def test_checks_never_fail(where: str, value: Any) -> None:
    for problem in problems_of(where, value) or []:
        assert problem.startswith(where)


def test_one_file_is_not_read_twice(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PI_CODING_AGENT_DIR": ".pi"}
    paths = find_paths(read_environment(home), tmp_path)
    paths.project.mkdir()
    paths.settings.write_text('{"skills": ["s"]}')
    assert len(read_settings(paths).resolve(trusted=True).skills) == 1


def test_one_bad_entry_of_a_resource_list_is_left_out(paths: Paths) -> None:
    found = settings(
        paths,
        {
            "skills": ["a", 5, "b"],
            "packages": ["p", {"source": "q", "skills": "x"}, {"source": "r", "skills": ["y"]}],
        },
    )
    assert [item.value for item in found.skills] == ["a", "b"]
    assert [item.value for item in found.packages] == ["p", {"source": "r", "skills": ["y"]}]
    assert [text.partition(": ")[2] for text in found.diagnostics] == [
        "skills[1]: expected a string that can be a path, found the number 5; ignored",
        "packages[1].skills: expected a list, found a string; ignored",
    ]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_settings_file_that_never_ends(paths: Paths) -> None:
    paths.project_settings.symlink_to("/dev/zero")
    assert "not a regular file" in settings(paths).diagnostics[0]


@pytest.mark.parametrize("value", ["kitty", "iterm2", "auto", False])
def test_images_of_the_terminal_are_not_those_of_prompts(paths: Paths, value: object) -> None:
    found = settings(paths, {"terminal": {"images": value}, "images": {"blockImages": True}})
    assert found.diagnostics == ()
    assert found.terminal.images == value
    assert found.images.block_images


def test_every_documented_key_at_once(paths: Paths) -> None:
    found = settings(paths, SETTINGS)
    assert found.diagnostics == ()
    assert found.raw["unknown"] == SETTINGS["unknown"]
