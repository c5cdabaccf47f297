"""`pi config` in a terminal, and the question of trust that commands ask there."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pi.modes.interactive.palette import Theme
from pi.resources.themes import builtin_theme
from tests.e2e.conftest import COMMAND, Machine
from tests.e2e.interactive.tmux import TMUX, Screen
from tests.e2e.registries import loaded, skill

pytestmark = pytest.mark.skipif(TMUX is None, reason="needs tmux")


@pytest.fixture
def furnished(machine: Machine, tmp_path: Path) -> Machine:
    skill(machine.agent / "skills", "mine")
    skill(machine.project / ".pi" / "skills", "theirs")
    skill(tmp_path / "packed" / "skills", "packed")
    source = os.path.relpath(tmp_path / "packed", machine.agent)
    machine.write("settings.json", {"later": 1, "packages": [source], "theme": "dark"})
    return machine


def start(machine: Machine, *arguments: str) -> Screen:
    env = {**machine.environment, "LANG": "C.UTF-8"}
    return Screen([*COMMAND, *arguments], cwd=machine.project, env=env, rows=30)


def settings(folder: Path) -> Any:
    return json.loads((folder / "settings.json").read_text())


def test_switching(furnished: Machine) -> None:
    machine = furnished
    with start(machine, "config", "-a") as screen:
        screen.wait("→     [x] packed")
        screen.press("Space")
        screen.wait("[ ] packed")
        screen.press("Down", "Enter")
        screen.wait("→     [ ] mine")
        screen.press("Tab")
        shown = screen.wait("[this project's]")
        assert "[x] theirs" in shown and "[ ] mine" in shown
        screen.press("Space")
        screen.wait("[+] mine")
        screen.type("theirs")
        screen.wait_gone("packed")
        screen.press("Space")
        screen.wait("[-] theirs")
        screen.press("Escape")
        assert screen.wait_end() == 0
        assert "Resources" not in screen.text()
    found = settings(machine.agent)
    assert list(found) == ["later", "packages", "theme", "skills"]
    assert found["packages"][0]["skills"] == ["-skills/packed/SKILL.md"]
    assert found["skills"] == ["-skills/mine/SKILL.md"]
    mine = str(machine.agent / "skills" / "mine" / "SKILL.md")
    assert settings(machine.project / ".pi") == {
        "skills": [mine, f"+{mine}", "-skills/theirs/SKILL.md"]
    }
    assert (loaded(machine), loaded(machine, trusted=True)) == ([], ["mine"])


@pytest.mark.parametrize("arguments", [("config",), ()], ids=["config", "trust"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_wears_the_theme_of_the_settings(
    furnished: Machine, theme: str, arguments: tuple[str, ...]
) -> None:
    """Also where a question comes before everything else."""
    furnished.write("settings.json", {"theme": theme})
    colors = Theme.of(builtin_theme(theme), "truecolor")
    env = {**furnished.environment, "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
    with Screen([*COMMAND, *arguments], cwd=furnished.project, env=env, rows=30) as screen:
        screen.wait("Trust this folder?")
        start, _, _ = colors.fg("border", "|").partition("|")
        assert f"{start}──" in screen.text(styles=True)


def test_trust_is_asked_for_once(furnished: Machine) -> None:
    machine = furnished
    with start(machine, "config", "--local") as screen:
        screen.wait("Trust this folder?")
        screen.press("Enter")
        screen.wait("[this project's]")
        screen.press("C-c")
        assert screen.wait_end() == 0
    with start(machine, "config") as screen:
        shown = screen.wait("[yours]")
        assert "theirs" not in shown
        os.kill(screen.pid, signal.SIGTERM)
        screen.wait_end()


def test_an_untrusted_project_stays_out_of_sight(furnished: Machine) -> None:
    machine = furnished
    with start(machine, "config") as screen:
        screen.wait("Trust this folder?")
        screen.press("Escape")
        shown = screen.wait("[x] mine")
        assert "tab scope" not in shown
        screen.press("Tab", "Escape")
        assert screen.wait_end() == 0
    with start(machine, "config", "--local") as screen:
        screen.wait("Trust this folder?")
        screen.press("Escape")
        assert screen.wait_end() == 1
        assert "not trusted" in screen.text(scrollback=True)
    with start(machine, "list", "-na") as screen:
        assert screen.wait_end() == 0
        assert "packed" in screen.text(scrollback=True)
