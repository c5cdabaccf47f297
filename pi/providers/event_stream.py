"""AWS's event stream: binary frames to named events. No I/O: feed it chunks, then close it.

    total length, header length: 4 bytes each, big endian
    CRC-32 of those 8 bytes
    headers: name length (1 byte), name, type (1 byte), value
    payload
    CRC-32 of everything before it

Source: the public description of the encoding (Amazon Transcribe and S3 Select document it).
"""

import struct
from collections.abc import Iterator
from zlib import crc32

from pi.errors import StreamFormatError
from pi.wire.jsonio import dumps

__all__ = ["EXCEPTION", "EventStreamDecoder"]

EXCEPTION = "exception:"
"""What the name of an event begins with that tells of a failure."""

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_LEAST = _PRELUDE.size + _CRC.size
_MOST = 24 * 1024 * 1024
"""Bytes of a frame: more than the format allows is no frame, and is not waited for."""

# Size of a header's value by its type; strings and byte arrays carry their length.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _STRING = 6, 7


class EventStreamDecoder:
    """Gives `(name, payload)`: the event's type; for a failure `EXCEPTION` and its type.

    A frame that does not add up raises StreamFormatError: nothing after it can be trusted.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that are complete with this chunk; those before a damaged one come too."""
        rest = self._rest
        rest += chunk
        at = 0
        try:
            while len(rest) - at >= _PRELUDE.size:
                size = self._size(at)
                if len(rest) - at < size:
                    break
                frame = bytes(rest[at : at + size])
                at += size
                yield _event(frame)
        finally:
            del rest[:at]

    def close(self) -> Iterator[tuple[str, bytes]]:
        """Nothing more comes. Raises StreamFormatError when a frame was cut off."""
        if self._rest:
            raise StreamFormatError("the answer ended early: within a frame of its event stream")
        yield from ()

    def _size(self, at: int) -> int:
        total, headers, check = _PRELUDE.unpack_from(self._rest, at)
        if check != crc32(self._rest[at : at + 8]):
            raise _damaged("the checksum of a frame's lengths is wrong")
        if not _LEAST + headers <= total <= _MOST:
            raise _damaged(f"a frame of {total} bytes with {headers} bytes of headers")
        size: int = total
        return size


def _event(frame: bytes) -> tuple[str, bytes]:
    (check,) = _CRC.unpack_from(frame, len(frame) - _CRC.size)
    if check != crc32(frame[: -_CRC.size]):
        raise _damaged("the checksum of a frame is wrong")
    (length,) = _CRC.unpack_from(frame, 4)
    end = _PRELUDE.size + length
    payload = frame[end : -_CRC.size]
    try:
        headers = dict(_headers(frame[_PRELUDE.size : end]))
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise _damaged("the headers of a frame cannot be read") from error
    match headers.get(":message-type"):
        case "exception":
            return EXCEPTION + headers.get(":exception-type", ""), payload
        case "error":  # one of the transport: it has no payload
            told = {"message": headers.get(":error-message", "")}
            return EXCEPTION + headers.get(":error-code", ""), dumps(told)
        case _:
            return headers.get(":event-type", ""), payload


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """The headers that are strings; no event is told by another."""
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name = data[at + 1 : name_end].decode()
        kind = data[name_end]
        at = name_end + 1
        if kind in (_BYTES, _STRING):
            (size,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
        else:
            size = _FIXED[kind]
        if at + size > len(data):
            raise IndexError(name)
        if kind == _STRING:
            yield name, data[at : at + size].decode()
        at += size


def _damaged(what: str) -> StreamFormatError:
    return StreamFormatError(f"malformed answer: {what}")
