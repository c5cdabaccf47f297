"""Packages that mean harm or are broken, and installations that are cut short."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Machine
from tests.e2e.registries import DEMO, git, loaded, publish, skill, skills, wheel

SOURCE = "git:example.org/team/tools"


def run(machine: Machine, *options: str) -> str:
    """What is said while pi starts with what settings name."""
    done = machine.run(*options, *DEMO, "hello")
    assert done.code == 0, done.stderr
    return done.stderr


def commit(repository: Path) -> None:
    git(repository, "add", "--all", ".")
    git(repository, "commit", "--quiet", "-m", "more")


def test_what_leads_out_of_a_clone_is_left_out(
    machine: Machine, repository: Path, tmp_path: Path
) -> None:
    skill(tmp_path / "private", "secret")
    (tmp_path / "notes.md").write_text("private")
    skill(repository / "own", "fine")
    (repository / "linked").symlink_to(tmp_path / "private")
    (repository / "skills" / "loop").symlink_to("..")
    (repository / "inside").symlink_to("own")
    manifest = {
        "skills": [
            f"{tmp_path}/**/SKILL.md",
            "own",
            "linked",
            "inside",
            "../../../../../../private",
            "*/secret",
            "skills",
        ],
        "prompts": [str(tmp_path / "notes.md"), "../../../../../../../notes.md", "package.json"],
    }
    (repository / "package.json").write_text(json.dumps({"pi": manifest}))
    commit(repository)
    assert machine.run("install", SOURCE).code == 0
    assert loaded(machine) == ["fine", "from-git"]
    said = run(machine)
    place = machine.agent / "git" / "example.org" / "team" / "tools"
    assert f"{SOURCE}: left out, as not in it: {place}/linked/secret/SKILL.md" in said
    assert f"{SOURCE}: left out, as not in it: {tmp_path}/**/SKILL.md" in said
    assert "notes.md" not in said.replace(str(tmp_path / "notes.md"), "")


def test_what_a_local_package_names_is_its_owner_s_matter(machine: Machine, tmp_path: Path) -> None:
    skill(tmp_path / "shared", "one")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "package.json").write_text('{"pi": {"skills": ["../shared"]}}')
    assert skills(machine, "-e", "../mine") == ["one"]


def test_npm_packages_may_offer_what_they_depend_on(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "dep", "1.0.0") / "skills", "depended-on")
    publish(npm, "tools", "1.0.0", pi={"skills": ["../dep/skills", "../../../skills"]})
    skill(machine.agent / "skills", "mine")
    for name in ("dep", "tools"):
        assert machine.run("install", f"npm:{name}").code == 0
    assert machine.run("remove", "npm:dep").code == 0
    assert machine.run("install", "npm:dep").code == 0
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools"]})
    assert sorted(loaded(machine)) == ["depended-on", "mine"]
    assert "left out, as not in it" in run(machine)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A package with more folders in each other than Python calls itself."""
    mine = tmp_path / "mine"
    skill(mine / "skills", "fine")
    top = mine / "skills" / "d"
    subprocess.run(["mkdir", "-p", str(top / "/".join("d" * 1500))], check=True)
    yield mine
    subprocess.run(["rm", "-r", str(top)], check=True)  # Python could not


@pytest.mark.skipif(os.name == "nt", reason="names and tools")
def test_deep_and_strange_names(machine: Machine, deep: Path) -> None:
    mine = deep
    name = "a\nb\x1b]0;evil\x07 $(touch x) ; `y` 'z'"
    (mine / "prompts").mkdir()
    (mine / "prompts" / f"{name}.md").write_text("x")
    (mine / "package.json").write_text(json.dumps({"name": name, "version": name, "pi": {}}))
    assert skills(machine, "-e", "../mine") == ["fine"]
    for pattern in ("**/SKILL.md", "{a,b}" * 20 + "*", "a!(*a)" * 200, "?" * 5000):
        manifest = {"name": name, "version": name, "pi": {"skills": [pattern, "skills*"]}}
        (mine / "package.json").write_text(json.dumps(manifest))
        said = run(machine, "-e", "../mine")
        assert f"{pattern[:80]}: too much to look into" in said
    manifest["pi"] = {"skills": ["skills", "!" + "{a,b}" * 20]}
    (mine / "package.json").write_text(json.dumps(manifest))
    assert skills(machine, "-e", "../mine") == ["fine"]
    local = os.path.relpath(mine, machine.agent)
    machine.write("settings.json", {"packages": [f"../../{name}", local]})
    for command in ("list", "config"):
        done = machine.run(command)
        assert done.code == 0
        assert "\x1b" not in done.text + done.stderr
    assert "\x1b" not in run(machine)


