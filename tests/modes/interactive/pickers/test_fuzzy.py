import pytest

from pi.modes.interactive.pickers.fuzzy import fuzzy_filter, fuzzy_score

MODELS = ["claude-sonnet-4-5", "claude-opus-4-5", "gpt-5", "o3-mini", "Sonnet", "big sonnet"]


def found(query: str) -> list[str]:
    return fuzzy_filter(MODELS, query, str)


def test_no_query_keeps_everything() -> None:
    assert found("") == found("  ") == MODELS


def test_the_whole_text_comes_first_then_beginnings_of_words() -> None:
    assert found("sonnet") == ["Sonnet", "big sonnet", "claude-sonnet-4-5"]


def test_words_in_any_order_each_must_match() -> None:
    assert found("4 opus") == ["claude-opus-4-5"]
    assert found("anthropic opus") == []


def test_letters_and_digits_may_be_swapped() -> None:
    assert found("5gpt") == ["gpt-5"]
    assert found("5gpt4") == []


def test_letters_with_gaps() -> None:
    assert found("cop45") == ["claude-opus-4-5"]


@pytest.mark.parametrize(("query", "better", "worse"), [("mini", "o3-mini", "m-i-n-i"),
                                                        ("ab", "ab-x", "x-ab"),
                                                        ("ab", "xab", "xaxb")])  # fmt: skip
def test_runs_and_places(query: str, better: str, worse: str) -> None:
    first, second = fuzzy_score([query], better), fuzzy_score([query], worse)
    assert first is not None and second is not None and first > second
