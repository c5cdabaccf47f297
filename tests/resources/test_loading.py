"""All resources of a folder as one value."""

import json
from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import load_settings
from pi.resources.builtin import BUILT_INS
from pi.resources.found import Found, Kind, Origin
from pi.resources.gathering import extend
from pi.resources.loading import ResourceChoice, Resources, load_resources
from pi.resources.themes import TOKENS, load_themes


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = {"HOME": str(tmp_path / "home"), "USERPROFILE": str(tmp_path / "home")}
    found = find_paths(read_environment(home), tmp_path / "work")
    found.agent.mkdir(parents=True)
    found.project.mkdir(parents=True)
    return found


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(paths: Paths, *, trusted: bool = True, **choice: Any) -> Resources:
    environment = read_environment({"HOME": str(paths.home), "PATH": ""})
    settings = load_settings(paths, trusted=trusted)
    return load_resources(paths, settings, environment, ResourceChoice(**choice), offline=True)


def skill(folder: Path, name: str) -> Path:
    return write(folder / name / "SKILL.md", f"---\nname: {name}\ndescription: x\n---\n")


def test_nothing(paths: Paths) -> None:
    assert load(paths) == Resources(builtin=BUILT_INS)


def test_clashes_are_told_and_the_nearer_counts(paths: Paths) -> None:
    theirs, mine = skill(paths.project / "skills", "a"), skill(paths.agent / "skills", "a")
    one = write(paths.project / "prompts" / "p.md", "theirs")
    two = write(paths.agent / "prompts" / "p.md", "mine")
    found = load(paths)
    assert [item.path for item in found.skills] == [theirs]
    assert [item.text for item in found.prompts] == ["theirs"]
    assert found.diagnostics == (
        f"two skills are called a: {theirs} counts, {mine} does not",
        f"two prompt templates are called p: {one} counts, {two} does not",
    )
    found = load(paths, trusted=False)
    assert [item.path for item in found.skills] == [mine]
    assert found.diagnostics == ()


def test_where_each_comes_from(paths: Paths, tmp_path: Path) -> None:
    skill(paths.agent / "skills", "auto")
    skill(paths.project / "skills", "theirs")
    skill(paths.home / ".agents" / "skills", "shared")
    skill(tmp_path / "listed", "listed")
    skill(tmp_path / "packed" / "skills", "packed")
    skill(tmp_path / "named", "named")
    skill(tmp_path / "once" / "skills", "once")
    paths.settings.write_text(
        json.dumps({"skills": [str(tmp_path / "listed")], "packages": [str(tmp_path / "packed")]})
    )
    found = load(paths, skills=("../named",), extensions=("../once",))
    assert [item.name for item in found.skills] == [
        *("once", "theirs", "listed", "auto", "shared", "packed", "named"),
    ]
    told = {item.name: item.origin.describe(item.path) for item in found.skills}
    assert told["auto"] == {
        "path": str(paths.agent / "skills" / "auto" / "SKILL.md"),
        "source": "auto",
        "scope": "user",
        "origin": "top-level",
        "baseDir": str(paths.agent),
    }
    assert (told["theirs"]["source"], told["theirs"]["scope"]) == ("auto", "project")
    assert (told["listed"]["source"], told["listed"]["scope"]) == ("local", "user")
    assert told["shared"]["baseDir"] == str(paths.home / ".agents")
    assert told["packed"]["origin"] == "package"
    assert told["packed"]["source"] == str(tmp_path / "packed")
    assert told["packed"]["baseDir"] == str(tmp_path / "packed")
    assert (told["once"]["scope"], told["named"]["scope"]) == ("temporary", "temporary")


def test_switched_off_but_for_what_is_named(paths: Paths, tmp_path: Path) -> None:
    skill(paths.agent / "skills", "a")
    named = skill(tmp_path / "named", "b")
    found = load(paths, skills=(str(named),), without=frozenset({"skills"}))
    assert [item.name for item in found.skills] == ["b"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"skills": ("nowhere",)}, "--skill: there is nothing at "),
        ({"prompts": ("a.txt",)}, "is no .md file"),
        ({"themes": ("empty",)}, "--theme: there are no themes in "),
        ({"extensions": ("builtin:nope",)}, "builtin:nope is no built-in extension"),
        ({"extensions": ("npm:-x",)}, "not the name of an npm package"),
        ({"extensions": ("npm:x",)}, "it is not installed, and pi is offline"),
    ],
)
def test_what_is_not_there_is_told(paths: Paths, choice: dict[str, Any], said: str) -> None:
    write(paths.cwd / "a.txt")
    (paths.cwd / "empty").mkdir()
    (told,) = load(paths, **choice).diagnostics
    assert said in told


