"""Bytes to lines to entries: nothing that can stand in a file raises or is misread."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.errors import SessionError
from pi.session.reader import (
    decode,
    head_of,
    is_garbage,
    lines_backward,
    lines_forward,
    read_header,
    skim,
)
from pi.session.source import MemorySource
from tests.session.session_lines import dump, file_bytes, header, user

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"\r")))
IDS = st.text(min_size=1, max_size=12)


def expected(data: bytes, end: int) -> list[tuple[int, bytes]]:
    found, at = [], 0
    for line in data[:end].split(b"\n"):
        if line:
            found.append((at, line))
        at += len(line) + 1
    return found


@given(LINES, st.integers(1, 30), st.booleans())
def test_lines_are_the_same_in_blocks_of_any_size(
    lines: list[bytes], block: int, closed: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if closed else b"")
    source = MemorySource(data)
    assert list(lines_forward(source, 0, len(data), block)) == expected(data, len(data))
    assert list(lines_backward(source, len(data), block))[::-1] == expected(data, len(data))


@given(st.binary(max_size=200))
def test_nothing_makes_the_reader_raise(data: bytes) -> None:
    for _, line in lines_forward(MemorySource(data), 0, len(data)):
        skim(line)
        decode(line)
        is_garbage(line)


@given(
    kind=IDS.filter(lambda kind: kind != "session"),
    entry_id=IDS,
    parent=st.none() | IDS,
    rest=st.dictionaries(
        st.sampled_from(["message", "parent", "data", "x"]),
        st.recursive(
            st.text(max_size=5),
            lambda inner: st.dictionaries(st.sampled_from(["id", "parentId"]), inner),
        ),
    ),
    order=st.permutations(["type", "id", "parentId", "timestamp"]),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    ascii_only=st.booleans(),
    around=st.sampled_from([(b"", b""), (b" ", b"\r"), (b"\t", b"  ")]),
)
def test_skimming_agrees_with_decoding(
    kind: str,
    entry_id: str,
    parent: str | None,
    rest: dict[str, Any],
    order: list[str],
    separators: tuple[str, str],
    ascii_only: bool,
    around: tuple[bytes, bytes],
) -> None:
    fields = {"type": kind, "id": entry_id, "parentId": parent, "timestamp": "t"}
    entry = {**{key: fields[key] for key in order}, **rest}
    text = json.dumps(entry, separators=separators, ensure_ascii=ascii_only)
    line = around[0] + text.encode() + around[1]
    read = decode(line)
    assert read == entry
    assert skim(line) == head_of(entry)


def test_a_line_cut_at_any_byte_is_no_entry() -> None:
    line = dump(user("a", "b"))
    assert skim(line) is not None
    for cut in range(1, len(line)):
        assert decode(line[:cut]) is None, line[:cut]
        # Cut behind an inner brace it looks whole from both ends.
        assert skim(line[:cut]) is None or line[:cut].endswith(b"}")
        assert is_garbage(line[:cut])


def test_a_torn_line_fused_with_the_next_is_no_entry() -> None:
    fused = dump(user("a", None))[:-20] + dump(user("b", "a"))
    assert skim(fused) is None
    assert is_garbage(fused)


@pytest.mark.parametrize(
    "line",
    [
        b"42",
        b'"x"',
        b"null",
        b"[]",
        b"{}",
        b'{"type":"x"}',
        b'{"id":7}',
        b'{"id":""}',
        b"\0\0\0",
        b"{",
    ],
)
def test_what_is_no_entry(line: bytes) -> None:
    assert skim(line) is None
    assert decode(line) is None
    assert is_garbage(line)


@pytest.mark.parametrize("line", [b"", b"   ", b"\r", b"\t \r", dump(header())])
def test_neither_entry_nor_damage(line: bytes) -> None:
    assert skim(line) is None
    assert not is_garbage(line)


def test_text_javascript_may_write() -> None:
    half = decode(b'{"id":"a","x":"\\ud83d","n":123456789012345678901234567890}')
    assert half is not None
    assert half["x"] == "\ud83d"
    assert half["n"] == pytest.approx(123456789012345678901234567890)
    separator = decode('{"id":"a","x":"one\u2028two\u0085three"}'.encode())
    assert separator == {"id": "a", "x": "one\u2028two\u0085three"}
    assert decode(b'{"id":"a","x":"\xff"}') == {"id": "a", "x": "\ufffd"}
    assert decode(b'{"id":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}") is None


def test_a_very_long_line() -> None:
    long = dump(user("b", "a", "x" * 20_000_000))
    data = file_bytes(header(), user("a", None), long, user("c", "b"))
    heads = [skim(line) for _, line in lines_backward(MemorySource(data), len(data))]
    assert [head.id for head in heads if head] == ["c", "b", "a"]


@pytest.mark.parametrize(
    "before", [b"", b"{torn\n", b"\n \n", b"null\n", b"\0\0\n", b'{"type":"session","id":\n']
)
def test_the_header_is_the_first_json_line(before: bytes) -> None:
    data = before + file_bytes(header(), user("a", None))
    found, end = read_header(MemorySource(data))
    assert found == header()
    assert data[end:] == file_bytes(user("a", None))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xef\xbb\xbf" + file_bytes(header()), "byte order mark"),
        (file_bytes(header(), user("a", None)).replace(b"\n", b"\r"), "CR alone"),
        (file_bytes(header()).decode().encode("utf-16"), "UTF-16"),
        (file_bytes(header()).decode().encode("utf-16-le"), "UTF-16"),
        (b"\n\n  \n", "blank lines"),
        (b"hello\n", "no session header"),
        (file_bytes(user("a", None), header()), "not a session header"),
        (file_bytes({}, header()), "not a session header"),
        (b"42\n" + file_bytes(header()), "not a session header"),
        (file_bytes(header(id=5)), "not a session header"),
    ],
)
def test_what_is_no_session_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(SessionError, match=reason) as error:
        read_header(MemorySource(data))
    assert "\n" not in str(error.value)
