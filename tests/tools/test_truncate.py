import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.tools.truncate import MAX_BYTES, MAX_LINES, head, size_text, tail, utf8_size

KEYS = [
    "content",
    "truncated",
    "truncatedBy",
    "totalLines",
    "totalBytes",
    "outputLines",
    "outputBytes",
    "lastLinePartial",
    "firstLineExceedsLimit",
    "maxLines",
    "maxBytes",
]


def test_details_have_eleven_keys_in_order() -> None:
    assert list(head("a\n").details()) == KEYS


@pytest.mark.parametrize("cut", [head, tail])
def test_exactly_the_limit_is_whole(cut) -> None:
    text = "x\n" * MAX_LINES
    assert not cut(text).truncated
    assert cut(text).content == text
    over = cut(text + "y\n")
    assert (over.by, over.output_lines, over.total_lines) == ("lines", MAX_LINES, MAX_LINES + 1)


def test_bytes_come_first_and_lines_stay_whole() -> None:
    text = ("x" * 999 + "\n") * 100
    assert (head(text).by, head(text).output_lines, head(text).output_bytes) == ("bytes", 51, 50999)
    assert (tail(text).by, tail(text).output_lines, tail(text).output_bytes) == ("bytes", 51, 50999)


def test_a_first_line_that_is_too_long_leaves_nothing() -> None:
    kept = head("y" * 60000 + "\nzz\n")
    assert kept.content == ""
    assert kept.first_line_too_long
    assert (kept.total_lines, kept.total_bytes, kept.output_lines) == (2, 60004, 0)


def test_a_last_line_that_is_too_long_keeps_its_end() -> None:
    kept = tail("first\n" + "ab" * 40000)
    assert kept.last_line_partial
    assert (kept.output_bytes, kept.output_lines, kept.total_lines) == (MAX_BYTES, 1, 2)
    assert kept.content == ("ab" * 40000)[-MAX_BYTES:]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (1023, "1023B"), (1536, "1.5KB"), (51200, "50.0KB"), (3 << 20, "3.0MB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


TEXTS = st.text(st.sampled_from("ab\n\né😀\ud83d"), max_size=60)
LIMITS = {"max_lines": st.integers(1, 8), "max_bytes": st.integers(4, 40)}


@given(TEXTS, st.fixed_dictionaries(LIMITS))
def test_head_is_a_beginning_of_whole_lines(text: str, limits: dict[str, int]) -> None:
    kept = head(text, **limits)
    assert text.startswith(kept.content)
    assert utf8_size(kept.content) <= limits["max_bytes"]
    assert kept.output_bytes == utf8_size(kept.content)
    assert kept.output_lines <= limits["max_lines"]
    if kept.truncated and not kept.first_line_too_long:
        rest = text[len(kept.content) :]
        assert rest.startswith("\n")
        assert kept.output_lines == len(kept.content.split("\n"))


@given(TEXTS, st.fixed_dictionaries(LIMITS))
def test_tail_is_an_end_of_whole_characters(text: str, limits: dict[str, int]) -> None:
    kept = tail(text, **limits)
    whole = text if not kept.truncated else text.removesuffix("\n")
    assert whole.endswith(kept.content)
    assert utf8_size(kept.content) <= limits["max_bytes"]
    assert kept.output_lines <= limits["max_lines"]
    if kept.truncated and not kept.last_line_partial:
        before = whole[: len(whole) - len(kept.content)]
        assert before == "" or before.endswith("\n")


@given(TEXTS, st.fixed_dictionaries(LIMITS))
def test_nothing_is_cut_within_the_limits(text: str, limits: dict[str, int]) -> None:
    fits = (
        len(text.split("\n")) - (text.endswith("\n") or not text) <= limits["max_lines"]
        and utf8_size(text) <= limits["max_bytes"]
    )
    assert head(text, **limits).truncated is not fits
    assert tail(text, **limits).truncated is not fits
