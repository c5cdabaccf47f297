"""Themes by the names they give themselves, whatever their files are called."""

import json
from pathlib import Path

from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.modes.interactive.looks import Looks
from pi.resources.themes import TOKENS
from pi.runtime.options import RunOptions
from pi.runtime.services import Services, read_services


def services(home: Path, files: dict[str, object]) -> Services:
    folder = home / ".pi" / "agent" / "themes"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
    environment = read_environment({"HOME": str(home), "USERPROFILE": str(home)})
    return read_services(RunOptions(), environment, find_paths(environment, home))


def colored(name: str, color: str = "#123456") -> dict[str, object]:
    return {"name": name, "colors": dict.fromkeys(TOKENS, color)}


def test_names_files_and_faults(home: Path) -> None:
    found = services(
        home,
        {"a": colored("mine"), "b": colored("dark"), "mine": "{", "c": colored("mine"), "d": "[]"},
    )
    looks = Looks({})
    folder = found.paths.agent / "themes"
    assert looks.files(found.resources) == {
        "system": None,
        "dark": folder / "b.json",
        "light": None,
        "mine": folder / "a.json",
    }
    looks.theme("mine", found)
    assert (looks.problem, looks.from_file) == (None, True)
    assert len(looks.faults(found.resources)) == 3
    looks.theme("nowhere", found)
    assert "there is no theme 'nowhere'" in (looks.problem or "")
    looks.theme("light", found)
    assert (looks.problem, looks.from_file) == (None, False)


def test_a_faulty_theme_is_watched_for_better_times(home: Path) -> None:
    found = services(home, {"mine": "{"})
    looks = Looks({})
    looks.theme("mine", found)
    assert "mine.json" in (looks.problem or "")
    assert looks.faults(found.resources) == []
    assert not looks.changed()
    services(home, {"mine": colored("mine")})
    assert looks.changed()
    looks.theme("mine", found)
    assert looks.problem is None
