# Arrays that grow.

from libc.stdlib cimport realloc


cdef inline void* grown(
    void* memory, Py_ssize_t* room, Py_ssize_t wanted, Py_ssize_t size
) except? NULL nogil:
    """The memory, or a larger one that has room for `wanted` items of `size` bytes."""
    cdef Py_ssize_t more
    cdef inline void* larger
    if wanted <= room[0]:
        return memory
    more = max(wanted, room[0] + room[0] // 2, 64)
    larger = realloc(memory, more * size)
    if larger == NULL:
        with gil:
            raise MemoryError
    room[0] = more
    return larger
