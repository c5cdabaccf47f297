import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.stderr import one_line, tell


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two\n  lines\r\n", "two lines"),
        ("a\u2028b\x85c", "a b c"),
        ("\x1b]0;title\x07\x1b[2J", "\\x1b]0;title\\x07\\x1b[2J"),
        ("abc\u202etxt.exe", "abc\\x202etxt.exe"),
        ("tab\tstays, ünïcode 😀 too", "tab\tstays, ünïcode 😀 too"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_nothing_moves_the_cursor(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not any(ord(char) < 32 and char != "\t" for char in line)
    assert one_line(line) == line


def test_no_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    tell("nobody hears it")
    with open("/dev/null") as unwritable:
        monkeypatch.setattr(sys, "stderr", unwritable)
        tell("nor this")


def test_names_that_are_not_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace")  # as Python's own
    monkeypatch.setattr(sys, "stderr", stream)
    tell("no such file: caf\udce9")
    assert raw.getvalue() == b"no such file: caf\\udce9\n"
