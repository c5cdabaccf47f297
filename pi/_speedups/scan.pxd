# What search.pyx uses of the search of files, all of it without the interpreter.

from libc.stdint cimport uint8_t

from pi._speedups.automaton cimport Automaton, Cache

cdef extern from "find_bytes.h":
    ctypedef struct pi_needle:
        const uint8_t* text
        const uint8_t* mask
        size_t size
        size_t i
        size_t j
        int folds
    const uint8_t* pi_find(const pi_needle* needle, const uint8_t* at, const uint8_t* end) nogil
    ctypedef struct pi_choices:
        size_t size
    void pi_add_choice(pi_choices* choices, int number, size_t place, int byte)
    const uint8_t* pi_find_choice(
        const pi_choices* choices, const uint8_t* at, const uint8_t* end
    ) nogil
    size_t pi_count_lines(const uint8_t* at, const uint8_t* end) nogil
    const uint8_t* pi_line_start(const uint8_t* floor, const uint8_t* at) nogil

cdef struct Line:
    size_t offset
    size_t size
    size_t number
    int file
    bint matched
    bint cut

# What one batch of files gave; the texts of all its lines stand one after the other.
cdef struct Found:
    Line* lines
    size_t count
    size_t room
    char* text
    size_t used
    size_t text_room
    size_t matched
    bint failed

# One search of one thread.
cdef struct Scan:
    pi_needle needle
    bint has_needle
    const pi_choices* choices  # without a needle, or NULL
    Cache* cache        # NULL: the needle is the whole pattern
    size_t before
    size_t after
    size_t most         # matching lines of a file; then only its context goes on
    size_t keep         # bytes of a line that are kept, carriage returns not counted
    bint binary         # search what has zero bytes too
    volatile uint8_t* stopped  # not zero: end soon, with what was found
    uint8_t* buffer
    size_t room
    # of the file that is being searched
    int file
    size_t number       # of the line that starts at `counted`
    size_t counted      # offsets into the buffer
    size_t seen         # end of the last line that was handed out
    size_t matched
    size_t after_left

cdef int scan_path(Scan* scan, Found* found, const char* path, int number) noexcept nogil
cdef void end_scan(Scan* scan) noexcept nogil
cdef void found_free(Found* found) noexcept nogil
cdef list lines_of(const Found* found, size_t start, size_t stop)

cdef class Searcher:
    cdef Scan scan
    cdef Automaton automaton
    cdef object query
    cdef pi_choices choices

    cdef bint begin(self, Scan* scan, volatile uint8_t* stopped) noexcept nogil
