# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The rows of a session's whole tree, from its bytes; _rows.py is the twin.

A line costs one search for its end, a comparison of its first bytes, and one pass over the rest for
what would make the head uncertain; usage is read where it is named. Anything that does not fit is
handed to the caller to parse.

Rows are flat arrays. No Python object is made for a usual line and the GIL is not held.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp, memcpy

from pi._speedups.heads cimport Head, Text, closed, read_head
from pi._speedups.ids cimport Ids, add_id, find_id, id_at, id_size, ids_free
from pi._speedups.json_bytes cimport PARENT, USAGE, hints
from pi._speedups.memory cimport grown
from pi._speedups.usage cimport Usage, find_usage, read_figures

from pi._speedups.jsonl import usual_head

__all__ = ["TreeRows"]

cdef tuple KINDS = ("message", "usage", "compaction", "branch_summary")

cdef enum:
    ODD_KIND = 255  # of more types than any session has: named in a dict
    UNMEASURED = 0
    MEASURED = 1
    TO_MEASURE = 2  # has usage, to be read by parsing


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
    # One item a row.
    cdef Ids _ids
    cdef Py_ssize_t _count, _room
    cdef int64_t* _starts
    cdef int64_t* _ends
    cdef int32_t* _parents
    cdef uint8_t* _kinds
    cdef uint8_t* _measured
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
        self._ids.seed = <uint64_t><Py_hash_t>hash("ids of a session") | 1
        self._reserve(64)

    def __dealloc__(self):
        free(self._piece)
        free(self._starts)
        free(self._ends)
        free(self._parents)
        free(self._kinds)
        free(self._measured)
        ids_free(&self._ids)
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
            self._parents[self._waiting[number]] = find_id(
                &self._ids,
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
        found = find_id(&self._ids, PyBytes_AS_STRING(wanted), PyBytes_GET_SIZE(wanted))
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
        return _str(id_at(&self._ids, row), id_size(&self._ids, row))

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
        self._piece = <char*>grown(self._piece, &self._piece_room, self._piece_size + size, 1)
        memcpy(self._piece + self._piece_size, at, size)
        self._piece_size += size
        return 0

    cdef int _line(self, const char* at, const char* end, int64_t offset) except -1 nogil:
        cdef Head head
        cdef Usage usage
        cdef int kind, found
        cdef bint message
        if not read_head(at, end, &head):
            return self._unusual(at, end, offset)
        kind = self._kind(&head.kind)
        if kind < 0:
            return self._unusual(at, end, offset)
        found = hints(head.rest, end)
        # A second parentId: nested by chance, or two lines that were fused by a torn write.
        if found & PARENT or not closed(at, end):
            return self._unusual(at, end, offset)
        self._put(&head, kind, offset, offset + (end - at), True)
        if not found & USAGE:
            return 0
        message = head.kind.size == 7 and memcmp(head.kind.at, b"message", 7) == 0
        if not find_usage(head.rest, end, message, &usage) or usage.odd:
            self._measured[self._count - 1] = TO_MEASURE
        elif usage.at != NULL:
            self._take_usage(&usage)
        return 0

    cdef int _take_usage(self, Usage* usage) except -1 nogil:
        cdef double[5] values
        cdef Py_ssize_t room = self._usage_room
        if not read_figures(usage.at, usage.end, values):
            self._measured[self._count - 1] = TO_MEASURE
            return 0
        self._usage_rows = <int32_t*>grown(
            self._usage_rows, &room, self._usage_count + 1, sizeof(int32_t)
        )
        self._usage = <double*>grown(
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
        cdef int32_t parent = -1
        if row == self._room:
            self._reserve(self._room * 2)
        if head.parent.at != NULL:
            parent = find_id(&self._ids, head.parent.at, head.parent.size)
            if parent < 0 and waits:
                self._wait(<int32_t>row, head.parent.at, head.parent.size)
        add_id(&self._ids, head.id.at, head.id.size)
        self._starts[row] = start
        self._ends[row] = end
        self._parents[row] = parent
        self._kinds[row] = <uint8_t>kind
        self._measured[row] = UNMEASURED
        self._count = row + 1
        if self._child_at != NULL:
            free(self._child_at)
            self._child_at = NULL
        return 0

    cdef int _wait(self, int32_t row, const char* at, Py_ssize_t size) except -1 nogil:
        cdef Py_ssize_t room = self._waiting_room
        self._waiting = <int32_t*>grown(
            self._waiting, &room, self._waiting_count + 2, sizeof(int32_t)
        )
        self._wanted_at = <Py_ssize_t*>grown(
            self._wanted_at, &self._waiting_room, self._waiting_count + 2, sizeof(Py_ssize_t)
        )
        self._wanted = <char*>grown(
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
        self._starts = <int64_t*>grown(self._starts, &same, room, sizeof(int64_t))
        same = self._room
        self._ends = <int64_t*>grown(self._ends, &same, room, sizeof(int64_t))
        same = self._room
        self._parents = <int32_t*>grown(self._parents, &same, room, sizeof(int32_t))
        same = self._room
        self._kinds = <uint8_t*>grown(self._kinds, &same, room, 1)
        same = self._room
        self._measured = <uint8_t*>grown(self._measured, &same, room, 1)
        self._room = same
        return 0
