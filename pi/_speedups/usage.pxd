# The usage that a session's line reports, read without decoding the line.
#
# A walk from string to string finds it and knows at which depth it stands. What does not fit is
# left to the caller to parse.

from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp

from pi._speedups.json_bytes cimport CLOSE, OPEN, OUTSIDE, QUOTE, SKIP, TENS, string_end

cdef extern from "Python.h":
    double PyOS_string_to_double(const char* s, char** endptr, object overflow) except? -1.0

cdef struct Usage:
    bint odd  # a key is written in escapes: only parsing can tell
    const char* at  # NULL for none
    const char* end


cdef inline bint find_usage(const char* at, const char* end, bint message, Usage* usage) noexcept nogil:
    """Whether the object that a head begins ends at `end`; where its usage is, on the way.

    `at` is at a key of the outermost object. message: usage is looked for in the value of
    "message", else in the object itself.
    """
    cdef Py_ssize_t depth = 1
    cdef Py_ssize_t level = 2 if message else 1
    cdef inline bint in_message = False
    cdef inline bint message_next = False
    cdef inline bint usage_next = False
    cdef const char* close
    cdef const char* after
    cdef Py_ssize_t size
    cdef int what
    usage.at = NULL
    usage.end = NULL
    usage.odd = False
    while at < end:
        what = OUTSIDE[<unsigned char>at[0]]
        if what == SKIP:
            at += 1
        elif what == QUOTE:
            close = string_end(at + 1, end)
            if close == NULL:
                return False
            size = close - at - 1
            if depth == 1 or (depth == level and in_message):
                message_next = usage_next = False
                after = close + 1
                while after < end and after[0] == 32:
                    after += 1
                if after < end and after[0] == 58:  # a colon: this was a key
                    if memchr(at + 1, 92, size) != NULL:
                        usage.odd = True
                    elif size == 5 and depth == level and memcmp(at + 1, b"usage", 5) == 0:
                        usage_next = True
                        usage.at = NULL
                    elif size == 7 and depth == 1 and memcmp(at + 1, b"message", 7) == 0:
                        message_next = True
                        usage.odd = False
                        if message:
                            usage.at = NULL
            at = close + 1
        elif what == OPEN:
            if depth == 1:
                in_message = message and message_next and at[0] == 123
                message_next = False
            if usage_next and depth == level:
                usage_next = False
                if at[0] == 123:
                    usage.at = at
                    usage.end = NULL
            depth += 1
            at += 1
        elif what == CLOSE:
            depth -= 1
            at += 1
            if depth == level and usage.at != NULL and usage.end == NULL:
                usage.end = at
            elif depth == 1:
                in_message = False
            elif depth == 0:
                if (at - 1)[0] != 125 or end - at > 15:
                    return False
                while at < end and (at[0] == 32 or at[0] == 9 or at[0] == 13):
                    at += 1
                return at == end
        else:
            return False
    return False


cdef inline bint read_long_number(const char* at, double* out) noexcept:
    cdef char* stop = NULL
    try:
        out[0] = PyOS_string_to_double(at, &stop, OverflowError)
    except (OverflowError, ValueError):
        return False
    return out[0] - out[0] == 0


cdef inline bint read_number(const char* at, const char* end, double* out) noexcept nogil:
    """A JSON number, exactly as float() reads it; False for what is none or is not finite."""
    cdef const char* begin = at
    cdef uint64_t digits = 0
    cdef int count = 0
    cdef int fraction = 0
    cdef inline bint negative = False
    cdef inline bint simple = True
    if at < end and at[0] == 45:
        negative = True
        at += 1
    if at < end and at[0] == 48 and at + 1 < end and 48 <= at[1] <= 57:
        return False  # no leading zeros
    while at < end and 48 <= at[0] <= 57:
        digits = digits * 10 + <uint64_t>(at[0] - 48)
        count += 1
        at += 1
    if count == 0:
        return False
    if at < end and at[0] == 46:
        at += 1
        while at < end and 48 <= at[0] <= 57:
            digits = digits * 10 + <uint64_t>(at[0] - 48)
            count += 1
            fraction += 1
            at += 1
        if fraction == 0:
            return False
    if at < end and (at[0] == 101 or at[0] == 69):
        simple = False
        at += 1
        if at < end and (at[0] == 43 or at[0] == 45):
            at += 1
        if at >= end or not 48 <= at[0] <= 57:
            return False
        while at < end and 48 <= at[0] <= 57:
            at += 1
    while at < end and (at[0] == 32 or at[0] == 9 or at[0] == 13):
        at += 1
    if at >= end or (at[0] != 44 and at[0] != 125):
        return False
    if simple and count <= 15 and fraction <= 15:
        # Both are exact doubles, so that one division rounds once.
        out[0] = <double>digits / TENS[fraction]
        if negative:
            out[0] = -out[0]
        return True
    with gil:
        return read_long_number(begin, out)


cdef inline bint read_figures(const char* at, const char* end, double* values) noexcept nogil:
    """The five figures of a usage object; False where only parsing can tell."""
    cdef Py_ssize_t depth = 0
    cdef inline bint in_cost = False
    cdef inline bint cost_next = False
    cdef const char* close
    cdef const char* value
    cdef const char* key
    cdef Py_ssize_t size
    cdef int what, field
    for field in range(5):
        values[field] = 0.0
    while at < end:
        what = OUTSIDE[<unsigned char>at[0]]
        if what == QUOTE:
            key = at + 1
            close = string_end(key, end)
            if close == NULL:
                return False
            size = close - key
            at = close + 1
            if depth > 2 or (depth == 2 and not in_cost):
                continue
            value = at
            while value < end and value[0] == 32:
                value += 1
            if value >= end or value[0] != 58:
                continue
            value += 1
            while value < end and value[0] == 32:
                value += 1
            if memchr(key, 92, size) != NULL:
                return False
            field = -1
            cost_next = False
            if depth == 1:
                if size == 5 and memcmp(key, b"input", 5) == 0:
                    field = 0
                elif size == 6 and memcmp(key, b"output", 6) == 0:
                    field = 1
                elif size == 9 and memcmp(key, b"cacheRead", 9) == 0:
                    field = 2
                elif size == 10 and memcmp(key, b"cacheWrite", 10) == 0:
                    field = 3
                elif size == 4 and memcmp(key, b"cost", 4) == 0:
                    if value >= end or value[0] != 123:
                        return False
                    cost_next = True
                    values[4] = 0.0
            elif size == 5 and memcmp(key, b"total", 5) == 0:
                field = 4
            if field >= 0 and not read_number(value, end, &values[field]):
                return False
            at = value
        elif what == OPEN:
            depth += 1
            if depth == 2:
                in_cost = cost_next
                cost_next = False
            at += 1
        elif what == CLOSE:
            depth -= 1
            if depth == 1:
                in_cost = False
            at += 1
        else:
            at += 1
    return True
