# cython: boundscheck=False, wraparound=False, cdivision=True
"""Paths ranked for what a person types of them; twin of _names.py.

Of each match a 64-bit key is made, the smaller the better: four bits for the kind of match, twelve
for the spread of scattered letters, sixteen for what the path costs, the rest its number. One pass
over all paths keeps the best keys in a heap.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp

cdef enum:
    GOOD = 5  # the last kind of match that is one of letters side by side, or of initials
    NAME_LOOSE = 6
    PATH_LOOSE = 7
    SKIP = 14  # the folder itself whose content is asked for
    NONE = 15
    FEW = 8
    WIDEST = 0xFFF
    DEPTH_COST = 3


cdef struct Line:
    const uint8_t* start
    uint32_t size     # with the slash of a folder
    uint32_t path     # without it
    uint32_t name     # where the last component starts
    uint32_t bare     # the same behind its dots and underlines
    uint16_t cost
    uint16_t listing


cdef struct Query:
    const uint8_t* start
    Py_ssize_t size
    Py_ssize_t slash  # the last one's place, -1 if there is none


cdef inline bint is_letter(uint8_t byte) noexcept nogil:
    return (
        byte >= 0x80
        or 0x30 <= byte <= 0x39
        or 0x61 <= byte <= 0x7A
        or 0x41 <= byte <= 0x5A
    )


cdef inline bint is_lead(uint8_t byte) noexcept nogil:
    return byte == c"." or byte == c"_" or byte == c"-"


cdef inline bint starts(
    const uint8_t* text, Py_ssize_t size, const uint8_t* part, Py_ssize_t length
) noexcept nogil:
    return size >= length and memcmp(text, part, length) == 0


cdef Py_ssize_t find(
    const uint8_t* text, Py_ssize_t size, const uint8_t* part, Py_ssize_t length
) noexcept nogil:
    """Where the part is first, -1 if nowhere. length: at least one."""
    cdef const uint8_t* at = text
    cdef const uint8_t* last = text + size - length
    while at <= last:
        at = <const uint8_t*> memchr(at, part[0], last - at + 1)
        if at == NULL:
            return -1
        if memcmp(at, part, length) == 0:
            return at - text
        at += 1
    return -1


cdef int spread_of(
    const uint8_t* letters, Py_ssize_t count, const uint8_t* text, Py_ssize_t size
) noexcept nogil:
    """Bytes from the first to the last of the letters in their order; 0 if they are not there."""
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef Py_ssize_t n, start, stop
    for n in range(count):
        if at >= end:
            return 0
        at = <const uint8_t*> memchr(at, letters[n], end - at)
        if at == NULL:
            return 0
        at += 1
    if count == 0:
        return 0
    stop = start = at - text
    for n in range(count - 1, -1, -1):
        start -= 1
        while text[start] != letters[n]:
            start -= 1
    return <int> min(stop - start, <Py_ssize_t> WIDEST)


cdef bint are_initials(
    const uint8_t* letters, Py_ssize_t count, const uint8_t* name, Py_ssize_t size
) noexcept nogil:
    cdef Py_ssize_t at, matched = 0
    for at in range(size):
        if is_letter(name[at]) and not (at and is_letter(name[at - 1])):
            if name[at] != letters[matched]:
                return False
            matched += 1
            if matched == count:
                return True
    return False


cdef int by_path(const Line* line, const Query* query) noexcept nogil:
    cdef const uint8_t* text = line.start
    cdef Py_ssize_t at, rest = query.size - query.slash - 1
    at = find(text, line.size, query.start, query.size)
    if at == 0:
        return SKIP if line.size == query.size and not rest else 0
    if at > 0:
        while at > 0 and text[at - 1] != c"/":
            at += 1
            rest = find(text + at, line.size - at, query.start, query.size)
            at = rest if rest < 0 else at + rest
        return 1 if at > 0 else 2
    if (
        rest
        and starts(
            text + line.bare, line.path - line.bare, query.start + query.slash + 1, rest
        )
        and spread_of(query.start, query.slash, text, line.name)
    ):
        return 3
    return NONE


cdef int by_name(const Line* line, const Query* query, int* spread) noexcept nogil:
    cdef const uint8_t* name = line.start + line.name
    cdef Py_ssize_t size = line.path - line.name
    cdef Py_ssize_t begin = 0 if is_lead(query.start[0]) else line.bare - line.name
    cdef Py_ssize_t at, more
    if starts(name + begin, size - begin, query.start, query.size):
        at = begin + query.size
        return 0 if at == size or name[at] == c"." else 1
    at = find(name, size, query.start, query.size)
    if at >= 0:
        while at > 0 and is_letter(name[at - 1]):
            more = find(name + at + 1, size - at - 1, query.start, query.size)
            at = more if more < 0 else at + 1 + more
        return 2 if at >= 0 else 3
    if find(line.start, line.path, query.start, query.size) >= 0:
        return 4
    if are_initials(query.start, query.size, name, size):
        return 5
    spread[0] = spread_of(query.start, query.size, name, size)
    return NAME_LOOSE if spread[0] else NONE


cdef inline void sink(uint64_t* heap, Py_ssize_t size) noexcept nogil:
    """Put the first of a heap, whose greatest is in front, where it belongs."""
    cdef Py_ssize_t at = 0, below = 1
    cdef uint64_t key = heap[0]
    while below < size:
        if below + 1 < size and heap[below + 1] > heap[below]:
            below += 1
        if heap[below] <= key:
            break
        heap[at] = heap[below]
        at = below
        below = 2 * at + 1
    heap[at] = key


cdef inline void rise(uint64_t* heap, Py_ssize_t at) noexcept nogil:
    cdef uint64_t key = heap[at]
    while at and heap[(at - 1) // 2] < key:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = key


cdef class Names:
    """text: paths in lower case, one a line, folders with a slash behind."""

    cdef bytes text
    cdef Line* lines
    cdef Py_ssize_t count

    def __cinit__(self, bytes text not None):
        cdef const uint8_t* start = text
        cdef const uint8_t* end = start + len(text)
        cdef const uint8_t* stop
        self.text = text
        self.count = 0
        self.lines = NULL
        if not text:
            return
        self.lines = <Line*> malloc((text.count(b"\n") + 1) * sizeof(Line))
        if self.lines == NULL:
            raise MemoryError
        with nogil:
            while True:
                stop = <const uint8_t*> memchr(start, c"\n", end - start)
                if stop == NULL:
                    stop = end
                look_at(&self.lines[self.count], start, stop - start)
                self.count += 1
                if stop == end:
                    break
                start = stop + 1

    def __dealloc__(self):
        free(self.lines)

    def __len__(self):
        return self.count

    def best(self, bytes query not None, Py_ssize_t most):
        """Numbers of the lines that fit, the best first; see the twin for what is best."""
        if most < 1:
            raise ValueError("at least one must be asked for")
        cdef Query wanted
        wanted.start = query
        wanted.size = len(query)
        wanted.slash = query.rfind(b"/")
        most = min(most, max(1, self.count))
        cdef uint64_t* heap = <uint64_t*> malloc(most * sizeof(uint64_t))
        if heap == NULL:
            raise MemoryError
        cdef Py_ssize_t kept = 0, good = 0, loose = 0
        try:
            with nogil:
                kept = self.collect(&wanted, heap, most, &good, &loose)
            keys = sorted([heap[n] for n in range(kept)])
        finally:
            free(heap)
        last = GOOD if good >= FEW else NAME_LOOSE if good or loose else PATH_LOOSE
        return [key & 0xFFFFFFFF for key in keys if key >> 60 <= last]

    cdef Py_ssize_t collect(
        self,
        const Query* query,
        uint64_t* heap,
        Py_ssize_t most,
        Py_ssize_t* good,
        Py_ssize_t* loose,
    ) noexcept nogil:
        cdef bint listing = query.size == 0 or query.slash == query.size - 1
        cdef Py_ssize_t number, kept = 0
        cdef const Line* line
        cdef int kind, spread
        cdef uint64_t key
        for number in range(self.count):
            line = &self.lines[number]
            spread = 0
            if query.size == 0:
                kind = 0
            elif query.slash >= 0:
                kind = by_path(line, query)
            else:
                kind = by_name(line, query, &spread)
            if kind == SKIP:
                continue
            if kind == NONE:
                spread = spread_of(query.start, query.size, line.start, line.size)
                if spread == 0:
                    continue
                kind = PATH_LOOSE
            good[0] += kind <= GOOD
            loose[0] += kind == NAME_LOOSE
            key = (
                <uint64_t> kind << 60
                | <uint64_t> spread << 48
                | <uint64_t> (line.listing if listing else line.cost) << 32
                | <uint64_t> number
            )
            if kept < most:
                heap[kept] = key
                rise(heap, kept)
                kept += 1
            elif key < heap[0]:
                heap[0] = key
                sink(heap, most)
        return kept


cdef void look_at(Line* line, const uint8_t* start, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at, path, depth = 0
    cdef bint hidden = size > 0 and start[0] == c"."
    line.start = start
    line.size = <uint32_t> size
    path = size - 1 if size and start[size - 1] == c"/" else size
    line.path = <uint32_t> path
    line.name = 0
    for at in range(path):
        if start[at] == c"/":
            depth += 1
            line.name = <uint32_t> at + 1
            if at + 1 < path and start[at + 1] == c".":
                hidden = True
    at = line.name
    while at < path and is_lead(start[at]):
        at += 1
    line.bare = <uint32_t> at
    line.cost = <uint16_t> (
        min(path - line.name + DEPTH_COST * depth, <Py_ssize_t> 0x7FFF) + 0x8000 * hidden
    )
    line.listing = <uint16_t> (
        min(depth, <Py_ssize_t> 0x7F) * 4 + 2 * hidden + (path == size)
    )
