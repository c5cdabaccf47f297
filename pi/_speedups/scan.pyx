# cython: boundscheck=False, wraparound=False, cdivision=True
"""Searches bytes and files for lines that match; twin of _scan.py.

A file is read in blocks and its complete lines searched as one buffer: for the query's literal
with vector instructions, and with the automaton only where the literal is, or everywhere if the
pattern has none. Nothing here needs the interpreter until the results are asked for. POSIX only.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.errno cimport EFBIG, EINTR, errno
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcpy, memmove

from pi._speedups.automaton cimport Automaton, cache_free, cache_new, next_hit
from pi._speedups.utf16 cimport from_utf16

cdef extern from "fcntl.h" nogil:
    int open(const char* path, int flags)
    int O_RDONLY, O_CLOEXEC, O_NONBLOCK, O_NOCTTY

cdef extern from "unistd.h" nogil:
    ssize_t read(int file, void* data, size_t size)
    int close(int file)

cdef enum:
    BLOCK = 65536
    MOST_AT_ONCE = 1048576  # bytes of one read: whoever stops a search does not wait for more
    KEPT_BUFFER = 1048576
    MOST_HELD = 268435456    # bytes of a line, or of a file in UTF-16: more is not searched


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
    while (
        at < limit and scan.matched < scan.most and not found.failed and not scan.stopped[0]
    ):
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


cdef int scan_wide(Scan* scan, Found* found, int file, size_t have) noexcept nogil:
    """A file in UTF-16, whose first `have` bytes are in the buffer: read whole and translated."""
    cdef ssize_t got
    cdef uint8_t* wide
    cdef size_t size
    while True:
        if not make_room(scan, have * 2 + BLOCK):
            return -1
        if scan.stopped[0]:
            return 0
        got = read(file, scan.buffer + have, min(scan.room - have, <size_t>MOST_AT_ONCE))
        if got < 0:
            if errno == EINTR:
                continue
            return errno
        if got == 0:
            break
        have += got
        if have > MOST_HELD:
            return EFBIG
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
            if scan.stopped[0]:
                return 0
            got = read(file, scan.buffer + have, min(target - have, <size_t>MOST_AT_ONCE))
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
            if block > MOST_HELD:
                return EFBIG
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


cdef class Searcher:
    """A query made ready, with what is asked of it."""

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

    cdef bint begin(self, Scan* scan, volatile uint8_t* stopped) noexcept nogil:
        """A copy for one thread. stopped: where somebody may ask for its end."""
        scan[0] = self.scan
        scan.stopped = stopped
        if self.automaton is not None:
            scan.cache = cache_new(&self.automaton.prog, stopped)
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
    cdef Searcher searcher = Searcher(query, most, before, after, keep)
    cdef Scan scan
    cdef Found found
    cdef const uint8_t* source = data
    cdef size_t size = len(data)
    found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
    cdef volatile uint8_t never = 0
    if not searcher.begin(&scan, &never):
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


def search_file(
    query, bytes path, *,
    size_t most, size_t before=0, size_t after=0, size_t keep=1504, bytearray stop=None,
):
    """The same of one file, whose byte-order mark is not part of it and UTF-16 is translated.

    Ends soon, with what was found, once another thread sets the first byte of `stop`. Raises
    OSError.
    """
    cdef Searcher searcher = Searcher(query, most, before, after, keep)
    cdef Scan scan
    cdef Found found
    cdef int result
    cdef const char* name = path
    cdef Py_buffer flag
    if b"\0" in path:
        raise ValueError("a path holds no zero byte")
    found = Found(NULL, 0, 0, NULL, 0, 0, 0, False)
    PyObject_GetBuffer(bytearray(1) if stop is None else stop, &flag, PyBUF_WRITABLE)
    try:
        if not flag.len:
            raise ValueError("there is no first byte to set")
        if not searcher.begin(&scan, <volatile uint8_t*>flag.buf):
            raise MemoryError
    except:
        PyBuffer_Release(&flag)
        raise
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
        PyBuffer_Release(&flag)


cdef object error_of(int number, bytes path):
    import os

    return OSError(number, os.strerror(number), os.fsdecode(path))
