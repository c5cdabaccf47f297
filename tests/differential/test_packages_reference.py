"""Packages as both programs take them: manifests, what settings choose, and the commands.

See test_reference.py for how to run it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.differential.pairs import both
from tests.differential.programs import commands, environment, needs_reference
from tests.differential.test_generated import listed
from tests.differential.test_home import AGENT, PROMPT, skill
from tests.e2e.registries import NPM

pytestmark = needs_reference

PACK: Mapping[str, bytes] = {
    "home/pack/skills/a/SKILL.md": skill("a"),
    "home/pack/skills/b/SKILL.md": skill("b"),
    "home/pack/prompts/x.md": PROMPT,
    "home/pack/prompts/sub/y.md": PROMPT,
    "home/pack/prompts/.hidden.md": PROMPT,
    "home/pack/other/SKILL.md": skill("other"),
    "home/pack/other/z.md": PROMPT,
    "home/pack/.dot/skills/h/SKILL.md": skill("h"),
    "home/beside/skills/n/SKILL.md": skill("n"),
}
MANIFESTS: Mapping[str, Any] = {
    "none": None,
    "empty": {},
    "of another kind": {"pi": ["skills"]},
    "unknown kinds": {"pi": {"tools": ["x"]}},
    "one kind": {"pi": {"skills": ["skills/a"]}},
    "nothing of a kind": {"pi": {"skills": []}},
    "no list": {"pi": {"skills": "skills"}},
    "not only text": {"pi": {"skills": ["skills/a", 5]}},
    "patterns": {"pi": {"skills": ["skills/*"], "prompts": ["**/*.md"]}},
    "a letter": {"pi": {"prompts": ["prompts/?.md"]}},
    "a class": {"pi": {"prompts": ["prompts/[x].md"]}},
    "braces": {"pi": {"skills": ["skills/{a,c}"], "prompts": ["prompts/{x,q}.md"]}},
    "a hidden folder": {"pi": {"skills": [".dot/skills"], "prompts": ["./prompts"]}},
    "a pattern for one": {"pi": {"skills": [".*/skills"]}},
    "taken away": {"pi": {"skills": ["./skills", "!skills/b"], "prompts": ["prompts", "!**/y.md"]}},
    "an exact path": {"pi": {"skills": ["./skills", "-skills/b"]}},
    "brought back": {"pi": {"prompts": ["prompts", "+prompts/x.md", "!**/*.md"]}},
    "nothing but taken away": {"pi": {"skills": ["!skills/b"]}},
    "a folder beside": {"pi": {"skills": ["../beside/skills"]}},
    "files": {"pi": {"skills": ["skills/a/SKILL.md"], "prompts": ["other/z.md"]}},
    "what is not there": {"pi": {"skills": ["nope"], "prompts": ["nope.md"]}},
    "all of it": {"pi": {"skills": ["."]}},
}
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "no more than the source": {},
    "some": {"skills": ["skills/a"], "prompts": []},
    "by name": {"skills": ["a"], "prompts": ["x"]},
    "from here": {"skills": ["./skills/a"], "prompts": ["./prompts/x.md"]},
    "without": {"skills": ["!a"], "prompts": ["-prompts/x.md"]},
    "brought back": {"skills": ["!**", "+skills/b"]},
    "patterns": {"skills": ["*"], "prompts": ["**/y.md"]},
    "a change of nothing": {"autoload": False},
    "a change": {"autoload": False, "skills": ["+skills/a"], "prompts": ["-prompts/x.md"]},
}


def packed(name: str) -> dict[str, bytes]:
    manifest = MANIFESTS[name]
    if manifest is None:
        return dict(PACK)
    return {**PACK, "home/pack/package.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(tmp_path: Path, name: str) -> None:
    with both(tmp_path, packed(name), settings={"packages": ["../../pack"]}) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs


@pytest.mark.parametrize("manifest", ["none", "one kind", "taken away", "unknown kinds"])
@pytest.mark.parametrize("name", CHOICES)
def test_what_settings_choose(tmp_path: Path, name: str, manifest: str) -> None:
    entry = {"source": "../../pack", **CHOICES[name]}
    with both(tmp_path, packed(manifest), settings={"packages": [entry]}) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs


@pytest.mark.parametrize("mine", ["no more than the source", "some", "without"])
@pytest.mark.parametrize("name", CHOICES)
def test_a_project_s_word(tmp_path: Path, name: str, mine: str) -> None:
    """On a package that the person has, too."""
    theirs_too = {"packages": [{"source": "../../home/pack", **CHOICES[name]}]}
    files = {**PACK, "project/.pi/settings.json": json.dumps(theirs_too).encode()}
    entry = {"source": "../../pack", **CHOICES[mine]}
    with both(tmp_path, files, settings={"packages": [entry]}) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs


def local(*words: str) -> tuple[str, ...]:
    return ("--local", "--approve", *words)


STEPS: Mapping[str, list[tuple[str, ...]]] = {
    "versions": [
        ("install", "npm:tools@1.0.0"),
        ("install", "npm:tools@1.0.0"),
        ("install", "npm:tools"),
        ("list",),
        ("update", "--extensions"),
        ("remove", "npm:tools@9"),
        ("list",),
    ],
    "two scopes": [
        ("install", "npm:tools@1.0.0"),
        ("install", *local("npm:tools@2.0.0")),
        ("list", "--approve"),
        ("list", "--no-approve"),
        ("remove", "npm:tools"),
        ("list", "--approve"),
    ],
    "a folder by many names": [
        ("install", "./folder/"),
        ("install", "folder"),
        ("install", "../project/folder"),
        ("list",),
        ("remove", "folder"),
        ("list",),
    ],
    "a folder for the project": [
        ("install", "--local", "./folder"),
        ("install", *local("./folder")),
        ("list",),
        ("list", "--approve"),
        ("remove", "--local", "--no-approve", "./folder"),
        ("remove", *local("./folder")),
        ("list", "--approve"),
    ],
    "what is not there": [
        ("install", "./nowhere"),
        ("install", "npm:nowhere"),
        ("install", "npm:tools@9.9.9-none"),
        ("remove", "npm:tools"),
        ("uninstall", "./nowhere"),
        ("update", "npm:tools"),
        ("update", "--extension", "npm:tools"),
        ("update", "--extensions"),
        ("list",),
    ],
    "what is no source": [
        ("install", ""),
        ("install", "npm:"),
        ("install", "npm:A Name"),
        ("install", "--local", "--no-approve", "./folder"),
    ],
}


@pytest.mark.parametrize("name", STEPS)
def test_commands(tmp_path: Path, name: str) -> None:
    """Exit codes, lists and settings after each."""
    seen = []
    for number, command in enumerate(commands()):
        root = tmp_path / str(number)
        project = root / "project"
        agent = root / "home" / ".pi" / "agent"
        agent.mkdir(parents=True)
        (project / "folder" / "skills" / "s").mkdir(parents=True)
        (project / "folder" / "skills" / "s" / "SKILL.md").write_bytes(skill("s"))
        (root / "npm.py").write_text(NPM)
        for version in ("1.0.0", "2.0.0"):
            package = root / "registry" / "tools" / version
            (package / "skills" / "t").mkdir(parents=True)
            (package / "skills" / "t" / "SKILL.md").write_bytes(skill("t"))
            (package / "package.json").write_text(json.dumps({"name": "tools", "version": version}))
        npm = {"npmCommand": [sys.executable, str(root / "npm.py")]}
        (agent / "settings.json").write_text(json.dumps(npm))
        told: list[Any] = []
        for arguments in STEPS[name]:
            done = subprocess.run(
                [*command, *arguments],
                cwd=project,
                env=environment(root / "home", PI_OFFLINE="0"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            said = done.stdout.replace(str(root), "<root>") if arguments[0] == "list" else ""
            told.append((arguments, done.returncode, said))
            for file in (agent / "settings.json", project / ".pi" / "settings.json"):
                written = json.loads(file.read_text()) if file.exists() else {}
                told.append(written.get("packages"))
        seen.append(told)
    assert seen[1] == seen[0]


SPECS = (
    "",
    "@1.2.3",
    "@latest",
    "@next",
    "@^1.0.0",
    "@~1.2",
    "@1.x",
    "@*",
    "@>=1",
    "@2.0.0",
    "@^2",
)


@pytest.mark.parametrize("spec", SPECS)
def test_what_was_installed_is_used_offline(tmp_path: Path, spec: str) -> None:
    there = f"{AGENT}npm/node_modules/@team/tools/"
    files = {
        f"{there}package.json": b'{"name": "@team/tools", "version": "1.2.3"}',
        f"{there}skills/a/SKILL.md": skill("a"),
        f"{there}prompts/x.md": PROMPT,
    }
    with both(tmp_path, files, settings={"packages": [f"npm:@team/tools{spec}"]}) as pair:
        theirs, ours = (listed(side) for side in pair)
    assert ours == theirs
