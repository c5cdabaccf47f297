# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Heads of session lines, without decoding the lines; _jsonl.py is the twin.

A line costs a comparison of its first bytes, and one pass over the rest for what would make the
head uncertain. Anything that does not fit is handed to the caller to parse.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memcmp

from pi._speedups.heads cimport Head, closed, read_head
from pi._speedups.json_bytes cimport PARENT, hints, last_newline

__all__ = ["skip_others", "usual_head"]


def usual_head(bytes line not None):
    """Type, id and parent of a line in the usual order; None where only parsing it can tell.

    The line may still turn out to be damaged further on.
    """
    cdef const char* at = PyBytes_AS_STRING(line)
    cdef const char* end = at + PyBytes_GET_SIZE(line)
    cdef Head head
    if not read_head(at, end, &head) or not closed(at, end) or hints(head.rest, end) & PARENT:
        return None
    return (
        _str(head.kind.at, head.kind.size),
        _str(head.id.at, head.id.size),
        None if head.parent.at == NULL else _str(head.parent.at, head.parent.size),
    )


def skip_others(bytes block not None, Py_ssize_t upper, bytes wanted not None):
    """How much of block[:upper] is left when lines whose first bytes name another id are passed.

    Goes backwards over whole lines, those with a newline before them; stops behind the last that
    may be `wanted`, or at the end of the piece whose beginning is not in the block.
    """
    cdef const char* begin = PyBytes_AS_STRING(block)
    cdef const char* cut
    cdef const char* id = PyBytes_AS_STRING(wanted)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(wanted)
    cdef Head head
    upper = max(0, min(upper, PyBytes_GET_SIZE(block)))
    with nogil:
        while True:
            cut = last_newline(begin, begin + upper)
            if cut == NULL:
                break
            if cut + 1 < begin + upper and (
                not read_head(cut + 1, begin + upper, &head)
                or (head.id.size == size and memcmp(head.id.at, id, size) == 0)
            ):
                break
            upper = cut - begin
    return upper


cdef inline str _str(const char* at, Py_ssize_t size):
    return PyUnicode_DecodeUTF8(at, size, b"surrogatepass")
