"""`pi update`, on installations of its own: real environments, pip and wheels."""

import csv
import io
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pi._version import __version__
from tests.e2e.conftest import Machine, Result

NAME = "pi-coding-agent-py"
ROOT = Path(__file__).parents[2]
NEWER = "990.0.0"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pi is not replaced there while it runs")


def wheel(folder: Path, version: str, *, needs: str = "") -> None:
    """All of pi as it is here, without compiled modules, under a version."""
    info = f"pi_coding_agent_py-{version}.dist-info"
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "pi").rglob("*")
        if path.is_file() and path.suffix in (".py", ".json", ".md", ".typed")
    }
    files["pi/_version.py"] = f'__version__ = "{version}"\n'.encode()
    need = f"Requires-Dist: {needs}\n" if needs else ""
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n{need}".encode()
    )
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\npi = pi.__main__:main\n"
    record = io.StringIO()
    csv.writer(record).writerows((path, "", "") for path in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"pi_coding_agent_py-{version}-py3-none-any.whl", "w") as archive:
        for path, data in {**files, f"{info}/RECORD": record.getvalue().encode()}.items():
            archive.writestr(path, data)


class Installed:
    """A pi in an environment with pip, whose index is a folder of wheels."""

    def __init__(self, machine: Machine, base: Path) -> None:
        self.machine, self.prefix, self.wheels = machine, base / "env", base / "wheels"
        self.wheels.mkdir()
        wheel(self.wheels, __version__)
        make = [sys.executable, "-m", "venv", "--without-pip", str(self.prefix)]
        subprocess.run(make, check=True, timeout=120)
        self.python = str(self.prefix / "bin" / "python")
        # pip, and what pi needs, come from where the tests run; the pi there does not.
        needed = base / "needed"
        needed.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if not path.name.startswith(("pi_coding", "__editable__")):
                (needed / path.name).symlink_to(path)
        (self.site / "needed.pth").write_text(f"{needed}\n")
        machine.environment["PIP_NO_COMPILE"] = "1"
        machine.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        machine.environment.pop("PI_OFFLINE", None)
        self.pip("install", "--quiet", f"{NAME}=={__version__}")

    @property
    def site(self) -> Path:
        return next((self.prefix / "lib").glob("python*")) / "site-packages"

    def info(self, version: str = __version__) -> Path:
        return self.site / f"pi_coding_agent_py-{version}.dist-info"

    def pip(self, *arguments: str) -> None:
        subprocess.run(
            [self.python, "-m", "pip", "--disable-pip-version-check", *arguments],
            env=self.machine.environment,
            check=True,
            timeout=120,
        )

    def run(self, *arguments: str, **env: str) -> Result:
        done = subprocess.run(
            [str(self.prefix / "bin" / "pi"), *arguments],
            cwd=self.machine.project,
            env={**self.machine.environment, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def version(self) -> str:
        return self.run("--version").text.strip()


@pytest.fixture
def installed(machine: Machine, tmp_path: Path) -> Installed:
    return Installed(machine, tmp_path)


def test_pip_replaces_it(installed: Installed) -> None:
    assert installed.version() == __version__
    # Folders of these names in the project are none of it.
    for name in ("pi", "pip"):
        (installed.machine.project / name).mkdir()
        (installed.machine.project / name / "__init__.py").write_text("raise SystemExit(9)")
    done = installed.run("update")
    assert (done.code, done.text.splitlines()[1:]) == (0, [f"pi is up to date: {__version__}"])

    wheel(installed.wheels, NEWER)
    assert installed.run("update", "--check").text == f"pi {NEWER}: pi update\n"
    wheel(installed.wheels, f"{NEWER}rc1")
    done = installed.run("update", "self")
    assert done.code == 0, done.stderr
    assert f"-m pip install --upgrade {NAME}=={NEWER}" in done.text
    assert done.text.splitlines()[-1].startswith(f"Updated pi from {__version__} to {NEWER}.")
    assert installed.version() == NEWER
    assert installed.run("update", "--check").text == "Nothing newer is known.\n"

    (installed.site / "pi" / "cli" / "export.py").unlink()
    done = installed.run("update", "--force")
    assert done.code == 0, done.stderr
    assert (installed.site / "pi" / "cli" / "export.py").exists()


def test_what_cannot_be_installed_leaves_what_there_is(installed: Installed) -> None:
    wheel(installed.wheels, NEWER, needs="nothing-of-this-name")
    done = installed.run("update", "--self")
    assert done.code == 1
    assert "the update failed" in done.stderr and "By hand: " in done.stderr
    assert installed.version() == __version__
    (installed.wheels / f"pi_coding_agent_py-{NEWER}-py3-none-any.whl").write_bytes(b"PK broken")
    assert installed.run("update").code == 1
    assert installed.version() == __version__
    for path in installed.wheels.iterdir():
        path.unlink()
    done = installed.run("update")
    assert (done.code, installed.version()) == (1, __version__)
    assert "cannot be found out" in done.stderr


def test_a_command_of_ones_own(installed: Installed, tmp_path: Path) -> None:
    wheel(installed.wheels, NEWER)
    tool = tmp_path / "my tool"
    tool.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >"{tmp_path}/told"\n')
    tool.chmod(0o755)
    arguments = ["{packageName}/{version}", "{installSpec}", "{other}"]
    installed.machine.write("settings.json", {"selfUpdateCommand": [str(tool), *arguments]})
    done = installed.run("update", PATH="/usr/bin:/bin")
    told = f"{NAME}/{NEWER}|{NAME}=={NEWER}|{{other}}|"
    assert (tmp_path / "told").read_text() == told
    assert done.code == 1  # it did not do anything
    assert "pi --version says nothing" in done.stderr
    assert installed.version() == __version__

    plain = tmp_path / "plain"
    plain.write_text(
        f'#!/bin/sh\necho "$@" >"{tmp_path}/told"\n{installed.python} -m pip install $1\n'
    )
    plain.chmod(0o755)
    path = f"{installed.prefix / 'bin'}:/usr/bin:/bin"
    done = installed.run(
        "update", PI_SELF_UPDATE_COMMAND=f" {plain}  {{installSpec}} x ", PATH=path
    )
    assert done.code == 0, done.stderr
    assert (tmp_path / "told").read_text() == f"{NAME}=={NEWER} x\n"
    assert installed.version() == NEWER


def test_a_command_for_the_npm_package_is_left_alone(installed: Installed) -> None:
    """It is said in one line, and pi updates itself in its own way."""

    def warned(name: str, shown: str, **env: str) -> None:
        done = installed.run("update", **env)
        lines = [line for line in done.stderr.splitlines() if "npm package" in line]
        assert lines == [f"Warning: {name} is for the npm package of pi and not run: {shown}"]
        assert done.code == 0

    for command in (
        ["npm", "install", "-g", "{packageName}@{version}"],
        ["/opt/tools/pnpm.CMD", "add", "-g", "{installSpec}"],
        ["sh", "-c", "cd /tmp && bun add -g {packageName}\nexit 1"],
        ["brew-npm", "@earendil-works/pi-coding-agent"],
    ):
        installed.machine.write("settings.json", {"selfUpdateCommand": command})
        warned("selfUpdateCommand", " ".join(command).replace("\n", " "))
    assert installed.version() == __version__
    wheel(installed.wheels, NEWER)
    words = "mise use -g npm:{packageName}@{version}"
    warned("PI_SELF_UPDATE_COMMAND", words, PI_SELF_UPDATE_COMMAND=words)
    assert installed.version() == NEWER


def test_other_installers_are_not_worked_against(installed: Installed, tmp_path: Path) -> None:
    wheel(installed.wheels, NEWER)
    tools = tmp_path / "tools"
    tools.mkdir()

    def refused(**env: str) -> str:
        done = installed.run("update", PATH=f"{tools}:/usr/bin:/bin", **env)
        assert done.code == 1
        assert installed.version() == __version__
        return done.stderr

    (installed.prefix.parent / "uv.lock").touch()
    assert f"belongs to the project in {tmp_path}" in refused()
    (installed.prefix.parent / "uv.lock").unlink()
    (installed.info() / "INSTALLER").write_text("conda\n")
    assert f"Update {NAME} with conda." in refused()
    (installed.info() / "INSTALLER").unlink()
    assert "with what you installed it with" in refused()
    for receipt, hint in (
        ("pipx_metadata.json", f"Run: pipx upgrade {NAME}"),
        ("uv-receipt.toml", f"Run: uv tool upgrade {NAME}"),
    ):
        (installed.prefix / receipt).touch()
        assert hint in refused()
    for name, before in (("uv", "tool "), ("pipx", "")):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/told"\n')
        tool.chmod(0o755)
        assert "has run, but pi --version says" in refused()
        assert (tmp_path / "told").read_text() == f"{before}upgrade {NAME}\n"
        (installed.prefix / "uv-receipt.toml").unlink(missing_ok=True)
    (installed.info() / "direct_url.json").write_text(
        json.dumps({"url": "https://x.example/pi.git"})
    )
    assert "was installed from https://x.example/pi.git" in refused()


def test_a_check_out_is_its_owners(machine: Machine) -> None:
    machine.environment.pop("PI_OFFLINE")
    for arguments in (["update"], ["update", "pi"], ["update", "--all"]):
        done = machine.run(*arguments)
        assert done.code == 1
        assert f"It runs from {ROOT}: update what is there." in done.stderr
        assert "PI_SELF_UPDATE_COMMAND" in done.stderr


def test_offline(machine: Machine) -> None:
    done = machine.run("update")
    assert (done.code, "offline" in done.stderr) == (1, True)
    assert machine.run("update", "--check").text == "Nothing was asked: pi is offline.\n"
    assert not (machine.agent / "tmp").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--all", "--self"],
        ["--all", "--extensions"],
        ["--all", "x"],
        ["--models", "--self"],
        ["--models", "x"],
        ["--extension", "x", "--self"],
        ["--extension", "x", "y"],
        ["--extension", "x", "--extension", "y"],
        ["x", "--extensions"],
        ["x", "--self"],
        ["--check", "--models"],
        ["x", "y"],
        ["--extension"],
    ],
)
def test_targets_that_do_not_go_together(machine: Machine, arguments: list[str]) -> None:
    done = machine.run("update", *arguments)
    assert (done.code, done.text) == (2, "")
