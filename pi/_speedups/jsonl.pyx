# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Session lines without decoding them: heads, and the rows of a whole tree; _jsonl.py is the twin.

A line costs one search for its end, a comparison of its first bytes, and one pass over the rest for
what would make the head uncertain. Where usage is named, a walk from string to string finds it and
knows at which depth it stands. Anything that does not fit is handed to the caller to parse.

Rows are flat arrays; ids lie end to end in one piece of memory and are found by a table of row
numbers with open addressing. No Python object is made for a usual line and the GIL is not held.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy

__all__ = ["TreeRows", "skip_others", "usual_head"]

cdef extern from "Python.h":
    double PyOS_string_to_double(const char* s, char** endptr, object overflow) except? -1.0

cdef extern from *:
    """
    #include <string.h>
    /* The last newline before `end`, NULL for none. */
    static const char *last_newline(const char *at, const char *end) {
    #ifdef __GLIBC__
        return (const char *)memrchr(at, '\\n', (size_t)(end - at));
    #else
        while (end > at) { if (*--end == '\\n') return end; }
        return NULL;
    #endif
    }
    /* What may stand in a line: a second parentId; usage, under its name or one in escapes. */
    enum { PARENT = 1, USAGE = 2 };
    static inline int hint(const char *at, const char *end) {
        if (*at == '"') {
            if (end - at >= 7 && memcmp(at + 1, "usage\\"", 6) == 0) return USAGE;
            if (end - at >= 10 && memcmp(at + 1, "parentId\\"", 9) == 0) return PARENT;
        }
        return *at == '\\\\' && end - at >= 2 && at[1] == 'u' ? USAGE : 0;
    }
    #if defined(__SSE2__) && defined(__GNUC__)
    #include <emmintrin.h>
    #define LOAD(at) _mm_loadu_si128((const __m128i *)(at))
    /* A quote, and six on another or seven on the I of parentId; or a backslash and a u. */
    #define NAMES(at) _mm_or_si128( \\
        _mm_and_si128(_mm_cmpeq_epi8(LOAD(at), quotes), _mm_or_si128( \\
            _mm_cmpeq_epi8(LOAD((at) + 6), quotes), _mm_cmpeq_epi8(LOAD((at) + 7), capitals))), \\
        _mm_and_si128(_mm_cmpeq_epi8(LOAD(at), slashes), _mm_cmpeq_epi8(LOAD((at) + 1), us)))
    static int hints(const char *at, const char *end) {
        const __m128i quotes = _mm_set1_epi8('"'), capitals = _mm_set1_epi8('I');
        const __m128i slashes = _mm_set1_epi8('\\\\'), us = _mm_set1_epi8('u');
        int found = 0;
        for (; end - at >= 39; at += 32) {
            __m128i low = NAMES(at), high = NAMES(at + 16);
            if (_mm_movemask_epi8(_mm_or_si128(low, high))) {
                unsigned bits = (unsigned)_mm_movemask_epi8(low)
                    | (unsigned)_mm_movemask_epi8(high) << 16;
                for (; bits; bits &= bits - 1) found |= hint(at + __builtin_ctz(bits), end);
            }
        }
        for (; at < end; at++) found |= hint(at, end);
        return found;
    }
    #else
    static int hints(const char *at, const char *end) {
        int found = 0;
        for (; at < end; at++) {
            if (*at == '"' || *at == '\\\\') found |= hint(at, end);
        }
        return found;
    }
    #endif
    /* The next quote, `end` for none. Most are near: memchr is for what lies far ahead. */
    #if defined(__SSE2__) && defined(__GNUC__)
    static inline const char *next_quote(const char *at, const char *end) {
        const __m128i quotes = _mm_set1_epi8('"');
        const char *near_end = end - at > 128 ? at + 128 : end;
        while (near_end - at >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)at);
            int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quotes));
            if (found) return at + __builtin_ctz((unsigned)found);
            at += 16;
        }
        if (near_end != end) {
            at = (const char *)memchr(at, '"', (size_t)(end - at));
            return at ? at : end;
        }
        while (at < end && *at != '"') at++;
        return at;
    }
    #else
    static inline const char *next_quote(const char *at, const char *end) {
        const char *near_end = end - at > 16 ? at + 16 : end;
        while (at < near_end && *at != '"') at++;
        if (at < near_end || at == end) return at;
        at = (const char *)memchr(at, '"', (size_t)(end - at));
        return at ? at : end;
    }
    #endif
    /* How a byte outside strings is taken. */
    enum { BAD, SKIP, QUOTE, OPEN, CLOSE };
    static const unsigned char OUTSIDE[256] = {
        [' '] = SKIP, ['\\t'] = SKIP, ['\\r'] = SKIP, [','] = SKIP, [':'] = SKIP,
        ['0'] = SKIP, ['1'] = SKIP, ['2'] = SKIP, ['3'] = SKIP, ['4'] = SKIP,
        ['5'] = SKIP, ['6'] = SKIP, ['7'] = SKIP, ['8'] = SKIP, ['9'] = SKIP,
        ['-'] = SKIP, ['+'] = SKIP, ['.'] = SKIP, ['e'] = SKIP, ['E'] = SKIP,
        ['t'] = SKIP, ['r'] = SKIP, ['u'] = SKIP, ['f'] = SKIP, ['a'] = SKIP,
        ['l'] = SKIP, ['s'] = SKIP, ['n'] = SKIP,
        ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
    };
    """
    const char* last_newline(const char* at, const char* end) noexcept nogil
    int hints(const char* at, const char* end) noexcept nogil
    const char* next_quote(const char* at, const char* end) noexcept nogil
    const unsigned char[256] OUTSIDE
    enum:
        BAD, SKIP, QUOTE, OPEN, CLOSE, PARENT, USAGE

