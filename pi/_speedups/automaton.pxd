# What scan.pyx and walk.pyx use of the automaton, all of it without the interpreter.

from libc.stdint cimport uint8_t

cdef struct Prog:
    int count
    int start
    int end            # class of the end of a line; classes are 0 .. end
    bint lines
    bint words
    bint decodes       # word boundaries are Unicode's: needs decoding beyond ASCII
    uint8_t* kind
    int* first
    int* second
    uint8_t* low
    uint8_t* high
    int* target
    int* points
    int n_points
    uint8_t classes[256]
    int sample[257]    # one byte of each class

cdef struct Cache:
    const Prog* prog
    int stride
    int n_states
    int cap_states
    int* trans
    int* offset
    int* length
    uint8_t* flags
    int* pool
    int pool_len
    int pool_cap
    int* table
    int table_size
    int* dense
    int* sparse
    int n_dense
    int* dense2
    int* sparse2
    int n_dense2
    int* stack
    bint failed        # out of memory: answers are no longer reliable

cdef Cache* cache_new(const Prog* prog) noexcept nogil
cdef void cache_free(Cache* cache) noexcept nogil
cdef const uint8_t* next_hit(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil
cdef bint matches_text(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil

cdef class Automaton:
    cdef Prog prog
    cdef Cache* cache
    cdef readonly object program
