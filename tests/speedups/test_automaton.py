"""The automaton: against Python's `re` where both mean the same, and twin against twin."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi._speedups.pattern.program import compile_program
from pi._speedups.pattern.query import make_query
from pi._speedups.pattern.syntax import PatternError, parse
from tests.speedups.conftest import search_modules
from tests.speedups.strategies import garbage, lines, patterns


def automaton(modules, pattern: str, ignore_case: bool = False):
    return modules.automaton.Automaton(
        compile_program(parse(pattern, ignore_case=ignore_case), lines=True)
    )


@pytest.mark.parametrize("kind", ["pure", "compiled"])
@settings(max_examples=150, deadline=None)
@given(pattern=patterns(), texts=st.lists(lines(), min_size=3, max_size=6), fold=st.booleans())
def test_agrees_with_re(kind: str, pattern: str, texts: list[str], fold: bool) -> None:
    ours = automaton(search_modules(kind), pattern, fold)
    theirs = re.compile(pattern, re.IGNORECASE if fold else 0)
    for text in texts:
        assert ours.matches(text.encode()) == (theirs.search(text) is not None), text


@settings(max_examples=200, deadline=None)
@given(pattern=patterns(), data=garbage(), fold=st.booleans())
def test_twins_agree_on_any_bytes(pattern: str, data: bytes, fold: bool) -> None:
    pure, compiled = (automaton(search_modules(k), pattern, fold) for k in ("pure", "compiled"))
    assert pure.lines(data) == compiled.lines(data)


@settings(max_examples=500, deadline=None)
@given(pattern=st.text(st.sampled_from("ab\\[](){}|*+?^$.-&~,0159:pwbxuiPdLé<>=! #"), max_size=14))
def test_any_text_is_a_pattern_or_an_error(pattern: str) -> None:
    try:
        program = make_query(pattern).program
    except PatternError as refused:
        error = refused
    else:
        error = None
    if error is not None:
        assert 0 <= error.position <= len(pattern)
        return
    if program is None:  # a plain text
        return
    answers = {
        search_modules(kind).automaton.Automaton(program).matches(b"ab \xc3\xa9 1")
        for kind in ("pure", "compiled")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("^$", "", True),
        ("^$", "a", False),
        (r"\Aab\z", "ab", True),
        (r"(?-m)^a", "a", True),
        (r"\pL+", "é", True),
        (r"^\p{Greek}$", "λ", True),
        (r"\p{Greek}", "l", False),
        (r"\P{L}", "é", False),
        (r"[[:alpha:]&&[^b]]", "b", False),
        (r"[[:alpha:]&&[^b]]", "a", True),
        (r"[a-c--b]", "b", False),
        (r"[a-c~~b-d]", "d", True),
        (r"[a-c~~b-d]", "b", False),
        (r"(?i)straße", "STRAßE", True),
        (r"(?i)ſ", "S", True),
        (r"(?i:A)b", "aB", False),
        (r"(?-u)\w", "é", False),
        (r"(?x) a  b # and a comment", "ab", True),
        (r"(?P<name>a)(?<other>b)", "ab", True),
        (r"\bé", "aé", False),
        (r"\bé", " é", True),
        (r"\Bb", "éb", True),
        (r"\<a\>", "b a b", True),
        (r"\<a\>", "ab", False),
        (r"\b{start}a", "ba", False),
        (r"a{,2}$", "aaa", True),
        (r"^a{,2}$", "aaa", False),
        (r"\u{e9}\x{e9}\u00e9", "ééé", True),
        (r"\/\-\#", "/-#", True),
        (r"[]a]", "]", True),
        (r"[^]a]", "]", False),
        ("a}", "a}", True),
    ],
)
def test_syntax(modules, pattern: str, text: str, expected: bool) -> None:
    assert automaton(modules, pattern).matches(text.encode()) is expected


def test_bytes_that_are_no_text(modules) -> None:
    assert automaton(modules, r"(?-u)\xff").matches(b"a\xff")
    assert not automaton(modules, r"\xff").matches(b"a\xff")
    assert not automaton(modules, "^.$").matches(b"\xff")


def test_lines_never_match_across(modules) -> None:
    ours = automaton(modules, r"a\s*b|^c")
    assert ours.lines(b"a\nb\nxc\nc\na b") == [7, 9]
    assert automaton(modules, r"[^a]").lines(b"a\n\na\nb\n") == [5]
    assert automaton(modules, "x*").lines(b"a\n\nb") == [0, 2, 3]
    assert automaton(modules, "").lines(b"") == []


def test_time_is_linear(modules) -> None:
    """Patterns that take a backtracking matcher longer than anyone waits."""
    text = b"a" * 3000
    for pattern in (
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+$b",
        "(.*)(.*)(.*)(.*)x",
        "a?" * 40 + "a" * 40 + "b",
    ):
        assert not automaton(modules, pattern).matches(text)


def test_more_states_than_are_kept(modules) -> None:
    """The cache is emptied while the pattern runs, and the answer stays right."""
    import random

    ours = automaton(modules, r"[ab]*a[ab]{15}c")
    chance = random.Random(7)
    text = bytes(chance.choice(b"ab") for _ in range(12_500))
    assert not ours.matches(text)
    assert ours.matches(text + b"a" + b"b" * 15 + b"c")
    assert not ours.matches(text + b"b" + b"b" * 15 + b"c")
