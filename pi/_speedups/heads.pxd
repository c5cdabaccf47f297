# The head of a session's line: type, id and parent, as every writer of sessions begins one.

from libc.string cimport memcmp

cdef struct Text:
    const char* at
    Py_ssize_t size

cdef struct Head:
    Text kind
    Text id
    Text parent  # NULL for none
    const char* rest  # the quote that begins the next key


cdef inline const char* read_text(const char* at, const char* end, Text* out) noexcept nogil:
    """Behind the closing quote of printable ASCII without escapes; NULL for anything else."""
    cdef const char* begin = at
    cdef unsigned char c
    while at < end:
        c = <unsigned char>at[0]
        if c == 34:
            if at == begin:
                return NULL
            out.at = begin
            out.size = at - begin
            return at + 1
        if c < 32 or c > 126 or c == 92:
            return NULL
        at += 1
    return NULL


cdef inline const char* behind_key(
    const char* at, const char* end, const char* key, Py_ssize_t size
) noexcept nogil:
    """Behind `key` and one optional space; NULL where something else stands."""
    if end - at <= size or memcmp(at, key, size) != 0:
        return NULL
    at += size
    return at + 1 if at[0] == 32 else at


cdef inline bint read_head(const char* at, const char* end, Head* out) noexcept nogil:
    """{"type":"…","id":"…","parentId":"…" or null,"  as every writer of sessions begins a line."""
    while at < end and (at[0] == 32 or at[0] == 9):
        at += 1
    at = behind_key(at, end, b'{"type":', 8)
    if at == NULL or at >= end or at[0] != 34:
        return False
    at = read_text(at + 1, end, &out.kind)
    if at == NULL or at >= end or at[0] != 44:
        return False
    at = behind_key(at + 1, end, b'"id":', 5) if at + 1 < end and at[1] != 32 else behind_key(
        at + 2, end, b'"id":', 5
    )
    if at == NULL or at >= end or at[0] != 34:
        return False
    at = read_text(at + 1, end, &out.id)
    if at == NULL or at >= end or at[0] != 44:
        return False
    at = behind_key(at + 1, end, b'"parentId":', 11) if at + 1 < end and at[1] != 32 else behind_key(
        at + 2, end, b'"parentId":', 11
    )
    if at == NULL or at >= end:
        return False
    if at[0] == 34:
        at = read_text(at + 1, end, &out.parent)
        if at == NULL:
            return False
    elif end - at > 4 and memcmp(at, b"null", 4) == 0:
        out.parent.at = NULL
        out.parent.size = 0
        at += 4
    else:
        return False
    if at >= end or at[0] != 44:
        return False
    at += 1
    if at < end and at[0] == 32:
        at += 1
    if at >= end or at[0] != 34:
        return False
    out.rest = at
    return True


cdef inline bint closed(const char* at, const char* end) noexcept nogil:
    """Whether a brace ends the line, up to fifteen blanks aside."""
    cdef const char* stop = end - 15 if end - at > 15 else at
    while end > stop and (
        (end - 1)[0] == 32 or (end - 1)[0] == 9 or (end - 1)[0] == 13 or (end - 1)[0] == 10
    ):
        end -= 1
    return end > at and (end - 1)[0] == 125
