"""What a person is told at the start after pi or a package was updated."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi._version import __version__
from tests.e2e.interactive.conftest import Sitting
from tests.e2e.registries import wheel

OWN = '{"source":"pip:pi-coding-agent-py","scope":"user"}'
EXTENSION = "def extend(pi):\n    pass\n"


def package(folder: Path, version: str, **manifest: Any) -> Path:
    (folder / "extensions").mkdir(parents=True, exist_ok=True)
    (folder / "extensions" / "one.py").write_text(EXTENSION)
    (folder / "package.json").write_text(
        json.dumps({"name": "@team/tools", "version": version, "pi": manifest})
    )
    (folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [1.2.0] - 2026-01-01\n\n- Faster lifts\n\n## 1.1.0\n\n- Wider doors\n\n"
        "## 1.0.0\n\n- The first\n"
    )
    return folder


def seen(sit: Sitting) -> Any:
    settings = json.loads((sit.machine.agent / "settings.json").read_text())
    return settings.get("extensionChangelogVersions")


@pytest.fixture
def source(sit: Sitting, tmp_path: Path) -> str:
    place = os.path.relpath(package(tmp_path / "tools", "1.0.0"), sit.machine.agent)
    sit.serve()
    sit.settings(packages=[place])
    return place


def wait_for(sit: Sitting, key: str, version: str) -> None:
    """Until it is noted as seen."""
    screen = sit()
    screen.wait_until(lambda _: (seen(sit) or {}).get(key) == version, f"{key} {version}")
    shown = screen.text()
    assert "Extension Updates" not in shown and "What's New" not in shown
    screen.press("C-d")
    screen.wait_end()


def test_a_package_that_was_updated(sit: Sitting, source: str, tmp_path: Path) -> None:
    key = json.dumps({"source": source, "scope": "user"}, separators=(",", ":"))
    wait_for(sit, key, "1.0.0")
    assert seen(sit) == {key: "1.0.0", OWN: __version__}
    package(tmp_path / "tools", "1.2.0")
    screen = sit()
    shown = screen.wait("Wider doors")
    assert "── Extension Updates ─" in shown
    assert "@team/tools [1.2.0] - 2026-01-01" in shown and "@team/tools 1.1.0" in shown
    assert shown.index("Faster lifts") < shown.index("Wider doors")
    assert "The first" not in shown
    assert seen(sit)[key] == "1.2.0"
    screen.press("C-d")
    screen.wait_end()
    wait_for(sit, key, "1.2.0")


def test_in_short(sit: Sitting, source: str) -> None:
    key = json.dumps({"source": source, "scope": "user"}, separators=(",", ":"))
    sit.settings(collapseChangelog=True, extensionChangelogVersions={key: "0.9.0", "other": "1"})
    shown = sit().wait("Updated @team/tools to v1.0.0.")
    assert "The first" not in shown
    assert seen(sit) == {key: "1.0.0", "other": "1", OWN: __version__}


def test_a_package_may_have_no_changelog(sit: Sitting, source: str, tmp_path: Path) -> None:
    package(tmp_path / "tools", "1.2.0", changelogPath="")
    wait_for(sit, OWN, __version__)
    assert seen(sit) == {OWN: __version__}


def test_a_session_that_goes_on_has_no_news(sit: Sitting, source: str, tmp_path: Path) -> None:
    key = json.dumps({"source": source, "scope": "user"}, separators=(",", ":"))
    sit.settings(extensionChangelogVersions={key: "1.0.0"})
    screen = sit("hello")
    screen.wait("Hello from the model.")
    screen.press("C-d")
    screen.wait_end()
    package(tmp_path / "tools", "1.2.0")
    screen = sit("--continue", rows=60)
    screen.type("/session")
    screen.press("Enter")
    assert "Extension Updates" not in screen.wait("── Session ─")
    assert seen(sit)[key] == "1.0.0"


def test_the_changelog_ends_with_the_newest(sit: Sitting) -> None:
    screen = sit()
    screen.type("/changelog")
    screen.press("Enter")
    screen.wait("── What's New ─", scrollback=True)


def test_a_package_from_an_index(sit: Sitting, index: Path) -> None:
    """Its version is the distribution's, its changelog lies in its import package."""

    def release(version: str) -> None:
        files = {
            "tools/__init__.py": "",
            "tools/extensions/one.py": "def extend(pi):\n    pass\n",
            "tools/CHANGELOG.md": f"## {version}\n\n- What {version} has\n",
        }
        wheel(index, "team_tools", version, files)

    release("1.0")
    assert sit.machine.run("install", "pip:team-tools").code == 0
    key = '{"source":"pip:team-tools","scope":"user"}'
    sit.serve()
    sit.settings(packages=["pip:team-tools"])
    wait_for(sit, key, "1.0")
    release("2.0.1")
    assert sit.machine.run("update", "--extensions").code == 0
    shown = sit().wait("What 2.0.1 has")
    assert "team-tools 2.0.1" in shown
    assert seen(sit)[key] == "2.0.1"
