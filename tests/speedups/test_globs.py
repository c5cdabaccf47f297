"""Globs: what matches, what is an error, and that both automata agree on it."""

import pytest
from hypothesis import given, settings

from pi._speedups.pattern.globs import folder_glob, glob, has_capital
from pi._speedups.pattern.program import compile_program
from pi._speedups.pattern.syntax import PatternError
from tests.speedups.conftest import search_modules
from tests.speedups.strategies import globs, paths


def matches(modules, node, path: str | bytes) -> bool:
    path = path.encode() if isinstance(path, str) else path
    return modules.automaton.Automaton(compile_program(node, lines=False)).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.py", "a.py", True),
        ("*.py", "a/b.py", False),
        ("*", "", True),
        ("*", ".hidden", True),
        ("?.py", "é.py", True),
        ("?.py", b"\xff.py", True),
        ("?", "/", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "/a/b.py", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "axb", False),
        ("a**b", "a/b", False),
        ("a**b", "axxb", True),
        ("*.{ts,tsx}", "a.tsx", True),
        ("*.{ts,js{x,}}", "a.js", True),
        ("{a/b,c}/d", "a/b/d", True),
        ("{**/x,y}", "p/q/x", True),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[]]x", "]x", True),
        ("[[:digit:]]", "7", True),
        ("[é]", "é", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a,b", "a,b", True),
        ("a\nb", "a\nb", True),
        ("*", "a\nb", True),
    ],
)
def test_globs(modules, pattern: str, path: str | bytes, expected: bool) -> None:
    assert matches(modules, glob(pattern), path) is expected


@pytest.mark.parametrize(
    ("pattern", "position"),
    [("[a", 0), ("x{a", 1), ("a}", 1), ("a\\", 1), ("[b-a]", 0), ("{a,{b}", 0), ("{" * 200, 100)],
)
def test_errors_name_the_place(pattern: str, position: int) -> None:
    with pytest.raises(PatternError) as caught:
        glob(pattern)
    assert caught.value.position == position


def test_case(modules) -> None:
    assert matches(modules, glob("*.MD", ignore_case=True), "readme.md")
    assert matches(modules, glob("[É]", ignore_case=True), "é")
    assert not matches(modules, glob("*.MD"), "readme.md")
    assert has_capital("*.MD")
    assert not has_capital("*.md")


@pytest.mark.parametrize(
    ("pattern", "path", "expected", "folders_only"),
    [
        ("*.py", "a/b.py", True, False),
        ("/*.py", "a/b.py", False, False),
        ("a/*.py", "a/b.py", True, False),
        ("a/*.py", "x/a/b.py", False, False),
        ("build/", "x/build", True, True),
        ("a/**", "a/b/c", True, False),
        ("a/**", "a", False, False),
    ],
)
def test_globs_of_a_folder(modules, pattern, path, expected, folders_only) -> None:
    node, only = folder_glob(pattern)
    assert (matches(modules, node, path), only) == (expected, folders_only)


def test_braces_do_not_multiply(modules) -> None:
    assert not matches(modules, glob("{a,b}{a,b}*" * 12 + "c"), "ab" * 300)


@settings(max_examples=200, deadline=None)
@given(pattern=globs(), path=paths())
def test_twins_agree(pattern: str, path: str) -> None:
    node = glob(pattern)
    pure, compiled = (matches(search_modules(kind), node, path) for kind in ("pure", "compiled"))
    assert pure == compiled
