# cython: language_level=3, boundscheck=False, wraparound=False
"""Server-sent events, by the rules of the WHATWG HTML standard (9.2.6); _sse.py is the pure twin.

The usual lines, `event: NAME` and `data: …`, are recognised in place: one copy of the data, no
object for the rest. Everything rare takes the same path as in the twin.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp, memcpy

__all__ = ["SseDecoder"]

cdef bytes BOM = b"\xef\xbb\xbf"


cdef bytes _joined(bytes piece, const char* at, Py_ssize_t size):
    cdef Py_ssize_t before = PyBytes_GET_SIZE(piece)
    cdef bytes line = PyBytes_FromStringAndSize(NULL, before + size)
    memcpy(PyBytes_AS_STRING(line), PyBytes_AS_STRING(piece), before)
    memcpy(PyBytes_AS_STRING(line) + before, at, size)
    return line


cdef class SseDecoder:
    """feed(chunk) → [(event, data), …]; the event is "message" where the stream names none.

    last_event_id: as the last `id` field left it. retry: milliseconds, None until the stream says.
    """

    cdef public str last_event_id
    cdef public object retry
    cdef bytes _start
    cdef bint _skip_lf
    cdef list _pieces
    cdef list _data
    cdef str _event
    cdef bytes _name_bytes
    cdef str _name

    def __init__(self):
        self.last_event_id = ""
        self.retry = None
        self._start = b""
        self._skip_lf = False
        self._pieces = []
        self._data = []
        self._event = ""
        self._name_bytes = b""
        self._name = ""

    def feed(self, bytes chunk not None):
        """The events that this chunk completes."""
        cdef list events = []
        cdef const char* at
        cdef const char* end
        cdef const char* line_end
        cdef bytes line
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < 3 and BOM.startswith(chunk):
                self._start = chunk
                return events
            self._start = None
            if chunk.startswith(BOM):
                chunk = chunk[3:]
        if self._skip_lf and PyBytes_GET_SIZE(chunk):
            self._skip_lf = False
            if PyBytes_AS_STRING(chunk)[0] == 10:
                chunk = chunk[1:]
        at = PyBytes_AS_STRING(chunk)
        end = at + PyBytes_GET_SIZE(chunk)
        if memchr(at, 13, end - at) != NULL:
            self._skip_lf = (end - 1)[0] == 13
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            at = PyBytes_AS_STRING(chunk)
            end = at + PyBytes_GET_SIZE(chunk)
        while at < end:
            line_end = <const char*>memchr(at, 10, end - at)
            if line_end == NULL:
                self._pieces.append(PyBytes_FromStringAndSize(at, end - at))
                break
            if self._pieces:
                if len(self._pieces) == 1:
                    line = _joined(<bytes>self._pieces[0], at, line_end - at)
                else:
                    self._pieces.append(PyBytes_FromStringAndSize(at, line_end - at))
                    line = b"".join(self._pieces)
                self._pieces.clear()
                self._line(PyBytes_AS_STRING(line), PyBytes_GET_SIZE(line), events)
            else:
                self._line(at, line_end - at, events)
            at = line_end + 1
        return events

    def close(self):
        """The event that lacked only its final line ends, if any; the decoder is empty then.

        The standard drops it. Model servers that forget the last blank line mean it.
        """
        left = self._start or b""
        self._start = None
        events = self.feed(left + b"\n\n")
        self._event = ""
        self._skip_lf = False
        return events

    cdef int _line(self, const char* at, Py_ssize_t size, list events) except -1:
        cdef Py_ssize_t skip
        if size == 0:
            if self._data:
                if len(self._data) == 1:
                    data = self._data[0]
                else:
                    data = b"\n".join(self._data)
                events.append((self._event or "message", data))
                self._data.clear()
            self._event = ""
        elif size >= 5 and memcmp(at, b"data:", 5) == 0:
            skip = 6 if size > 5 and at[5] == 32 else 5
            self._data.append(PyBytes_FromStringAndSize(at + skip, size - skip))
        elif size >= 6 and memcmp(at, b"event:", 6) == 0:
            skip = 7 if size > 6 and at[6] == 32 else 6
            # A stream repeats a few names: the last one is kept decoded.
            if (
                PyBytes_GET_SIZE(self._name_bytes) != size - skip
                or memcmp(PyBytes_AS_STRING(self._name_bytes), at + skip, size - skip) != 0
            ):
                self._name_bytes = PyBytes_FromStringAndSize(at + skip, size - skip)
                self._name = self._name_bytes.decode("utf-8", "replace")
            self._event = self._name
        elif at[0] != 58:
            self._field(PyBytes_FromStringAndSize(at, size))
        return 0

    cdef int _field(self, bytes line) except -1:
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)
        elif name == b"id":
            if b"\0" not in value:
                self.last_event_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = int(value)
        return 0
