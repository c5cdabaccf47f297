"""The rows of a tree: both implementations, one suite, a plain reading to compare with."""

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pi._speedups
from tests.speedups.session_bytes import LINES, Plain, line, measure, parse

IMPLEMENTATIONS = ["_rows", "rows"]


def implementation(name: str):
    return pytest.importorskip(f"pi._speedups.{name}")


@pytest.fixture(params=IMPLEMENTATIONS, ids=["pure", "compiled"])
def module(request):
    return implementation(request.param)


def tree(module, data: bytes, cuts=()):
    rows = module.TreeRows(parse)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    for start, end in itertools.pairwise(edges):
        rows.feed(data[start:end])
    rows.finish()
    return rows


@pytest.mark.parametrize("name", IMPLEMENTATIONS, ids=["pure", "compiled"])
@settings(max_examples=150, deadline=None)
@given(LINES, st.lists(st.integers(0, 3000), max_size=5), st.booleans())
def test_a_tree_is_what_a_plain_reading_gives(name, lines, cuts, closed):
    data = b"\n".join(lines) + (b"\n" if closed else b"")
    plain = Plain.reading(data)
    rows = tree(implementation(name), data, cuts)
    every = range(len(rows))
    assert [(rows.kind(row), rows.id(row)) for row in every] == [head[:2] for head in plain.heads]
    assert [rows.span(row) for row in every] == plain.spans
    assert [rows.parent(row) for row in every] == [plain.parent(row) for row in every]
    assert [rows.path(row) for row in every] == [plain.path(row) for row in every]
    for row, (_, entry_id, _) in enumerate(plain.heads):
        assert rows.row(entry_id) == max(r for r in every if plain.heads[r][1] == entry_id)
        assert rows.row_at(plain.spans[row][0]) == row
        assert rows.children(row) == [r for r in every if plain.parent(r) == row]
    assert rows.children(None) == [r for r in every if plain.parent(r) is None]
    assert rows.leaves() == [row for row in every if not rows.children(row)]
    for kind in {head[0] for head in plain.heads}:
        assert rows.of_kind(kind) == [row for row in every if plain.heads[row][0] == kind]
    for one, other in itertools.product(every, every):
        above = plain.path(one)
        meets = [row for row in plain.path(other) if row in above]
        assert rows.common_ancestor(one, other) == (meets[0] if meets else None)

    def read(start, end):
        return data[start:end]

    assert rows.totals(read, measure) == plain.totals(list(every))
    backwards = list(every)[::-2]
    assert rows.totals(read, measure, backwards) == plain.totals(backwards)


def test_a_line_of_many_blocks(module):
    data = line(id="a") + b"\n" + line(id="b", parent="a", x="y" * 3_000_000) + b"\n"
    rows = tree(module, data, range(0, len(data), 65536))
    assert [rows.id(row) for row in range(len(rows))] == ["a", "b"]
    assert rows.span(1) == (len(line()) + 1, len(data) - 1)
    assert rows.parent(1) == 0


def test_rows_are_added_and_fed_on(module):
    rows = tree(module, line(id="a") + b"\n")
    assert rows.add("custom", "b", "a", 100, 200) == 1
    assert rows.add("custom", "c", "none", 201, 300) == 2
    assert rows.children(0) == [1]
    rows.skip_to(301)
    rows.feed(line(id="d", parent="e") + b"\n" + line(id="e", parent="b"))
    rows.finish()
    assert rows.span(3)[0] == 301
    assert [rows.parent(row) for row in range(5)] == [None, 0, None, 4, 1]
    assert rows.children(1) == [4]
    assert rows.leaves() == [2, 3]
    assert rows.row_at(201) == 2
    assert rows.row_at(202) is None


def test_many_types_and_many_rows(module):
    count = 1000
    lines = [line(f"kind{n}", f"{n:08x}", f"{n - 1:08x}" if n else None) for n in range(count)]
    lines.append(line("k" * 50, "long", f"{count - 1:08x}"))
    lines.append(line("message", "m", "long", message={"usage": {"input": 2, "cost": 1}}))
    data = b"\n".join(lines)
    rows = tree(module, data)
    assert [rows.kind(row) for row in range(count)] == [f"kind{n}" for n in range(count)]
    assert rows.kind(count) == "k" * 50
    assert rows.of_kind("kind900") == [900]
    assert rows.of_kind("nothing") == []
    assert rows.path(count + 1) == list(range(count + 1, -1, -1))
    assert rows.totals(lambda start, end: data[start:end], measure)[0] == 2.0


@pytest.mark.parametrize("row", [-1, 1, 10**9])
def test_no_such_row(module, row):
    rows = tree(module, line())
    for ask in (rows.id, rows.span, rows.kind, rows.parent, rows.path, rows.children):
        with pytest.raises(IndexError, match=f"no row {row}"):
            ask(row)
    with pytest.raises(IndexError, match=f"no row {row}"):
        rows.common_ancestor(0, row)
    assert rows.row("nobody") is None


def test_what_the_parser_raises_comes_through(module):
    def refuse(line, offset):
        raise ValueError(f"at {offset}")

    rows = module.TreeRows(refuse, 10)
    with pytest.raises(ValueError, match="at 11"):
        rows.feed(b"\nodd\n")


@pytest.mark.parametrize("bad", ["text", None, 1])
def test_only_bytes(module, bad):
    with pytest.raises(TypeError):
        module.TreeRows(parse).feed(bad)


def test_the_selector_gives_what_was_asked_for():
    expected = "pi._speedups.rows" if pi._speedups.COMPILED else "pi._speedups._rows"
    assert pi._speedups.TreeRows.__module__ == expected
    if os.environ.get("PI_PURE"):
        assert not pi._speedups.COMPILED
