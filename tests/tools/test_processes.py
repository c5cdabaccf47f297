"""Which shell runs commands on Windows; and nothing that pi started outlives it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pi.errors import ToolError
from pi.tools.processes import _git_bash
from tests.waiting import gone


def bash_in(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "bash.exe").touch()
    return str(folder / "bash.exe")


@pytest.mark.parametrize("foreign", ["Microsoft/WindowsApps", "Windows/System32"])
def test_the_systems_own_bash_is_no_shell(tmp_path: Path, foreign: str) -> None:
    """It starts a Linux that does not see the folder."""
    bash_in(tmp_path / foreign)
    paths = [str(tmp_path / foreign)]
    with pytest.raises(ToolError, match="install Git for Windows"):
        _git_bash({"PATH": os.pathsep.join(paths)})
    git = bash_in(tmp_path / "tools" / "bin")
    paths.append(str(tmp_path / "tools" / "bin"))
    assert _git_bash({"PATH": os.pathsep.join(paths)}) == git


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("ProgramFiles", "Git/bin"),
        ("ProgramFiles(x86)", "Git/bin"),
        ("LocalAppData", "Programs/Git/bin"),
    ],
)
def test_where_git_for_windows_is(tmp_path: Path, variable: str, place: str) -> None:
    on_path = tmp_path / "other"
    bash_in(on_path)
    found = bash_in(tmp_path / place)
    assert _git_bash({variable: str(tmp_path), "PATH": str(on_path)}) == found


FORGETS = """
import asyncio, os, sys
from pathlib import Path
from pi.tools.processes import start

async def main():
    read, write = os.pipe()
    await start("/bin/sh", "sleep 300 & echo $! && wait", Path(), os.environ, write)
    print(os.read(read, 100).decode(), flush=True)
    END

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
@pytest.mark.parametrize("end", ["return", "sys.exit(3)", "1 / 0"])
def test_what_nobody_ended_does_not_outlive_the_program(end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORGETS.replace("END", end)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == (end == "return")
    assert gone(int(done.stdout))
