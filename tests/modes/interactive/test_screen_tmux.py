"""The screen in tmux, which reflows rows and keeps a scrollback as other terminals do."""

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")


class Pane:
    """A tmux of its own with the painter in it."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._socket = f"pi-test-{uuid.uuid4().hex[:12]}"
        self._commands, self._done = folder / "commands", folder / "done"
        self._commands.touch()
        self._count = 0
        painter = f"{sys.executable} -m tests.modes.interactive.painter"
        self.tmux(
            *("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows)),
            *("-c", str(ROOT), f"echo shell; exec {painter} {self._commands} {self._done}"),
        )
        self.wait("0 ")

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def wait(self, start: str) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._done.exists() and self._done.read_text().startswith(start):
                return
            time.sleep(0.02)
        raise AssertionError(f"{start!r} never came: {self.text()}")

    def say(self, *commands: str) -> None:
        for command in commands:
            with self._commands.open("a") as file:
                file.write(command + "\n")
            self._count += 1
            if command != "end 0":
                self.wait(f"{self._count} ")

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        self.wait(f"{self._count} {columns} {rows}")

    def end(self) -> list[str]:
        """Close the screen: all that is on the terminal then, scrollback and all."""
        self.say("end 0")
        until = time.monotonic() + 60
        while "the end" not in self.text() and time.monotonic() < until:
            time.sleep(0.02)
        return self.text()

    def text(self) -> list[str]:
        rows = self.tmux("capture-pane", "-p", "-J", "-S", "-").split("\n")
        return [row.rstrip() for row in rows if row.strip()]


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    opened = Pane(tmp_path, 80, 20)
    try:
        yield opened
    finally:
        opened.tmux("kill-server")


def numbers(rows: list[str]) -> list[int]:
    return [int(row.split()[1]) for row in rows if row.startswith("row ")]


def test_growing_and_shrinking_below(pane: Pane) -> None:
    pane.say("add 10", "add 30", "bottom 5", "add 3", "bottom 0", "add 1")
    text = pane.end()
    assert text == ["shell", *(f"row {n}" for n in range(44)), "closed", "the end"]


def test_every_size_shows_everything_once(pane: Pane) -> None:
    pane.say("add 10", "wide 10", "add 20", "bottom 5", "add 3", "bottom 0")
    pane.resize(50, 20)
    pane.say("wide 4", "add 5")
    pane.resize(80, 30)
    pane.say("add 12")
    pane.resize(80, 10)
    pane.say("add 3")
    pane.resize(100, 24)
    pane.say("add 3")
    text = pane.end()
    assert numbers(text) == list(range(70))
    assert text[-2:] == ["closed", "the end"]
    assert "> prompt" not in text


def test_long_rows_in_a_terminal_that_becomes_narrow(pane: Pane) -> None:
    pane.say("wide 40")
    pane.resize(60, 20)
    pane.say("add 1")
    pane.resize(30, 12)
    pane.say("add 30")
    seen = numbers(pane.end())
    assert sorted(set(seen)) == list(range(71))
    # A row of which only a part was scrolled away is drawn again, whole.
    assert len(seen) <= 71 + 2


def test_fullscreen_and_back(pane: Pane) -> None:
    pane.say("add 30", "mode fullscreen", "add 30")
    assert pane.tmux("display", "-p", "#{alternate_on} #{mouse_any_flag}") == "1 1\n"
    assert pane.text()[-20:] == [*(f"row {n}" for n in range(42, 60)), "> prompt", "footer"]
    pane.say("mode regular", "add 5")
    assert pane.tmux("display", "-p", "#{alternate_on} #{mouse_any_flag}") == "0 0\n"
    text = pane.end()
    assert text == ["shell", *(f"row {n}" for n in range(65)), "closed", "the end"]


def test_leaving_from_fullscreen_prints_the_transcript(pane: Pane) -> None:
    pane.say("mode fullscreen", "add 30")
    text = pane.end()
    assert text[-32:] == [*(f"row {n}" for n in range(30)), "closed", "the end"]
    assert (
        pane.tmux("display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}") == "0 0 1\n"
    )
