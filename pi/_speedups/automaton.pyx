# cython: boundscheck=False, wraparound=False, cdivision=True
"""Runs a pattern's automaton over bytes, in time linear in their number; twin of _automaton.py.

The nondeterministic automaton of `pattern.program` is made deterministic while it runs: a state
is a set of its states, its transitions are worked out when first taken and kept in a bounded
cache, which each thread has for itself. Where Unicode word boundaries meet text beyond ASCII, the
line is run through the nondeterministic automaton itself, slower and as linear.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

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
    K_MATCH = 0
    K_SPLIT = 1
    K_LOOK = 2
    K_STEP = 3

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


cdef inline bint is_word_byte(int byte) noexcept nogil:
    return (48 <= byte <= 57) or (65 <= byte <= 90) or byte == 95 or (97 <= byte <= 122)


cdef bint is_word_point(const Prog* prog, int point) noexcept nogil:
    if point < 128:
        return is_word_byte(point)
    cdef int low = 0
    cdef int high = prog.n_points - 1
    cdef int middle
    while low <= high:
        middle = (low + high) >> 1
        if point < prog.points[2 * middle]:
            high = middle - 1
        elif point > prog.points[2 * middle + 1]:
            low = middle + 1
        else:
            return True
    return False


cdef int decode(const uint8_t* at, const uint8_t* end, int* point) noexcept nogil:
    """Length of the character at `at`, 0 if there is none that is valid."""
    cdef int size, value, k
    cdef int lead = at[0]
    if lead < 0x80:
        point[0] = lead
        return 1
    if 0xC2 <= lead <= 0xDF:
        size = 2
        value = lead & 0x1F
    elif 0xE0 <= lead <= 0xEF:
        size = 3
        value = lead & 0x0F
    elif 0xF0 <= lead <= 0xF4:
        size = 4
        value = lead & 0x07
    else:
        return 0
    if end - at < size:
        return 0
    for k in range(1, size):
        if at[k] & 0xC0 != 0x80:
            return 0
        value = (value << 6) | (at[k] & 0x3F)
    if size == 3 and (value < 0x800 or 0xD800 <= value <= 0xDFFF):
        return 0
    if size == 4 and (value < 0x10000 or value > 0x10FFFF):
        return 0
    point[0] = value
    return size


cdef int holds(bint at_start, bint at_end, bint before, bint after) noexcept nogil:
    """The conditions (LookKind) that are true here, as bits."""
    cdef int mask = 0
    if at_start:
        mask |= 1
    if at_end:
        mask |= 2
    mask |= 4 if before != after else 8
    if after and not before:
        mask |= 16
    if before and not after:
        mask |= 32
    if not before:
        mask |= 64
    if not after:
        mask |= 128
    return mask


cdef bint follow(Cache* cache, int root, int mask, bint resolve) noexcept nogil:
    """Adds to the second set what is reached from `root` without a byte; true if that is the end.

    Without `resolve` only the condition START is decided, the others stay in the set.
    """
    cdef const Prog* prog = cache.prog
    cdef int* stack = cache.stack
    cdef int* dense = cache.dense2
    cdef int* sparse = cache.sparse2
    cdef int depth = 0
    cdef int state, kind, look
    stack[0] = root
    depth = 1
    while depth:
        depth -= 1
        state = stack[depth]
        while True:
            if sparse[state] < cache.n_dense2 and dense[sparse[state]] == state:
                break
            sparse[state] = cache.n_dense2
            dense[cache.n_dense2] = state
            cache.n_dense2 += 1
            kind = prog.kind[state]
            if kind == K_MATCH:
                return True
            if kind == K_SPLIT:
                stack[depth] = prog.second[state]
                depth += 1
                state = prog.first[state]
                continue
            if kind == K_LOOK:
                look = prog.second[state]
                if resolve or look == 0:
                    if mask & (1 << look):
                        state = prog.first[state]
                        continue
            break
    return False


cdef inline int edge(const Prog* prog, int state, int byte) noexcept nogil:
    """The target of a STEP state for a byte, -1 if there is none."""
    cdef int low = prog.first[state]
    cdef int high = low + prog.second[state] - 1
    cdef int middle
    while low <= high:
        middle = (low + high) >> 1
        if byte < prog.low[middle]:
            high = middle - 1
        elif byte > prog.high[middle]:
            low = middle + 1
        else:
            return prog.target[middle]
    return -1


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
    cdef int* dense = cache.dense2
    for k in range(cache.n_dense2):
        state = dense[k]
        kind = prog.kind[state]
        if kind == K_STEP:
            dense[kept] = state
            kept += 1
        elif kind == K_LOOK and prog.second[state] != 0:
            dense[kept] = state
            kept += 1
            flags |= F_PENDING
    cache.n_dense2 = 0
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
    cache.n_dense2 = 0
    cdef bint hit = follow(cache, cache.prog.start, 1, False)
    if hit:
        cache.n_dense2 = 0
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

    if byte >= 128 and prog.decodes:
        cache.trans[<size_t>state * cache.stride + symbol] = QUIT
        return QUIT
    cache.n_dense2 = 0
    cache.n_dense = 0
    if flags & F_PENDING:
        after = (not at_end) and is_word_byte(byte)
        mask = holds(flags & F_START, at_end, (flags & F_WORD) != 0, after)
        for k in range(count):
            at = members[k]
            if prog.kind[at] == K_STEP:
                hit = follow(cache, at, mask, True)
            elif mask & (1 << prog.second[at]):
                hit = follow(cache, prog.first[at], mask, True)
            if hit:
                break
        if not hit:
            # What was resolved becomes the first set, to be stepped from.
            swap = cache.dense
            cache.dense = cache.dense2
            cache.dense2 = swap
            swap = cache.sparse
            cache.sparse = cache.sparse2
            cache.sparse2 = swap
            cache.n_dense = cache.n_dense2
            cache.n_dense2 = 0
            members = cache.dense
            count = cache.n_dense
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
            if to >= 0 and follow(cache, to, 0, False):
                hit = True
                break
        if not hit:
            hit = follow(cache, prog.start, 0, False)
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
        cache.dense2[k] = kept[k]
    cache.n_dense2 = count
    free(kept)
    again = intern(cache, flags & ~F_PENDING)
    if again < START:
        cache.failed = True
        return DEAD
    return step(cache, again, symbol)


cdef bint run_nfa(Cache* cache, const uint8_t* start, const uint8_t* end) noexcept nogil:
    """Whether the line matches, without determinising: knows Unicode's word boundaries."""
    cdef const Prog* prog = cache.prog
    cdef const uint8_t* at = start
    cdef const uint8_t* back
    cdef int point = 0
    cdef int size, mask, k, to
    cdef int n_targets = 0
    cdef bint before, after, good
    while True:
        good = True
        before = False
        after = False
        if at > start:
            back = at - 1
            while back > start and at - back < 4 and back[0] & 0xC0 == 0x80:
                back -= 1
            size = decode(back, end, &point)
            if size > 0 and back + size == at:
                before = is_word_point(prog, point)
            else:
                good = False
        if at < end:
            size = decode(at, end, &point)
            if size > 0:
                after = is_word_point(prog, point)
            else:
                good = False
        mask = holds(at == start, at == end, before, after)
        if not good:
            mask &= ~8
        # The targets of the last byte wait in the first set's dense array.
        cache.n_dense2 = 0
        for k in range(n_targets):
            if follow(cache, cache.dense[k], mask, True):
                return True
        if follow(cache, prog.start, mask, True):
            return True
        if at == end:
            return False
        n_targets = 0
        cache.n_dense = 0
        for k in range(cache.n_dense2):
            if prog.kind[cache.dense2[k]] != K_STEP:
                continue
            to = edge(prog, cache.dense2[k], at[0])
            if to < 0:
                continue
            if cache.sparse[to] < n_targets and cache.dense[cache.sparse[to]] == to:
                continue
            cache.sparse[to] = n_targets
            cache.dense[n_targets] = to
            n_targets += 1
        at += 1


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
            if run_nfa(cache, line, stop):
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
            return run_nfa(cache, base, end)
        state = to
        at += 1
    to = cache.trans[<size_t>state * cache.stride + prog.end]
    if to == UNKNOWN:
        to = step(cache, state, prog.end)
    return to == HIT


cdef Cache* cache_new(const Prog* prog) noexcept nogil:
    """NULL: no memory."""
    cdef Cache* cache = <Cache*>calloc(1, sizeof(Cache))
    cdef size_t count = prog.count + 1
    if cache == NULL:
        return NULL
    cache.prog = prog
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
    cache.dense = <int*>calloc(count, sizeof(int))
    cache.sparse = <int*>calloc(count, sizeof(int))
    cache.dense2 = <int*>calloc(count, sizeof(int))
    cache.sparse2 = <int*>calloc(count, sizeof(int))
    cache.stack = <int*>malloc(count * sizeof(int))
    if (
        cache.trans == NULL or cache.offset == NULL or cache.length == NULL
        or cache.flags == NULL or cache.pool == NULL or cache.table == NULL
        or cache.dense == NULL or cache.sparse == NULL or cache.dense2 == NULL
        or cache.sparse2 == NULL or cache.stack == NULL
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
    free(cache.dense)
    free(cache.sparse)
    free(cache.dense2)
    free(cache.sparse2)
    free(cache.stack)
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
        self.cache = cache_new(&self.prog)
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