@pytest.mark.parametrize(
    "source",
    [
        "npm:a;touch x",
        "npm:$(touch x)",
        "npm:a/../../b",
        "npm:@a/../b",
        "npm:a\nb",
        "git:example.org/team/tools@--upload-pack=touch x",
        "git:git@-oProxyCommand=x:a/b",
        "git:ext::sh -c touch/x",
        "git:example.org/a/b\\..\\..\\c",
        "https://example.org/a/%2e%2e/%2e%2e/b",
        "pip:--index-url",
        "pip:a;b",
        "pip:a@https://example.org/a.whl",
        "pip:../a",
        "pip:a==1 --pre",
    ],
)
def test_sources_that_are_none(machine: Machine, source: str) -> None:
    machine.environment.pop("PI_OFFLINE")
    machine.write("settings.json", {"packages": [source]})
    said = run(machine)
    assert "Warning: packages: " in said and "Traceback" not in said
    assert [path.name for path in machine.agent.iterdir() if path.is_dir()] == ["sessions"]


def test_what_pi_provides_is_no_dependency(
    machine: Machine, npm: Path, index: Path, tmp_path: Path
) -> None:
    needs = {"typebox": "1", "@earendil-works/pi-tui": "*", "other": "1"}
    for name, key in (("bad", "dependencies"), ("good", "peerDependencies")):
        folder = publish(npm, name, "1.0.0", **{key: needs})
        (folder / "extensions").mkdir()
        (folder / "extensions" / "one.ts").write_text("export default 1")
    skill(publish(npm, "plain", "1.0.0", dependencies=needs) / "skills", "x")
    mine = tmp_path / "mine"
    (mine / "extensions").mkdir(parents=True)
    (mine / "extensions" / "one.py").write_text("def extend(pi): pass\n")
    (mine / "pyproject.toml").write_text(
        '[project]\nname = "mine"\ndependencies = ["pi_coding.agent-py>=0.1"]\n[tool.pi]\n'
    )
    settings = json.loads((machine.agent / "settings.json").read_text())
    local = os.path.relpath(mine, machine.agent)
    sources = ["npm:bad", "npm:good", "npm:plain", local]
    machine.write("settings.json", {**settings, "packages": sources})
    told = [line for line in run(machine).splitlines() if "pi provides" in line]
    assert [line.split(": ")[1] for line in told] == ["package npm:bad", f"package {local}"]
    assert "pi provides @earendil-works/pi-tui, typebox: they belong" in told[0]
    assert "pi provides pi-coding-agent-py" in told[1]

    wheel(index, "pi_coding_agent_py", "0.0.1", {"pi/__init__.py": "raise SystemExit(9)"})
    files = {"whole/__init__.py": "", "whole/extensions/one.py": "def extend(pi): pass\n"}
    wheel(index, "whole", "1.0", files, needs="pi-coding-agent-py")
    machine.write("settings.json", {"packages": ["pip:whole"]})
    assert "it depends on pi-coding-agent-py, which is here already" in run(machine)


def test_npm_command_that_may_be_either(machine: Machine, npm: Path) -> None:
    machine.write("settings.json", {"npmCommand": ["mise", "pnpm", "npm"]})
    done = machine.run("install", "npm:tools")
    assert (done.code, done.stderr.splitlines()[0]) == (1, "Error: npmCommand names pnpm and npm")


