"""Packages that are not there yet when pi starts in a terminal."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.e2e.interactive.conftest import Sitting
from tests.e2e.registries import publish, skill


@pytest.fixture
def tools(sit: Sitting, npm: Path) -> Path:
    """A package that settings name; its installation takes a minute while "slow" is there."""
    skill(publish(npm, "tools", "1.0.0") / "skills", "one")
    before = json.loads((sit.machine.agent / "settings.json").read_text())
    sit.serve()
    sit.settings(npmCommand=before["npmCommand"], packages=["npm:tools"])
    return npm


def test_what_takes_so_long_is_seen_and_can_be_stopped(sit: Sitting, tools: Path) -> None:
    (tools / "slow").touch()
    screen = sit(ready="installing package npm:tools")
    place = sit.machine.agent / "npm" / "node_modules" / "tools" / "package.json"
    deadline = time.monotonic() + 30
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    began = time.monotonic()
    screen.press("C-c")
    assert screen.wait_end() == 130
    assert time.monotonic() - began < 20
    assert not (sit.machine.agent / "npm" / ".install.lock").exists()
    assert "Traceback" not in screen.text()
    # Half of a package is none: the next start begins again.
    (tools / "slow").unlink()
    screen = sit()
    assert "one" in screen.wait("Skills:")


def test_what_fails_is_tried_once_and_told(sit: Sitting, tools: Path, tmp_path: Path) -> None:
    sit.settings(packages=["npm:nowhere", "npm:tools"])
    screen = sit()
    screen.wait_words("to do without it: pi remove npm:nowhere")
    shown = " ".join(screen.text().split())
    assert shown.count("npm:nowhere is left out") == 1
    assert "Skills: one" in shown
    calls = tmp_path / "calls"
    assert calls.read_text().count('"nowhere"') == 1
    # A reload is worth another try.
    screen.type("/reload")
    screen.press("Enter")
    screen.wait_until(lambda _: calls.read_text().count('"nowhere"') == 2, "another try")


def test_those_of_a_project_wait_for_trust(sit: Sitting, tools: Path, tmp_path: Path) -> None:
    machine = sit.machine
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {k: v for k, v in settings.items() if k != "packages"})
    (machine.project / ".pi").mkdir()
    (machine.project / ".pi" / "settings.json").write_text('{"packages": ["npm:tools"]}')
    screen = sit(ready="Trust this folder?")
    assert not (tmp_path / "calls").exists()
    screen.press("Enter")
    screen.wait("installing package npm:tools", scrollback=True)
    assert "one" in screen.wait("Skills:")
    assert os.path.exists(machine.project / ".pi" / "npm" / "node_modules" / "tools")
