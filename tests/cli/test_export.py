"""`pi --export`: from the command line to a page."""

import subprocess
import sys
from pathlib import Path

import pytest

from pi.cli.options import parse
from tests.session.session_lines import assistant, header, user, write


def pi(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pi", *argv]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "in" / "talk.jsonl", header(), user("u1", None), assistant("a1", "u1"))
    return tmp_path


@pytest.mark.parametrize(
    ("argv", "page"),
    [
        (("in/talk.jsonl",), "pi-session-talk.html"),
        (("in/talk.jsonl", ""), "pi-session-talk.html"),
        (("in/talk.jsonl", "out.html"), "out.html"),
    ],
)
def test_a_page_and_the_line_that_names_it(folder: Path, argv: tuple[str, ...], page: str) -> None:
    done = pi(folder, "--export", *argv)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Exported to: {page}\n", "")
    assert (folder / page).read_bytes().startswith(b"<!DOCTYPE html>")


def test_what_is_left_over_is_said(folder: Path) -> None:
    done = pi(folder, "--export", "in/talk.jsonl", "one.html", "two.html")
    assert done.returncode == 0
    assert done.stderr == ("Warning: --export takes one file and one page; the rest is ignored\n")
    assert (folder / "one.html").exists() and not (folder / "two.html").exists()


def test_damage_is_said(folder: Path) -> None:
    with (folder / "in" / "talk.jsonl").open("ab") as file:
        file.write(b"torn")
    done = pi(folder, "--export", "in/talk.jsonl")
    assert done.returncode == 0
    assert done.stderr == "Warning: 1 line is damaged and not in the page\n"


@pytest.mark.parametrize(
    ("argv", "code", "reason"),
    [
        (("none.jsonl",), 1, "no such file"),
        (("in",), 1, "cannot read session in"),
        (("in/talk.jsonl", "in"), 1, "it is a folder"),
        (("in/talk.jsonl", "in/talk.jsonl"), 1, "the session itself"),
        (("",), 2, "needs a session file"),
        ((), 2, "--export needs a value"),
    ],
)
def test_one_clear_line(folder: Path, argv: tuple[str, ...], code: int, reason: str) -> None:
    before = (folder / "in" / "talk.jsonl").read_bytes()
    done = pi(folder, "--export", *argv)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and reason in done.stderr.splitlines()[0]
    assert (folder / "in" / "talk.jsonl").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["in"]


def test_a_terminal_is_not_asked_for_print_mode() -> None:
    options = parse(["--export", "a", "b"], stdin_is_tty=True, stdout_is_tty=True)
    assert (options.export, options.messages) == ("a", ("b",))
