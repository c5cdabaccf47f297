/* Finding one's way in the bytes of a session's line, at vector speed where there are vectors. */

#ifndef PI_JSON_BYTES_H
#define PI_JSON_BYTES_H

#include <stdint.h>
#include <string.h>

/* The last newline before `end`, NULL for none. */
static inline const char *last_newline(const char *at, const char *end) {
#ifdef __GLIBC__
    return (const char *)memrchr(at, '\n', (size_t)(end - at));
#else
    while (end > at) { if (*--end == '\n') return end; }
    return NULL;
#endif
}

/* What may stand in a line: a second parentId; usage, under its name or one in escapes. */
enum { PARENT = 1, USAGE = 2 };
static inline int hint(const char *at, const char *end) {
    if (*at == '"') {
        if (end - at >= 7 && memcmp(at + 1, "usage\"", 6) == 0) return USAGE;
        if (end - at >= 10 && memcmp(at + 1, "parentId\"", 9) == 0) return PARENT;
    }
    return *at == '\\' && end - at >= 2 && at[1] == 'u' ? USAGE : 0;
}
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
/* A quote, and six on another or seven on the I of parentId; or a backslash and a u. */
#define NAMES(at, kind, or, and, equal, load) or( \
    and(equal(load((const kind *)(at)), quotes), or( \
        equal(load((const kind *)((at) + 6)), quotes), \
        equal(load((const kind *)((at) + 7)), capitals))), \
    and(equal(load((const kind *)(at)), slashes), equal(load((const kind *)((at) + 1)), us)))
#define NAMES_16(at) NAMES(at, __m128i, _mm_or_si128, _mm_and_si128, _mm_cmpeq_epi8, \
    _mm_loadu_si128)
#define NAMES_32(at) NAMES(at, __m256i, _mm256_or_si256, _mm256_and_si256, _mm256_cmpeq_epi8, \
    _mm256_loadu_si256)
static inline int hints_from(const char *at, const char *end, int found) {
    const __m128i quotes = _mm_set1_epi8('"'), capitals = _mm_set1_epi8('I');
    const __m128i slashes = _mm_set1_epi8('\\'), us = _mm_set1_epi8('u');
    for (; end - at >= 23; at += 16) {
        unsigned bits = (unsigned)_mm_movemask_epi8(NAMES_16(at));
        for (; bits; bits &= bits - 1) found |= hint(at + __builtin_ctz(bits), end);
    }
    for (; at < end; at++) found |= hint(at, end);
    return found;
}
__attribute__((target("avx2")))
static int hints_wide(const char *at, const char *end) {
    const __m256i quotes = _mm256_set1_epi8('"'), capitals = _mm256_set1_epi8('I');
    const __m256i slashes = _mm256_set1_epi8('\\'), us = _mm256_set1_epi8('u');
    int found = 0;
    for (; end - at >= 71; at += 64) {
        __m256i low = NAMES_32(at), high = NAMES_32(at + 32);
        if (_mm256_movemask_epi8(_mm256_or_si256(low, high))) {
            uint64_t bits = (uint32_t)_mm256_movemask_epi8(low)
                | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
            for (; bits; bits &= bits - 1) found |= hint(at + __builtin_ctzll(bits), end);
        }
    }
    return hints_from(at, end, found);
}
static inline int hints(const char *at, const char *end) {
    return __builtin_cpu_supports("avx2") ? hints_wide(at, end) : hints_from(at, end, 0);
}
#else
static inline int hints(const char *at, const char *end) {
    int found = 0;
    for (; at < end; at++) {
        if (*at == '"' || *at == '\\') found |= hint(at, end);
    }
    return found;
}
#endif

/* The next quote, `end` for none. Most are near: memchr is for what lies far ahead. */
#if defined(__x86_64__) && defined(__GNUC__)
static inline const char *next_quote(const char *at, const char *end) {
    const __m128i quotes = _mm_set1_epi8('"');
    const char *near_end = end - at > 128 ? at + 128 : end;
    while (near_end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quotes));
        if (found) return at + __builtin_ctz((unsigned)found);
        at += 16;
    }
    if (near_end != end) {
        at = (const char *)memchr(at, '"', (size_t)(end - at));
        return at ? at : end;
    }
    while (at < end && *at != '"') at++;
    return at;
}
#else
static inline const char *next_quote(const char *at, const char *end) {
    const char *near_end = end - at > 16 ? at + 16 : end;
    while (at < near_end && *at != '"') at++;
    if (at < near_end || at == end) return at;
    at = (const char *)memchr(at, '"', (size_t)(end - at));
    return at ? at : end;
}
#endif

/* How a byte outside strings is taken. */
enum { BAD, SKIP, QUOTE, OPEN, CLOSE };
static const unsigned char OUTSIDE[256] = {
    [' '] = SKIP, ['\t'] = SKIP, ['\r'] = SKIP, [','] = SKIP, [':'] = SKIP,
    ['0'] = SKIP, ['1'] = SKIP, ['2'] = SKIP, ['3'] = SKIP, ['4'] = SKIP,
    ['5'] = SKIP, ['6'] = SKIP, ['7'] = SKIP, ['8'] = SKIP, ['9'] = SKIP,
    ['-'] = SKIP, ['+'] = SKIP, ['.'] = SKIP, ['e'] = SKIP, ['E'] = SKIP,
    ['t'] = SKIP, ['r'] = SKIP, ['u'] = SKIP, ['f'] = SKIP, ['a'] = SKIP,
    ['l'] = SKIP, ['s'] = SKIP, ['n'] = SKIP,
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* Powers of ten that are exact doubles. */
static const double TENS[16] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
};

#endif
