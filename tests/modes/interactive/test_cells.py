"""Width, cutting and wrapping, in cells."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive import cells

FAMILY = "👨‍👩‍👧"
RED, OFF = "\x1b[31m", "\x1b[39m"

words = st.text(st.sampled_from("abc漢字é—👍 "), max_size=60)
styled = st.lists(
    st.one_of(
        words,
        st.sampled_from(
            [RED, OFF, "\x1b[1m", "\x1b[22m", "\x1b[0m", "\x1b[38;5;8m", "\x1b[48;2;1;2;3m"]
        ),
        st.sampled_from(["\x1b]8;;http://x.y\x1b\\", "\x1b]8;;\x1b\\"]),
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("plain", 5),
        ("漢字", 4),
        (FAMILY, 2),
        ("❤️", 2),
        ("🇩🇪", 2),
        ("e\u0301a\u0308", 2),
        ("👍🏽", 2),
        (f"{RED}red{OFF}", 3),
        ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\", 4),
        ("\x1b]8;;http://a.b\x07link\x1b]8;;\x07", 4),
        ("\x1b_Gi=1;AAAA\x1b\\", 0),
    ],
)
def test_width(text: str, expected: int) -> None:
    assert cells.width(text) == expected


def test_cut_leaves_short_text_and_marks_long_text() -> None:
    assert cells.cut("short", 5) == "short"
    assert cells.cut("longer", 5) == "long…"
    assert cells.cut("漢字漢字", 5) == "漢字…"
    assert cells.cut("漢字漢字", 4, "") == "漢字"
    assert cells.cut("longer", 0) == ""


def test_cut_never_splits_a_cluster_or_leaves_a_style_open() -> None:
    assert cells.plain(cells.cut(FAMILY * 3, 5)) == FAMILY * 2 + "…"
    assert cells.cut(f"{RED}longer{OFF}", 4) == f"{RED}lon\x1b[0m…"
    linked = cells.cut("\x1b]8;;http://a.b\x1b\\a long link\x1b]8;;\x1b\\", 4)
    assert linked.endswith("\x1b]8;;\x1b\\…")


def test_pad() -> None:
    assert cells.pad("漢", 4) == "漢  "
    assert cells.pad("ab", 4) == "ab  "
    assert cells.pad("abcdef", 4) == "abcdef"


def test_wrap_between_words() -> None:
    assert cells.wrap("one two three four", 9) == ["one two", "three", "four"]
    assert cells.wrap("  indented text stays", 10) == ["  indented", "text stays"]
    assert cells.wrap("", 10) == [""]
    assert cells.wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert cells.wrap("see abcdefghijk x", 6) == ["see", "abcdef", "ghijk", "x"]


def test_wrap_of_writing_without_spaces() -> None:
    assert cells.wrap("漢字漢字、漢字", 8) == ["漢字漢", "字、漢字"]
    assert cells.wrap("ab漢字cd", 4) == ["ab漢", "字cd"]
    assert cells.wrap("see äbcdefghijk x", 6) == ["see", "äbcdef", "ghijk", "x"]


def test_wrap_carries_styles_and_links_over() -> None:
    assert cells.wrap(f"{RED}one two{OFF} three", 4) == [
        f"{RED}one\x1b[0m",
        f"{RED}two\x1b[0m",
        "thre",
        "e",
    ]
    opening = "\x1b]8;;http://a.b\x1b\\"
    assert cells.wrap(f"{opening}one two\x1b]8;;\x1b\\", 4) == [
        f"{opening}one\x1b]8;;\x1b\\",
        f"{opening}two\x1b]8;;\x1b\\",
    ]


@pytest.mark.parametrize("line", ["   a", "   ä", "   a\u0308", f"   {RED}a{OFF}"])
def test_indentation_of_what_fits_stays(line: str) -> None:
    assert cells.wrap(line, 4) == [line]


@given(words, st.integers(1, 30))
def test_wrapped_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    rows = cells.wrap(text, width)
    assert all(cells.width(row) <= max(width, 2) for row in rows)
    assert re.sub(" ", "", "".join(rows)) == re.sub(" ", "", text)


@given(st.text("ab ", max_size=60), st.integers(1, 20))
def test_the_quick_way_breaks_where_the_other_does(text: str, width: int) -> None:
    quick = cells.wrap(text, width)
    slow = cells.wrap(text.replace("a", "a\u0308"), width)
    drawn = [row.replace("\u0308", "").rstrip(" ") for row in slow]
    assert [row.rstrip(" ") for row in quick] == drawn


@given(styled, st.integers(2, 30))
def test_styled_rows_break_where_plain_ones_do(text: str, width: int) -> None:
    rows = cells.wrap(text, width)
    assert [cells.plain(row) for row in rows] == cells.wrap(cells.plain(text), width)
    if len(rows) > 1:
        for row in rows:
            pen = cells.Pen()
            for match in cells.ESCAPE.finditer(row):
                pen.take(match.group())
            assert not pen.on
            assert not pen.link


@given(styled, st.integers(0, 40))
def test_cut_fits(text: str, width: int) -> None:
    assert cells.width(cells.cut(text, width)) <= width


def test_a_long_line_costs_its_length() -> None:
    rows = cells.wrap("x" * 1_000_000, 80)
    assert len(rows) == 12_500
    rows = cells.wrap("\x1b[1m" + "漢字" * 50_000 + "\x1b[22m", 80)
    assert len(rows) == 2_500


def test_what_goes_the_quick_way_has_one_cell_each() -> None:
    for code in range(0x20, 0x3000):
        if cells._single().fullmatch(chr(code)):
            assert cells.width(chr(code)) == 1, hex(code)
            assert cells.width(f"a{chr(code)}a") == 3, hex(code)