cdef tuple KINDS = ("message", "usage", "compaction", "branch_summary")

cdef enum:
    ODD_KIND = 255  # of more types than any session has: named in a dict
    UNMEASURED = 0
    MEASURED = 1
    TO_MEASURE = 2  # has usage, to be read by parsing

cdef struct Text:
    const char* at
    Py_ssize_t size

cdef struct Head:
    Text kind
    Text id
    Text parent  # NULL for none
    const char* rest  # the quote that begins the next key

cdef struct Usage:
    bint odd  # a key is written in escapes: only parsing can tell
    const char* at  # NULL for none
    const char* end


cdef inline const char* _text(const char* at, const char* end, Text* out) noexcept nogil:
    """Behind the closing quote of printable ASCII without escapes; NULL for anything else."""
    cdef const char* begin = at
    cdef unsigned char c
    while at < end:
        c = <unsigned char>at[0]
        if c == 34:
            if at == begin:
                return NULL
            out.at = begin
            out.size = at - begin
            return at + 1
        if c < 32 or c > 126 or c == 92:
            return NULL
        at += 1
    return NULL


cdef inline const char* _key(
    const char* at, const char* end, const char* key, Py_ssize_t size
) noexcept nogil:
    """Behind `key` and one optional space; NULL where something else stands."""
    if end - at <= size or memcmp(at, key, size) != 0:
        return NULL
    at += size
    return at + 1 if at[0] == 32 else at


cdef bint _head(const char* at, const char* end, Head* out) noexcept nogil:
    """{"type":"…","id":"…","parentId":"…" or null,"  as every writer of sessions begins a line."""
    while at < end and (at[0] == 32 or at[0] == 9):
        at += 1
    at = _key(at, end, b'{"type":', 8)
    if at == NULL or at >= end or at[0] != 34:
        return False
    at = _text(at + 1, end, &out.kind)
    if at == NULL or at >= end or at[0] != 44:
        return False
    at = _key(at + 1, end, b'"id":', 5) if at + 1 < end and at[1] != 32 else _key(
        at + 2, end, b'"id":', 5
    )
    if at == NULL or at >= end or at[0] != 34:
        return False
    at = _text(at + 1, end, &out.id)
    if at == NULL or at >= end or at[0] != 44:
        return False
    at = _key(at + 1, end, b'"parentId":', 11) if at + 1 < end and at[1] != 32 else _key(
        at + 2, end, b'"parentId":', 11
    )
    if at == NULL or at >= end:
        return False
    if at[0] == 34:
        at = _text(at + 1, end, &out.parent)
        if at == NULL:
            return False
    elif end - at > 4 and memcmp(at, b"null", 4) == 0:
        out.parent.at = NULL
        out.parent.size = 0
        at += 4
    else:
        return False
    if at >= end or at[0] != 44:
        return False
    at += 1
    if at < end and at[0] == 32:
        at += 1
    if at >= end or at[0] != 34:
        return False
    out.rest = at
    return True


cdef inline const char* _string_end(const char* at, const char* end) noexcept nogil:
    """The quote that closes the string whose text begins at `at`; NULL for none."""
    cdef const char* back
    cdef const char* begin = at
    while True:
        at = next_quote(at, end)
        if at == end:
            return NULL
        back = at
        while back > begin and (back - 1)[0] == 92:
            back -= 1
        if (at - back) & 1 == 0:
            return at
        at += 1


cdef inline bint _closed(const char* at, const char* end) noexcept nogil:
    """Whether a brace ends the line, up to fifteen blanks aside."""
    cdef const char* stop = end - 15 if end - at > 15 else at
    while end > stop and (
        (end - 1)[0] == 32 or (end - 1)[0] == 9 or (end - 1)[0] == 13 or (end - 1)[0] == 10
    ):
        end -= 1
    return end > at and (end - 1)[0] == 125


