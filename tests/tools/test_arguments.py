"""Coercion and validation of what models send."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.errors import ToolError
from pi.tools import registry
from pi.tools.arguments import coerce, malformed_arguments, number_text, unknown_tool, validate

READ = registry.load("read")
GREP = registry.load("grep")
EDIT = registry.load("edit")


@pytest.mark.parametrize(
    ("sent", "path"),
    [(5, "5"), (None, "null"), (True, "true"), (1.0, "1"), (1.5, "1.5"), (1e21, "1e+21")],
)
def test_scalars_become_strings(sent: Any, path: str) -> None:
    assert validate(READ, {"path": sent}) == {"path": path}


@pytest.mark.parametrize(
    ("sent", "offset"),
    [("2", 2), (" 2 ", 2), ("0x2", 2), ("1e0", 1), ("-1", -1), ("1.5", 1.5), ("", 0), (True, 1)],
)
def test_texts_become_numbers(sent: Any, offset: float) -> None:
    assert validate(READ, {"path": "a", "offset": sent})["offset"] == offset


@pytest.mark.parametrize("sent", ["x", "2abc", "Infinity", "NaN", "1e999", "1_0", [2], {}])
def test_what_is_no_number_is_refused(sent: Any) -> None:
    with pytest.raises(ToolError, match=r"offset: expected number, got (string|array|object)"):
        validate(READ, {"path": "a", "offset": sent})


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("true", True), ("TRUE", True), ("false", False), (1, True), (0, False), ("1", True)],
)
def test_booleans(sent: Any, expected: bool) -> None:
    assert validate(GREP, {"pattern": "x", "ignoreCase": sent})["ignoreCase"] is expected


@pytest.mark.parametrize("sent", ["yes", "", 2, []])
def test_what_is_no_boolean_is_refused(sent: Any) -> None:
    with pytest.raises(ToolError, match="ignoreCase: expected boolean"):
        validate(GREP, {"pattern": "x", "ignoreCase": sent})


def test_null_for_an_optional_is_as_if_absent() -> None:
    assert validate(READ, {"path": "a", "offset": None}) == {"path": "a"}


def test_unknown_arguments_pass() -> None:
    assert validate(READ, {"path": "a", "extra": 1}) == {"path": "a", "extra": 1}


def test_every_problem_is_told_with_what_was_received() -> None:
    with pytest.raises(ToolError) as caught:
        validate(READ, {"limit": "r", "offset": "q"})
    text = str(caught.value)
    assert text.index("path: missing") > 0
    assert text.index("offset: expected number, got string") < text.index("limit: expected number")
    assert '"limit": "r"' in text
    assert caught.value.details == {}


def test_places_inside_lists_are_named() -> None:
    with pytest.raises(ToolError, match=r"edits\.0\.newText: missing"):
        validate(EDIT, {"path": "a", "edits": [{"oldText": "x"}]})


@pytest.mark.parametrize("edits", [None, "nope", 5, "[1]", '{"oldText":"a"}', ["x"]])
def test_edits_that_are_none_are_refused(edits: Any) -> None:
    with pytest.raises(ToolError, match=r"edits\.0: expected object"):
        validate(
            EDIT,
            {"path": "a", "edits": edits} if edits is not None else {"path": "a", "edits": [None]},
        )


def test_null_edits_are_refused() -> None:
    with pytest.raises(ToolError, match=r"edits"):
        validate(EDIT, {"path": "a", "edits": None})


PAIR = {"oldText": "a", "newText": "b"}


@pytest.mark.parametrize(
    "sent",
    [
        {"edits": [PAIR]},
        {"edits": PAIR},
        {"edits": '{"oldText":"a","newText":"b"}'},
        {"edits": '[{"oldText":"a","newText":"b"}]'},
        {"oldText": "a", "newText": "b"},
        {"edits": [], "oldText": "a", "newText": "b"},
    ],
)
def test_every_way_to_send_an_edit(sent: dict[str, Any]) -> None:
    assert validate(EDIT, {"path": "f", **sent}) == {"path": "f", "edits": [PAIR]}


def test_an_older_pair_comes_after_the_list() -> None:
    valid = validate(EDIT, {"path": "f", "edits": [PAIR], "oldText": "c", "newText": "d"})
    assert valid["edits"] == [PAIR, {"oldText": "c", "newText": "d"}]


def test_half_an_older_pair_is_not_one() -> None:
    with pytest.raises(ToolError, match="edits: missing"):
        validate(EDIT, {"path": "f", "oldText": "c"})


def test_values_are_coerced_inside_edits() -> None:
    sent = {"path": "f", "edits": [{"oldText": 5, "newText": None}]}
    assert validate(EDIT, sent)["edits"] == [{"oldText": "5", "newText": "null"}]


def test_what_was_sent_is_not_changed() -> None:
    sent = {"path": 5, "edits": [{"oldText": 5, "newText": None}]}
    validate(EDIT, sent)
    assert sent == {"path": 5, "edits": [{"oldText": 5, "newText": None}]}


def test_lone_surrogates_and_huge_numbers_do_not_break_validation() -> None:
    assert validate(READ, {"path": "\ud83d", "offset": 10**30})["path"] == "\ud83d"


def test_unknown_and_malformed() -> None:
    assert "Read" in str(unknown_tool("Read"))
    assert unknown_tool("x").details == {}
    error = malformed_arguments("read", "Unterminated string\n\nReceived arguments:\n{")
    assert "read" in str(error)
    assert str(error).endswith("Received arguments:\n{")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e-7, "1e-7"),
        (1.5e-6, "0.0000015"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e20, "1" + "0" * 20),
        (123456789012345680000000.0, "1.2345678901234569e+23"),
        (5, "5"),
        (-0.0, "0"),
    ],
)
def test_numbers_as_javascript_prints_them(number: float, text: str) -> None:
    assert number_text(number) == text


SCHEMA = {
    "type": "object",
    "required": ["s"],
    "properties": {
        "s": {"type": "string"},
        "n": {"type": "number"},
        "i": {"type": "integer"},
        "b": {"type": "boolean"},
        "l": {"type": "array", "items": {"type": "string"}},
    },
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("snibl"), JSON))
def test_coercion_is_settled_after_one_pass(value: dict[str, Any]) -> None:
    once = coerce(value, SCHEMA)
    assert coerce(once, SCHEMA) == once


@given(
    st.fixed_dictionaries(
        {"s": st.text()},
        optional={
            "n": st.floats(allow_nan=False, allow_infinity=False),
            "i": st.integers(),
            "b": st.booleans(),
            "l": st.lists(st.text()),
        },
    )
)
def test_what_fits_is_left_alone(value: dict[str, Any]) -> None:
    assert coerce(value, SCHEMA) == value
