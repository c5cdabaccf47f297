# A pattern's program, run as the nondeterministic automaton it is, and what its states lead to.

from libc.stdint cimport uint8_t

cdef enum:
    K_MATCH = 0
    K_SPLIT = 1
    K_LOOK = 2
    K_STEP = 3

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

# Two sets of states, each as a list and for each state its place in it; room for `prog.count`.
cdef struct Sets:
    const Prog* prog
    volatile uint8_t* stopped  # not zero: whoever waits for an answer does not want it any more
    int* dense
    int* sparse
    int n_dense
    int* dense2
    int* sparse2
    int n_dense2
    int* stack


cdef inline bint is_word_byte(int byte) noexcept nogil:
    return (48 <= byte <= 57) or (65 <= byte <= 90) or byte == 95 or (97 <= byte <= 122)


cdef inline bint is_word_point(const Prog* prog, int point) noexcept nogil:
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


cdef inline int decode(const uint8_t* at, const uint8_t* end, int* point) noexcept nogil:
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


cdef inline int holds(bint at_start, bint at_end, bint before, bint after) noexcept nogil:
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


cdef inline bint follow(Sets* sets, int root, int mask, bint resolve) noexcept nogil:
    """Adds to the second set what is reached from `root` without a byte; true if that is the end.

    Without `resolve` only the condition START is decided, the others stay in the set.
    """
    cdef const Prog* prog = sets.prog
    cdef int* stack = sets.stack
    cdef int* dense = sets.dense2
    cdef int* sparse = sets.sparse2
    cdef int depth = 0
    cdef int state, kind, look
    stack[0] = root
    depth = 1
    while depth:
        depth -= 1
        state = stack[depth]
        while True:
            if sparse[state] < sets.n_dense2 and dense[sparse[state]] == state:
                break
            sparse[state] = sets.n_dense2
            dense[sets.n_dense2] = state
            sets.n_dense2 += 1
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


cdef inline bint run_nfa(Sets* sets, const uint8_t* start, const uint8_t* end) noexcept nogil:
    """Whether the line matches, without determinising: knows Unicode's word boundaries.

    False where the search is to stop.
    """
    cdef const Prog* prog = sets.prog
    cdef const uint8_t* at = start
    cdef const uint8_t* back
    cdef int point = 0
    cdef int size, mask, k, to
    cdef int n_targets = 0
    cdef bint before, after, good
    while not sets.stopped[0]:
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
        sets.n_dense2 = 0
        for k in range(n_targets):
            if follow(sets, sets.dense[k], mask, True):
                return True
        if follow(sets, prog.start, mask, True):
            return True
        if at == end:
            return False
        n_targets = 0
        sets.n_dense = 0
        for k in range(sets.n_dense2):
            if prog.kind[sets.dense2[k]] != K_STEP:
                continue
            to = edge(prog, sets.dense2[k], at[0])
            if to < 0:
                continue
            if sets.sparse[to] < n_targets and sets.dense[sets.sparse[to]] == to:
                continue
            sets.sparse[to] = n_targets
            sets.dense[n_targets] = to
            n_targets += 1
        at += 1
    return False
