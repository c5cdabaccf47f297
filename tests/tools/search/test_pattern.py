import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.errors import ToolError
from pi.tools.search.pattern import compile_pattern


def lines(pattern: str, data: bytes, *, literal: bool = False, ignore_case: bool = False):
    matcher = compile_pattern(pattern, literal=literal, ignore_case=ignore_case)
    found = []
    at = 0
    while (span := matcher.next_line(data, at)) is not None:
        found.append(data[slice(*span)])
        at = span[1] + 1
    return found


@pytest.mark.parametrize(
    ("pattern", "data", "expected"),
    [
        ("foo", "a\nfoo bar\nbaz foo", ["foo bar", "baz foo"]),
        ("^foo", "xfoo\nfoo", ["foo"]),
        ("foo$", "foo\r\nfoo\n", ["foo"]),
        ("foo\r", "foo\r\nfoo\n", ["foo\r"]),
        ("^$", "a\n\nb\n", [""]),
        ("", "a\n\nb\n", ["a", "", "b"]),
        ("$", "abc", ["abc"]),
        (r"\Afoo", "xfoo\nfoo\n", ["foo"]),
        (r"foo\z", "foo\nfoox\nfoo", ["foo", "foo"]),
        (r"a\s*b", "a\nb\na b\n", ["a b"]),
        ("[^x]b", "a\nb\nab\n", ["ab"]),
        (r"\d+", "a\n\u0663\n", ["\u0663"]),
        (r"^\w+$", "é_1\n-\n", ["é_1"]),
        (r"^[\w-]+$", "é-1\n \n", ["é-1"]),
        (r"^\W$", "é\n-\n", ["-"]),
        (r"a\sb", "a\u00a0b\nab\n", ["a\u00a0b"]),
        (r"^\S$", "é\n \n", ["é"]),
        (r"\p{Lu}", "a\nÉ\n", ["É"]),
        ("(?i)é", "É\n", ["É"]),
        (r"\x{66}oo|\u{66}u|\u0066y", "foo\nfu\nfy\n", ["foo", "fu", "fy"]),
        ("[[:upper:]]", "a\nB\n", ["B"]),
        (r"[]\]a]", "]\nb\n", ["]"]),
        (r"\bfoo\b", "foo\nfood\n", ["foo"]),
        (r"\/\-\"", '/-"\n', ['/-"']),
        ("(?P<n>fo)o", "foo\n", ["foo"]),
        (r"\Qa.b\E", "a.b\naxb\n", ["a.b"]),
    ],
)
def test_lines_that_match(pattern: str, data: str, expected: list[str]) -> None:
    assert lines(pattern, data.encode()) == [line.encode() for line in expected]


def test_literal_and_case() -> None:
    assert lines("a.b(", b"a.b(\naxb(\n", literal=True) == [b"a.b("]
    assert lines("A.B", b"a.b\naxb\n", literal=True, ignore_case=True) == [b"a.b"]
    assert lines("FOO", b"foo\nFoo\nx\n", ignore_case=True) == [b"foo", b"Foo"]
    assert lines("\\n", b"\\n\n", literal=True) == [b"\\n"]


def test_bytes_that_are_not_utf8() -> None:
    assert lines("caf.? foo", b"caf\xe9 foo\n") in ([b"caf\xe9 foo"], [])
    assert lines("foo", b"caf\xe9 foo\n") == [b"caf\xe9 foo"]


@pytest.mark.parametrize(
    "pattern", ["foo(", "[", "(?=x)", r"(a)\1", "*", "\\", r"\h", r"\Z", r"\uzz", "x{1001}"]
)
def test_what_is_no_expression_is_said_in_one_go(pattern: str) -> None:
    with pytest.raises(ToolError, match="regular expression") as caught:
        compile_pattern(pattern, literal=False, ignore_case=False)
    assert "re2" not in str(caught.value).lower().replace("re2 syntax", "")


@pytest.mark.parametrize("pattern", ["a\nb", r"a\nb"])
def test_a_newline_cannot_match(pattern: str) -> None:
    with pytest.raises(ToolError, match=r"newline|one by one"):
        compile_pattern(pattern, literal=False, ignore_case=False)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*b$", "(a?){60}a{60}"])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    began = time.monotonic()
    lines(pattern, b"a" * 30_000 + b"!\n")
    assert time.monotonic() - began < 20


PARTS = st.sampled_from(["a", "b", ".", "^", "$", "a*", "(a|b)", "[^a]", "b?", "x"])


@given(st.lists(PARTS, max_size=5).map("".join), st.text("abx\n", max_size=30))
def test_the_same_lines_as_one_by_one(pattern: str, text: str) -> None:
    if re.search(r"[*?][*?]|^[*?]", pattern):
        return
    each = text.split("\n")
    if not each[-1]:
        each.pop()
    expected = [line.encode() for line in each if re.search(pattern, line)]
    assert lines(pattern, text.encode()) == expected
