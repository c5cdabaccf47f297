"""Ranking of paths: what is best, and the twins against each other."""

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(params=["_names", "names"], ids=["pure", "compiled"])
def names(request):
    return pytest.importorskip(f"pi._speedups.{request.param}")


def ranked(module, lines, query, most=100):
    chosen = module.Names(b"\n".join(lines)).best(query, most)
    return [lines[number] for number in chosen]


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        # Each list is in the order in which its lines shall come.
        (
            b"key",
            [
                *(b"a/b/c/key", b"a/b/c/key.py", b"a/b/c/d/e/f/_key.py"),
                *(b"keys.py", b"a/keyboard", b"a/b/_keys"),
                *(b"a_key", b"a/b/my-key.py"),
                *(b"monkey", b"a/b/turkey"),
                *(b"keys/x", b"a/monkeys/x"),
            ],
        ),
        (b"key", [b"a/keyx/y", b"kind_enough_yes", b"kxey", b"kxxeyx", b"a/kxxexy"]),
        (
            b"a/key",
            [
                *(b"a/key", b"a/keys.py"),
                b"b/a/key",
                b"ba/key",
                b"a/b/keys",
            ],
        ),
        (b"a/", [b"a/b/", b"a/x", b"a/.b/", b"a/.x", b"a/b/c", b"x/a/x", b"xa/x"]),
        (b"", [b"b/", b"a", b".c/", b".b", b"b/a/", b"b/x", b"b/a/x"]),
        (b".g", [b".g", b".git", b"a.g"]),
        (b"\xc3\xa9", [b"\xc3\xa9", b"\xc3\xa9t", b"a \xc3\xa9", b"x\xc3\xa9"]),
    ],
)
def test_order(names, query, lines):
    assert ranked(names, sorted(lines, reverse=True), query) == lines
    assert ranked(names, sorted(lines), query, 3) == lines[:3]


def test_equals_stay_in_their_order(names):
    lines = [b"x/b", b"x/a", b"y/b", b"x/c"]
    assert ranked(names, lines, b"x/") == [b"x/b", b"x/a", b"x/c"]
    assert ranked(names, lines, b"b") == [b"x/b", b"y/b"]
    assert ranked(names, [b"x/", *lines], b"x/") == [b"x/b", b"x/a", b"x/c"]


def test_scattered_letters_only_where_there_is_little_else(names):
    good = [b"key%d" % n for n in range(7)]
    assert ranked(names, [*good, b"kxey", b"kx/ey"], b"key") == [*good, b"kxey"]
    good.append(b"key7")
    assert ranked(names, [*good, b"kxey"], b"key") == good
    assert ranked(names, [b"kx/ey", b"no"], b"key") == [b"kx/ey"]


def test_no_names(names):
    for text in (b"", b"\n", b"/", b"//\n/"):
        made = names.Names(text)
        assert len(made) == (text.count(b"\n") + 1 if text else 0)
        assert made.best(b"x", 5) == []
        made.best(b"", 5)
    with pytest.raises(ValueError, match="at least one"):
        names.Names(b"a").best(b"a", 0)
    with pytest.raises(TypeError):
        names.Names("a")


def test_very_long_names(names):
    long = b"x" * 70_000
    lines = [b"a/" * 40_000 + b"x", long + b"y", b"k" + long + b"e"]
    assert ranked(names, lines, b"y") == [long + b"y"]
    assert ranked(names, lines, b"ke") == [b"k" + long + b"e"]
    assert ranked(names, lines, b"x")[0] == lines[0]


PARTS = st.sampled_from(
    [b"a", b"b", b"key", b"k", b"e", b"y", b".", b"_", b"-", b"/", b"\xc3\xa9", b"0", b" ", b"Z"]
)
PATHS = st.lists(PARTS, max_size=8).map(b"".join)


@given(st.lists(PATHS, max_size=30), PATHS, st.integers(1, 12))
def test_twins_agree(lines, query, most):
    compiled = pytest.importorskip("pi._speedups.names")
    pure = importlib.import_module("pi._speedups._names")
    text = b"\n".join(lines)
    assert compiled.Names(text).best(query, most) == pure.Names(text).best(query, most)
    assert len(compiled.Names(text)) == len(pure.Names(text))


@given(st.binary(max_size=200), st.binary(max_size=5))
def test_twins_agree_on_any_bytes(text, query):
    compiled = pytest.importorskip("pi._speedups.names")
    pure = importlib.import_module("pi._speedups._names")
    assert compiled.Names(text).best(query, 50) == pure.Names(text).best(query, 50)
