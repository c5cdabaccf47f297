"""Standard streams, locale, home and working folder that are not as one expects."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, Machine, ScriptedFactory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX descriptors")
full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
DEMO = ["--provider", "demo", "-p", "hello"]


def shell(
    machine: Machine, redirections: str, *arguments: str, **env: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirections}', "sh", *COMMAND, *arguments],
        capture_output=True,
        cwd=machine.project,
        env={**machine.environment, **env},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [DEMO, ["--mode", "json", *DEMO], ["-v"], ["-h"]])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams(machine: Machine, closed: str, arguments: list[str]) -> None:
    done = shell(machine, closed, *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) is (">&-" not in closed.split())
    for path in machine.sessions():
        # The session must not have become the process's stdout.
        assert all(json.loads(line) for line in path.read_bytes().splitlines())


@full
@pytest.mark.parametrize("arguments", [["-v"], ["-v", "--verbose"], ["-h"], ["--list-models"]])
def test_a_full_disk_under_other_output(machine: Machine, arguments: list[str]) -> None:
    done = shell(machine, ">/dev/full", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: ") and done.stderr.count(b"\n") == 1


@full
def test_a_full_disk_under_stderr(machine: Machine) -> None:
    assert shell(machine, "2>/dev/full", "--nonsense").returncode in (2, 120)  # 120: Python's own
    assert shell(machine, "2>/dev/full", *DEMO).returncode == 0


@pytest.mark.parametrize("arguments", [["-h"], ["-v"], DEMO])
def test_a_reader_that_is_gone_already(machine: Machine, arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as stdout:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=machine.project,
            env=machine.environment,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_any_locale(scripted: ScriptedFactory, env: dict[str, str]) -> None:
    text = "grüße 😀 ✓"
    script = scripted([{"blocks": [{"text": text}]}])
    (script.machine.project / "ü.txt").write_text("größe 😀\n", encoding="utf-8")
    result = script.run("-p", "@ü.txt", "hi", stdin="ä 😀".encode(), **env)
    assert (result.code, result.stdout.decode("utf-8"), result.stderr) == (0, f"{text}\n", "")
    sent = script.bodies[0]["messages"][0]["content"][0]["text"]
    assert sent.startswith("ä 😀<file name=") and "größe 😀" in sent


@pytest.mark.parametrize("value", [None, "", "/nonexistent/home", "relative"])
def test_any_home(machine: Machine, value: str | None) -> None:
    # A folder of its own: without HOME, the user's own would be written to.
    env = {**machine.environment, "PI_CODING_AGENT_DIR": str(machine.agent)}
    env.pop("HOME")
    if value is not None:
        env["HOME"] = value
    machine.environment = env
    result = machine.run(*DEMO)
    assert (result.code, result.stderr) == (0, "")
    assert machine.session()


def test_a_home_that_is_no_folder(machine: Machine) -> None:
    result = machine.run(*DEMO, HOME="/dev/null")
    assert (result.code, result.text) == (1, "")
    assert "Traceback" not in result.stderr and "/dev/null/.pi/agent/sessions" in result.stderr
    assert machine.run(*DEMO, "--no-session", HOME="/dev/null").code == 0


@pytest.mark.parametrize("arguments", [DEMO, ["--list-models"]])
def test_a_working_folder_that_is_gone(machine: Machine, arguments: list[str]) -> None:
    done = subprocess.run(
        ["sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; "$@"', "sh", *COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=machine.project,
        env=machine.environment,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"working folder" in done.stderr and done.stderr.count(b"\n") <= 2


def test_names_and_texts_cannot_move_the_cursor(machine: Machine) -> None:
    hostile = "x\x1b[2J\x1b]0;t\x07\ny"
    for arguments in (
        ["--provider", "demo", "-p", f"@{hostile}"],
        ["--model", hostile, "-p", "hi"],
        ["--provider", "demo", "--session", hostile, "-p", "hi"],
        ["--session-id", hostile, "-p", "hi"],
        [f"--{hostile}"],
    ):
        result = machine.run(*arguments)
        assert result.code in (1, 2)
        assert "\x1b" not in result.stderr and "\x07" not in result.stderr, arguments
        assert result.stderr.count("\n") <= 2


def test_an_answer_of_an_angry_server_is_one_line(scripted: ScriptedFactory) -> None:
    body = "no\x1b[2J\nway\r\nhere"
    result = scripted([{"status": 400, "body": body}]).run("-p", "hi")
    assert result.code == 1
    assert result.stderr.count("\n") == 1 and "\x1b" not in result.stderr
    assert "way here" in result.stderr


def test_a_fault_of_ours_is_one_line_too(machine: Machine) -> None:
    code = (
        "import sys, pi.cli.launch as launch\n"
        "def broken(*_): raise KeyError('x')\n"
        "launch.run_prompts = broken\n"
        "from pi.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    for debug in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code, *DEMO],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**machine.environment, "PI_DEBUG": debug},
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "Error: unexpected fault: KeyError: 'x'" in done.stderr
        assert ("Traceback" in done.stderr) is bool(debug)
