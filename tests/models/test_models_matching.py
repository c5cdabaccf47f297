"""Patterns against names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.models.matching import (
    Name,
    best_match,
    collation_key,
    fuzzy_match,
    split_thinking,
)
from pi.models.nearest import nearest


def names(*ids: str) -> list[Name]:
    return [Name("p", one, one.replace("-", " ").title(), "a") for one in ids]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("sonnet:high", ("sonnet", "high")),
        ("a/b:batch:off", ("a/b:batch", "off")),
        (":max", ("", "max")),
        ("sonnet", None),
        ("sonnet:", None),
        ("sonnet:HIGH", None),
        ("sonnet:batch", None),
    ],
)
def test_split_thinking(pattern: str, expected: object) -> None:
    assert split_thinking(pattern) == expected


def test_undated_names_first_then_the_last_in_order() -> None:
    known = names("opus-4-5-20251101", "opus-4-5", "opus-4-8", "sonnet-5", "Opus-4-10")
    assert best_match("opus", known).id == "opus-4-8"  # type: ignore[union-attr]
    assert best_match("2025", known).id == "opus-4-5-20251101"  # type: ignore[union-attr]
    assert best_match("OPUS 4 5", known).id == "opus-4-5"  # type: ignore[union-attr]
    assert best_match("zzz", known) is None


def test_of_equals_the_first() -> None:
    same = [Name("b", "x", "X", "a"), Name("a", "x", "X", "a")]
    assert best_match("x", same) is same[0]


def test_collation_is_punctuation_digits_letters() -> None:
    expected = [
        "_",
        "-",
        ".",
        "@cf/x",
        "~a",
        "4",
        "a",
        "A",
        "a-b",
        "a1",
        "ab",
        "B",
        "gpt-6",
        "gpt-d",
    ]
    backwards = expected[::-1]
    assert sorted(backwards, key=collation_key) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("opus", True),
        ("OPUS", True),
        ("5opus", True),
        ("opus5", True),
        ("45 opus", True),
        ("anthropic/opus", True),
        ("4.5", False),
        ("xyz", False),
        ("opus xyz", False),
        ("5-opus", False),
    ],
)
def test_fuzzy(query: str, expected: bool) -> None:
    assert fuzzy_match(query, "anthropic claude-opus-4-5") is expected


@given(text=st.text(alphabet="abc-45", min_size=1, max_size=10), data=st.data())
def test_any_subsequence_matches(text: str, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    query = "".join(char for char, keep in zip(text, kept, strict=True) if keep)
    assert fuzzy_match(query, text)


@given(query=st.text(max_size=8), text=st.text(max_size=12))
def test_fuzzy_finds_no_characters_that_are_not_there(query: str, text: str) -> None:
    if fuzzy_match(query, text):
        wanted = set(re.sub(r"[\s/]", "", query.lower()))
        assert wanted <= set(text.lower())


def test_nearest() -> None:
    known = ["anthropic/claude-opus-4-5", "anthropic/claude-sonnet-5", "openai/gpt-4o"]
    assert nearest("claude-opsu-4-5", known)[0] == "anthropic/claude-opus-4-5"
    assert nearest("gpt4o", known) == ["openai/gpt-4o"]
    assert nearest("zzzzzz", known) == []
