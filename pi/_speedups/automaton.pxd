# What scan.pyx and walk.pyx use of the automaton, all of it without the interpreter.

from libc.stdint cimport uint8_t

from pi._speedups.nfa cimport Prog, Sets

cdef struct Cache:
    const Prog* prog
    int stride         # classes of the program
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
    Sets sets
    bint failed        # out of memory: answers are no longer reliable

cdef Cache* cache_new(const Prog* prog, volatile uint8_t* stopped) noexcept nogil
cdef void cache_free(Cache* cache) noexcept nogil
cdef const uint8_t* next_hit(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil
cdef bint matches_text(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil

cdef class Automaton:
    cdef Prog prog
    cdef Cache* cache
    cdef readonly object program
