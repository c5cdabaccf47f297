"""What the picker of `pi config` shows of real folders, and what it writes there."""

import json
from pathlib import Path
from typing import Any

import pytest

from pi.cli.config_picker import View
from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import load_settings
from pi.resources import builtin
from pi.resources.builtin import BuiltIn, enabled
from tests.e2e.registries import skill

PROBE = BuiltIn("probe", "nowhere:extend", "Looks about")


@pytest.fixture
def paths(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(builtin, "BUILT_INS", (PROBE,))
    project = tmp_path / "project"
    skill(home / ".pi" / "agent" / "skills", "mine")
    skill(home / ".agents" / "skills", "shared")
    skill(project / ".pi" / "skills", "theirs")
    skill(tmp_path / "packed" / "skills", "packed")
    (home / ".pi" / "agent" / "settings.json").write_text(
        json.dumps({"packages": [str(tmp_path / "packed")]})
    )
    return find_paths(read_environment({"HOME": str(home)}), project)


def view(paths: Paths) -> View:
    return View(read_environment({"HOME": str(paths.home)}), paths)


def written(file: Path) -> Any:
    return json.loads(file.read_text())


def test_order_and_names(paths: Paths, tmp_path: Path) -> None:
    rows = view(paths).rows("project")
    packed = tmp_path / "packed"
    assert [(row.whence, row.kind, row.name, row.inherited) for row in rows] == [
        (f"{packed} (yours)", "Skills", "packed", True),
        ("~/.pi/agent (yours)", "Skills", "mine", True),
        ("~/.agents (yours)", "Skills", "shared", True),
        ("Built in", "Extensions", "probe", True),
        (".pi (this project's)", "Skills", "theirs", False),
    ]
    assert [row.name for row in view(paths).rows("user")] == ["packed", "mine", "shared", "probe"]


def test_what_comes_with_pi(paths: Paths) -> None:
    """As the npm package's picker writes it."""

    def states() -> tuple[bool, bool]:
        return tuple(  # type: ignore[return-value]
            bool(enabled(load_settings(paths, trusted=trusted))) for trusted in (False, True)
        )

    shown = view(paths)

    def probe(scope: Any) -> Any:
        return next(row for row in shown.rows(scope) if row.name == "probe")

    before = written(paths.settings)
    shown.switch("user", probe("user"), False)
    assert written(paths.settings) == {**before, "extensions": ["-builtin:probe"]}
    assert (states(), probe("user").on) == ((False, False), False)
    row = probe("project")
    assert (row.on, row.word, row.without) == (False, None, False)
    shown.switch("project", row, True)
    assert written(paths.project_settings) == {"extensions": ["+builtin:probe"]}
    assert states() == (False, True)
    assert (probe("project").word, probe("user").on) == (True, False)
    shown.switch("project", probe("project"), None)
    assert written(paths.project_settings) == {}
    shown.switch("user", probe("user"), True)
    assert written(paths.settings)["extensions"] == ["+builtin:probe"]
    assert states() == (True, True)


def test_a_project_s_word_about_a_package_of_ones_own(paths: Paths, tmp_path: Path) -> None:
    shown = view(paths)

    def packed(scope: Any) -> Any:
        return next(row for row in shown.rows(scope) if row.name == "packed")

    shown.switch("project", packed("project"), False)
    (entry,) = written(paths.project_settings)["packages"]
    assert (paths.project / entry.pop("source")).resolve() == tmp_path / "packed"
    assert entry == {"autoload": False, "skills": ["-skills/packed/SKILL.md"]}
    row = packed("project")
    assert (row.on, row.word, row.without, row.inherited) == (False, False, True, True)
    assert packed("user").on
    shown.switch("project", row, True)
    assert packed("project").word is True
    shown.switch("project", packed("project"), None)
    assert written(paths.project_settings) == {"packages": []}
    assert packed("project").word is None
