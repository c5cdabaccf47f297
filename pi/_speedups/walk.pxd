# What scan.pyx uses of the walker: batches of entries, without the interpreter.

from libc.stdint cimport uint8_t

from pi._speedups.automaton cimport Automaton, Cache
from pi._speedups.ignore cimport RuleList, Rules

cdef struct Batch:
    char* names        # each ends in a zero byte
    size_t used
    size_t room
    size_t* offsets
    uint8_t* kinds
    int count
    int capacity

cdef struct Entry:
    char* name
    size_t offset
    uint8_t kind

cdef struct Frame:
    char* names
    Entry* entries
    int count
    int at
    size_t path_size
    bint has_level

cdef struct Level:
    size_t base
    const RuleList* ignore
    const RuleList* git
    const RuleList* exclude
    bint repository

cdef bint batch_init(Batch* batch, int capacity) noexcept nogil
cdef void batch_free(Batch* batch) noexcept nogil

cdef class Walker:
    cdef char* path
    cdef size_t path_size
    cdef size_t path_room
    cdef size_t root_size
    cdef Frame* frames
    cdef int n_frames
    cdef int frame_room
    cdef Level* levels
    cdef int n_levels
    cdef int level_room
    cdef int n_repositories
    cdef bint use_git
    cdef bint require_git
    cdef bint files_only
    cdef bint select_path
    cdef bint only_excludes
    cdef bint only_folders
    cdef bint started
    cdef bint failed
    cdef volatile bint stopped
    cdef Automaton select
    cdef Automaton only
    cdef Rules everywhere
    cdef tuple ignore_names
    cdef list kept
    cdef readonly list errors
    cdef readonly bytes root
    cdef void* lock

    cdef int fill(self, Batch* batch, int most) noexcept nogil
    cdef int next_entry(self, size_t* name_at, uint8_t* kind) noexcept nogil
    cdef bint decide(self, size_t name_at, bint folder) noexcept nogil
    cdef int push(self) noexcept nogil
    cdef void pop(self) noexcept nogil
    cdef bint reserve(self, size_t size) noexcept nogil
    cdef void report(self, int error) noexcept
    cdef bint add_level(self, int found) noexcept
