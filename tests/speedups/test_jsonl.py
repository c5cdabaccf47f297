"""Heads of session lines: both implementations, one suite, json.loads to compare with."""

import pytest
from hypothesis import given, settings

from tests.speedups.session_bytes import entries, line, parse

IMPLEMENTATIONS = ["_jsonl", "jsonl"]


def implementation(name: str):
    return pytest.importorskip(f"pi._speedups.{name}")


@pytest.fixture(params=IMPLEMENTATIONS, ids=["pure", "compiled"])
def jsonl(request):
    return implementation(request.param)


@pytest.mark.parametrize("name", IMPLEMENTATIONS, ids=["pure", "compiled"])
@settings(max_examples=300, deadline=None)
@given(entries())
def test_a_head_is_certain_or_left_to_a_parser(name, line):
    found = implementation(name).usual_head(line)
    assert found is None or found == parse(line, 0)


CASES = {
    "usual": (line(), ("message", "a", None)),
    "parent": (line("x", "b", "a"), ("x", "b", "a")),
    "spaced": (b'{"type": "x", "id": "b", "parentId": "a", "z": 1}', ("x", "b", "a")),
    "indented": (b' \t{"type":"x","id":"b","parentId":null,"z":1} \r', ("x", "b", None)),
    "header": (b'{"type":"session","id":"b","parentId":null,"z":1}', ("session", "b", None)),
    "an id inside": (line(message={"id": "z", "type": "y"}), ("message", "a", None)),
    "text that looks like keys": (line(x='","parentId":"z'), ("message", "a", None)),
    "damaged inside": (line(x=1).replace(b'"x":1', b'"x"#1'), ("message", "a", None)),
    "other order": (b'{"id":"b","type":"x","parentId":null,"z":1}', None),
    "escaped": (b'{"type":"x","id":"\\u0062","parentId":null,"z":1}', None),
    "not ASCII": (line(id="é").decode("unicode_escape").encode(), None),
    "a parent inside": (line(x={"parentId": "z"}), None),
    "text that ends like a key": (line(x='"parentId'), None),
    "cut": (line()[:-1], None),
    "empty id": (line(id=""), None),
    "number": (b'{"type":"x","id":7,"parentId":null,"z":1}', None),
    "nothing more": (b'{"type":"x","id":"b","parentId":null}', None),
    "fused": (line()[:-9] + line(id="b"), None),
    "far brace": (line() + b" " * 16, None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("case", CASES)
def test_heads(jsonl, case):
    text, expected = CASES[case]
    assert jsonl.usual_head(text) == expected


def test_lines_of_others_are_passed(jsonl):
    block = b"tail of a line\n" + b"".join(line(id=name) + b"\n" for name in "abc") + b"\n"
    end = len(block)
    assert jsonl.skip_others(block, end, b"c") == end - 2
    a = block.index(line(id="a"))
    assert jsonl.skip_others(block, end, b"a") == a + len(line(id="a"))
    assert jsonl.skip_others(block, end, b"z") == a - 1
    assert jsonl.skip_others(b"no end", 6, b"z") == 6
    odd = b"\n" + b'{"id":"q"}' + b"\n" + line(id="a")
    assert jsonl.skip_others(odd, len(odd), b"z") == 11
    assert jsonl.skip_others(b"", 0, b"z") == 0


@pytest.mark.parametrize("bad", ["text", None, 1])
def test_only_bytes(jsonl, bad):
    with pytest.raises(TypeError):
        jsonl.usual_head(bad)
