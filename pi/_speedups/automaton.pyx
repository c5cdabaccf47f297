# cython: boundscheck=False, wraparound=False, cdivision=True
"""Runs a pattern's automaton over bytes, in time linear in their number; twin of _automaton.py.

The nondeterministic automaton of `pattern.program` is made deterministic while it runs: a state
is a set of its states, its transitions are worked out when first taken and kept in a bounded
cache, which each thread has for itself. Where Unicode word boundaries meet text beyond ASCII, the
line is run through the nondeterministic automaton itself (nfa.pxd), slower and as linear.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

from pi._speedups.nfa cimport K_LOOK, K_STEP, edge, follow, holds, is_word_byte, run_nfa

cdef extern from *:
    """
    #include <string.h>
    static int pi_compare_ints(const void *a, const void *b) {
        int x = *(const int *)a, y = *(const int *)b;
        return (x > y) - (x < y);
    }
    """
    int pi_compare_ints(const void*, const void*) noexcept nogil

cdef enum:
    UNKNOWN = -1
    DEAD = 0
    HIT = 1
    QUIT = 2
    START = 3

    F_START = 1
    F_WORD = 2
    F_PENDING = 4

    BUDGET = 8 * 1024 * 1024
    MOST_STATES = 10000

cdef volatile uint8_t NEVER = 0


cdef void forget(Cache* cache) noexcept nogil:
    cache.n_states = START
    cache.pool_len = 0
    memset(cache.table, 0xFF, cache.table_size * sizeof(int))


cdef bint grow(Cache* cache) noexcept nogil:
    """Room for one more state and its set; false if the budget is used up."""
    cdef int wanted
    cdef void* moved
    if cache.n_states >= MOST_STATES:
        return False
    if cache.n_states == cache.cap_states:
        wanted = cache.cap_states * 2
        if <size_t>wanted * cache.stride * sizeof(int) > BUDGET:
            return False
        moved = realloc(cache.trans, <size_t>wanted * cache.stride * sizeof(int))
        if moved == NULL:
            return False
        cache.trans = <int*>moved
        moved = realloc(cache.offset, wanted * sizeof(int))
        if moved == NULL:
            return False
        cache.offset = <int*>moved
        moved = realloc(cache.length, wanted * sizeof(int))
        if moved == NULL:
            return False
        cache.length = <int*>moved
        moved = realloc(cache.flags, wanted)
        if moved == NULL:
            return False
        cache.flags = <uint8_t*>moved
        cache.cap_states = wanted
    return True


cdef int intern(Cache* cache, uint8_t flags) noexcept nogil:
    """The state that stands for the second set; made if it is new. UNKNOWN: there is no room."""
    cdef const Prog* prog = cache.prog
    cdef int kept = 0
    cdef int k, state, kind, slot, found, wanted
    cdef uint32_t mixed = 2166136261u
    cdef int* dense = cache.sets.dense2
    for k in range(cache.sets.n_dense2):
        state = dense[k]
        kind = prog.kind[state]
        if kind == K_STEP:
            dense[kept] = state
            kept += 1
        elif kind == K_LOOK and prog.second[state] != 0:
            dense[kept] = state
            kept += 1
            flags |= F_PENDING
    cache.sets.n_dense2 = 0
    if kept == 0 and not (flags & F_START):
        # Nothing is under way, and no later position starts anything: only if anchored.
        return DEAD
    if kept > 1:
        qsort(dense, kept, sizeof(int), pi_compare_ints)
    for k in range(kept):
        mixed = (mixed ^ <uint32_t>dense[k]) * 16777619u
    mixed = (mixed ^ flags) * 16777619u
    mixed ^= mixed >> 15
    slot = mixed & (cache.table_size - 1)
    while cache.table[slot] != -1:
        found = cache.table[slot]
        if (
            cache.flags[found] == flags
            and cache.length[found] == kept
            and memcmp(cache.pool + cache.offset[found], dense, kept * sizeof(int)) == 0
        ):
            return found
        slot = (slot + 1) & (cache.table_size - 1)
    if not grow(cache):
        return UNKNOWN
    if cache.pool_len + kept > cache.pool_cap:
        wanted = cache.pool_cap * 2
        while wanted < cache.pool_len + kept:
            wanted *= 2
        # A single set always fits, or the largest of patterns could not run at all.
        if <size_t>wanted * sizeof(int) > BUDGET and cache.pool_len > 0:
            return UNKNOWN
        moved = realloc(cache.pool, <size_t>wanted * sizeof(int))
        if moved == NULL:
            cache.failed = True
            return UNKNOWN
        cache.pool = <int*>moved
        cache.pool_cap = wanted
    found = cache.n_states
    cache.n_states += 1
    cache.offset[found] = cache.pool_len
    cache.length[found] = kept
    cache.flags[found] = flags
    memcpy(cache.pool + cache.pool_len, dense, kept * sizeof(int))
    cache.pool_len += kept
    for k in range(cache.stride):
        cache.trans[<size_t>found * cache.stride + k] = UNKNOWN
    cache.table[slot] = found
    return found


cdef bint begin(Cache* cache) noexcept nogil:
    """Makes the state START of an empty cache; true if the empty line already matches there."""
    cache.sets.n_dense2 = 0
    cdef bint hit = follow(&cache.sets, cache.prog.start, 1, False)
    if hit:
        cache.sets.n_dense2 = 0
    intern(cache, F_START)
    return hit


cdef int step(Cache* cache, int state, int symbol) noexcept nogil:
    """The state after `state` and a byte of the class `symbol`, worked out and remembered."""
    cdef const Prog* prog = cache.prog
    cdef bint at_end = symbol == prog.end
    cdef int byte = -1 if at_end else prog.sample[symbol]
    cdef uint8_t flags = cache.flags[state]
    cdef int* members = cache.pool + cache.offset[state]
    cdef int count = cache.length[state]
    cdef int k, at, to, mask, result
    cdef bint hit = False
    cdef bint after
    cdef int* swap

    if cache.sets.stopped[0]:
        return DEAD
    if byte >= 128 and prog.decodes:
        cache.trans[<size_t>state * cache.stride + symbol] = QUIT
        return QUIT
    cache.sets.n_dense2 = 0
    cache.sets.n_dense = 0
    if flags & F_PENDING:
        after = (not at_end) and is_word_byte(byte)
        mask = holds(flags & F_START, at_end, (flags & F_WORD) != 0, after)
        for k in range(count):
            at = members[k]
            if prog.kind[at] == K_STEP:
                hit = follow(&cache.sets, at, mask, True)
            elif mask & (1 << prog.second[at]):
                hit = follow(&cache.sets, prog.first[at], mask, True)
            if hit:
                break
        if not hit:
            # What was resolved becomes the first set, to be stepped from.
            swap = cache.sets.dense
            cache.sets.dense = cache.sets.dense2
            cache.sets.dense2 = swap
            swap = cache.sets.sparse
            cache.sets.sparse = cache.sets.sparse2
            cache.sets.sparse2 = swap
            cache.sets.n_dense = cache.sets.n_dense2
            cache.sets.n_dense2 = 0
            members = cache.sets.dense
            count = cache.sets.n_dense
    if hit:
        result = HIT
    elif at_end:
        result = START if prog.lines else DEAD
    else:
        for k in range(count):
            at = members[k]
            if prog.kind[at] != K_STEP:
                continue
            to = edge(prog, at, byte)
            if to >= 0 and follow(&cache.sets, to, 0, False):
                hit = True
                break
        if not hit:
            hit = follow(&cache.sets, prog.start, 0, False)
        if hit:
            result = HIT
        else:
            result = intern(cache, F_WORD if prog.words and is_word_byte(byte) else 0)
            if result == UNKNOWN:
                # Full: forget everything but where we are. intern() has emptied the set's count
                # but not its members, which the set of START would overwrite; so work it out anew.
                return restart(cache, state, symbol)
    cache.trans[<size_t>state * cache.stride + symbol] = result
    return result


cdef int restart(Cache* cache, int state, int symbol) noexcept nogil:
    """Empties the cache, keeps `state` as the second one, and steps again."""
    cdef int count = cache.length[state]
    cdef uint8_t flags = cache.flags[state]
    cdef int* kept
    cdef int k, again
    if cache.failed:
        return DEAD
    kept = <int*>malloc((count + 1) * sizeof(int))
    if kept == NULL:
        cache.failed = True
        return DEAD
    memcpy(kept, cache.pool + cache.offset[state], count * sizeof(int))
    forget(cache)
    begin(cache)
    for k in range(count):
        cache.sets.dense2[k] = kept[k]
    cache.sets.n_dense2 = count
    free(kept)
    again = intern(cache, flags & ~F_PENDING)
    if again < START:
        cache.failed = True
        return DEAD
    return step(cache, again, symbol)


cdef const uint8_t* next_hit(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil:
    """A place in the first line that matches (its line feed or `end` at the latest), or NULL.

    `at` is the start of a line.
    """
    cdef const Prog* prog = cache.prog
    cdef const uint8_t* base = at
    cdef const uint8_t* line
    cdef const uint8_t* stop
    cdef int state = START
    cdef int to
    cdef int stride = cache.stride
    cdef int* trans = cache.trans
    if at >= end:
        return NULL
    if cache.n_states == START and begin(cache):
        # A match without any byte: every line has it.
        forget(cache)
        return at
    trans = cache.trans
    while at < end:
        to = trans[<size_t>state * stride + prog.classes[at[0]]]
        if to > QUIT:
            state = to
            at += 1
            continue
        if to == UNKNOWN:
            to = step(cache, state, prog.classes[at[0]])
            trans = cache.trans
            if to > QUIT:
                state = to
                at += 1
                continue
        if to == HIT:
            return at
        state = START
        if to == QUIT:
            line = at
            while line > base and (line - 1)[0] != 10:
                line -= 1
            stop = <const uint8_t*>memchr(at, 10, end - at)
            if stop == NULL:
                stop = end
            if run_nfa(&cache.sets, line, stop):
                return at
            at = stop
        else:
            at = <const uint8_t*>memchr(at, 10, end - at)
            if at == NULL:
                return NULL
        at += 1
        if at >= end:
            return NULL
    if (end - 1)[0] == 10:
        return NULL
    to = trans[<size_t>state * stride + prog.end]
    if to == UNKNOWN:
        to = step(cache, state, prog.end)
    return end if to == HIT else NULL


cdef bint matches_text(Cache* cache, const uint8_t* at, const uint8_t* end) noexcept nogil:
    """Whether the whole of the text matches somewhere; line feeds are bytes like others."""
    cdef const Prog* prog = cache.prog
    cdef const uint8_t* base = at
    cdef int state = START
    cdef int to
    if cache.n_states == START and begin(cache):
        forget(cache)
        return True
    while at < end:
        to = cache.trans[<size_t>state * cache.stride + prog.classes[at[0]]]
        if to == UNKNOWN:
            to = step(cache, state, prog.classes[at[0]])
        if to == HIT:
            return True
        if to == DEAD:
            return False
        if to == QUIT:
            return run_nfa(&cache.sets, base, end)
        state = to
        at += 1
    to = cache.trans[<size_t>state * cache.stride + prog.end]
    if to == UNKNOWN:
        to = step(cache, state, prog.end)
    return to == HIT


cdef Cache* cache_new(const Prog* prog, volatile uint8_t* stopped) noexcept nogil:
    """stopped: where somebody may write that no answer is wanted any more. NULL: no memory."""
    cdef Cache* cache = <Cache*>calloc(1, sizeof(Cache))
    cdef size_t count = prog.count + 1
    if cache == NULL:
        return NULL
    cache.prog = prog
    cache.sets.prog = prog
    cache.sets.stopped = stopped
    cache.stride = prog.end + 1
    cache.cap_states = 16
    cache.table_size = 32768
    cache.pool_cap = 1024
    cache.trans = <int*>malloc(<size_t>cache.cap_states * cache.stride * sizeof(int))
    cache.offset = <int*>malloc(cache.cap_states * sizeof(int))
    cache.length = <int*>malloc(cache.cap_states * sizeof(int))
    cache.flags = <uint8_t*>malloc(cache.cap_states)
    cache.pool = <int*>malloc(cache.pool_cap * sizeof(int))
    cache.table = <int*>malloc(cache.table_size * sizeof(int))
    cache.sets.dense = <int*>calloc(count, sizeof(int))
    cache.sets.sparse = <int*>calloc(count, sizeof(int))
    cache.sets.dense2 = <int*>calloc(count, sizeof(int))
    cache.sets.sparse2 = <int*>calloc(count, sizeof(int))
    cache.sets.stack = <int*>malloc(count * sizeof(int))
    if (
        cache.trans == NULL or cache.offset == NULL or cache.length == NULL
        or cache.flags == NULL or cache.pool == NULL or cache.table == NULL
        or cache.sets.dense == NULL or cache.sets.sparse == NULL or cache.sets.dense2 == NULL
        or cache.sets.sparse2 == NULL or cache.sets.stack == NULL
    ):
        cache_free(cache)
        return NULL
    forget(cache)
    return cache


cdef void cache_free(Cache* cache) noexcept nogil:
    if cache == NULL:
        return
    free(cache.trans)
    free(cache.offset)
    free(cache.length)
    free(cache.flags)
    free(cache.pool)
    free(cache.table)
    free(cache.sets.dense)
    free(cache.sets.sparse)
    free(cache.sets.dense2)
    free(cache.sets.sparse2)
    free(cache.sets.stack)
    free(cache)


cdef int* copy_ints(object source) except? NULL:
    cdef int[::1] view
    cdef Py_ssize_t k
    cdef int* out = <int*>malloc((len(source) + 1) * sizeof(int))
    if out == NULL:
        raise MemoryError
    if len(source):
        view = source
        for k in range(view.shape[0]):
            out[k] = view[k]
    return out


cdef uint8_t* copy_bytes(bytes source) except? NULL:
    cdef const uint8_t* data = source
    cdef uint8_t* out = <uint8_t*>malloc(len(source) + 1)
    if out == NULL:
        raise MemoryError
    memcpy(out, data, len(source))
    return out


cdef class Automaton:
    """A pattern ready to run. Not for two threads at a time: each makes its own."""

    def __cinit__(self, object program):
        cdef int k
        self.program = program
        self.prog.count = len(program.kind)
        self.prog.start = program.start
        self.prog.end = program.end
        self.prog.lines = program.lines
        self.prog.words = program.looks_at_words
        self.prog.n_points = len(program.word_points) // 2
        self.prog.decodes = self.prog.n_points > 0
        self.prog.kind = copy_bytes(program.kind)
        self.prog.first = copy_ints(program.first)
        self.prog.second = copy_ints(program.second)
        self.prog.low = copy_bytes(program.low)
        self.prog.high = copy_bytes(program.high)
        self.prog.target = copy_ints(program.target)
        self.prog.points = copy_ints(program.word_points)
        for k in range(257):
            self.prog.sample[k] = -1
        for k in range(255, -1, -1):
            self.prog.classes[k] = program.classes[k]
            self.prog.sample[self.prog.classes[k]] = k
        self.cache = cache_new(&self.prog, &NEVER)
        if self.cache == NULL:
            raise MemoryError

    def __dealloc__(self):
        cache_free(self.cache)
        free(self.prog.kind)
        free(self.prog.first)
        free(self.prog.second)
        free(self.prog.low)
        free(self.prog.high)
        free(self.prog.target)
        free(self.prog.points)

    def matches(self, bytes text):
        """Whether the pattern is found in the text (with `lines`, which must be one line)."""
        cdef const uint8_t* data = text
        cdef bint answer = matches_text(self.cache, data, data + len(text))
        if self.cache.failed:
            raise MemoryError
        return answer

    def lines(self, bytes text):
        """Where the lines start that match, for a program made with `lines`."""
        cdef const uint8_t* data = text
        cdef const uint8_t* end = data + len(text)
        cdef const uint8_t* at = data
        cdef const uint8_t* hit
        cdef const uint8_t* line
        cdef list out = []
        while at < end:
            hit = next_hit(self.cache, at, end)
            if hit == NULL:
                break
            line = hit
            while line > at and (line - 1)[0] != 10:
                line -= 1
            out.append(line - data)
            at = <const uint8_t*>memchr(hit, 10, end - hit) if hit < end else NULL
            if at == NULL:
                break
            at += 1
        if self.cache.failed:
            raise MemoryError
        return out
