"""JSON as JavaScript writes it must come in, and what we write must be JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.wire.jsonio import JSONError, dump_line, dumps, loads

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json.loads(dumps(value)) == value


@given(VALUES)
def test_a_line_holds_no_other_newline(value: Any) -> None:
    line = dump_line(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_half_a_surrogate_pair_survives() -> None:
    assert loads(b'{"a":"\\ud83d"}') == {"a": "\ud83d"}
    assert loads(dumps({"a": "\ud83d"})) == {"a": "\ud83d"}
    assert dumps({"a": "\ud83d"}) == b'{"a":"\\ud83d"}'


def test_numbers_that_are_none() -> None:
    assert dumps([float("nan"), float("inf"), 2**70]) == b"[null,null,1180591620717411303424]"


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b'{"a":1}x', b'"\\ud83d', b'["\\ud83d",NaN]'])
def test_refuses(text: bytes) -> None:
    with pytest.raises(JSONError):
        loads(text)
