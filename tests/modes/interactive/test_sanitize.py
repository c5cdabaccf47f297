"""Text of others cannot take over the terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.sanitize import clean, clean_line, clean_lines

HOSTILE = [
    "\x1b",
    "\x1b[",
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[8m",
    "\x1b[38;5;8m",
    "\x1b]0;title\x07",
    "\x1b]52;c;AAAA\x1b\\",
    "\x1b]8;;http://evil\x07",
    "\x1bP1$r\x1b\\",
    "\x1b_Ga=T;AAAA\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x9b2J",
    "\x9d0;t\x9c",
    "\x90",
    "\x07",
    "\x08",
    "\x08\x08",
    "\x7f",
    "\r",
    "\r\n",
    "\n",
    "\t",
    "\x0b",
    "\x0c",
    "\x00",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ud83d",
    "m",
    "[2J",
    "31m",
    "text",
    "漢",
]
hostile = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5)), max_size=20).map(
    "".join
)
SGR = re.compile(r"\x1b\[[0-9;:]+m")
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text\nand more", "plain text\nand more"),
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]never closed", "never closed"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("10%\r50%\r100%", "100%"),
        ("10%\r50%\r\n", "50%\n"),
        ("N\x08NA\x08AM\x08ME\x08E", "NAME"),
        ("a\tb", "a   b"),
        ("漢\tb", "漢  b"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("a\u202eb", "ab"),
        ("a\u2028b", "a\nb"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_colors_are_kept_where_asked_for_and_nothing_else() -> None:
    text = "\x1b[1;31mred\x1b[0m\x1b[2J\x1b[8mhidden\x1b[5m"
    assert clean(text, colors=True) == "\x1b[1;31mred\x1b[0mhidden"
    assert clean("\x9b32mgreen", colors=True) == "\x1b[32mgreen"
    assert clean("\x1b[38;2;1;2;3mx\x1b[39m", colors=True) == "\x1b[38;2;1;2;3mx\x1b[39m"
    # What is overwritten may have set the colour of what is left.
    assert clean("\x1b[31m10%\r100%\x1b[m", colors=True) == "\x1b[31m100%\x1b[0m"


def test_lines_close_their_colors_and_the_next_goes_on() -> None:
    assert clean_lines("\x1b[31mone\ntwo\x1b[0m\nthree", colors=True) == [
        "\x1b[31mone\x1b[0m",
        "\x1b[31mtwo\x1b[0m",
        "three",
    ]


def test_clean_line_has_no_newlines() -> None:
    assert clean_line("a\nb\x1b[2Jc") == "a bc"


@given(hostile)
def test_nothing_a_terminal_acts_on_is_left(text: str) -> None:
    assert UNSAFE.search(clean(text)) is None
    clean(text).encode()


@given(hostile)
def test_only_colors_are_left_where_colors_are_wanted(text: str) -> None:
    cleaned = clean(text, colors=True)
    assert UNSAFE.search(SGR.sub("", cleaned)) is None
    for line in clean_lines(text, colors=True):
        assert UNSAFE.search(SGR.sub("", line)) is None
        sequences = SGR.findall(line)
        assert not sequences or sequences[-1] == "\x1b[0m" or line.count("\x1b") == len(sequences)


@given(hostile)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "piece",
    ["\x1b]", "\x9d", "\x1b[1;", "x\x08", "\r", "\t", "\x1b[31m", "\x1b", "x" * 50 + "\x08"],
)
def test_a_megabyte_of_anything_costs_its_length(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(clean(text)) <= 4 * len(text)
    clean_lines(text, colors=True)
