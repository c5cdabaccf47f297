# The ids of a session's rows: texts end to end in one piece of memory, found by a table of row
# numbers with open addressing. An id may come again: the latest row is found.

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from pi._speedups.memory cimport grown

# All zero to begin with, but for the seed: new in each process, so that a file cannot be made of
# ids that meet in one place.
cdef struct Ids:
    uint64_t seed
    Py_ssize_t count
    char* text
    Py_ssize_t text_room
    uint32_t* ends      # one a row, each the begin of the next
    Py_ssize_t room
    int32_t* table      # row + 1 of the latest with an id, 0 for free
    Py_ssize_t slots    # a power of two


cdef inline void ids_free(Ids* ids) noexcept nogil:
    free(ids.text)
    free(ids.ends)
    free(ids.table)


cdef inline const char* id_at(const Ids* ids, Py_ssize_t row) noexcept nogil:
    return ids.text + (ids.ends[row - 1] if row else 0)


cdef inline Py_ssize_t id_size(const Ids* ids, Py_ssize_t row) noexcept nogil:
    return ids.ends[row] - (ids.ends[row - 1] if row else 0)


cdef inline uint64_t hash_of(const Ids* ids, const char* id, Py_ssize_t size) noexcept nogil:
    cdef uint64_t state = ids.seed ^ <uint64_t>size
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


cdef inline Py_ssize_t slot_of(const Ids* ids, const char* id, Py_ssize_t size) noexcept nogil:
    """Where the latest row with this id is, or the free place for it."""
    cdef Py_ssize_t slot = <Py_ssize_t>(hash_of(ids, id, size) & <uint64_t>(ids.slots - 1))
    cdef Py_ssize_t row
    while ids.table[slot]:
        row = ids.table[slot] - 1
        if id_size(ids, row) == size and memcmp(id_at(ids, row), id, size) == 0:
            break
        slot = (slot + 1) & (ids.slots - 1)
    return slot


cdef inline int32_t find_id(const Ids* ids, const char* id, Py_ssize_t size) noexcept nogil:
    """The latest row with this id, -1 for none."""
    return ids.table[slot_of(ids, id, size)] - 1 if ids.slots else -1


cdef inline int more_slots(Ids* ids, Py_ssize_t slots) except -1 nogil:
    cdef Py_ssize_t row
    cdef int32_t* table = <int32_t*>calloc(slots, sizeof(int32_t))
    if table == NULL:
        with gil:
            raise MemoryError
    free(ids.table)
    ids.table = table
    ids.slots = slots
    for row in range(ids.count):
        table[slot_of(ids, id_at(ids, row), id_size(ids, row))] = <int32_t>(row + 1)
    return 0


cdef inline int add_id(Ids* ids, const char* id, Py_ssize_t size) except -1 nogil:
    """The next row's."""
    cdef Py_ssize_t row = ids.count
    cdef Py_ssize_t at = ids.ends[row - 1] if row else 0
    if row >= 0x7FFFFFF0 or at + size >= <Py_ssize_t>0xFFFFFFFFLL:
        with gil:
            raise MemoryError("too many entries")
    if (row + 1) * 2 > ids.slots:
        more_slots(ids, ids.slots * 2 if ids.slots else 128)
    ids.ends = <uint32_t*>grown(ids.ends, &ids.room, row + 1, sizeof(uint32_t))
    ids.text = <char*>grown(ids.text, &ids.text_room, at + size, 1)
    memcpy(ids.text + at, id, size)
    ids.ends[row] = <uint32_t>(at + size)
    ids.count = row + 1
    ids.table[slot_of(ids, id, size)] = <int32_t>(row + 1)
    return 0
