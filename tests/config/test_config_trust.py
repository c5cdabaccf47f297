"""Project trust: what needs it, who decides."""

import json
from pathlib import Path

import pytest

from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.config.trust import decide_trust, is_trusted, protected_resources, save_trust, saved_trust
from pi.errors import ConfigError


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = {"HOME": str(tmp_path / "home"), "USERPROFILE": str(tmp_path / "home")}
    found = find_paths(read_environment(home), tmp_path / "home" / "a" / "b")
    found.project.mkdir(parents=True)
    return found


def test_a_bare_folder_needs_no_decision(paths: Paths) -> None:
    assert protected_resources(paths) == ()
    assert decide_trust(paths, approve=None, default="never") is True


@pytest.mark.parametrize(
    "name", ["settings.json", "mcp.json", "SYSTEM.md", "APPEND_SYSTEM.md", "skills", "themes"]
)
def test_protected(paths: Paths, name: str) -> None:
    (paths.project / name).mkdir()
    assert protected_resources(paths) == (paths.project / name,)
    assert decide_trust(paths, approve=None, default="ask") is None
    assert is_trusted(paths, approve=None, default="ask") is False
    assert is_trusted(paths, approve=None, default="always") is True
    assert is_trusted(paths, approve=None, default="never") is False
    assert is_trusted(paths, approve=True, default="never") is True
    assert is_trusted(paths, approve=False, default="always") is False


def test_shared_skills_above_but_not_at_home(paths: Paths) -> None:
    (paths.home / ".agents" / "skills").mkdir(parents=True)
    assert protected_resources(paths) == ()
    above = paths.cwd.parent / ".agents" / "skills"
    above.mkdir(parents=True)
    assert protected_resources(paths) == (above,)


def test_nearest_saved_decision_counts(paths: Paths) -> None:
    (paths.project / "settings.json").write_text("{}")
    save_trust(paths, paths.home, True)
    assert decide_trust(paths, approve=None, default="never") is True
    save_trust(paths, paths.cwd, False)
    assert decide_trust(paths, approve=None, default="always") is False
    assert json.loads(paths.trust.read_text()) == {
        str(paths.home.resolve()): True,
        str(paths.cwd.resolve()): False,
    }
    save_trust(paths, paths.cwd, None)
    assert saved_trust(paths) is True


def test_null_and_trailing_slash(paths: Paths) -> None:
    paths.agent.mkdir(parents=True)
    paths.trust.write_text(
        json.dumps({str(paths.cwd.resolve()): None, f"{paths.home.resolve()}/": False})
    )
    assert saved_trust(paths) is False


def test_canonical_paths(paths: Paths, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(paths.cwd)
    save_trust(paths, link, True)
    assert saved_trust(paths) is True


@pytest.mark.parametrize("text", ["{bad", "[]", '{"/x": "always"}', '{"/x": {"trusted": true}}'])
def test_malformed(paths: Paths, text: str) -> None:
    (paths.project / "settings.json").write_text("{}")
    paths.agent.mkdir(parents=True)
    paths.trust.write_text(text)
    with pytest.raises(ConfigError, match=r"trust\.json"):
        decide_trust(paths, approve=None, default="ask")
    assert decide_trust(paths, approve=True, default="ask") is True
    assert paths.trust.read_text() == text
