"""Patterns for names: what they mean, and that none of them takes for ever."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcmatch import glob

from pi.resources.patterns import (
    TooMuchError,
    _expression,
    _Stepwise,
    compile_pattern,
    find_names,
    leads_out,
)

FLAGS = glob.GLOBSTAR | glob.BRACE | glob.EXTGLOB | glob.CASE
PARTS = ["+(", "*(", "?(", "!(", "@(", ")", "|", "a", "b", ".", "/", "*", "?", "**", "[ab]", "[!a]"]


def few_negations(pattern: str) -> bool:
    return pattern.count("!(") <= 5


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(PARTS), max_size=9).map("".join).filter(few_negations),
    st.lists(st.text("ab./\n", max_size=7), min_size=1, max_size=5),
)
def test_step_by_step_is_what_the_expression_means(pattern: str, names: list[str]) -> None:
    text = _expression(pattern)
    stepwise, expression = _Stepwise(text), re.compile(text)
    for name in names:
        assert stepwise(name) is bool(expression.fullmatch(name)), (text, name)


@given(st.text("+*?!@()|ab/.[]{},\\^-0 ", max_size=11), st.lists(st.text("ab/.", max_size=6)))
def test_patterns_mean_what_wcmatch_says(pattern: str, names: list[str]) -> None:
    matches = compile_pattern(pattern)
    for name in names:
        assert bool(matches(name)) is glob.globmatch(name, pattern, flags=FLAGS), name


@pytest.mark.parametrize(
    "pattern",
    [
        "+(a|a)b",
        "*(a|aa|*)b",
        "+(+(+(a)))b",
        "+(*a*)b",
        "!(+(a|a)b)c",
        "+(a|?)+(a|?)+(a|?)b",
        "{+,*}(a|a)b",
    ],
)
def test_groups_do_not_keep_it_busy(tmp_path: Path, pattern: str) -> None:
    name = "a" * 200
    (tmp_path / name).touch()
    (tmp_path / f"{name}b").touch()
    (tmp_path / f"{name}c").touch()
    found = [f"{name}c"] if pattern.endswith("c") else [f"{name}b"]
    assert list(find_names(pattern, tmp_path)) == found
    assert not compile_pattern(pattern)(name)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("+(a|b)", ["a", "b"]),
        ("x/+(a|b).md", ["x/a.md"]),
        ("**/@(a|b).md", ["x/a.md", "x/y/b.md"]),
        ("!(a|b)", ["x"]),
        ("x/!(y)/", []),
        ("{x,z}/*(y)/b.md", ["x/y/b.md"]),
        ("./x/?(a).md", ["./x/a.md"]),
        ("[+(]?(x)", []),
        ("*", ["a", "b", "x"]),
        ("**/**/*/**/*.md", ["x/a.md", "x/y/b.md"]),
        ("**/*/**/*/**/*.md", ["x/y/b.md"]),
        ("x/**/*b*.*m*d*", ["x/y/b.md"]),
        ("x/**", ["x", "x/a.md", "x/y", "x/y/b.md"]),
        ("*/**/+(y)/**", ["x/y", "x/y/b.md"]),
        ("*+(*)*", ["a", "b", "x"]),
        ("x/*+(d)", ["x/a.md"]),
    ],
)
def test_files_that_are_meant(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("a", "b", ".a", "x/a.md", "x/y/b.md", "x/y/.b.md"):
        (tmp_path / name).touch()
    names = sorted({name.rstrip("/") for name in find_names(pattern, tmp_path)})
    assert names == found
    theirs = glob.glob(pattern, flags=FLAGS, root_dir=tmp_path)
    assert sorted({name.rstrip("/") for name in theirs}) == found


@pytest.mark.parametrize(
    "pattern",
    [
        "?" * 5000,
        "+(" * 2000 + ")" * 2000,
        "{1..1000000}",
        "{a,b}" * 20,
        "{a,b}" * 9 + "?" * 600,
        "!(*a)" * 200,
    ],
)
def test_patterns_without_end_are_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(TooMuchError):
        compile_pattern(pattern)
    (tmp_path / "a").touch()
    if "{a,b}??" not in pattern:
        with pytest.raises(TooMuchError):
            find_names(pattern, tmp_path)


def test_stars_do_not_keep_it_busy(tmp_path: Path) -> None:
    deep = "a/" * 90
    (tmp_path / deep).mkdir(parents=True)
    assert not find_names("**/a/" * 15 + "b", tmp_path)
    assert not compile_pattern("**/a/" * 15 + "b")(deep)
    assert not compile_pattern("*a" * 15 + "b")("a" * 250)


@pytest.mark.parametrize(
    ("pattern", "out"),
    [
        ("skills/**", False),
        ("*.md", False),
        ("../dep/*", False),
        ("/top/pkg/x*", False),
        ("x..y/*", False),
        ("../../*", True),
        ("/**/SKILL.md", True),
        ("/topless/*", True),
        ("skills/*/../../../../**", True),
        ("{skills,/}**", True),
        ("a/{x,..}/../../{b,..}/*", True),
        ("[.]./\\.\\./*", True),
    ],
)
def test_what_leads_out(pattern: str, out: bool) -> None:
    assert leads_out(pattern, Path("/top/pkg"), Path("/top")) is out
