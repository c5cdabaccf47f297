"""Edits of JSON texts: the change that was asked for, and not a character more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.config.json_edit import remove_value, set_value


@pytest.mark.parametrize(
    ("text", "path", "value", "expected"),
    [
        ("", ("a",), 1, '{\n  "a": 1\n}'),
        ("\ufeff", ("a",), 1, '\ufeff{\n  "a": 1\n}'),
        ("{}", ("a",), 1, '{\n  "a": 1\n}'),
        ("{ }\n", ("a", "b"), 1, '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ('{"a":1}', ("a",), "é", '{"a":"é"}'),
        ('{"a":1}', ("b",), 2, '{"a":1, "b":2}'),
        ('{ "a": 1 }', ("b",), 2, '{ "a": 1, "b": 2 }'),
        ('{"a":1,"c":3}', ("b",), 2, '{"a":1,"c":3,"b":2}'),
        ('{\n\t"a": 1\n}', ("b",), [1], '{\n\t"a": 1,\n\t"b": [\n\t\t1\n\t]\n}'),
        ('{\r\n    "a" : 1\r\n}\r\n', ("b",), 2, '{\r\n    "a" : 1,\r\n    "b" : 2\r\n}\r\n'),
        ('{\n  "a": ["x"]\n}', ("a",), ["x", "y"], '{\n  "a": ["x", "y"]\n}'),
        ('{\n  "a": [\n    "x"\n  ]\n}', ("a",), [], '{\n  "a": []\n}'),
        ('{\n  "a": []\n}', ("a",), ["x"], '{\n  "a": [\n    "x"\n  ]\n}'),
        ('{\n  "a": {"b": 1}\n}', ("a", "c"), 2, '{\n  "a": {"b": 1, "c": 2}\n}'),
        ('{\n  "a": {}\n}', ("a", "c"), 2, '{\n  "a": {\n    "c": 2\n  }\n}'),
        ('{\n  "a": 5\n}', ("a", "c"), 2, '{\n  "a": {\n    "c": 2\n  }\n}'),
        ('{"a": 1, "a": 2}', ("a",), 3, '{"a": 1, "a": 3}'),
        ('{"\\u0061": 1}', ("a",), 2, '{"\\u0061": 2}'),
        ('{"a": "}{,\\""}', ("b",), "\ud83d", '{"a": "}{,\\"", "b": "\\ud83d"}'),
    ],
)
def test_set(text: str, path: tuple[str, ...], value: Any, expected: str) -> None:
    assert set_value(text, path, value) == expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", ("a",), ""),
        ('{"a":1}', ("b",), '{"a":1}'),
        ('{"a":1}', ("a", "b"), '{"a":1}'),
        ('{"a":1}', ("a",), "{}"),
        ('{\n  "a": 1\n}\n', ("a",), "{}\n"),
        ('{\n  "a": 1,\n  "b": 2\n}', ("a",), '{\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', ("b",), '{\n  "a": 1\n}'),
        ('{"a": 1, "b": 2, "c": 3}', ("b",), '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "a": 3}', ("a",), '{ "b": 2}'),
        ('{"s": {"a": 1, "b": 2}}', ("s", "b"), '{"s": {"a": 1}}'),
    ],
)
def test_remove(text: str, path: tuple[str, ...], expected: str) -> None:
    assert remove_value(text, path) == expected


KEYS = st.sampled_from(["a", "b", "c", 'q"\\', "é{}", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LAYOUTS: list[dict[str, Any]] = [
    {"indent": 2},
    {"indent": "\t"},
    {"indent": 0},
    {"separators": (",", ":")},
    {"separators": (" , ", " :  ")},
]


@given(
    document=st.dictionaries(KEYS, VALUES, max_size=4),
    layout=st.sampled_from(LAYOUTS),
    path=st.lists(KEYS, min_size=1, max_size=3),
    value=VALUES,
    newline=st.sampled_from(["\n", "\r\n"]),
    ascii_only=st.booleans(),
)
def test_the_text_means_what_was_asked_for(
    document: dict[str, Any],
    layout: dict[str, Any],
    path: list[str],
    value: Any,
    newline: str,
    ascii_only: bool,
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, **layout).replace("\n", newline)
    changed = set_value(text, path, value)
    expected = json.loads(text)
    inner = expected
    for key in path[:-1]:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    inner[path[-1]] = value
    assert json.loads(changed) == expected
    assert list(json.loads(changed)) == list(expected)

    inner.pop(path[-1])
    assert json.loads(remove_value(changed, path)) == expected
    assert set_value(changed, path, value) == changed
