# What walk.pyx uses of the ignore rules, all of it without the interpreter.

from libc.stdint cimport uint8_t

cdef struct Segment:
    const uint8_t* code
    int size

cdef struct RuleList:
    int count
    CompiledRule* rules

cdef struct CompiledRule:
    bint negated
    bint folders_only
    bint by_name
    int form               # 0 segments after the text, 1 the text itself, 2 a text at the end
    int n_segments
    Segment* segments
    const uint8_t* text
    int text_size

cdef int check(
    const RuleList* rules, const uint8_t* path, int size, int name_at, bint folder
) noexcept nogil

cdef class Rules:
    cdef RuleList list
    cdef object kept