cdef bint _rest(const char* at, const char* end, bint message, Usage* usage) noexcept nogil:
    """Whether the object that a head begins ends at `end`; where its usage is, on the way.

    `at` is at a key of the outermost object. message: usage is looked for in the value of
    "message", else in the object itself.
    """
    cdef Py_ssize_t depth = 1
    cdef Py_ssize_t level = 2 if message else 1
    cdef bint in_message = False
    cdef bint message_next = False
    cdef bint usage_next = False
    cdef const char* close
    cdef const char* after
    cdef Py_ssize_t size
    cdef int what
    usage.at = NULL
    usage.end = NULL
    usage.odd = False
    while at < end:
        what = OUTSIDE[<unsigned char>at[0]]
        if what == SKIP:
            at += 1
        elif what == QUOTE:
            close = _string_end(at + 1, end)
            if close == NULL:
                return False
            size = close - at - 1
            if depth == 1 or (depth == level and in_message):
                message_next = usage_next = False
                after = close + 1
                while after < end and after[0] == 32:
                    after += 1
                if after < end and after[0] == 58:  # a colon: this was a key
                    if memchr(at + 1, 92, size) != NULL:
                        usage.odd = True
                    elif size == 5 and depth == level and memcmp(at + 1, b"usage", 5) == 0:
                        usage_next = True
                        usage.at = NULL
                    elif size == 7 and depth == 1 and memcmp(at + 1, b"message", 7) == 0:
                        message_next = True
                        usage.odd = False
                        if message:
                            usage.at = NULL
            at = close + 1
        elif what == OPEN:
            if depth == 1:
                in_message = message and message_next and at[0] == 123
                message_next = False
            if usage_next and depth == level:
                usage_next = False
                if at[0] == 123:
                    usage.at = at
                    usage.end = NULL
            depth += 1
            at += 1
        elif what == CLOSE:
            depth -= 1
            at += 1
            if depth == level and usage.at != NULL and usage.end == NULL:
                usage.end = at
            elif depth == 1:
                in_message = False
            elif depth == 0:
                if (at - 1)[0] != 125 or end - at > 15:
                    return False
                while at < end and (at[0] == 32 or at[0] == 9 or at[0] == 13):
                    at += 1
                return at == end
        else:
            return False
    return False


cdef bint _number(const char* at, const char* end, double* out) noexcept nogil:
    """A JSON number, exactly as float() reads it; False for what is none or is not finite."""
    cdef const char* begin = at
    cdef uint64_t digits = 0
    cdef int count = 0
    cdef int fraction = 0
    cdef bint negative = False
    cdef bint simple = True
    if at < end and at[0] == 45:
        negative = True
        at += 1
    if at < end and at[0] == 48 and at + 1 < end and 48 <= at[1] <= 57:
        return False  # no leading zeros
    while at < end and 48 <= at[0] <= 57:
        digits = digits * 10 + <uint64_t>(at[0] - 48)
        count += 1
        at += 1
    if count == 0:
        return False
    if at < end and at[0] == 46:
        at += 1
        while at < end and 48 <= at[0] <= 57:
            digits = digits * 10 + <uint64_t>(at[0] - 48)
            count += 1
            fraction += 1
            at += 1
        if fraction == 0:
            return False
    if at < end and (at[0] == 101 or at[0] == 69):
        simple = False
        at += 1
        if at < end and (at[0] == 43 or at[0] == 45):
            at += 1
        if at >= end or not 48 <= at[0] <= 57:
            return False
        while at < end and 48 <= at[0] <= 57:
            at += 1
    while at < end and (at[0] == 32 or at[0] == 9 or at[0] == 13):
        at += 1
    if at >= end or (at[0] != 44 and at[0] != 125):
        return False
    if simple and count <= 15 and fraction <= 15:
        # Both are exact doubles, so that one division rounds once.
        out[0] = <double>digits / TENS[fraction]
        if negative:
            out[0] = -out[0]
        return True
    with gil:
        return _long_number(begin, out)


cdef double[16] TENS
TENS[:] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]


cdef bint _long_number(const char* at, double* out) noexcept:
    cdef char* stop = NULL
    try:
        out[0] = PyOS_string_to_double(at, &stop, OverflowError)
    except (OverflowError, ValueError):
        return False
    return out[0] - out[0] == 0


