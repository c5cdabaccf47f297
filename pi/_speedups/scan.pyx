# cython: boundscheck=False, wraparound=False, cdivision=True
"""Searches files for lines that match, on as many cores as there are callers; twin of _scan.py.

A file is read in blocks and its complete lines searched as one buffer: for the query's literal
with vector instructions, and with the automaton only where the literal is, or everywhere if the
pattern has none. Nothing here needs the interpreter until the results are asked for. POSIX only.
"""

from cpython.pythread cimport (
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    WAIT_LOCK,
)
from libc.errno cimport EINTR, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcpy, memmove, strlen

from pi._speedups.automaton cimport Automaton, Cache, cache_free, cache_new, next_hit
from pi._speedups.walk cimport Batch, Walker, batch_free, batch_init

cdef extern from "fcntl.h" nogil:
    int open(const char* path, int flags)
    int O_RDONLY, O_CLOEXEC, O_NONBLOCK, O_NOCTTY

cdef extern from "unistd.h" nogil:
    ssize_t read(int file, void* data, size_t size)
    int close(int file)

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    #include <tmmintrin.h>
    #define PI_SHUFFLE 1
    #endif

    /* A text to be found; each byte is compared after or-ing with its mask. i and j are two
       different places in it (or one, if it has one byte) that are rare in practice. */
    typedef struct { const uint8_t *text, *mask; size_t size, i, j; int folds; } pi_needle;

    static int pi_same(const pi_needle *n, const uint8_t *at) {
        size_t k;
        if (!n->folds) return memcmp(at, n->text, n->size) == 0;
        for (k = 0; k < n->size; k++)
            if ((at[k] | n->mask[k]) != n->text[k]) return 0;
        return 1;
    }

    static const uint8_t *pi_find(const pi_needle *n, const uint8_t *at, const uint8_t *end) {
        const uint8_t *last;
        if ((size_t)(end - at) < n->size) return NULL;
        if (n->size == 1 && !n->folds) return memchr(at, n->text[0], (size_t)(end - at));
        last = end - n->size;
    #if defined(__SSE2__)
        {
            const __m128i ti = _mm_set1_epi8((char)n->text[n->i]);
            const __m128i tj = _mm_set1_epi8((char)n->text[n->j]);
            const __m128i mi = _mm_set1_epi8((char)n->mask[n->i]);
            const __m128i mj = _mm_set1_epi8((char)n->mask[n->j]);
            while (last - at >= 15) {
                __m128i a = _mm_loadu_si128((const __m128i *)(at + n->i));
                __m128i b = _mm_loadu_si128((const __m128i *)(at + n->j));
                unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(
                    _mm_cmpeq_epi8(_mm_or_si128(a, mi), ti),
                    _mm_cmpeq_epi8(_mm_or_si128(b, mj), tj)));
                while (hits) {
                    const uint8_t *found = at + __builtin_ctz(hits);
                    if (pi_same(n, found)) return found;
                    hits &= hits - 1;
                }
                at += 16;
            }
        }
    #else
        if (!n->mask[n->i]) {
            while (at <= last) {
                const uint8_t *found = memchr(at + n->i, n->text[n->i], (size_t)(last - at) + 1);
                if (!found) return NULL;
                at = found - n->i;
                if (pi_same(n, at)) return at;
                at++;
            }
            return NULL;
        }
    #endif
        for (; at <= last; at++)
            if ((at[n->i] | n->mask[n->i]) == n->text[n->i] && pi_same(n, at)) return at;
        return NULL;
    }

    /* A few texts of 2 or 3 bytes, any of which is to be found: for each place the texts (as bits,
       8 groups of them) that a byte fits, by the byte and by its two halves. What the halves let
       pass may be wrong; whoever asks looks at the line anyway. */
    typedef struct { uint8_t low[3][16], high[3][16], fits[3][256]; size_t size; } pi_choices;

    static void pi_add_choice(pi_choices *c, int number, size_t place, int byte) {
        uint8_t bit = (uint8_t)(1 << (number & 7));
        c->low[place][byte & 15] |= bit;
        c->high[place][byte >> 4] |= bit;
        c->fits[place][byte] |= bit;
    }

    #if defined(PI_SHUFFLE)
    __attribute__((target("ssse3")))
    static const uint8_t *pi_shuffled(const pi_choices *c, const uint8_t **start,
                                      const uint8_t *end) {
        const __m128i half = _mm_set1_epi8(15);
        const uint8_t *at = *start;
        __m128i low[3], high[3];
        size_t place;
        for (place = 0; place < c->size; place++) {
            low[place] = _mm_loadu_si128((const __m128i *)c->low[place]);
            high[place] = _mm_loadu_si128((const __m128i *)c->high[place]);
        }
        while ((size_t)(end - at) >= 16 + c->size) {
            __m128i fit = _mm_set1_epi8(-1);
            unsigned hits;
            for (place = 0; place < c->size; place++) {
                __m128i text = _mm_loadu_si128((const __m128i *)(at + place));
                __m128i above = _mm_and_si128(_mm_srli_epi16(text, 4), half);
                fit = _mm_and_si128(fit, _mm_and_si128(
                    _mm_shuffle_epi8(low[place], _mm_and_si128(text, half)),
                    _mm_shuffle_epi8(high[place], above)));
            }
            hits = 0xFFFF ^ (unsigned)_mm_movemask_epi8(
                _mm_cmpeq_epi8(fit, _mm_setzero_si128()));
            while (hits) {
                const uint8_t *found = at + __builtin_ctz(hits);
                unsigned fits = c->fits[0][found[0]] & c->fits[1][found[1]];
                if (c->size > 2) fits &= c->fits[2][found[2]];
                if (fits) return found;
                hits &= hits - 1;
            }
            at += 16;
        }
        *start = at;
        return NULL;
    }
    #endif

    static const uint8_t *pi_find_choice(const pi_choices *c, const uint8_t *at,
                                         const uint8_t *end) {
    #if defined(PI_SHUFFLE)
        if (__builtin_cpu_supports("ssse3")) {
            const uint8_t *found = pi_shuffled(c, &at, end);
            if (found) return found;
        }
    #endif
        for (; (size_t)(end - at) >= c->size; at++) {
            unsigned fits = c->fits[0][at[0]] & c->fits[1][at[1]];
            if (c->size > 2) fits &= c->fits[2][at[2]];
            if (fits) return at;
        }
        return NULL;
    }

    static size_t pi_count_lines(const uint8_t *at, const uint8_t *end) {
        size_t count = 0;
    #if defined(__SSE2__)
        const __m128i feed = _mm_set1_epi8(10);
        while (end - at >= 16) {
            int rounds = (int)((end - at) / 16), k;
            __m128i sums = _mm_setzero_si128();
            if (rounds > 255) rounds = 255;
            for (k = 0; k < rounds; k++, at += 16)
                sums = _mm_sub_epi8(
                    sums, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), feed));
            sums = _mm_sad_epu8(sums, _mm_setzero_si128());
            count += (size_t)_mm_cvtsi128_si32(sums);
            count += (size_t)_mm_cvtsi128_si32(_mm_srli_si128(sums, 8));
        }
    #endif
        for (; at < end; at++) count += *at == 10;
        return count;
    }

    /* The start of the line that `at` is in, not before `floor`. */
    static const uint8_t *pi_line_start(const uint8_t *floor, const uint8_t *at) {
    #if defined(__GLIBC__)
        const uint8_t *feed = at > floor ? memrchr(floor, 10, (size_t)(at - floor)) : NULL;
        return feed ? feed + 1 : floor;
    #else
        while (at > floor && at[-1] != 10) at--;
        return at;
    #endif
    }
    """
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

cdef enum:
    BLOCK = 65536
    BATCH = 64
    KEPT_BUFFER = 1048576


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
    uint8_t* buffer
    size_t room
    # of the file that is being searched
    int file
    size_t number       # of the line that starts at `counted`
    size_t counted      # offsets into the buffer
    size_t seen         # end of the last line that was handed out
    size_t matched
    size_t after_left


cdef void add_line(Scan* scan, Found* found, size_t start, size_t stop, bint matched) noexcept nogil:
    """Hands out the line [start, stop), without its line feed."""
    cdef Line* line
    cdef void* moved
    cdef size_t wanted
    cdef size_t size = stop - start
    cdef size_t kept = 0
    if size > scan.keep:
        size = 0
        while start + size < stop and kept < scan.keep:
            kept += scan.buffer[start + size] != 13
            size += 1
    scan.number += pi_count_lines(scan.buffer + scan.counted, scan.buffer + start)
    scan.counted = start
    if found.count == found.room:
        wanted = found.room * 2 + 32
        moved = realloc(found.lines, wanted * sizeof(Line))
        if moved == NULL:
            found.failed = True
            return
        found.lines = <Line*>moved
        found.room = wanted
    if found.used + size > found.text_room:
        wanted = found.text_room * 2 + 4096
        while wanted < found.used + size:
            wanted *= 2
        moved = realloc(found.text, wanted)
        if moved == NULL:
            found.failed = True
            return
        found.text = <char*>moved
        found.text_room = wanted
    line = &found.lines[found.count]
    line.offset = found.used
    line.size = size
    line.number = scan.number
    line.file = scan.file
    line.matched = matched
    line.cut = start + size < stop
    if size:
        memcpy(found.text + found.used, scan.buffer + start, size)
    found.used += size
    found.count += 1


cdef size_t line_end(Scan* scan, size_t at, size_t limit) noexcept nogil:
    """Where the line feed of the line at `at` is, or `limit`."""
    cdef const uint8_t* feed
    if at >= limit:
        return limit
    feed = <const uint8_t*>memchr(scan.buffer + at, 10, limit - at)
    return limit if feed == NULL else feed - scan.buffer


cdef void add_after(Scan* scan, Found* found, size_t limit) noexcept nogil:
    """The context after the last match, up to `limit`, the start of a line."""
    cdef size_t stop
    while scan.after_left and scan.seen < limit:
        stop = line_end(scan, scan.seen, limit)
        add_line(scan, found, scan.seen, stop, False)
        scan.seen = stop + 1
        scan.after_left -= 1


cdef void search_lines(Scan* scan, Found* found, size_t at, size_t limit) noexcept nogil:
    """Searches the complete lines [at, limit)."""
    cdef const uint8_t* base = scan.buffer
    cdef const uint8_t* end = base + limit
    cdef const uint8_t* hit
    cdef size_t start, stop, context, k
    while at < limit and scan.matched < scan.most and not found.failed:
        if scan.has_needle:
            hit = pi_find(&scan.needle, base + at, end)
        elif scan.choices != NULL:
            hit = pi_find_choice(scan.choices, base + at, end)
        else:
            hit = next_hit(scan.cache, base + at, end)
        if hit == NULL:
            break
        start = pi_line_start(base + at, hit) - base
        stop = line_end(scan, hit - base, limit)
        if (scan.has_needle or scan.choices != NULL) and scan.cache != NULL:
            if next_hit(scan.cache, base + start, base + stop) == NULL:
                at = stop + 1
                continue
        add_after(scan, found, start)
        # Before the line: as many lines as are wanted and not handed out yet.
        context = start
        k = scan.before
        while k and context > scan.seen:
            context = pi_line_start(base + scan.seen, base + context - 1) - base
            k -= 1
        while context < start:
            k = line_end(scan, context, start)
            add_line(scan, found, context, k, False)
            context = k + 1
        add_line(scan, found, start, stop, True)
        scan.seen = stop + 1
        scan.after_left = scan.after
        scan.matched += 1
        at = stop + 1
    add_after(scan, found, limit)


cdef void start_file(Scan* scan, int file) noexcept nogil:
    scan.file = file
    scan.number = 1
    scan.counted = 0
    scan.seen = 0
    scan.matched = 0
    scan.after_left = 0


cdef bint make_room(Scan* scan, size_t size) noexcept nogil:
    cdef void* moved
    if size <= scan.room:
        return True
    moved = realloc(scan.buffer, size)
    if moved == NULL:
        return False
    scan.buffer = <uint8_t*>moved
    scan.room = size
    return True


cdef size_t put_utf8(uint8_t* out, uint32_t point) noexcept nogil:
    if point < 0x80:
        out[0] = point
        return 1
    if point < 0x800:
        out[0] = 0xC0 | (point >> 6)
        out[1] = 0x80 | (point & 0x3F)
        return 2
    if point < 0x10000:
        out[0] = 0xE0 | (point >> 12)
        out[1] = 0x80 | ((point >> 6) & 0x3F)
        out[2] = 0x80 | (point & 0x3F)
        return 3
    out[0] = 0xF0 | (point >> 18)
    out[1] = 0x80 | ((point >> 12) & 0x3F)
    out[2] = 0x80 | ((point >> 6) & 0x3F)
    out[3] = 0x80 | (point & 0x3F)
    return 4


cdef size_t from_utf16(const uint8_t* data, size_t size, bint little, uint8_t* out) noexcept nogil:
    """Writes the text as UTF-8 (3 bytes for 2 at most) and gives its length."""
    cdef size_t at = 0
    cdef size_t used = 0
    cdef uint32_t unit, low
    cdef int first = 0 if little else 1
    while at + 2 <= size:
        unit = data[at + first] | (<uint32_t>data[at + 1 - first] << 8)
        at += 2
        if 0xD800 <= unit <= 0xDBFF and at + 2 <= size:
            low = data[at + first] | (<uint32_t>data[at + 1 - first] << 8)
            if 0xDC00 <= low <= 0xDFFF:
                at += 2
                used += put_utf8(out + used, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
                continue
        if 0xD800 <= unit <= 0xDFFF:
            unit = 0xFFFD
        used += put_utf8(out + used, unit)
    if at < size:
        used += put_utf8(out + used, 0xFFFD)
    return used


cdef int scan_wide(Scan* scan, Found* found, int file, size_t have) noexcept nogil:
    """A file in UTF-16, whose first `have` bytes are in the buffer: read whole and translated."""
    cdef ssize_t got
    cdef uint8_t* wide
    cdef size_t size
    while True:
        if not make_room(scan, have * 2 + BLOCK):
            return -1
        got = read(file, scan.buffer + have, scan.room - have)
        if got < 0:
            if errno == EINTR:
                continue
            return errno
        if got == 0:
            break
        have += got
    wide = <uint8_t*>malloc(have + 1)
    if wide == NULL:
        return -1
    memcpy(wide, scan.buffer, have)
    if not make_room(scan, have * 2):
        free(wide)
        return -1
    size = from_utf16(wide + 2, have - 2, wide[0] == 0xFF, scan.buffer)
    free(wide)
    if not scan.binary and memchr(scan.buffer, 0, size) != NULL:
        return 0
    search_lines(scan, found, 0, size)
    return 0


cdef int scan_file(Scan* scan, Found* found, int file) noexcept nogil:
    """Searches an open file: 0, an errno, or -1 for no memory.

    What has a zero byte is binary, and searched up to the block with the first one. Blocks are
    those of ripgrep, which peeks at 3 bytes before it reads 64 KiB at a time, so that the lines
    found before a file turns out to be binary are the same.
    """
    cdef size_t have = 0       # bytes in the buffer
    cdef size_t checked = 0    # of them, known to be free of zero bytes
    cdef size_t at = 0         # of them, searched
    cdef size_t block = BLOCK
    cdef size_t target = BLOCK + 3
    cdef size_t limit, stop, keep, k
    cdef ssize_t got
    cdef bint first = True
    cdef bint done = False
    cdef const uint8_t* zero
    if not make_room(scan, BLOCK + 4096):
        return -1
    while True:
        while have < target:
            if not make_room(scan, target):
                return -1
            got = read(file, scan.buffer + have, target - have)
            if got < 0:
                if errno == EINTR:
                    continue
                return errno
            if got == 0:
                done = True
                break
            have += got
        if first:
            if have >= 2 and (
                (scan.buffer[0] == 0xFF and scan.buffer[1] == 0xFE)
                or (scan.buffer[0] == 0xFE and scan.buffer[1] == 0xFF)
            ):
                return scan_wide(scan, found, file, have)
            if have >= 3 and scan.buffer[0] == 0xEF and scan.buffer[1] == 0xBB and (
                scan.buffer[2] == 0xBF
            ):
                at = 3
                scan.counted = 3
                scan.seen = 3
            if not scan.binary:
                stop = pi_line_start(scan.buffer, scan.buffer + min(have, <size_t>3)) - scan.buffer
                target = stop + BLOCK
        stop = min(have, target)
        if not scan.binary and stop > checked:
            zero = <const uint8_t*>memchr(scan.buffer + checked, 0, stop - checked)
            if zero != NULL:
                if first and zero - scan.buffer >= 3:
                    limit = pi_line_start(scan.buffer, scan.buffer + 3) - scan.buffer
                    if limit > at:
                        search_lines(scan, found, at, limit)
                return 0
            checked = stop
        first = False
        if done and stop == have:
            limit = have
        else:
            limit = pi_line_start(scan.buffer + at, scan.buffer + stop) - scan.buffer
        if limit > at:
            search_lines(scan, found, at, limit)
            at = limit
            if found.failed:
                return -1
            if scan.matched >= scan.most and scan.after_left == 0:
                return 0
            block = BLOCK
        elif not done:
            block *= 2  # a line longer than the buffer
        if done and stop == have:
            return 0
        # Move what is still needed to the front: unsearched bytes, and context before them.
        keep = at
        k = scan.before
        while k and keep > scan.seen:
            keep = pi_line_start(scan.buffer + scan.seen, scan.buffer + keep - 1) - scan.buffer
            k -= 1
        if keep:
            scan.number += pi_count_lines(scan.buffer + scan.counted, scan.buffer + keep)
            memmove(scan.buffer, scan.buffer + keep, have - keep)
            have -= keep
            checked -= keep
            at -= keep
            scan.seen = scan.seen - keep if scan.seen > keep else 0
            scan.counted = 0
        target = max(block, have + 1)


cdef int scan_path(Scan* scan, Found* found, const char* path, int number) noexcept nogil:
    cdef int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    cdef int result
    if file < 0:
        return errno
    start_file(scan, number)
    result = scan_file(scan, found, file)
    close(file)
    found.matched += scan.matched
    if scan.room > KEPT_BUFFER:
        free(scan.buffer)
        scan.buffer = NULL
        scan.room = 0
    return result


cdef class _Searcher:
    """A query made ready, with what is asked of it."""

    cdef Scan scan
    cdef Automaton automaton
    cdef object query
    cdef pi_choices choices

    def __cinit__(self, object query, size_t most, size_t before, size_t after, size_t keep):
        self.query = query
        self.automaton = None if query.program is None else Automaton(query.program)
        self.scan.has_needle = len(query.needle) > 0
        self.scan.needle.text = <const uint8_t*><const char*>(<bytes>query.needle)
        self.scan.needle.mask = <const uint8_t*><const char*>(<bytes>query.fold)
        self.scan.needle.size = len(query.needle)
        self.scan.needle.i, self.scan.needle.j = query.rare
        self.scan.needle.folds = any(query.fold)
        if query.choices:
            # The object is zeroed memory to begin with.
            self.choices.size = len(query.choices[0][0])
            for number, (text, fold) in enumerate(query.choices):
                for place, byte in enumerate(text):
                    pi_add_choice(&self.choices, number, place, byte)
                    if fold[place]:
                        pi_add_choice(&self.choices, number, place, byte - 32)
            self.scan.choices = &self.choices
        self.scan.before = before
        self.scan.after = after
        self.scan.most = most
        self.scan.keep = keep

    cdef bint begin(self, Scan* scan) noexcept nogil:
        """A copy for one thread."""
        scan[0] = self.scan
        if self.automaton is not None:
            scan.cache = cache_new(&self.automaton.prog)
            return scan.cache != NULL
        return True


cdef void end_scan(Scan* scan) noexcept nogil:
    cache_free(scan.cache)
    free(scan.buffer)


cdef void found_free(Found* found) noexcept nogil:
    free(found.lines)
    free(found.text)


cdef list lines_of(const Found* found, size_t start, size_t stop):
    cdef size_t k
    cdef const Line* line
    cdef list out = []
    for k in range(start, stop):
        line = &found.lines[k]
        out.append((
            line.number,
            bool(line.matched),
            found.text[line.offset : line.offset + line.size],
            bool(line.cut),
        ))
    return out


def search_bytes(query, bytes data, *, size_t most, size_t before=0, size_t after=0, size_t keep=1504):
    """The lines of a text that match, with context: (number, matched, text, whether cut).

    Zero bytes are bytes like others, and so is a byte-order mark.
    """
    cdef _Searcher searcher = _Searcher(query, most, before, after, keep)
    cdef Scan scan
    cdef Found found
    cdef const uint8_t* source = data
    cdef size_t size = len(data)
    found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
    if not searcher.begin(&scan):
        raise MemoryError
    scan.buffer = <uint8_t*>source
    try:
        with nogil:
            start_file(&scan, 0)
            search_lines(&scan, &found, 0, size)
        if found.failed or (scan.cache != NULL and scan.cache.failed):
            raise MemoryError
        return lines_of(&found, 0, found.count)
    finally:
        cache_free(scan.cache)
        found_free(&found)


def search_file(query, bytes path, *, size_t most, size_t before=0, size_t after=0, size_t keep=1504):
    """The same of one file, whose byte-order mark is not part of it and UTF-16 is translated.

    Raises OSError.
    """
    cdef _Searcher searcher = _Searcher(query, most, before, after, keep)
    cdef Scan scan
    cdef Found found
    cdef int result
    cdef const char* name = path
    if b"\0" in path:
        raise ValueError("a path holds no zero byte")
    found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
    if not searcher.begin(&scan):
        raise MemoryError
    scan.binary = True
    try:
        with nogil:
            result = scan_path(&scan, &found, name, 0)
        if result < 0 or found.failed or (scan.cache != NULL and scan.cache.failed):
            raise MemoryError
        if result:
            raise error_of(result, path)
        return lines_of(&found, 0, found.count)
    finally:
        end_scan(&scan)
        found_free(&found)


cdef object error_of(int number, bytes path):
    import os

    return OSError(number, os.strerror(number), os.fsdecode(path))


# A batch of files and what was found in them.
cdef struct Task:
    Batch batch
    Found found
    int* errors
    bint done


cdef class TreeSearch:
    """One search of a tree. Threads share the work by calling `work`; then `results` is asked."""

    cdef Walker walker
    cdef _Searcher searcher
    cdef Task** tasks
    cdef int n_tasks
    cdef int room
    cdef int settled          # tasks before this one are done
    cdef size_t settled_lines # matching lines in them
    cdef size_t most
    cdef size_t after
    cdef void* lock
    cdef volatile bint stopped
    cdef bint failed
    cdef bint exhausted
    cdef size_t n_files
    cdef bytes root

    def __cinit__(
        self, query, Walker walker, *,
        size_t most, size_t before=0, size_t after=0, size_t keep=1504,
    ):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError
        self.walker = walker
        self.root = walker.root
        # One more than asked, to know whether there is more.
        self.searcher = _Searcher(query, most + 1, before, after, keep)
        self.most = most
        self.after = after

    def __dealloc__(self):
        cdef int k
        for k in range(self.n_tasks):
            batch_free(&self.tasks[k].batch)
            found_free(&self.tasks[k].found)
            free(self.tasks[k].errors)
            free(self.tasks[k])
        free(self.tasks)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef Task* take(self) noexcept nogil:
        """The next batch of files, NULL when there is none; the caller holds the lock."""
        cdef void* moved
        cdef Task* task
        if self.stopped or self.failed or self.exhausted:
            return NULL
        if self.n_tasks == self.room:
            moved = realloc(self.tasks, (self.room * 2 + 64) * sizeof(Task*))
            if moved == NULL:
                self.failed = True
                return NULL
            self.tasks = <Task**>moved
            self.room = self.room * 2 + 64
        task = <Task*>malloc(sizeof(Task))
        if task == NULL:
            self.failed = True
            return NULL
        task.found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
        task.done = False
        task.errors = NULL
        # The first batches are small: a limit is often reached at once.
        cdef int size = BATCH if self.n_tasks > 8 else 8
        if batch_init(&task.batch, size):
            if not self.walker.fill(&task.batch, size):
                self.exhausted = True
            task.errors = <int*>malloc((task.batch.count + 1) * sizeof(int))
        if task.errors == NULL or self.walker.failed:
            batch_free(&task.batch)
            free(task.errors)
            free(task)
            self.failed = True
            return NULL
        if task.batch.count == 0:
            batch_free(&task.batch)
            free(task.errors)
            free(task)
            return NULL
        self.tasks[self.n_tasks] = task
        self.n_tasks += 1
        return task

    cdef void settle(self) noexcept nogil:
        """Stops the search once the batches done in order have enough; the lock is held."""
        while self.settled < self.n_tasks and self.tasks[self.settled].done:
            self.settled_lines += self.tasks[self.settled].found.matched
            self.settled += 1
        if self.settled_lines > self.most:
            self.stopped = True
            self.walker.stopped = True

    def work(self):
        """Takes batches of files and searches them until there are none left."""
        cdef Scan scan
        cdef Task* task
        cdef int k, result
        cdef size_t root_size = len(self.root)
        cdef size_t size
        cdef size_t room = root_size + 4096
        cdef const char* root = self.root
        cdef char* path
        cdef void* moved
        if not self.searcher.begin(&scan):
            raise MemoryError
        path = <char*>malloc(room)
        if path == NULL:
            end_scan(&scan)
            raise MemoryError
        memcpy(path, root, root_size)
        with nogil:
            while True:
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
                task = self.take()
                PyThread_release_lock(self.lock)
                if task == NULL:
                    break
                for k in range(task.batch.count):
                    task.errors[k] = 0
                for k in range(task.batch.count):
                    if self.stopped:
                        break
                    size = strlen(task.batch.names + task.batch.offsets[k])
                    if root_size + size + 1 > room:
                        room = root_size + size + 4096
                        moved = realloc(path, room)
                        if moved == NULL:
                            self.failed = True
                            break
                        path = <char*>moved
                    memcpy(
                        path + root_size, task.batch.names + task.batch.offsets[k], size + 1
                    )
                    result = scan_path(&scan, &task.found, path, k)
                    if result < 0 or task.found.failed:
                        self.failed = True
                        break
                    task.errors[k] = result
                    # Enough in this batch alone: what follows it in the batch cannot be asked for.
                    if task.found.matched > self.most:
                        break
                PyThread_acquire_lock(self.lock, WAIT_LOCK)
                task.done = True
                self.n_files += task.batch.count
                self.settle()
                PyThread_release_lock(self.lock)
            free(path)
            if scan.cache != NULL and scan.cache.failed:
                self.failed = True
            end_scan(&scan)
        if self.failed:
            raise MemoryError

    def stop(self):
        """Makes every `work` return soon; `results` then gives what was found so far."""
        self.stopped = True
        self.walker.stopped = True

    def results(self):
        """(files, whether there are more matching lines than asked for), once all work is over.

        files: (path below the root, lines) in the order of the tree; lines: (number, matched,
        text, whether cut). The context after the last line asked for is complete.
        """
        cdef int t
        cdef size_t k, start
        cdef size_t left = self.most
        cdef Task* task
        cdef Found* found
        cdef bint more = False
        cdef list out = []
        for t in range(self.n_tasks):
            task = self.tasks[t]
            if not task.done or more:
                break
            found = &task.found
            start = 0
            while start < found.count and not more:
                k = start
                while k < found.count and found.lines[k].file == found.lines[start].file:
                    k += 1
                lines = lines_of(found, start, k)
                count = sum([line[1] for line in lines])
                if count > left:
                    more = True
                    lines = trim(lines, left, self.after)
                    left = 0
                else:
                    left -= count
                if lines:
                    name = task.batch.names + task.batch.offsets[found.lines[start].file]
                    out.append((<bytes>name, lines))
                start = k
        return out, more

    @property
    def errors(self):
        """(path below the root, errno) of what could not be read, files and folders."""
        cdef int t, k
        cdef list out = list(self.walker.errors)
        for t in range(self.n_tasks):
            if self.tasks[t].done:
                for k in range(self.tasks[t].batch.count):
                    if self.tasks[t].errors[k]:
                        name = self.tasks[t].batch.names + self.tasks[t].batch.offsets[k]
                        out.append((<bytes>name, self.tasks[t].errors[k]))
        return out

    @property
    def files(self):
        """How many files were looked at."""
        return self.n_files


cdef list trim(list lines, size_t most, size_t after):
    """The first `most` matching lines, with the context after the last of them."""
    cdef list out = []
    last = 0
    if most == 0:
        return out
    for number, matched, text, cut in lines:
        if most:
            out.append((number, matched, text, cut))
            if matched:
                most -= 1
                last = number
        elif number <= last + after:
            out.append((number, False, text, cut))
    return out
