# UTF-16 to UTF-8; halves of pairs become U+FFFD.

from libc.stdint cimport uint8_t, uint32_t


cdef inline size_t put_utf8(uint8_t* out, uint32_t point) noexcept nogil:
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


cdef inline size_t from_utf16(const uint8_t* data, size_t size, bint little, uint8_t* out) noexcept nogil:
    """Writes the text as UTF-8 (3 bytes for 2 at most) and gives its length."""
    cdef inline size_t at = 0
    cdef inline size_t used = 0
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