cdef bint _measure(const char* at, const char* end, double* values) noexcept nogil:
    """The five figures of a usage object; False where only parsing can tell."""
    cdef Py_ssize_t depth = 0
    cdef bint in_cost = False
    cdef bint cost_next = False
    cdef const char* close
    cdef const char* value
    cdef const char* key
    cdef Py_ssize_t size
    cdef int what, field
    for field in range(5):
        values[field] = 0.0
    while at < end:
        what = OUTSIDE[<unsigned char>at[0]]
        if what == QUOTE:
            key = at + 1
            close = _string_end(key, end)
            if close == NULL:
                return False
            size = close - key
            at = close + 1
            if depth > 2 or (depth == 2 and not in_cost):
                continue
            value = at
            while value < end and value[0] == 32:
                value += 1
            if value >= end or value[0] != 58:
                continue
            value += 1
            while value < end and value[0] == 32:
                value += 1
            if memchr(key, 92, size) != NULL:
                return False
            field = -1
            cost_next = False
            if depth == 1:
                if size == 5 and memcmp(key, b"input", 5) == 0:
                    field = 0
                elif size == 6 and memcmp(key, b"output", 6) == 0:
                    field = 1
                elif size == 9 and memcmp(key, b"cacheRead", 9) == 0:
                    field = 2
                elif size == 10 and memcmp(key, b"cacheWrite", 10) == 0:
                    field = 3
                elif size == 4 and memcmp(key, b"cost", 4) == 0:
                    if value >= end or value[0] != 123:
                        return False
                    cost_next = True
                    values[4] = 0.0
            elif size == 5 and memcmp(key, b"total", 5) == 0:
                field = 4
            if field >= 0 and not _number(value, end, &values[field]):
                return False
            at = value
        elif what == OPEN:
            depth += 1
            if depth == 2:
                in_cost = cost_next
                cost_next = False
            at += 1
        elif what == CLOSE:
            depth -= 1
            if depth == 1:
                in_cost = False
            at += 1
        else:
            at += 1
    return True


def usual_head(bytes line not None):
    """Type, id and parent of a line in the usual order; None where only parsing it can tell.

    The line may still turn out to be damaged further on.
    """
    cdef const char* at = PyBytes_AS_STRING(line)
    cdef const char* end = at + PyBytes_GET_SIZE(line)
    cdef Head head
    if not _head(at, end, &head) or not _closed(at, end) or hints(head.rest, end) & PARENT:
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
                not _head(cut + 1, begin + upper, &head)
                or (head.id.size == size and memcmp(head.id.at, id, size) == 0)
            ):
                break
            upper = cut - begin
    return upper


cdef inline str _str(const char* at, Py_ssize_t size):
    return PyUnicode_DecodeUTF8(at, size, b"surrogatepass")


