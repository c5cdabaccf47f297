"""What a person is told of newer versions, and that finding out is in nobody's way."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.e2e.interactive.conftest import Sitting
from tests.e2e.registries import publish, skill


@pytest.fixture
def tools(sit: Sitting, npm: Path) -> Path:
    """The registry; pi has version 1.0.0 of a package from it."""
    skill(publish(npm, "@team/tools", "1.0.0") / "skills", "one")
    before = json.loads((sit.machine.agent / "settings.json").read_text())
    assert sit.machine.run("install", "npm:@team/tools").code == 0
    sit.serve()
    sit.settings(npmCommand=before["npmCommand"], packages=["npm:@team/tools"])
    return npm


def asked(npm: Path) -> int:
    return npm.with_name("calls").read_text().count('"view"')


def leave(screen: object) -> None:
    screen.press("C-d")  # type: ignore[attr-defined]
    assert screen.wait_end() == 0  # type: ignore[attr-defined]


def test_a_newer_package(sit: Sitting, tools: Path) -> None:
    publish(tools, "@team/tools", "1.1.0")
    for _ in range(2):
        screen = sit()
        shown = screen.wait("pi update --extensions")
        assert "Packages can be updated: @team/tools" in shown
        leave(screen)
    assert asked(tools) == 1  # the second start knew
    done = sit.machine.run("update", "--extensions")
    assert "1.0.0 -> 1.1.0" in done.text
    before = asked(tools)
    screen = sit()
    screen.wait_until(lambda _: asked(tools) > before, "a question")
    known = sit.machine.agent / "tmp" / "updates.json"
    screen.wait_until(lambda _: known.exists(), "its answer")
    assert "Packages can be updated" not in screen.text()
    leave(screen)


def test_not_while_offline(sit: Sitting, tools: Path) -> None:
    publish(tools, "@team/tools", "1.1.0")
    screen = sit("--offline")
    screen.type("hello")
    screen.press("Enter")
    screen.wait("Hello from the model.")
    leave(screen)
    assert asked(tools) == 0


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_leaving_does_not_wait_for_it(sit: Sitting, tools: Path) -> None:
    (tools / "slow").touch()
    screen = sit()
    screen.wait_until(lambda _: (tools / "asked").exists(), "npm at work")
    process = Path("/proc", (tools / "asked").read_text())
    leave(screen)
    limit = time.monotonic() + 20
    while process.exists() and "State:\tZ" not in (process / "status").read_text():
        assert time.monotonic() < limit, "npm is still there"
        time.sleep(0.05)
    assert not os.path.exists(sit.machine.agent / "tmp" / "updates.json")


def test_reload_asks_about_what_e_names(sit: Sitting, npm: Path) -> None:
    skill(publish(npm, "tools", "1.0.0") / "skills", "first")
    before = json.loads((sit.machine.agent / "settings.json").read_text())
    sit.serve()
    sit.settings(npmCommand=before["npmCommand"])
    screen = sit("-e", "npm:tools")
    skill(publish(npm, "tools", "1.1.0") / "skills", "second")
    screen.type("/reload")
    screen.press("Enter")
    screen.wait("again.")
    screen.type("/skill:")
    assert "skill:first" not in screen.wait("skill:second")
