"""Packages from every kind of source: installed, listed, used, updated, removed, and failing."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.config.settings import load_settings
from pi.resources.loading import load_resources
from tests.e2e.conftest import Machine

DEMO = ("--provider", "demo", "--mode", "json", "-p")

# Installs from a folder beside its own file, as npm lays things out; "slow" is for kills.
NPM = """
import json, os, pathlib, shutil, sys, time
registry = pathlib.Path(__file__).with_name("registry")
with open(pathlib.Path(__file__).with_name("calls"), "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
verb, *words = sys.argv[1:]
if verb == "view":
    name = words[0].rpartition("@")[0] or words[0]
    print(json.dumps(sorted(p.name for p in (registry / name).iterdir())))
    sys.exit()
root = pathlib.Path(words[words.index("--prefix") + 1]) if "--prefix" in words else None
modules = root / "node_modules" if root else pathlib.Path("node_modules")
if verb == "uninstall":
    shutil.rmtree(modules / words[0])
    sys.exit()
if root is None:
    modules.mkdir(exist_ok=True)
    sys.exit()
name, at, version = words[0][1:].partition("@")
name = words[0][0] + name
versions = sorted(p.name for p in (registry / name).iterdir()) if (registry / name).exists() else []
version = version if version in versions else (versions[-1:] or [None])[0]
if version is None:
    print("npm error code E404\\nnpm error 404 Not Found - " + name, file=sys.stderr)
    sys.exit(1)
shutil.rmtree(modules / name, ignore_errors=True)
source = registry / name / version
(modules / name).mkdir(parents=True)
shutil.copy(source / "package.json", modules / name / "package.json")
if (registry / "slow").exists():
    print("half", flush=True)
    time.sleep(60)
shutil.copytree(source, modules / name, dirs_exist_ok=True)
"""


def skill(folder: Path, name: str, body: str = "Do it.") -> None:
    path = folder / name / "SKILL.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\nname: {name}\ndescription: Does {name}\n---\n{body}\n")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.fixture
def npm(machine: Machine, tmp_path: Path) -> Path:
    """The registry's folder; settings name the command."""
    program = tmp_path / "npm.py"
    program.write_text(NPM)
    machine.write("settings.json", {"npmCommand": [sys.executable, str(program)]})
    machine.environment.pop("PI_OFFLINE", None)
    (tmp_path / "registry").mkdir()
    return tmp_path / "registry"


def publish(registry: Path, name: str, version: str, **manifest: Any) -> Path:
    folder = registry / name / version
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version, **manifest}))
    return folder


@pytest.fixture
def repository(machine: Machine, tmp_path: Path) -> Path:
    """A git repository that pi reaches as git:example.org/team/tools."""
    folder = tmp_path / "hosted" / "team" / "tools"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    skill(folder / "skills", "from-git")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "v1")
    (machine.home / ".gitconfig").write_text(
        f'[url "file://{tmp_path}/hosted/"]\n\tinsteadOf = https://example.org/\n'
    )
    machine.environment.pop("PI_OFFLINE", None)
    return folder


@pytest.fixture
def index(machine: Machine, tmp_path: Path) -> Path:
    """A folder of wheels that pip takes for all the packages there are."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    machine.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    machine.environment.pop("PI_OFFLINE", None)
    return folder


def wheel(folder: Path, name: str, version: str, files: dict[str, str], needs: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


def skills(machine: Machine, *options: str) -> list[str]:
    """The names of the skills a run tells its model of."""
    done = machine.run(*options, *DEMO, "hello")
    assert done.code == 0, done.stderr
    system = next(e["message"] for e in done.events if e.get("message", {}).get("role") == "system")
    section = system["sections"].get("skills", "")
    return [line.split(">")[1].split("<")[0] for line in section.splitlines() if "<name>" in line]


def loaded(machine: Machine, *, trusted: bool = False) -> list[str]:
    """The same without a run: what a run would load."""
    environment = read_environment({"HOME": str(machine.home), "PATH": ""})
    paths = find_paths(environment, machine.project)
    settings = load_settings(paths, trusted=trusted)
    found = load_resources(paths, settings, environment, offline=True)
    return [item.name for item in found.skills]


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
    settings = json.loads((machine.agent / "settings.json").read_text())
    machine.write("settings.json", {**settings, "packages": ["npm:tools"]})
    assert "    " not in machine.run("list").text
    assert skills(machine, "--offline") == []
    assert skills(machine) == ["one"]


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


def test_e_is_for_one_run(machine: Machine, npm: Path, repository: Path, tmp_path: Path) -> None:
    skill(tmp_path / "mine" / "skills", "local")
    skill(publish(npm, "tools", "1.0.0") / "skills", "npm")
    sources = ("../mine", "npm:tools", "git:example.org/team/tools")
    options = [word for source in sources for word in ("-e", source)]
    assert skills(machine, *options) == ["local", "npm", "from-git"]
    assert skills(machine) == []
    assert packages(machine) is None
    # What is kept serves without a network, and is renewed with one.
    skill(publish(npm, "tools", "1.1.0") / "skills", "newer")
    assert skills(machine, "--offline", "-ns", "-e", "npm:tools") == ["npm"]
    assert skills(machine, "-e", "npm:tools") == ["newer"]
    done = machine.run("-e", "../nothing", *DEMO, "hello")
    assert done.code == 0
    assert "-e" in done.stderr or "../nothing" in done.stderr


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
    assert done.text == (
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
    for arguments, code in ((["nonsense"], 2), (["enable"], 2), (["enable", "nothing"], 1)):
        assert machine.run("config", *arguments).code == code
