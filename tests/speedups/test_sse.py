"""The event-stream decoder: both implementations, one suite, one naive reading to compare with."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pi._speedups

Events = list[tuple[str, bytes]]

IMPLEMENTATIONS = ["_sse", "sse"]


def implementation(name: str):
    return pytest.importorskip(f"pi._speedups.{name}").SseDecoder


@pytest.fixture(params=IMPLEMENTATIONS, ids=["pure", "compiled"])
def decoder(request):
    return implementation(request.param)


def naive(stream: bytes) -> Events:
    """The standard's prose, character by character over the whole stream."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: Events = []
    event, data = "", b""
    *lines, _unfinished = text.split(b"\n")
    for line in lines:
        if line == b"":
            if data:
                events.append((event or "message", data[:-1]))
            event, data = "", b""
            continue
        if line.startswith(b":"):
            continue
        field, colon, value = line.partition(b":")
        if colon and value[:1] == b" ":
            value = value[1:]
        if field == b"event":
            event = value.decode("utf-8", "replace")
        elif field == b"data":
            data += value + b"\n"
    return events


CASES: dict[str, tuple[bytes, Events]] = {
    "one": (b"data: a\n\n", [("message", b"a")]),
    "named": (b"event: x\ndata: a\n\n", [("x", b"a")]),
    "name does not stay": (b"event: x\ndata: a\n\ndata: b\n\n", [("x", b"a"), ("message", b"b")]),
    "name without data is dropped": (b"event: x\n\ndata: b\n\n", [("message", b"b")]),
    "empty name": (b"event: x\nevent:\ndata: a\n\n", [("message", b"a")]),
    "several lines": (b"data: a\ndata: b\ndata\n\n", [("message", b"a\nb\n")]),
    "empty data": (b"data:\n\n", [("message", b"")]),
    "data without a colon": (b"data\n\n", [("message", b"")]),
    "one space goes": (b"data:  a\ndata:b\n\n", [("message", b" a\nb")]),
    "tab stays": (b"data:\ta\n\n", [("message", b"\ta")]),
    "comments": (b": hi\ndata: a\n:\n: x\ndata: b\n\n: bye\n\n", [("message", b"a\nb")]),
    "unknown fields": (b"foo: 1\ndataset: 2\n data: 3\ndata: a\n\n", [("message", b"a")]),
    "CRLF": (b"event: x\r\ndata: a\r\ndata: b\r\n\r\n", [("x", b"a\nb")]),
    "CR": (b"event: x\rdata: a\rdata: b\r\r", [("x", b"a\nb")]),
    "mixed": (
        b"data: a\r\n\ndata: b\r\rdata: c\n\r\n",
        [("message", x) for x in (b"a", b"b", b"c")],
    ),
    "LF CR is two ends": (b"data: a\n\rdata: b\n\n", [("message", b"a"), ("message", b"b")]),
    "BOM": (b"\xef\xbb\xbfdata: a\n\n", [("message", b"a")]),
    "only the first BOM": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", b"a")]),
    "two BOMs": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "line separators are data": (
        "data: a\u2028b\u0085c\x0bd\n\n".encode(),
        [("message", "a\u2028b\u0085c\x0bd".encode())],
    ),
    "UTF-8": ("data: žluťoučký 😀\n\n".encode(), [("message", "žluťoučký 😀".encode())]),
    "bytes that are not UTF-8": (b"data: \xff\xfe\n\n", [("message", b"\xff\xfe")]),
    "NUL": (b"data: a\0b\n\n", [("message", b"a\0b")]),
    "unfinished": (b"data: a\n\ndata: b\n", [("message", b"a")]),
    "nothing": (b"", []),
    "blank lines": (b"\n\n\r\n\r\r", []),
}


@pytest.mark.parametrize("case", CASES)
def test_cases_at_every_split(decoder, case):
    stream, expected = CASES[case]
    assert naive(stream) == expected
    for cut in range(len(stream) + 1):
        sse = decoder()
        assert sse.feed(stream[:cut]) + sse.feed(stream[cut:]) == expected
    sse = decoder()
    assert [
        event for at in range(len(stream)) for event in sse.feed(stream[at : at + 1])
    ] == expected


def test_close_gives_what_lacked_its_end(decoder):
    sse = decoder()
    assert sse.feed(b"event: x\ndata: a\ndata: b") == []
    assert sse.close() == [("x", b"a\nb")]
    assert sse.close() == []
    assert sse.feed(b"data: c\n\n") == [("message", b"c")]


def test_close_within_a_byte_order_mark(decoder):
    sse = decoder()
    assert sse.feed(b"\xef\xbb") == []
    assert sse.close() == []


def test_id_and_retry(decoder):
    sse = decoder()
    assert (sse.last_event_id, sse.retry) == ("", None)
    sse.feed(b"id: 7\nretry: 1500\n")
    assert (sse.last_event_id, sse.retry) == ("7", 1500)
    sse.feed("id: a\0b\nretry: 1.5\nretry: ٣\nretry: -1\nretry:\n".encode())
    assert (sse.last_event_id, sse.retry) == ("7", 1500)
    sse.feed(b"id\n")
    assert sse.last_event_id == ""


@pytest.mark.parametrize("bad", ["text", None, 1])
def test_only_bytes(decoder, bad):
    with pytest.raises(TypeError):
        decoder().feed(bad)


def test_a_long_line_costs_its_length(decoder):
    sse = decoder()
    piece = b"x" * 65536
    sse.feed(b"data: ")
    for _ in range(256):
        assert sse.feed(piece) == []
    assert sse.feed(b"\n\n") == [("message", piece * 256)]


LINES = st.sampled_from(
    [b"data: {}", b"data:x", b"data", b"event: e", b"event", b"id: 1", b": c", b"x: y", b""]
)
FREE = st.lists(
    st.sampled_from(
        [b"data", b"event", b":", b" ", b"\r", b"\n", b"\xef\xbb\xbf", b"\xc5\xbe", b"a"]
    )
).map(b"".join)
STREAMS = FREE | st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"]))).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@pytest.mark.parametrize("name", IMPLEMENTATIONS, ids=["pure", "compiled"])
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_any_stream_any_split(name, stream, cuts):
    sse = implementation(name)()
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut <= len(stream))})
    events: Events = []
    for start, end in itertools.pairwise(edges):
        events += sse.feed(stream[start:end])
    assert events == naive(stream)


def test_the_selector_gives_what_was_asked_for():
    module = pi._speedups.SseDecoder.__module__
    assert module == ("pi._speedups.sse" if pi._speedups.COMPILED else "pi._speedups._sse")
    if os.environ.get("PI_PURE"):
        assert not pi._speedups.COMPILED
    if expected := os.environ.get("PI_EXPECT"):
        assert (expected == "compiled") == pi._speedups.COMPILED
