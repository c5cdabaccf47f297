"""What `-e` names: fetched, kept, and brought up to date at every start."""

import json
import stat
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Machine
from tests.e2e.registries import DEMO, git, publish, skill, skills, wheel


def test_e_is_for_one_run(machine: Machine, npm: Path, repository: Path, tmp_path: Path) -> None:
    skill(tmp_path / "mine" / "skills", "local")
    skill(publish(npm, "tools", "1.0.0") / "skills", "npm")
    sources = ("../mine", "npm:tools", "git:example.org/team/tools")
    options = [word for source in sources for word in ("-e", source)]
    assert skills(machine, *options) == ["local", "npm", "from-git"]
    assert skills(machine) == []
    assert '"packages"' not in (machine.agent / "settings.json").read_text()
    # What is kept serves without a network, and is renewed with one.
    skill(publish(npm, "tools", "1.1.0") / "skills", "newer")
    assert skills(machine, "--offline", "-ns", "-e", "npm:tools") == ["npm"]
    assert skills(machine, "-e", "npm:tools") == ["newer"]


def calls(npm: Path) -> list[list[str]]:
    """What npm was asked since the last time."""
    file = npm.with_name("calls")
    text = file.read_text() if file.exists() else ""
    file.write_text("")
    return [json.loads(line)[:2] for line in text.splitlines()]


def test_npm_is_asked_at_every_start(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "tools", "1.0.0") / "skills", "one")
    run = ("-ns", "-e", "npm:tools")
    assert skills(machine, *run) == ["one"]
    assert calls(npm) == [["install", "tools"]]
    assert skills(machine, *run) == ["one"]
    assert calls(npm) == [["view", "tools"]]
    skill(publish(npm, "tools", "1.1.0") / "skills", "two")
    assert skills(machine, *run) == ["two"]
    assert calls(npm) == [["view", "tools"], ["install", "tools@latest"]]
    assert skills(machine, "-ns", "-e", "npm:tools@1.1.0") == ["two"]
    assert calls(npm) == []  # an exact version is what it is
    assert skills(machine, "-ns", "-e", "npm:tools@1.0.0") == ["one"]
    assert calls(npm) == [["install", "tools@1.0.0"]]
    npm.rename(npm.with_name("gone"))
    assert skills(machine, *run) == ["one"]
    assert calls(npm) == [["view", "tools"]]
    assert skills(machine, *run, "--offline") == ["one"]
    assert calls(npm) == []
    cache = machine.agent / "tmp" / "extensions"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_git_is_asked_at_every_start(machine: Machine, repository: Path) -> None:
    def commit(name: str) -> str:
        skill(repository / "skills", name)
        git(repository, "add", ".")
        git(repository, "commit", "--quiet", "-m", name)
        return git(repository, "rev-parse", "HEAD")

    source = "git:example.org/team/tools"
    first = git(repository, "rev-parse", "HEAD")
    assert skills(machine, "-ns", "-e", source) == ["from-git"]
    git(repository, "checkout", "--quiet", "-b", "side")
    commit("on-the-side")
    git(repository, "tag", "-a", "-m", "x", "v2")
    git(repository, "checkout", "--quiet", "main")
    assert skills(machine, "-ns", "-e", source) == ["from-git"]
    for ref in ("side", "v2"):
        assert skills(machine, "-ns", "-e", f"{source}@{ref}") == ["from-git", "on-the-side"]
    commit("later")
    assert skills(machine, "-ns", "-e", f"{source}@v1") == ["from-git"]
    assert skills(machine, "-ns", "-e", f"{source}@{first}") == ["from-git"]
    git(repository, "tag", "-f", "v1")  # tags may move
    assert skills(machine, "-ns", "-e", f"{source}@v1") == ["from-git", "later"]
    git(repository, "checkout", "--quiet", "side")
    commit("more")
    found = skills(machine, "-ns", "-e", f"{source}@side")
    assert found == ["from-git", "more", "on-the-side"]
    repository.rename(repository.with_name("gone"))
    assert skills(machine, "-ns", "-e", f"{source}@side") == found
    assert skills(machine, "-ns", "-e", f"{source}@{first}") == ["from-git"]
    done = machine.run("-e", f"{source}@other", *DEMO, "hello")
    assert done.code == 0
    assert "is left out: git clone failed" in done.stderr
    assert not list((machine.agent / "tmp").rglob("*partial*"))


def test_a_python_index_is_asked_at_every_start(machine: Machine, index: Path) -> None:
    def release(version: str, name: str) -> None:
        text = f"---\nname: {name}\ndescription: x\n---\nDo."
        wheel(index, "tools", version, {"tools/__init__.py": "", "tools/skills/a/SKILL.md": text})

    release("1.0", "one")
    assert skills(machine, "-ns", "-e", "pip:tools") == ["one"]
    release("1.5", "two")
    assert skills(machine, "-ns", "-e", "pip:tools", "--offline") == ["one"]
    assert skills(machine, "-ns", "-e", "pip:tools") == ["two"]
    release("2.0", "three")
    assert skills(machine, "-ns", "-e", "pip:tools>=1,<2") == ["two"]
    assert skills(machine, "-ns", "-e", "pip:tools==1.5") == ["two"]
    assert skills(machine, "-ns", "-e", "pip:tools<1.5") == ["one"]
    for path in index.iterdir():
        path.unlink()
    assert skills(machine, "-ns", "-e", "pip:tools") == ["one"]


def test_what_it_is_called(machine: Machine, npm: Path) -> None:
    """As the npm package has it: by kind."""
    folder = publish(npm, "tools", "1.0.0")
    skill(folder / "skills", "one")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "fix.md").write_text("Fix it.")
    done = machine.run("--mode", "rpc", "-e", "npm:tools", stdin=b'{"type":"get_commands"}\n')
    (answer,) = [event for event in done.events if event.get("command") == "get_commands"]
    told: dict[str, Any] = {c["name"]: c["sourceInfo"] for c in answer["data"]["commands"]}
    assert told["skill:one"].items() >= {"source": "cli", "origin": "top-level"}.items()
    assert "baseDir" not in told["skill:one"]
    assert told["fix"].items() >= {"source": "npm:tools", "origin": "package"}.items()
