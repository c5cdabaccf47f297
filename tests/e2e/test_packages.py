"""Packages from every kind of source: installed, listed, used, updated, removed, and failing."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine
from tests.e2e.registries import DEMO, git, loaded, publish, skill, skills, wheel
from tests.waiting import eventually, gone


def packages(machine: Machine) -> Any:
    return json.loads((machine.agent / "settings.json").read_text()).get("packages")


def test_npm_from_install_to_removal(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "@team/tools", "1.0.0") / "skills", "one")
    done = machine.run("install", "npm:@team/tools")
    assert (done.code, done.text) == (
        0,
        "Installing npm:@team/tools...\nInstalled npm:@team/tools\n",
    )
    assert packages(machine) == ["npm:@team/tools"]
    place = machine.agent / "npm" / "node_modules" / "@team" / "tools"
    assert machine.run("list").text == f"User packages:\n  npm:@team/tools\n    {place}\n"
    assert (machine.agent / "npm" / ".gitignore").read_text() == "*\n!.gitignore\n"
    assert skills(machine) == ["one"]

    assert machine.run("update", "--extensions").text == "All packages are up to date.\n"
    skill(publish(npm, "@team/tools", "1.10.0") / "skills", "two")
    done = machine.run("update", "npm:@team/tools")
    assert done.text == "Updated 1 package:\n  npm:@team/tools 1.0.0 -> 1.10.0\n"
    assert loaded(machine) == ["two"]

    done = machine.run("install", "npm:@team/tools@1.0.0")
    assert (done.code, packages(machine)) == (0, ["npm:@team/tools@1.0.0"])
    assert machine.run("update", "--extensions").text == "All packages are up to date.\n"
    assert loaded(machine) == ["one"]

    done = machine.run("uninstall", "npm:@team/tools")
    assert (done.code, done.text) == (0, "Removing npm:@team/tools...\nRemoved npm:@team/tools\n")
    assert packages(machine) == []
    assert not place.exists()
    assert machine.run("list").text == "No packages installed.\n"
    done = machine.run("remove", "npm:@team/tools")
    assert (done.code, done.text) == (1, "")
    assert "no package npm:@team/tools in the settings" in done.stderr


def test_npm_gets_the_arguments_it_needs(machine: Machine, npm: Path, tmp_path: Path) -> None:
    publish(npm, "x", "1.0.0")
    machine.run("install", "npm:x@^1.0")
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    root = str(machine.agent / "npm")
    flags = ["--legacy-peer-deps", "--no-audit", "--no-fund"]
    assert calls == [["install", "x@^1.0", "--prefix", root, *flags]]


def test_a_declared_package_is_installed_at_the_start(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "tools", "2.0.0") / "skills", "one")
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools@^2.0"]})
    assert skills(machine, "--offline") == []
    assert skills(machine) == ["one"]
    assert skills(machine, "--offline") == ["one"]


@pytest.mark.parametrize("tag", ["latest", "next"])
def test_what_a_tag_meant_stays_until_it_is_updated(machine: Machine, npm: Path, tag: str) -> None:
    skill(publish(npm, "tools", "2.0.0") / "skills", "one")
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": [f"npm:tools@{tag}"]})
    assert skills(machine) == ["one"]
    calls = (npm.parent / "calls").read_text()
    skill(publish(npm, "tools", "2.1.0") / "skills", "two")
    assert skills(machine) == ["one"]
    assert skills(machine, "--offline") == ["one"]
    assert (npm.parent / "calls").read_text() == calls
    done = machine.run("update", "--extensions")
    assert done.text == f"Updated 1 package:\n  npm:tools@{tag} 2.0.0 -> 2.1.0\n"
    assert "two" in skills(machine)


def test_a_package_that_cannot_be_had_leaves_the_rest_working(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "good", "1.0.0") / "skills", "one")
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:nowhere", "npm:good", "git:x"]})
    done = machine.run(*DEMO, "hello")
    assert done.code == 0
    assert "<name>one</name>" in done.text
    warnings = done.stderr.splitlines()
    assert any("npm:nowhere is left out" in line and "404" in line for line in warnings)
    assert any("pi remove npm:nowhere" in line for line in warnings)
    assert any("git:x" in line for line in warnings)
    done = machine.run("install", "npm:nowhere2")
    assert done.code == 1
    assert packages(machine) == ["npm:nowhere", "npm:good", "git:x"]
    done = machine.run("update", "--extensions")
    assert done.code == 1
    assert "npm:nowhere" in done.stderr


def test_two_that_start_at_once_install_once(machine: Machine, npm: Path, tmp_path: Path) -> None:
    skill(publish(npm, "tools", "1.0.0") / "skills", "one")
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools"]})
    running = [machine.start("--no-session", *DEMO, "hello") for _ in range(3)]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert b"<name>one</name>" in out
    assert (tmp_path / "calls").read_text().count("install") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_install_is_not_used_and_begun_again(machine: Machine, npm: Path) -> None:
    skill(publish(npm, "tools", "1.0.0") / "skills", "one")
    (npm / "slow").touch()
    process = machine.start("install", "npm:tools", start_new_session=True)
    place = machine.agent / "npm" / "node_modules" / "tools"
    deadline = time.monotonic() + 60
    while not (place / "package.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    os.utime(machine.agent / "npm" / ".install.lock", (0, 0))  # as if it had happened long ago
    (npm / "slow").unlink()
    # The next one fails at once, and has not made it whole.
    (npm / "tools").rename(npm / "away")
    assert machine.run("install", "npm:tools").code == 1
    assert (place / "package.json").exists()
    (npm / "away").rename(npm / "tools")
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools"]})
    assert "    " not in machine.run("list").text
    assert skills(machine, "--offline") == []
    assert skills(machine) == ["one"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("arguments", [("install", "npm:tools"), DEMO, ("--mode", "rpc")])
def test_what_ends_pi_alone_ends_its_npm(
    machine: Machine, npm: Path, number: int, arguments: tuple[str, ...]
) -> None:
    publish(npm, "tools", "1.0.0")
    (npm / "slow").touch()
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools"]})
    process = machine.start(*arguments, stdin=subprocess.PIPE)
    at_work = npm / "at-work"
    assert eventually(lambda: at_work.exists() and at_work.read_text() != "")
    process.send_signal(number)
    process.wait(30)
    process.communicate()
    assert process.returncode == 128 + number
    assert gone(int(at_work.read_text()))
    assert not (machine.agent / "npm" / ".install.lock").exists()
    assert (machine.agent / "npm" / ".tools.incomplete").exists()


def test_git_from_install_to_removal(machine: Machine, repository: Path) -> None:
    source = "git:example.org/team/tools"
    done = machine.run("install", source)
    assert done.code == 0, done.stderr
    place = machine.agent / "git" / "example.org" / "team" / "tools"
    assert machine.run("list").text == f"User packages:\n  {source}\n    {place}\n"
    assert loaded(machine) == ["from-git"]
    first = git(repository, "rev-parse", "HEAD")[:7]

    skill(repository / "skills", "later")
    git(repository, "rm", "-rq", "skills/from-git")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "two")
    second = git(repository, "rev-parse", "HEAD")[:7]
    assert loaded(machine) == ["from-git"]
    done = machine.run("update", "--extension", "https://example.org/team/tools.git")
    assert done.text == f"Updated 1 package:\n  {source} {first} -> {second}\n"
    assert loaded(machine) == ["later"]
    assert machine.run("update", "--extensions").text == "All packages are up to date.\n"

    done = machine.run("install", f"{source}@v1")
    assert (done.code, packages(machine)) == (0, [f"{source}@v1"])
    assert loaded(machine) == ["from-git"]
    assert machine.run("update", "--extensions").text == "All packages are up to date.\n"
    assert machine.run("remove", source).code == 0
    assert not (machine.agent / "git" / "example.org").exists()


def test_a_ref_is_no_file(machine: Machine, repository: Path) -> None:
    assert machine.run("install", "git:example.org/team/tools@skills").code == 1
    assert not (machine.agent / "settings.json").exists()
    git(repository, "branch", "skills")
    assert machine.run("install", "git:example.org/team/tools@skills").code == 0
    assert skills(machine) == ["from-git"]


def test_a_failing_clone_leaves_nothing(machine: Machine, repository: Path) -> None:
    for source in ("git:example.org/team/nothing", "git:example.org/team/tools@nowhere"):
        done = machine.run("install", source)
        assert done.code == 1
        assert "Error: git" in done.stderr
        left = [path for path in (machine.agent / "git").rglob("*") if path.name != ".gitignore"]
        assert [path for path in left if not path.is_dir()] == []
        assert not list((machine.agent / "git").rglob("*partial*"))
    assert not (machine.agent / "settings.json").exists()


def test_pip_from_install_to_removal(machine: Machine, index: Path) -> None:
    head = "---\nname: {}\ndescription: x\n---\nDo."
    wheel(index, "helper", "1.0", {"helper.py": ""})
    wheel(
        index,
        "Team_Tools",
        "1.0",
        {"team_tools/__init__.py": "", "team_tools/skills/a/SKILL.md": head.format("one")},
        needs="helper",
    )
    done = machine.run("install", "pip:team.tools")
    assert done.code == 0, done.stderr
    place = machine.agent / "pip" / "team-tools"
    assert (place / "helper.py").exists()
    assert machine.run("list").text == f"User packages:\n  pip:team.tools\n    {place}\n"
    assert loaded(machine) == ["one"]
    assert machine.run("update", "--extensions").text == "All packages are up to date.\n"
    wheel(index, "team_tools", "2.0", {"team_tools/skills/b/SKILL.md": head.format("two")})
    done = machine.run("update", "--extensions")
    assert done.text == "Updated 1 package:\n  pip:team.tools 1.0 -> 2.0\n"
    assert loaded(machine) == ["two"]
    assert not (place / "helper.py").exists()
    assert machine.run("install", "pip:team-tools==1.0").code == 0
    assert (packages(machine), loaded(machine)) == (["pip:team-tools==1.0"], ["one"])
    done = machine.run("install", "pip:nowhere==1")
    assert done.code == 1
    assert not (machine.agent / "pip" / "nowhere").exists()
    assert machine.run("remove", "pip:Team_Tools").code == 0
    assert not place.exists()


@pytest.mark.parametrize("line", ["user = true", "prefix = /nowhere", "root = /nowhere"])
def test_pip_is_told_to_install_elsewhere(machine: Machine, index: Path, line: str) -> None:
    """By a pip.conf that is meant for other things."""
    config = machine.home / "pip.conf"
    config.write_text(f"[install]\n{line}\n")
    machine.environment["PIP_CONFIG_FILE"] = str(config)
    head = "---\nname: one\ndescription: x\n---\nDo."
    page = {"tools/__init__.py": "", "tools/skills/one/SKILL.md": head}
    wheel(index, "tools", "1.0", page)
    assert machine.run("install", "pip:tools").code == 0
    assert skills(machine) == ["one"]
    wheel(index, "tools", "1.1", page)
    done = machine.run("update", "--extensions")
    assert "pip:tools 1.0 -> 1.1" in done.text
    done = machine.run("install", "pip:nowhere")
    assert (done.code, done.stderr.splitlines()[-1]) == (
        1,
        "Error: pip install failed: exit code 1",
    )


def test_local_packages_stay_where_they_are(machine: Machine, tmp_path: Path) -> None:
    skill(tmp_path / "mine" / "skills", "one")
    assert machine.run("install", "../mine").code == 0
    (entry,) = packages(machine)
    assert (machine.agent / entry).resolve() == tmp_path / "mine"
    assert loaded(machine) == ["one"]
    assert machine.run("install", str(tmp_path / "mine") + "/").code == 0
    assert len(packages(machine)) == 1
    assert machine.run("install", "../nothing").code == 1
    assert machine.run("remove", str(tmp_path / "mine")).code == 0
    assert (tmp_path / "mine" / "skills").exists()
    assert loaded(machine) == []


def test_project_packages_need_trust(machine: Machine, tmp_path: Path) -> None:
    skill(tmp_path / "mine" / "skills", "one")
    assert machine.run("install", "-l", "../mine").code == 0
    file = machine.project / ".pi" / "settings.json"
    assert json.loads(file.read_text()) == {"packages": ["../../mine"]}
    assert skills(machine) == []
    assert loaded(machine, trusted=True) == ["one"]
    for arguments in (("install", "-l", "../x"), ("remove", "--local", "../mine")):
        done = machine.run(*arguments)
        assert done.code == 1
        assert "not trusted" in done.stderr
    assert machine.run("list").text == "No packages installed.\n"
    assert "Project packages:\n  ../../mine\n" in machine.run("list", "-a").text
    assert machine.run("list", "-na").text == "No packages installed.\n"
    assert machine.run("remove", "-l", "-a", "../mine").code == 0
    assert json.loads(file.read_text()) == {"packages": []}


def test_what_settings_choose_of_a_package(machine: Machine, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for name in ("a", "b", "c"):
        skill(mine / "skills", name)
    source = os.path.relpath(mine, machine.agent)
    for entry, expected in (
        (source, ["a", "b", "c"]),
        ({"source": source}, ["a", "b", "c"]),
        ({"source": source, "skills": []}, []),
        ({"source": source, "skills": ["!skills/b"]}, ["a", "c"]),
        ({"source": source, "skills": ["skills/a/*", "+skills/c/SKILL.md"]}, ["a", "c"]),
        ({"source": source, "skills": ["-skills/a"]}, ["b", "c"]),
        ({"source": source, "autoload": False, "skills": ["+skills/a"]}, ["a"]),
        ({"source": source, "autoload": False}, []),
    ):
        machine.write("settings.json", {"packages": [entry]})
        assert loaded(machine) == expected, entry
    folder = machine.project / ".pi"
    folder.mkdir()
    mine_from_project = os.path.relpath(mine, folder)
    changes = {"source": mine_from_project, "autoload": False, "skills": ["-skills/b"]}
    (folder / "settings.json").write_text(json.dumps({"packages": [changes]}))
    machine.write("settings.json", {"packages": [source]})
    assert loaded(machine, trusted=True) == ["a", "c"]
    assert loaded(machine) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "manifest",
    [
        {"package.json": '{"pi": {"skills": ["./more/*", "!**/b"], "prompts": []}}'},
        {"pyproject.toml": '[tool.pi]\nskills = ["more/*", "!more/b/SKILL.md"]\n'},
    ],
)
def test_manifests(machine: Machine, tmp_path: Path, manifest: dict[str, str]) -> None:
    mine = tmp_path / "mine"
    for name in ("a", "b"):
        skill(mine / "more", name)
    skill(mine / "skills", "not-listed")
    for name, text in manifest.items():
        (mine / name).write_text(text)
    assert skills(machine, "-e", "../mine") == ["a"]


@pytest.mark.parametrize(
    "source",
    ["npm:--global", "npm:../../x", "git:example.org/../../x", "pip:--target", "git:-x/y/z"],
)
def test_hostile_sources(machine: Machine, source: str) -> None:
    done = machine.run("install", source)
    assert done.code == 1
    assert done.stderr.startswith("Error: ")
    assert not machine.agent.exists()


def test_names_do_not_take_over_the_terminal(machine: Machine) -> None:
    """Not even what a person typed, or pasted."""
    name = "a\nb\x1b]0;title\x07\u202egnp"
    skill(machine.project / name / "skills", name)
    seen = [
        machine.run(*command)
        for command in (
            ("install", f"./{name}"),
            ("list",),
            ("config",),
            ("config", "disable", f"skills/{name}"),
            ("remove", f"./{name}"),
        )
    ]
    assert [done.code for done in seen] == [0] * 5
    said = "".join(done.text + done.stderr for done in seen)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", said)
    assert said.count("a b\\x1b]0;title\\x07\\x202egnp") == 11
    # Line by line: nothing begins one of its own.
    assert not [line for line in said.splitlines() if line.startswith("b")]


def test_usage(machine: Machine) -> None:
    for arguments in (
        ["install"],
        ["remove"],
        ["install", "--force", "x"],
        ["update", "--all", "x"],
    ):
        done = machine.run(*arguments)
        assert (done.code, done.text) == (2, "")
    for command in ("install", "uninstall", "config"):
        done = machine.run(command, "--help")
        assert done.code == 0
        assert done.text.startswith(f"Usage: pi {command}")


def test_config_lists_and_switches(machine: Machine, tmp_path: Path) -> None:
    skill(machine.agent / "skills", "mine")
    skill(machine.project / ".pi" / "skills", "theirs")
    skill(tmp_path / "packed" / "skills", "packed")
    machine.run("install", "../packed")
    done = machine.run("config", "-a")
    source = packages(machine)[0]
    built_in, _, rest = done.text.partition("\n\n")
    assert built_in.startswith("Extensions:\n  [x] builtin:")
    assert rest == (
        "Skills:\n"
        "  [x] .pi/skills/theirs/SKILL.md  (project)\n"
        f"  [x] ~/.pi/agent/skills/mine/SKILL.md\n"
        f"  [x] {tmp_path}/packed/skills/packed/SKILL.md  ({source})\n"
    )
    assert "theirs" not in machine.run("config").text
    assert machine.run("config", "disable", "mine", "packed").code == 0
    assert loaded(machine, trusted=True) == ["theirs"]
    assert json.loads((machine.agent / "settings.json").read_text()) == {
        "packages": [{"source": source, "skills": ["-skills/packed/SKILL.md"]}],
        "skills": ["-skills/mine/SKILL.md"],
    }
    assert "[ ] ~/.pi/agent/skills/mine/SKILL.md" in machine.run("config", "-a").text
    assert machine.run("config", "disable", "-a", "theirs").code == 1
    assert machine.run("config", "disable", "-l", "-a", "theirs").code == 0
    assert machine.run("config", "enable", "-l", "-a", "mine").code == 0
    assert loaded(machine, trusted=True) == ["mine"]
    assert loaded(machine) == []
    assert machine.run("config", "inherit", "-l", "-a", "mine").code == 0
    assert loaded(machine, trusted=True) == []
    assert machine.run("config", "enable", "mine", "packed").code == 0
    assert loaded(machine) == ["mine", "packed"]
    name = built_in.split("] ")[1].split()[0]
    assert machine.run("config", "disable", name).code == 0
    assert f"[ ] {name}" in machine.run("config").text
    settings = json.loads((machine.agent / "settings.json").read_text())
    assert settings["extensions"] == [f"-{name}"]
    for arguments, code in ((["nonsense"], 2), (["enable"], 2), (["enable", "nothing"], 1)):
        assert machine.run("config", *arguments).code == code
