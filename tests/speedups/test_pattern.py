"""Reading patterns: errors and where they are, and the literal every match must contain."""

import pytest

from pi._speedups.pattern.query import make_query
from pi._speedups.pattern.syntax import PatternError, parse


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("(", 0),
        ("a(b", 1),
        ("ab)", 2),
        ("[a", 0),
        ("x[^", 1),
        ("a{", 1),
        ("a{1", 1),
        ("a{b}", 1),
        ("a{3,2}", 1),
        ("*a", 0),
        ("a|*", 2),
        ("(?=x)", 0),
        ("a(?!x)", 1),
        ("(?<=x)", 0),
        ("(a)\\1", 3),
        ("(?P<n>a)(?P=n)", 8),
        ("\\", 0),
        ("a\\q", 1),
        ("[b-a]", 1),
        ("\\p{Nonsense}", 0),
        ("\\x{110000}", 0),
        ("\\x{d800}", 0),
        ("\\xz", 0),
        ("(?z)", 2),
        ("(?P<n>a)(?P<n>b)", 12),
        ("a\nb", 1),
        ("a\\nb", 1),
        ("[\\n]", 3),
        ("(" * 500, 101),
        ("a" + "*" * 500, 101),
    ],
)
def test_errors_name_the_place(pattern: str, position: int) -> None:
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    assert caught.value.position == position
    assert caught.value.reason


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a{1000}){1000}", "states"),
        ("(((a{100}){100}){100}){100}", "states"),
        ("a" + "{2}" * 60, "states"),
        ("(" * 90 + "a" + ("{0,2}" * 90 + ")") * 90, "deeply"),
    ],
)
def test_patterns_have_a_limit(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        make_query(pattern)


@pytest.mark.parametrize(
    ("pattern", "ignore_case", "needle", "alone"),
    [
        ("hello", False, b"hello", True),
        ("hello", True, b"hello", True),
        ("skim", True, b"im", False),  # both k and s have a third form
        (r"\w+foo\d", False, b"foo", False),
        ("a+bc+", False, b"abc", False),
        ("x*", False, b"", False),
        ("(foo|bar)baz", False, b"baz", False),
        ("(?:ab)+cd?", False, b"ab", False),
        ("a{3}b", False, b"aaab", False),
        ("é.", False, "é".encode(), False),
        ("", False, b"", False),
    ],
)
def test_required_literals(pattern: str, ignore_case: bool, needle: bytes, alone: bool) -> None:
    query = make_query(pattern, ignore_case=ignore_case)
    assert (query.needle, query.program is None) == (needle, alone)
    assert len(query.fold) == len(query.needle)


@pytest.mark.parametrize(
    ("pattern", "choices"),
    [
        ("zqx|qqzz|Handle42", [b"zqx", b"qqz", b"e42"]),
        (r"\b(foo|ba)\d", [b"fo", b"ba"]),
        ("(?i)foo|x(ab|cd)", [b"fo", b"ab", b"cd"]),
        ("foo|b", []),
        ("foo|.*", []),
        ("(foo|bar)*", []),
        ("(foo|bar)quux", []),
    ],
)
def test_alternatives(pattern: str, choices: list[bytes]) -> None:
    assert [text for text, _ in make_query(pattern).choices] == choices


def test_a_literal_text_stands_for_itself() -> None:
    assert make_query("a.b(*", literal=True).needle == b"a.b(*"
    with pytest.raises(PatternError):
        make_query("a\nb", literal=True)
