import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.modes.interactive.cells import width
from pi.modes.interactive.editor.layout import (
    Layout,
    clusters,
    next_cluster,
    previous_cluster,
)
from pi.modes.interactive.editor.markers import Markers

FAMILY = "👨\u200d👩\u200d👧"
MARKERS = Markers()
LONG = MARKERS.paste("x\n" * 20, "")
LETTERS = st.sampled_from(
    ["a", "b", " ", " ", "漢", "e\u0301", FAMILY, "🇩🇪", LONG, "\t", "\n", "-"]
)
TEXTS = st.lists(LETTERS, max_size=60).map("".join)


def rows(text, columns):
    layout = Layout(text, columns, MARKERS.label)
    return [layout.row(number)[1] for number in range(layout.rows)]


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("", 5, [""]),
        ("one", 5, ["one"]),
        ("12345", 5, ["12345"]),
        ("123456", 5, ["12345", "6"]),
        ("one two", 5, ["one ", "two"]),
        ("12345 two", 5, ["12345 ", "two"]),  # one space hangs over the end
        ("12345  two", 5, ["12345 ", " two"]),
        ("12345 ", 5, ["12345 ", ""]),
        ("a 1234567", 5, ["a ", "12345", "67"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("ab漢字", 5, ["ab漢", "字"]),
        ("a漢 b", 3, ["a漢 ", "b"]),
        (FAMILY * 3, 4, [FAMILY * 2, FAMILY]),
        ("\tx", 5, ["\tx"]),
        ("漢", 1, ["漢"]),
        (f"see {LONG} there", 22, ["see ", f"{LONG} ", "there"]),
    ],
)
def test_where_rows_break(text, columns, expected):
    assert rows(text, columns) == expected


def test_clusters():
    text = f"e\u0301{FAMILY}{LONG}\u0301x"
    assert list(clusters(text)) == ["e\u0301", FAMILY, LONG, "\u0301", "x"]
    assert next_cluster(text, 2) == FAMILY
    assert previous_cluster(text, 2 + len(FAMILY)) == FAMILY
    assert next_cluster("ab", 2) == previous_cluster("ab", 0) == ""


@given(TEXTS, st.integers(1, 30))
def test_every_index_has_a_place_and_every_place_an_index(text, columns):
    layout = Layout(text, columns, MARKERS.label)
    # Nothing is lost: the rows are the text, without its newlines.
    assert "".join(row for row in rows(text, columns)) == text.replace("\n", "")
    at = 0
    last = (-1, 0)
    for line in text.split("\n"):
        for cluster in [*clusters(line), ""]:
            place = layout.place(at)
            assert place > last
            row, cell = last = place
            start, characters = layout.row(row)
            assert start <= at <= start + len(characters)
            # The caret is always to be seen: the column behind the text is kept free for it.
            assert cell <= columns or columns < 5
            assert layout.index(row, cell) == at
            at += len(cluster)
        at += 1
    assert layout.rows == layout.place(len(text))[0] + 1


@given(TEXTS, st.integers(4, 30))
def test_rows_fit(text, columns):
    layout = Layout(text, columns, MARKERS.label)
    for number in range(layout.rows):
        shown = "".join(layout.shown(cluster) for cluster in clusters(layout.row(number)[1]))
        # One hanging space is the exception, in the column that is kept free.
        assert width(shown.removesuffix(" ")) <= columns
        assert width(shown) <= columns + 1


@given(TEXTS, st.integers(4, 30), st.integers(0, 50), st.integers(0, 40))
def test_the_index_nearest_to_a_cell(text, columns, row, cell):
    layout = Layout(text, columns, MARKERS.label)
    row %= layout.rows
    index = layout.index(row, cell)
    found_row, found_cell = layout.place(index)
    assert found_row == row
    assert found_cell <= cell
