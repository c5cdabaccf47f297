"""Text for a terminal: width, cutting, tables, times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.cli.columns import ago, cells, clean, cut, size_of, table

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("one too long", 11, "one too lo…"),
        ("cut at a blank", 5, "cut…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
    ],
)
def test_cut(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


@given(st.text(max_size=40), st.integers(1, 30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert cells(cut(clean(text), width)) <= width


@given(st.text(max_size=40))
def test_what_is_clean_is_one_line_that_does_nothing(text: str) -> None:
    assert clean(text).isprintable()


def test_escapes_do_not_reach_a_terminal() -> None:
    assert clean("a\x1b[31mred\n\tb \u202e") == "a\ufffd[31mred b \ufffd"


def test_columns_line_up_whatever_the_script() -> None:
    text = table(
        [["ID", "N", "TITLE"], ["漢字", "1", "x" * 100], ["abc", "1000", "y"]], 40, right=[1]
    )
    lines = text.splitlines()
    assert lines[0] == "ID       N  TITLE"
    assert lines[1].startswith("漢字     1  xxx")
    assert lines[2] == "abc   1000  y"
    assert max(map(cells, lines)) == 40
    assert table([], 40) == ""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (0, "just now"),
        (59_000, "just now"),
        (60_000, "1 min ago"),
        (3_599_000, "59 min ago"),
        (3_600_000, "1 h ago"),
        (DAY - 1, "23 h ago"),
        (6 * DAY, "6 d ago"),
        (7 * DAY, "2026-11-16"),
        (-DAY, "2026-11-24"),
        (-(10**18), "?"),
    ],
)
def test_ago(before: int, expected: str) -> None:
    now = 1795435200  # 2026-11-23T12:00:00Z
    assert ago(now * 1000 - before, now) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (65_138, "65 kB"),
        (1.36e9, "1.4 GB"),
        (5e12, "5000 GB"),
    ],
)
def test_size(count: float, expected: str) -> None:
    assert size_of(int(count)) == expected
