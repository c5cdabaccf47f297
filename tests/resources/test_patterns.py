"""Patterns for names: what they mean, and that none of them takes for ever."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob

from pi.resources.patterns import TooMuchError, compile_pattern, find_names, leads_out

FLAGS = glob.GLOBSTAR | glob.BRACE | glob.EXTGLOB | glob.CASE


@given(st.text("+*?!@()|ab/.[]{},\\^-0 ", max_size=11), st.lists(st.text("ab/.", max_size=6)))
def test_patterns_mean_what_wcmatch_says(pattern: str, names: list[str]) -> None:
    try:
        matcher = compile_pattern(pattern)
    except TooMuchError:
        return
    for name in names:
        assert matcher.match(name) is glob.globmatch(name, pattern, flags=FLAGS), name


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("+(a|b)", ["a", "b"]),
        ("x/+(a|b).md", ["x/a.md"]),
        ("**/@(a|b).md", ["x/a.md", "x/y/b.md"]),
        ("!(a|b)", ["x"]),
        ("{x,z}/*(y)/b.md", ["x/y/b.md"]),
        ("{a*,b*,x*,*c,*d,*e}", ["a", "b", "x"]),
        ("**/*/**/*/**/*.md", ["x/y/b.md"]),
        ("x/**", ["x", "x/a.md", "x/y", "x/y/b.md"]),
    ],
)
def test_files_that_are_meant(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("a", "b", ".a", "x/a.md", "x/y/b.md", "x/y/.b.md"):
        (tmp_path / name).touch()
    assert sorted({name.rstrip("/") for name in find_names(pattern, tmp_path)}) == found


@pytest.mark.parametrize(
    "pattern",
    [
        # too many ways
        *("+(a|a)b", "*(a|ab)b", "+(+(a))b", "+(*a*)b", "!(+(a|a)b)c", "{+,*}(a|a)b", "+(a|)b"),
        *("+(a", "?(a)" * 30 + "b", "@(a|aa)" * 30 + "b", "*a" * 15 + "b", "**/a/" * 15 + "b"),
        # too long, or for too many names
        *("?" * 5000, "+(" * 2000 + ")" * 2000, "{1..1000000}", "{a,b}" * 20, "!(a)/" * 200),
        "{a,b}" * 9 + "?" * 600,
    ],
)
def test_patterns_without_end_are_refused(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ("a" * 200)).touch()
    with pytest.raises(TooMuchError):
        compile_pattern(pattern)
    with pytest.raises(TooMuchError):
        find_names(pattern, tmp_path)


@pytest.mark.parametrize("pattern", ["+(a|b)+(a|b)c", "*a*a*a*b", "!(b)!(c)d", "**/a/**/a/**/b"])
def test_others_end(pattern: str) -> None:
    matcher = compile_pattern(pattern)
    assert not matcher.match("a" * 250)
    assert not matcher.match("a/" * 90)


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
