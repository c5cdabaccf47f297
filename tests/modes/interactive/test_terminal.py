"""The terminal at a pseudo-terminal: real processes, signals and modes."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from pi.modes.interactive.terminal import Colors, notification_of
from tests.modes.interactive.ptys import LIMIT, Pty

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")

CHILD = str(Path(__file__).with_name("terminal_child.py"))
ATTRIBUTES = (r"\x1b\[c", "\x1b[?62;22c")
KITTY = (r"\x1b\[\?u", "\x1b[?0u")
XTERM = [ATTRIBUTES]
ON_AND_OFF = {
    "\x1b[?2004h": "\x1b[?2004l",
    "\x1b[?1004h": "\x1b[?1004l",
    "\x1b[?1049h": "\x1b[?1049l",
    "\x1b[?1002h": "\x1b[?1002l",
    "\x1b[?25l": "\x1b[?25h",
    "\x1b[>5u": "\x1b[<u",
    "\x1b[>4;2m": "\x1b[>4;0m",
    "\x1b[22;0t": "\x1b[23;0t",
    "\x1b]9;4;3;0\x07": "\x1b]9;4;0;0\x07",
}


@pytest.fixture
def environment(tmp_path):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "LOST": str(tmp_path / "lost"),
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "PYTHONWARNINGS": "error",
        "PI_PURE": os.environ.get("PI_PURE", ""),
    }


@pytest.fixture
def child(environment):
    opened = []

    def start(*arguments, answers=XTERM, command=None):
        one = Pty(command or [sys.executable, CHILD, *arguments], environment, answers=answers)
        opened.append(one)
        return one.__enter__()

    yield start
    for one in opened:
        one.__exit__()


def assert_restored(one):
    """Every mode that was switched on was switched off after it, and the line is as it was."""
    for on, off in ON_AND_OFF.items():
        if on in one.output:
            assert one.output.rfind(off) > one.output.rfind(on), f"{on!r} was left on"
    assert one.output.rfind("\x1b[?25h") > one.output.rfind("\x1b[?25l")
    assert one.as_at_start


def test_keys_arrive_and_the_end_is_clean(child):
    one = child()
    one.expect("<ready>")
    assert one.raw
    one.send("é\x1b[A\x1b[200~two\rlines\x1b[201~\x1b[I")
    one.expect("<key é 'é'>")
    one.expect("<key up ''>")
    one.expect("<key paste 'two\\nlines'>")
    one.expect("<key focusIn ''>")
    one.send("\x1b")
    one.expect("<key escape ''>")
    one.send("q")
    one.expect("bye")
    assert one.wait() == 0
    assert_restored(one)


@pytest.mark.parametrize(
    ("answers", "on", "off"),
    [
        ([KITTY, ATTRIBUTES], "\x1b[>5u", "\x1b[<u"),
        (XTERM, "\x1b[>4;2m", "\x1b[>4;0m"),
        ([], None, None),
    ],
)
def test_the_best_keyboard_protocol_is_used(child, answers, on, off):
    one = child(answers=answers)
    one.expect("<ready>")
    if on is not None:
        one.expect(on)
        assert off not in one.output
    one.send("m")
    one.expect("<modes on>")
    one.send("q")
    assert one.wait() == 0
    assert ("\x1b[>5u" in one.output) == (on == "\x1b[>5u")
    assert ("\x1b[>4;2m" in one.output) == (on == "\x1b[>4;2m")
    assert_restored(one)
    if on == "\x1b[>5u":  # each screen has its own: left before the other is shown, then again
        assert re.search(r"\x1b\[<u\x1b\[\?1049h\x1b\[>5u", one.output)
        assert one.output.count("\x1b[<u") == one.output.count("\x1b[>5u")


def test_answers_that_come_late_are_not_typed(child):
    one = child(answers=[])
    one.expect("<ready>")
    one.send("\x1b[?62;2")
    time.sleep(0.2)
    one.send("2c\x1b]11;rgb:0000/0000/00")
    time.sleep(0.2)
    one.send("00\x1b\\x")
    one.expect("<reply 11;rgb:0000/0000/0000>")
    one.expect("<key x 'x'>")
    assert "<key 2" not in one.output and "<key 0" not in one.output


def test_at_the_end_it_waits_for_answers_under_way(child):
    """Else the shell would find them on its line."""
    one = child(answers=[])
    one.expect("<ready>")
    one.send("q")
    one.send("\x1b[?62;22c")
    assert one.wait() == 0
    os.set_blocking(one.slave, False)
    one.send("\n")
    assert os.read(one.slave, 100) == b"\n"


def test_colors(child):
    one = child(
        answers=[
            (r"\x1b\]10;\?\x07", "\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
            (r"\x1b\]11;\?\x07", "\x1b]11;rgb:1e/1e/2e\x07"),
            (r"\x1b\]4;", "\x1b]4;1;rgb:f/0/0\x07\x1b]4;2;#00ff00\x07\x1b]4;3;nonsense\x07"),
            ATTRIBUTES,
        ]
    )
    one.expect("<ready>")
    one.send("c")
    expected = Colors((255, 255, 255), (30, 30, 46), {1: (255, 0, 0), 2: (0, 255, 0)})
    one.expect(f"<colors {expected}>")
    one.send("c")
    one.expect(f"<colors {expected}>")


def test_no_colors_where_nothing_is_answered_but_attributes(child):
    one = child()
    one.expect("<ready>")
    one.send("c")
    one.expect(f"<colors {Colors()}>")


def test_resize(child):
    one = child()
    one.expect("<ready>")
    one.resize(100, 30)
    one.expect("<size (100, 30)>")
    one.resize(0, 0)
    one.expect("<size (80, 24)>")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_restore(child, number):
    one = child()
    one.expect("<ready>")
    one.send("m")
    one.expect("<modes on>")
    one.process.send_signal(number)
    one.wait()
    assert_restored(one)


def test_a_cancelled_task_restores(child):
    one = child()
    one.expect("<ready>")
    one.send("mx")
    assert one.wait() == 1
    assert_restored(one)
    assert one.output.rfind("CancelledError") > one.output.rfind("\x1b[?1049l")


def test_a_crash_restores(child):
    one = child("crash")
    one.expect("<ready>")
    assert one.wait() == 3
    assert_restored(one)


def test_a_hang_up_ends_in_order(child, environment):
    one = child()
    one.expect("<ready>")
    os.close(one.slave)
    os.close(one.master)
    one.slave = one.master = None
    one.process.wait(LIMIT)
    assert Path(environment["LOST"]).read_text() == "lost"


def test_hang_up_by_signal(child, environment):
    one = child()
    one.expect("<ready>")
    one.process.send_signal(signal.SIGHUP)
    one.wait()
    assert Path(environment["LOST"]).read_text() == "lost"
    assert_restored(one)


def test_another_program_has_it_for_a_while(child):
    one = child()
    one.expect("<ready>")
    one.send("m")
    one.expect("<modes on>")
    one.send("p")
    one.expect(" icanon")
    assert_restored(one)
    one.send("7\n")
    one.expect("<resumed>")
    one.expect("<program 7>")
    assert one.raw
    assert one.output.rfind("\x1b[?1049h") > one.output.rfind("\x1b[?1049l")
    one.send("yq")
    one.expect("<key y 'y'>")
    assert one.wait() == 0
    assert_restored(one)


def test_an_application_of_prompt_toolkit_has_it_for_a_while(child):
    one = child(answers=[ATTRIBUTES, (r"\x1b\[6n", "\x1b[1;1R")])
    one.expect("<ready>")
    one.send("a")
    one.expect("application")
    one.send("x")
    one.expect("<resumed>")
    one.expect("<application exited>")
    one.send("q")
    assert one.wait() == 0
    assert_restored(one)


@pytest.fixture
def shell(environment):
    """A shell with job control, where the program can be stopped."""
    environment |= {"PS1": "$ ", "HISTFILE": "", "INPUTRC": "/dev/null"}
    with Pty(
        ["bash", "--norc", "--noprofile", "--noediting", "-i"], environment, answers=XTERM
    ) as one:
        one.expect("$ ")
        one.send(f"{sys.executable} {CHILD}\n")
        one.expect("<ready>")
        yield one


@pytest.mark.parametrize("how", ["key", "signal"])
def test_suspend_and_resume(shell, how):
    shell.send("m")
    shell.expect("<modes on>")
    if how == "key":
        shell.send("\x1a")
    else:
        os.kill(os.tcgetpgrp(shell.master), signal.SIGTSTP)
    shell.expect("Stopped")
    shell.expect("$ ")
    assert_restored(shell)
    shell.send("echo in $((40 + 2)) the shell\n")
    shell.expect("in 42 the shell")
    shell.send("fg\n")
    shell.expect("\x1b[?1049h")
    shell.expect("<resumed>")
    shell.send("z")
    shell.expect("<key z 'z'>")
    assert shell.raw
    shell.send("q")
    shell.expect("bye")
    shell.expect("$ ")
    assert_restored(shell)


def test_stopped_without_warning(shell):
    """SIGSTOP cannot be caught; the shell takes the terminal, and gives it back anyhow."""
    os.kill(os.tcgetpgrp(shell.master), signal.SIGSTOP)
    shell.expect("Stopped")
    shell.send("stty sane; fg\n")
    shell.expect("<resumed>")
    shell.send("zq")
    shell.expect("<key z 'z'>")
    shell.expect("bye")


def test_what_the_shell_has_read_is_not_waited_for(child):
    one = child()
    one.expect("<ready>")
    one.send("r")
    one.expect("<read nothing>")
    one.send("q")
    assert one.wait() == 0


def test_how_to_notify():
    assert notification_of({}) == "bell"
    assert notification_of({"TERM": "xterm-kitty"}) == "osc99"
    assert notification_of({"TERM_PROGRAM": "iTerm.app"}) == "osc9"
    assert notification_of({"TERM_PROGRAM": "iTerm.app", "TMUX": "x"}) == "bell"
    assert notification_of({"TERM": "foot"}) == "osc777"
