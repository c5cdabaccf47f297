"""AWS's event stream: frames fed whole and cut anywhere, beside botocore's own decoder."""

import struct
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.errors import StreamFormatError
from pi.providers.event_stream import EXCEPTION, EventStreamDecoder
from tests.scripted_bedrock import frame

MIXED = (
    frame(b'{"a":1}', event_type="messageStart", message_type="event")
    + frame(b"", event_type="ping", message_type="event")
    + frame(b'{"m":"no"}', exception_type="throttlingException", message_type="exception")
    + frame(b"", error_code="500", error_message='a "b"', message_type="error")
    + frame(b"\xff" * 700, message_type="event")
)
EVENTS = [
    ("messageStart", b'{"a":1}'),
    ("ping", b""),
    (EXCEPTION + "throttlingException", b'{"m":"no"}'),
    (EXCEPTION + "500", b'{"message":"a \\"b\\""}'),
    ("", b"\xff" * 700),
]


def decode(*chunks):
    decoder = EventStreamDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [*events, *decoder.close()]


def test_whole():
    assert decode(MIXED) == EVENTS
    assert decode() == decode(b"") == []


def test_cut_at_every_byte():
    for at in range(len(MIXED) + 1):
        assert decode(MIXED[:at], MIXED[at:]) == EVENTS


def test_byte_by_byte():
    assert decode(*(MIXED[at : at + 1] for at in range(len(MIXED)))) == EVENTS


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=30), st.binary(max_size=200)), max_size=6),
    st.lists(st.integers(0, 2000), max_size=8),
)
def test_any_frames_in_any_pieces(events, cuts):
    data = b"".join(frame(payload, event_type=name) for name, payload in events)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[a:b] for a, b in pairwise(places)]
    assert decode(*chunks) == [(name, payload) for name, payload in events]


def test_as_botocore_reads_it():
    eventstream = pytest.importorskip("botocore.eventstream")
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(MIXED)
    theirs = [(m.headers.get(":event-type", ""), m.payload) for m in buffer]
    assert [theirs[0], theirs[1], theirs[4]] == [EVENTS[0], EVENTS[1], EVENTS[4]]


def raw(headers: bytes, payload: bytes = b"{}") -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def test_headers_of_every_type_are_passed_over():
    headers = b"".join(
        b"\x01" + name + value
        for name, value in [
            (b"a", b"\x00"),
            (b"b", b"\x01"),
            (b"c", b"\x02\x07"),
            (b"d", b"\x03\x00\x07"),
            (b"e", b"\x04\x00\x00\x00\x07"),
            (b"f", b"\x05" + b"\x00" * 8),
            (b"g", b"\x06\x00\x03abc"),
            (b"h", b"\x07\x00\x03abc"),
            (b"i", b"\x08" + b"\x00" * 8),
            (b"j", b"\x09" + b"\x00" * 16),
        ]
    )
    name = b"\x0b:event-type\x07\x00\x04done"
    assert decode(raw(headers + name)) == [("done", b"{}")]


@pytest.mark.parametrize(
    "headers",
    [b"\x01", b"\x05ab", b"\x01a\x0a", b"\x01a\x07", b"\x01a\x07\x00\x09x", b"\x01\xff\x00"],
)
def test_headers_that_cannot_be_read(headers):
    with pytest.raises(StreamFormatError, match="headers"):
        decode(raw(headers))


def damaged(at: int) -> bytes:
    return MIXED[:at] + bytes([MIXED[at] ^ 1]) + MIXED[at + 1 :]


def test_damage_is_noticed_wherever_it_is():
    first = len(frame(b'{"a":1}', event_type="messageStart", message_type="event"))
    for at in range(first):
        with pytest.raises(StreamFormatError, match="malformed"):
            decode(damaged(at))


def test_what_came_before_the_damage_counts():
    events = EventStreamDecoder().feed(damaged(len(MIXED) - 1))
    assert [next(events) for _ in EVENTS[:4]] == EVENTS[:4]
    with pytest.raises(StreamFormatError):
        next(events)


@pytest.mark.parametrize("total", [0, 15, 1 << 30, (1 << 32) - 1])
def test_sizes_that_no_frame_has(total):
    prelude = struct.pack(">II", total, 0)
    with pytest.raises(StreamFormatError, match="frame of"):
        decode(prelude + struct.pack(">I", crc32(prelude)))


@pytest.mark.parametrize("left", [1, 11, 12, 40])
def test_an_end_within_a_frame(left):
    with pytest.raises(StreamFormatError, match="ended early"):
        decode(MIXED, MIXED[:left])
