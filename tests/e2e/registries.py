"""Where packages come from in tests: an npm of our own, git repositories, a folder of wheels."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.config.settings import load_settings
from pi.resources.loading import load_resources

if TYPE_CHECKING:
    from tests.e2e.conftest import Machine

__all__ = [
    "DEMO",
    "NPM",
    "git",
    "index",
    "loaded",
    "npm",
    "publish",
    "repository",
    "skill",
    "skills",
    "wheel",
]

DEMO = ("--provider", "demo", "--mode", "json", "-p")

# Installs from a folder beside its own file, as npm lays things out; "slow" is for kills.
NPM = """
import json, os, pathlib, shutil, sys, time
registry = pathlib.Path(__file__).with_name("registry")
with open(pathlib.Path(__file__).with_name("calls"), "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
verb, *words = sys.argv[1:]
if verb == "view":
    if (registry / "slow").exists():
        (registry / "asked").write_text(str(os.getpid()))
        time.sleep(60)
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
    (registry / "at-work").write_text(str(os.getpid()))
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
def npm(machine: "Machine", tmp_path: Path) -> Path:
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
def repository(machine: "Machine", tmp_path: Path) -> Path:
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
def index(machine: "Machine", tmp_path: Path) -> Path:
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


def skills(machine: "Machine", *options: str) -> list[str]:
    """The names of the skills a run tells its model of."""
    done = machine.run(*options, *DEMO, "hello")
    assert done.code == 0, done.stderr
    system = next(e["message"] for e in done.events if e.get("message", {}).get("role") == "system")
    section = system["sections"].get("skills", "")
    return [line.split(">")[1].split("<")[0] for line in section.splitlines() if "<name>" in line]


def loaded(machine: "Machine", *, trusted: bool = False) -> list[str]:
    """The same without a run: what a run would load."""
    environment = read_environment({"HOME": str(machine.home), "PATH": ""})
    paths = find_paths(environment, machine.project)
    settings = load_settings(paths, trusted=trusted)
    found = load_resources(paths, settings, environment, offline=True)
    return [item.name for item in found.skills]
