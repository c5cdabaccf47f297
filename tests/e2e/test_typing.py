"""The installed command in a pseudo-terminal: what one types, and every end it may come to."""

import os
import signal
import sys

import pyte
import pytest
from PIL import Image

from tests.e2e.conftest import COMMAND
from tests.modes.interactive.ptys import LIMIT, Pty

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")

ANSWERS = [(r"\x1b\[c", "\x1b[?62;22c")]
MODES = {
    "\x1b[?2004h": "\x1b[?2004l",
    "\x1b[?1004h": "\x1b[?1004l",
    "\x1b[>4;2m": "\x1b[>4;0m",
    "\x1b[?1049h": "\x1b[?1049l",
    "\x1b[?1006h": "\x1b[?1006l",
}
both_modes = pytest.mark.parametrize("mode", ["regular", "fullscreen"])


class Sitting(Pty):
    """A person before a screen of 100 columns and 30 rows."""

    def __init__(self, command, env, cwd):
        super().__init__(command, env, columns=100, rows=30, answers=ANSWERS, cwd=cwd)
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.Stream(self.screen)
        self._drawn = 0

    @property
    def display(self):
        self._stream.feed(self.output[self._drawn :])
        self._drawn = len(self.output)
        return "\n".join(row.rstrip() for row in self.screen.display)

    def see(self, text):
        """Wait until it is on the screen."""
        self.until(lambda: text in self.display, lambda: f"no {text!r} in\n{self.display}")


@pytest.fixture
def mode():
    return "regular"


@pytest.fixture
def sit(machine, mode):
    machine.environment |= {"TERM": "xterm-256color", "PATH": f"{machine.home}:/usr/bin:/bin"}
    for name in ("PYTHONWARNINGS", "DISPLAY", "WAYLAND_DISPLAY"):
        machine.environment.pop(name, None)
    sat = []

    def start(*arguments, command=None, **env):
        pi = [*COMMAND, "--provider", "demo", "--tui-mode", mode, *arguments]
        one = Sitting(command or pi, {**machine.environment, **env}, machine.project)
        sat.append(one)
        one.pi = pi
        if command is None:
            one.see("demo-1")
        return one

    yield start
    for one in sat:
        one.__exit__()


def script(machine, name, text):
    path = machine.home / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def assert_left(one):
    """Every mode was switched off, and the line is as it was."""
    for on, off in MODES.items():
        if on in one.output:
            assert one.output.rfind(off) > one.output.rfind(on), f"{on!r} was left on"
    assert one.output.rfind("\x1b[?25h") > one.output.rfind("\x1b[?25l")
    assert one.as_at_start


@both_modes
def test_the_persons_own_editor(sit, machine):
    one = sit(EDITOR=script(machine, "ed", 'echo was here; cat "$1" >seen; echo three >>"$1"'))
    one.send("one\x1b[13;2utwo\x07")
    one.see("three")
    assert (machine.project / "seen").read_text() == "one\ntwo\n"
    one.send("!")
    one.see("three!")
    assert one.raw
    one.send("\x03")
    one.until(lambda: "three!" not in one.display)
    one.send("\x04")
    assert one.wait() == 0
    assert_left(one)


def test_an_editor_that_is_missing_or_fails(sit, machine):
    one = sit(VISUAL="no-such-editor")
    one.send("text\x07")
    one.see("cannot start the editor no-such-editor")
    one.see("text")
    one = sit(VISUAL=script(machine, "fails", "exit 3"))
    one.send("text\x07")
    one.see("is as it was")


def test_an_image_of_the_clipboard_goes_with_the_message(sit, machine):
    Image.new("RGB", (8, 8), "red").save(machine.home / "red.png")
    types = '[ "$1" = --list-types ] && echo image/png'
    script(machine, "wl-paste", f'{types} || cat "{machine.home}/red.png"')
    one = sit(WAYLAND_DISPLAY="wayland-0", TMPDIR=str(machine.home))
    one.send("look at \x16")
    one.see("look at [image #1 pi-clipboard-")
    one.send("\r")
    one.see("What I can do here")
    one.send("\x04")
    assert one.wait() == 0
    content = next(m for m in machine.messages() if m["role"] == "user")["content"]
    assert [block["type"] for block in content] == ["text", "image"]
    assert content[0]["text"].startswith(f"look at {machine.home}/pi-clipboard-")


def test_without_a_clipboard_one_is_told(sit):
    one = sit()
    one.send("\x16")
    one.see("there is no clipboard here")


def test_a_long_paste_is_sent_whole(sit, machine):
    one = sit()
    text = "\n".join(f"line {n}" for n in range(300))
    one.send(f"\x1b[200~{text}\x1b[201~")
    one.see("[paste #1 +300 lines]")
    one.send(" and more\r")
    one.see("What I can do here")
    one.send("\x04")
    assert one.wait() == 0
    content = next(m for m in machine.messages() if m["role"] == "user")["content"]
    assert content[0]["text"] == f"{text} and more"


def test_completion(sit, machine):
    (machine.project / "some folder").mkdir()
    (machine.project / "some folder" / "needle.txt").write_text("found")
    one = sit()
    one.send("read @need")
    one.see("→ needle.txt  some folder/needle.txt")
    one.send("\t")
    one.see('read @"some folder/needle.txt"')
    one.send("\x03")
    one.send("/hotk")
    one.see("→ hotkeys")


@both_modes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(sit, number):
    one = sit()
    one.send("text")
    one.see("text")
    one.process.send_signal(number)
    one.wait()
    assert_left(one)
    assert one.as_at_start
    assert "Traceback" not in one.output


def test_a_terminal_that_goes_away_ends_it(sit):
    one = sit()
    os.close(one.slave)
    os.close(one.master)
    one.slave = one.master = None
    assert one.process.wait(LIMIT) >= 0


@both_modes
def test_stop_and_go_on(sit, machine):
    shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    one = sit(command=shell, PS1="$ ", HISTFILE="", INPUTRC="/dev/null")
    one.expect("$ ")
    one.send(" ".join(one.pi) + "\n")
    one.see("demo-1")
    one.send("half a sentence")
    one.see("half a sentence")
    one.send("\x1a")
    one.see("Stopped")
    assert_left(one)
    one.send("echo in $((40 + 2)) the shell\n")
    one.see("in 42 the shell")
    one.send("fg\n")
    one.until(lambda: one.raw)
    one.see("half a sentence")
    one.send(", and the rest")
    one.see("half a sentence, and the rest")
    os.kill(os.tcgetpgrp(one.master), signal.SIGSTOP)
    one.until(lambda: one.output.count("Stopped") == 2)
    one.send("fg\n")
    one.send("!")
    one.see("half a sentence, and the rest!")