def test_a_clone_whose_dependencies_are_gone_is_made_whole(
    machine: Machine, npm: Path, repository: Path
) -> None:
    (repository / "package.json").write_text('{"dependencies": {"left": "1"}}')
    commit(repository)
    assert machine.run("install", SOURCE).code == 0
    place = machine.agent / "git" / "example.org" / "team" / "tools"
    (place / "node_modules" / "left").mkdir()
    calls = npm.with_name("calls")
    calls.write_text("")
    assert machine.run("update", SOURCE).text == f"{SOURCE} is up to date.\n"
    assert calls.read_text() == ""
    (place / "node_modules" / "left").rmdir()
    assert machine.run("update", SOURCE).code == 0
    assert "install" in calls.read_text()
    # The npm package marks what it could not finish.
    (place / "node_modules" / "left").mkdir()
    mark = place.with_name(".tools.pi-update-incomplete")
    mark.touch()
    calls.write_text("")
    assert machine.run("update", SOURCE).code == 0
    assert "install" in calls.read_text()
    assert not mark.exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_clone_that_is_cut_short(
    machine: Machine, repository: Path, tmp_path: Path, number: int
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    real = next(
        Path(folder, "git")
        for folder in machine.environment["PATH"].split(os.pathsep)
        if Path(folder, "git").exists()
    )
    # Half a clone, for as long as nobody ends it.
    slow.write_text(
        f"#!{sys.executable}\nimport os, sys, time\n"
        f'os.spawnl(os.P_WAIT, "{real}", "git", *sys.argv[1:])\n'
        f'open("{tmp_path}/half", "w").close()\ntime.sleep(60)\n'
    )
    slow.chmod(0o755)
    path = machine.environment["PATH"]
    machine.environment["PATH"] = f"{slow.parent}{os.pathsep}{path}"
    process = machine.start("install", SOURCE, start_new_session=True)
    limit = time.monotonic() + 60
    while not (tmp_path / "half").exists():
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    place = machine.agent / "git" / "example.org" / "team" / "tools"
    assert not place.exists()
    assert not (machine.agent / "settings.json").exists()
    lock = machine.agent / "git" / ".install.lock"
    if lock.exists():
        os.utime(lock, (0, 0))  # as if it had happened long ago
    machine.environment["PATH"] = path
    machine.write("settings.json", {"packages": [SOURCE]})
    assert "    " not in machine.run("list").text
    assert skills(machine, "--offline") == []
    assert skills(machine) == ["from-git"]
    assert not list(place.parent.glob(".tools.partial*"))


@pytest.mark.parametrize("by", ["install", "start"])
def test_a_hook_of_git_keeps_its_index(machine: Machine, repository: Path, by: str) -> None:
    """git tells its hooks which index is to be committed, and would write to that in a clone."""
    mine = machine.project
    git(mine, "init", "--quiet", "--initial-branch=main")
    (mine / "staged.txt").write_text("not committed yet")
    git(mine, "add", ".")
    staged = git(mine, "ls-files", "--stage")
    machine.environment |= {
        "GIT_INDEX_FILE": str(mine / ".git" / "index"),
        "GIT_DIR": str(mine / ".git"),
        "GIT_PREFIX": "",
    }
    if by == "install":
        assert machine.run("install", f"{SOURCE}@main").code == 0
    else:
        machine.write("settings.json", {"packages": [f"{SOURCE}@main"]})
    assert skills(machine) == ["from-git"]
    skill(repository / "skills", "newer")
    commit(repository)
    assert machine.run("update", "--extensions").code == 0
    assert skills(machine) == ["from-git", "newer"]
    assert staged.endswith("staged.txt")
    assert git(mine, "ls-files", "--stage") == staged


def test_git_may_be_configured_in_other_ways(machine: Machine, repository: Path) -> None:
    with (machine.home / ".gitconfig").open("a") as config:
        config.write("[clone]\n\tdefaultRemoteName = upstream\n[init]\n\tdefaultBranch = odd\n")
        config.write("[submodule]\n\trecurse = true\n[core]\n\tautocrlf = true\n")
        config.write("[color]\n\tui = always\n[checkout]\n\tdefaultRemote = upstream\n")
    assert machine.run("install", SOURCE).code == 0
    for name in ("newer", "newest"):
        skill(repository / "skills", name)
        commit(repository)
        done = machine.run("update", "--extensions")
        assert (done.code, done.text.splitlines()[0]) == (0, "Updated 1 package:"), done.stderr
    assert skills(machine) == ["from-git", "newer", "newest"]
