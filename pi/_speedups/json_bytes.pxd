# The bytes of a session's line: json_bytes.h, and the ends of strings.

cdef extern from "json_bytes.h":
    const char* last_newline(const char* at, const char* end) noexcept nogil
    int hints(const char* at, const char* end) noexcept nogil
    const char* next_quote(const char* at, const char* end) noexcept nogil
    const unsigned char[256] OUTSIDE
    const double[16] TENS
    enum:
        BAD, SKIP, QUOTE, OPEN, CLOSE, PARENT, USAGE


cdef inline const char* string_end(const char* at, const char* end) noexcept nogil:
    """The quote that closes the string whose text begins at `at`; NULL for none."""
    cdef const char* back
    cdef const char* begin = at
    while True:
        at = next_quote(at, end)
        if at == end:
            return NULL
        back = at
        while back > begin and (back - 1)[0] == 92:
            back -= 1
        if (at - back) & 1 == 0:
            return at
        at += 1