def test_extensions_are_delivered_by_language(paths: Paths, tmp_path: Path) -> None:
    write(paths.agent / "extensions" / "a.py")
    write(paths.agent / "extensions" / "b.ts")
    write(paths.project / "extensions" / "c" / "index.js")
    write(tmp_path / "pack" / "extensions" / "d" / "__init__.py")
    write(tmp_path / "lone.py")
    paths.settings.write_text(
        json.dumps({"packages": [str(tmp_path / "pack")], "extensions": ["-extensions/a.py"]})
    )
    found = load(paths, extensions=("../lone.py",))
    assert [(file.found.path.name, file.language) for file in found.extensions] == [
        ("lone.py", "python"),
        ("index.js", "javascript"),
        ("b.ts", "javascript"),
        ("d", "python"),
    ]
    (told,) = found.diagnostics
    assert "do not run yet" in told
    assert str(paths.agent / "extensions" / "b.ts") in told
    assert load(paths, without=frozenset({"extensions"})).diagnostics == ()


def test_an_installed_python_package_names_its_extension(paths: Paths) -> None:
    site = paths.agent / "pip" / "tools"
    info = site / "tools-1.0.dist-info"
    write(site / "tools" / "hooks.py")
    write(site / "tools" / "prompts" / "p.md", "hello")
    write(info / "METADATA", "Metadata-Version: 2.1\nName: tools\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[pi.extensions]\nmain = tools.hooks:start\n")
    write(info / "RECORD", "tools/hooks.py,,\ntools/prompts/p.md,,\n")
    paths.settings.write_text('{"packages": ["pip:tools==1.0"]}')
    found = load(paths)
    assert [item.text for item in found.prompts] == ["hello"]
    (extension,) = found.extensions
    assert extension.found.path == site / "tools" / "hooks.py"
    assert (extension.found.entry, extension.found.site) == ("tools.hooks:start", site)
    paths.settings.write_text('{"packages": ["pip:tools==2.0"]}')
    assert "not installed" in load(paths).diagnostics[0]


def test_themes_are_read_when_wanted(paths: Paths) -> None:
    colors = dict.fromkeys(TOKENS, "#123456")
    write(paths.agent / "themes" / "a.json", json.dumps({"name": "mine", "colors": colors}))
    write(paths.project / "themes" / "b.json", json.dumps({"name": "mine", "colors": colors}))
    write(paths.project / "themes" / "c.json", json.dumps({"name": "dark", "colors": colors}))
    write(paths.project / "themes" / "d.json", "{")
    found = load(paths)
    assert len(found.themes) == 4
    assert found.diagnostics == ()
    themes, said = load_themes(found.themes)
    assert set(themes) == {"mine", "dark", "light"}
    assert themes["mine"].path == paths.project / "themes" / "b.json"
    assert themes["dark"].colors["accent"] == "#123456"
    assert len(said) == 2
    assert "two themes are called mine" in said[1]


def test_reading_again_sees_what_changed(paths: Paths) -> None:
    path = write(paths.agent / "prompts" / "p.md", "one")
    assert load(paths).expand("/p", print) == "one"
    path.write_text("two")
    write(paths.agent / "prompts" / "q.md", "three $1")
    found = load(paths)
    assert (found.expand("/p", print), found.expand("/q x", print)) == ("two", "three x")
    path.unlink()
    assert load(paths).expand("/p", print) == "/p"


def test_expanding_tells_of_a_skill_that_cannot_be_read(paths: Paths) -> None:
    path = skill(paths.agent / "skills", "a")
    found = load(paths)
    path.unlink()
    told: list[str] = []
    assert found.expand("/skill:a", told.append) == "/skill:a"
    assert len(told) == 1


def test_an_extension_adds_more(paths: Paths, tmp_path: Path) -> None:
    mine = skill(paths.agent / "skills", "a")
    found = load(paths)
    origin = Origin("extension:x", "temporary", base=tmp_path)
    clash = skill(tmp_path / "more", "a")
    new = skill(tmp_path / "more", "b")
    prompt = write(tmp_path / "p.md", "hello")
    named: dict[Kind, list[Found]] = {
        "skills": [Found(tmp_path / "more", origin), Found(mine, origin)],
        "prompts": [Found(prompt, origin), Found(tmp_path / "nowhere", origin)],
    }
    more = extend(found, named)
    assert [item.path for item in more.skills] == [mine, new]
    assert more.skills[1].origin.source == "extension:x"
    assert more.expand("/p", print) == "hello"
    assert more.diagnostics == (
        f"extension:x: there is nothing at {tmp_path / 'nowhere'}",
        f"two skills are called a: {mine} counts, {clash} does not",
    )