cdef class TreeRows:
    """The entries of a session, one row each, in the order of the file.

    `feed` it the bytes behind the header, then `finish`. parse(line, offset) reads what looks
    unusual: a head, or None for no entry. A parent is the nearest earlier row with the wanted id,
    else a later one, else none. Offsets are those of the file.
    """

    cdef object _parse
    cdef int64_t _position
    # Of the line whose end is not seen yet.
    cdef char* _piece
    cdef Py_ssize_t _piece_size, _piece_room
    # One item a row; _id_at has one more.
    cdef Py_ssize_t _count, _room
    cdef int64_t* _starts
    cdef int64_t* _ends
    cdef int32_t* _parents
    cdef uint32_t* _id_at
    cdef uint8_t* _kinds
    cdef uint8_t* _measured
    cdef char* _ids
    cdef Py_ssize_t _ids_room
    cdef int32_t* _table  # row + 1 of the latest entry with an id, 0 for free
    cdef Py_ssize_t _slots
    cdef uint64_t _seed
    # Usage, in the order of the rows that have it.
    cdef Py_ssize_t _usage_count, _usage_room
    cdef int32_t* _usage_rows
    cdef double* _usage
    # Rows whose parent is not there yet: the wanted ids end to end.
    cdef Py_ssize_t _waiting_count, _waiting_room, _wanted_size, _wanted_room
    cdef int32_t* _waiting
    cdef Py_ssize_t* _wanted_at
    cdef char* _wanted
    cdef list _kind_names
    cdef char[255][32] _kind_text
    cdef uint8_t[255] _kind_size
    cdef int _kind_count, _kind_last
    cdef dict _odd_kinds
    # Children by parent, roots first; made when asked for, dropped when a row is added.
    cdef int32_t* _child_at
    cdef int32_t* _child_rows

    def __cinit__(self, parse, int64_t start=0):
        self._parse = parse
        self._position = start
        self._kind_names = []
        self._odd_kinds = {}
        self._seed = <uint64_t><Py_hash_t>hash("ids of a session") | 1
        self._reserve(64)
        self._id_at[0] = 0
        self._slots = 128
        self._table = <int32_t*>calloc(self._slots, sizeof(int32_t))
        if self._table == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._piece)
        free(self._starts)
        free(self._ends)
        free(self._parents)
        free(self._id_at)
        free(self._kinds)
        free(self._measured)
        free(self._ids)
        free(self._table)
        free(self._usage_rows)
        free(self._usage)
        free(self._waiting)
        free(self._wanted_at)
        free(self._wanted)
        free(self._child_at)
        free(self._child_rows)

    def feed(self, data not None):
        """The next bytes of the file."""
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                self._feed(<const char*>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def finish(self):
        """The end of the file, for now: a last line without newline counts, late parents settle."""
        cdef Py_ssize_t number
        cdef Py_ssize_t size = self._piece_size
        if size:
            self._piece_size = 0
            self._line(self._piece, self._piece + size, self._position - size)
        for number in range(self._waiting_count):
            self._parents[self._waiting[number]] = self._find(
                self._wanted + self._wanted_at[number],
                self._wanted_at[number + 1] - self._wanted_at[number],
            )
        self._waiting_count = 0
        self._wanted_size = 0

    def skip_to(self, int64_t offset):
        """What is fed next begins here."""
        self._position = offset

    def add(self, str kind not None, str entry_id not None, parent, int64_t start, int64_t end):
        """One more entry at the end; returns its row."""
        cdef bytes id_bytes = entry_id.encode("utf-8", "surrogatepass")
        cdef bytes parent_bytes = b""
        cdef Head head
        head.id.at = PyBytes_AS_STRING(id_bytes)
        head.id.size = PyBytes_GET_SIZE(id_bytes)
        head.parent.at = NULL
        if parent is not None:
            parent_bytes = (<str?>parent).encode("utf-8", "surrogatepass")
            head.parent.at = PyBytes_AS_STRING(parent_bytes)
            head.parent.size = PyBytes_GET_SIZE(parent_bytes)
        row = self._count
        self._put(&head, self._kind_of(kind), start, end, False)
        if self._kinds[row] == ODD_KIND:
            self._odd_kinds[row] = kind
        self._measured[row] = TO_MEASURE
        return row

    def __len__(self):
        return self._count

    def row(self, str entry_id not None):
        """The latest entry with this id."""
        cdef bytes wanted = entry_id.encode("utf-8", "surrogatepass")
        found = self._find(PyBytes_AS_STRING(wanted), PyBytes_GET_SIZE(wanted))
        return None if found < 0 else found

    def row_at(self, int64_t start):
        """The entry whose line begins at an offset."""
        cdef Py_ssize_t low = 0
        cdef Py_ssize_t high = self._count
        cdef Py_ssize_t middle
        while low < high:
            middle = (low + high) // 2
            if self._starts[middle] < start:
                low = middle + 1
            else:
                high = middle
        return low if low < self._count and self._starts[low] == start else None

    def id(self, Py_ssize_t row):
        self._known(row)
        return _str(self._ids + self._id_at[row], self._id_at[row + 1] - self._id_at[row])

    def span(self, Py_ssize_t row):
        """Offsets of the line, newline excluded."""
        self._known(row)
        return self._starts[row], self._ends[row]

    def kind(self, Py_ssize_t row):
        self._known(row)
        if self._kinds[row] == ODD_KIND:
            return self._odd_kinds[row]
        return self._kind_names[self._kinds[row]]

    def parent(self, Py_ssize_t row):
        self._known(row)
        return None if self._parents[row] < 0 else self._parents[row]

    def of_kind(self, str kind not None):
        """Rows of one type, in the order of the file."""
        cdef Py_ssize_t row
        cdef list found = []
        cdef int code
        if kind in self._kind_names:
            code = self._kind_names.index(kind)
            for row in range(self._count):
                if self._kinds[row] == code:
                    found.append(row)
            return found
        return [row for row, name in self._odd_kinds.items() if name == kind]

    def path(self, Py_ssize_t row):
        """`row`, its parent, and so on to a root. A cycle ends where it closes."""
        cdef list found = []
        cdef uint8_t* seen = self._seen()
        cdef int32_t at
        try:
            self._known(row)
            at = <int32_t>row
            while at >= 0 and not seen[at >> 3] & (1 << (at & 7)):
                seen[at >> 3] |= 1 << (at & 7)
                found.append(at)
                at = self._parents[at]
        finally:
            free(seen)
        return found

    def children(self, row):
        """Rows whose parent is this one, roots for None; in the order of the file."""
        cdef list found = []
        cdef Py_ssize_t at
        cdef Py_ssize_t parent = -1
        if row is not None:
            parent = row
            self._known(parent)
        self._group()
        for at in range(self._child_at[parent + 1], self._child_at[parent + 2]):
            found.append(self._child_rows[at])
        return found

    def leaves(self):
        """Rows that no other follows."""
        cdef list found = []
        cdef Py_ssize_t row
        self._group()
        for row in range(self._count):
            if self._child_at[row + 1] == self._child_at[row + 2]:
                found.append(row)
        return found

    def common_ancestor(self, Py_ssize_t one, Py_ssize_t other):
        """The nearest row on the paths of both; None where they have none in common."""
        cdef uint8_t* above = self._seen()
        cdef uint8_t* seen = NULL
        cdef int32_t at
        try:
            seen = self._seen()
            self._known(one)
            self._known(other)
            at = <int32_t>one
            while at >= 0 and not above[at >> 3] & (1 << (at & 7)):
                above[at >> 3] |= 1 << (at & 7)
                at = self._parents[at]
            at = <int32_t>other
            while at >= 0 and not seen[at >> 3] & (1 << (at & 7)):
                if above[at >> 3] & (1 << (at & 7)):
                    return at
                seen[at >> 3] |= 1 << (at & 7)
                at = self._parents[at]
        finally:
            free(above)
            free(seen)
        return None

    def totals(self, read, measure, rows=None):
        """Sums of input, output, cache read and cache write tokens, and cost, of all rows or some.

        read(start, end) gives a line again where it must be parsed, measure(line) its usage.
        """
        cdef double[5] sums
        cdef double* values
        cdef Py_ssize_t row, low, high, middle
        cdef int field
        cdef uint8_t[256] counted
        for field in range(256):
            counted[field] = False
        for field, kind in enumerate(self._kind_names):
            counted[field] = kind in KINDS
        for field in range(5):
            sums[field] = 0.0
        low = 0
        for row in range(self._count) if rows is None else rows:
            self._known(row)
            if self._measured[row] == UNMEASURED or not (
                counted[self._kinds[row]]
                or (self._kinds[row] == ODD_KIND and self._odd_kinds[row] in KINDS)
            ):
                continue
            if self._measured[row] == TO_MEASURE:
                usage = measure(read(self._starts[row], self._ends[row]))
                if usage is not None:
                    for field in range(5):
                        sums[field] += <double>usage[field]
                continue
            if low >= self._usage_count or self._usage_rows[low] != row:
                low = 0
                high = self._usage_count
                while low < high:
                    middle = (low + high) // 2
                    if self._usage_rows[middle] < row:
                        low = middle + 1
                    else:
                        high = middle
            values = self._usage + 5 * low
            for field in range(5):
                sums[field] += values[field]
            low += 1
        return sums[0], sums[1], sums[2], sums[3], sums[4]

    cdef int _known(self, Py_ssize_t row) except -1:
        if not 0 <= row < self._count:
            raise IndexError(f"no row {row}")
        return 0

    cdef uint8_t* _seen(self) except NULL:
        """A bit for each row."""
        cdef uint8_t* bits = <uint8_t*>calloc(self._count // 8 + 1, 1)
        if bits == NULL:
            raise MemoryError
        return bits

    cdef int _group(self) except -1:
        """Children by parent: a row's are at _child_at[row + 1] to _child_at[row + 2]."""
        cdef Py_ssize_t row
        cdef Py_ssize_t parent
        cdef int32_t* at
        if self._child_at != NULL:
            return 0
        free(self._child_rows)
        self._child_rows = <int32_t*>malloc((self._count + 1) * sizeof(int32_t))
        at = <int32_t*>calloc(self._count + 3, sizeof(int32_t))
        if self._child_rows == NULL or at == NULL:
            free(at)
            raise MemoryError
        for row in range(self._count):
            at[self._parents[row] + 3] += 1
        for row in range(self._count + 2):
            at[row + 1] += at[row]
        for row in range(self._count):
            parent = self._parents[row] + 2
            self._child_rows[at[parent]] = <int32_t>row
            at[parent] += 1
        self._child_at = at
        return 0

    cdef int _feed(self, const char* at, Py_ssize_t size) except -1 nogil:
        cdef const char* begin = at
        cdef const char* end = at + size
        cdef const char* cut
        cdef Py_ssize_t held
        if self._piece_size:
            cut = <const char*>memchr(at, 10, size)
            self._keep(at, (end if cut == NULL else cut) - at)
            if cut == NULL:
                self._position += size
                return 0
            held = self._piece_size
            self._piece_size = 0
            self._line(
                self._piece, self._piece + held, self._position + (cut - begin) - held
            )
            at = cut + 1
        while at < end:
            cut = <const char*>memchr(at, 10, end - at)
            if cut == NULL:
                self._keep(at, end - at)
                break
            if cut > at:
                self._line(at, cut, self._position + (at - begin))
            at = cut + 1
        self._position += size
        return 0

    cdef int _keep(self, const char* at, Py_ssize_t size) except -1 nogil:
        self._piece = <char*>_grown(self._piece, &self._piece_room, self._piece_size + size, 1)
        memcpy(self._piece + self._piece_size, at, size)
        self._piece_size += size
        return 0

    cdef int _line(self, const char* at, const char* end, int64_t offset) except -1 nogil:
        cdef Head head
        cdef Usage usage
        cdef int kind, found
        cdef bint message
        if not _head(at, end, &head):
            return self._unusual(at, end, offset)
        kind = self._kind(&head.kind)
        if kind < 0:
            return self._unusual(at, end, offset)
        found = hints(head.rest, end)
        # A second parentId: nested by chance, or two lines that were fused by a torn write.
        if found & PARENT or not _closed(at, end):
            return self._unusual(at, end, offset)
        self._put(&head, kind, offset, offset + (end - at), True)
        if not found & USAGE:
            return 0
        message = head.kind.size == 7 and memcmp(head.kind.at, b"message", 7) == 0
        if not _rest(head.rest, end, message, &usage) or usage.odd:
            self._measured[self._count - 1] = TO_MEASURE
        elif usage.at != NULL:
            self._take_usage(&usage)
        return 0

    cdef int _take_usage(self, Usage* usage) except -1 nogil:
        cdef double[5] values
        cdef Py_ssize_t room = self._usage_room
        if not _measure(usage.at, usage.end, values):
            self._measured[self._count - 1] = TO_MEASURE
            return 0
        self._usage_rows = <int32_t*>_grown(
            self._usage_rows, &room, self._usage_count + 1, sizeof(int32_t)
        )
        self._usage = <double*>_grown(
            self._usage, &self._usage_room, self._usage_count + 1, 5 * sizeof(double)
        )
        memcpy(self._usage + 5 * self._usage_count, values, sizeof(values))
        self._usage_rows[self._usage_count] = <int32_t>(self._count - 1)
        self._usage_count += 1
        self._measured[self._count - 1] = MEASURED
        return 0

    cdef int _unusual(self, const char* at, const char* end, int64_t offset) except -1 nogil:
        with gil:
            self._parsed(PyBytes_FromStringAndSize(at, end - at), offset)
        return 0

    cdef int _parsed(self, bytes line, int64_t offset) except -1:
        cdef Py_ssize_t row
        found = usual_head(line)
        if found is None or found[0] == "session":
            found = self._parse(line, offset)
            if found is None:
                return 0
        kind, entry_id, parent = found
        row = self.add(kind, entry_id, parent, offset, offset + PyBytes_GET_SIZE(line))
        if parent is not None and self._parents[row] < 0:
            wanted = parent.encode("utf-8", "surrogatepass")
            self._wait(<int32_t>row, PyBytes_AS_STRING(wanted), PyBytes_GET_SIZE(wanted))
        return 0

    cdef int _put(
        self, Head* head, int kind, int64_t start, int64_t end, bint waits
    ) except -1 nogil:
        """A row more. waits: a parent that is not there may come later."""
        cdef Py_ssize_t row = self._count
        cdef Py_ssize_t at = self._id_at[row]
        cdef int32_t parent = -1
        if row + 1 >= self._room:
            self._reserve(self._room * 2)
        if (row + 1) * 2 > self._slots:
            self._rehash(self._slots * 2)
        if row >= 0x7FFFFFF0 or at + head.id.size >= <Py_ssize_t>0xFFFFFFFFLL:
            with gil:
                raise MemoryError("too many entries")
        if head.parent.at != NULL:
            parent = self._find(head.parent.at, head.parent.size)
            if parent < 0 and waits:
                self._wait(<int32_t>row, head.parent.at, head.parent.size)
        self._ids = <char*>_grown(self._ids, &self._ids_room, at + head.id.size, 1)
        memcpy(self._ids + at, head.id.at, head.id.size)
        self._id_at[row + 1] = <uint32_t>(at + head.id.size)
        self._starts[row] = start
        self._ends[row] = end
        self._parents[row] = parent
        self._kinds[row] = <uint8_t>kind
        self._measured[row] = UNMEASURED
        self._count = row + 1
        self._table[self._slot(head.id.at, head.id.size)] = <int32_t>(row + 1)
        if self._child_at != NULL:
            free(self._child_at)
            self._child_at = NULL
        return 0

    cdef int _wait(self, int32_t row, const char* at, Py_ssize_t size) except -1 nogil:
        cdef Py_ssize_t room = self._waiting_room
        self._waiting = <int32_t*>_grown(
            self._waiting, &room, self._waiting_count + 2, sizeof(int32_t)
        )
        self._wanted_at = <Py_ssize_t*>_grown(
            self._wanted_at, &self._waiting_room, self._waiting_count + 2, sizeof(Py_ssize_t)
        )
        self._wanted = <char*>_grown(
            self._wanted, &self._wanted_room, self._wanted_size + size + 1, 1
        )
        memcpy(self._wanted + self._wanted_size, at, size)
        self._waiting[self._waiting_count] = row
        self._wanted_at[self._waiting_count] = self._wanted_size
        self._wanted_size += size
        self._waiting_count += 1
        self._wanted_at[self._waiting_count] = self._wanted_size
        return 0

    cdef int _kind(self, Text* kind) except -2 nogil:
        """The number of a type; -1 where it is new and there is no more room, or it is long."""
        cdef int number = self._kind_last
        if number < self._kind_count and self._is_kind(number, kind):
            return number
        for number in range(self._kind_count):
            if self._is_kind(number, kind):
                self._kind_last = number
                return number
        if kind.size == 7 and memcmp(kind.at, b"session", 7) == 0:
            return -1
        if self._kind_count == ODD_KIND or kind.size > 32:
            return -1
        with gil:
            return self._kind_of(_str(kind.at, kind.size))

    cdef inline bint _is_kind(self, int number, Text* kind) noexcept nogil:
        return (
            self._kind_size[number] == kind.size
            and memcmp(self._kind_text[number], kind.at, kind.size) == 0
        )

    cdef int _kind_of(self, str kind) except -1:
        cdef bytes text = kind.encode("utf-8", "surrogatepass")
        cdef Text as_text
        if kind in self._kind_names:
            return self._kind_names.index(kind)
        if self._kind_count == ODD_KIND or PyBytes_GET_SIZE(text) > 32:
            return ODD_KIND
        memcpy(self._kind_text[self._kind_count], PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        self._kind_size[self._kind_count] = <uint8_t>PyBytes_GET_SIZE(text)
        self._kind_names.append(kind)
        self._kind_count += 1
        return self._kind_count - 1

    cdef int _reserve(self, Py_ssize_t room) except -1 nogil:
        cdef Py_ssize_t same = self._room
        self._starts = <int64_t*>_grown(self._starts, &same, room, sizeof(int64_t))
        same = self._room
        self._ends = <int64_t*>_grown(self._ends, &same, room, sizeof(int64_t))
        same = self._room
        self._parents = <int32_t*>_grown(self._parents, &same, room, sizeof(int32_t))
        same = self._room
        self._kinds = <uint8_t*>_grown(self._kinds, &same, room, 1)
        same = self._room
        self._measured = <uint8_t*>_grown(self._measured, &same, room, 1)
        same = self._room
        self._id_at = <uint32_t*>_grown(self._id_at, &same, room, sizeof(uint32_t))
        self._room = same
        return 0

    cdef int _rehash(self, Py_ssize_t slots) except -1 nogil:
        cdef Py_ssize_t row
        cdef int32_t* old = self._table
        cdef int32_t* table = <int32_t*>calloc(slots, sizeof(int32_t))
        if table == NULL:
            with gil:
                raise MemoryError
        self._table = table
        self._slots = slots
        free(old)
        for row in range(self._count):
            table[
                self._slot(
                    self._ids + self._id_at[row], self._id_at[row + 1] - self._id_at[row]
                )
            ] = <int32_t>(row + 1)
        return 0

    cdef inline Py_ssize_t _slot(self, const char* id, Py_ssize_t size) noexcept nogil:
        """Where the latest row with this id is, or the free place for it."""
        cdef Py_ssize_t slot = <Py_ssize_t>(self._hash(id, size) & <uint64_t>(self._slots - 1))
        cdef Py_ssize_t row
        while self._table[slot]:
            row = self._table[slot] - 1
            if (
                self._id_at[row + 1] - self._id_at[row] == <uint32_t>size
                and memcmp(self._ids + self._id_at[row], id, size) == 0
            ):
                break
            slot = (slot + 1) & (self._slots - 1)
        return slot

    cdef inline int32_t _find(self, const char* id, Py_ssize_t size) noexcept nogil:
        return self._table[self._slot(id, size)] - 1

    cdef inline uint64_t _hash(self, const char* id, Py_ssize_t size) noexcept nogil:
        """Seeded anew in each process: a file cannot be made of ids that meet in one place."""
        cdef uint64_t state = self._seed ^ <uint64_t>size
        cdef uint64_t word
        while size >= 8:
            memcpy(&word, id, 8)
            state = (state ^ word) * <uint64_t>0x9E3779B97F4A7C15
            state ^= state >> 29
            id += 8
            size -= 8
        word = 0
        memcpy(&word, id, size)
        state = (state ^ word) * <uint64_t>0xD6E8FEB86659FD93
        return state ^ (state >> 32)


cdef void* _grown(
    void* memory, Py_ssize_t* room, Py_ssize_t wanted, Py_ssize_t size
) except? NULL nogil:
    """The memory, or a larger one that has room for `wanted` items of `size` bytes."""
    cdef Py_ssize_t more
    cdef void* larger
    if wanted <= room[0]:
        return memory
    more = max(wanted, room[0] + room[0] // 2, 64)
    larger = realloc(memory, more * size)
    if larger == NULL:
        with gil:
            raise MemoryError
    room[0] = more
    return larger
