"""Server-sent events, by the rules of the WHATWG HTML standard (9.2.6). The pure twin of sse.pyx.

Bytes in, events out, no I/O. Lines end at CR, LF or CRLF, wherever the chunks are cut; data stays
bytes, because the next reader is a JSON parser that takes bytes.
"""

__all__ = ["SseDecoder"]

_BOM = b"\xef\xbb\xbf"


class SseDecoder:
    """feed(chunk) → [(event, data), …]; the event is "message" where the stream names none.

    last_event_id: as the last `id` field left it. retry: milliseconds, None until the stream says.
    """

    __slots__ = ("_data", "_event", "_pieces", "_skip_lf", "_start", "last_event_id", "retry")

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self._start: bytes | None = b""  # what may still become a byte order mark
        self._skip_lf = False  # the last chunk ended in CR: an LF now belongs to it
        self._pieces: list[bytes] = []  # of the line not yet ended
        self._data: list[bytes] = []
        self._event = ""

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """The events that this chunk completes."""
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < 3 and _BOM.startswith(chunk):
                self._start = chunk
                return []
            self._start = None
            chunk = chunk.removeprefix(_BOM)
        if self._skip_lf and chunk:
            self._skip_lf = False
            if chunk[0] == 10:
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._skip_lf = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._pieces:
            self._pieces.append(lines[0])
            lines[0] = b"".join(self._pieces)
            self._pieces.clear()
        if rest:
            self._pieces.append(rest)
        events: list[tuple[str, bytes]] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line:
                self._field(line)
            elif self._data:
                events.append(self._dispatch())
            else:
                self._event = ""
        return events

    def close(self) -> list[tuple[str, bytes]]:
        """The event that lacked only its final line ends, if any; the decoder is empty then.

        The standard drops it. Model servers that forget the last blank line mean it.
        """
        left = self._start or b""
        self._start = None
        events = self.feed(left + b"\n\n")
        self._event = ""
        self._skip_lf = False
        return events

    def _dispatch(self) -> tuple[str, bytes]:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        event = (self._event or "message", data)
        self._data.clear()
        self._event = ""
        return event

    def _field(self, line: bytes) -> None:
        """Any line but the usual `data:` and an empty one; unknown names are ignored."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)
        elif name == b"id":
            if b"\0" not in value:
                self.last_event_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = int(value)
