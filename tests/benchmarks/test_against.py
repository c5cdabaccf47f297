"""The comparison of two tables of results."""

from pathlib import Path

import pytest

pytest.importorskip("benchmarks.table", reason="the benchmarks are in the tree, not in a wheel")

from benchmarks.against import changes, read_rows
from benchmarks.table import Row, render

MET = Row("start", "10 ms", "100 ms", 0.1, 0.12)
MISSED = Row("start", "20 ms", "100 ms", 0.2, 0.12)
NO_ANCHOR = Row("start", "20 ms", "not here", None, 0.12)
FREE = Row("other | row".replace(" | ", ", "), "1 ms", "1 ms", 1.0, None)


def test_what_a_table_says_is_read_back() -> None:
    assert read_rows(render([MET, FREE])) == {"start": (0.1, "yes"), "other, row": (1.0, "")}


def test_worse_rows_are_told() -> None:
    assert changes(render([MET]), render([MET])) == ([], False)
    assert changes(render([MET]), render([MISSED])) == (["start: misses its budget (0.2)"], True)
    assert changes(render([MISSED]), render([MISSED])) == ([], False)
    assert changes(render([MET]), render([NO_ANCHOR])) == ([], False)
    slower = Row("start", "13 ms", "100 ms", 0.13, 0.2)
    assert changes(render([MET]), render([slower])) == (["start: 0.1 → 0.13"], False)


def test_the_results_kept_here_can_be_read() -> None:
    kept = Path(__file__).parents[2] / "benchmarks" / "RESULTS.md"
    assert len(read_rows(kept.read_text())) > 10
