/* Texts and line feeds in bytes, found at vector speed where there are vectors. */

#ifndef PI_FIND_BYTES_H
#define PI_FIND_BYTES_H

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

static inline int pi_same(const pi_needle *n, const uint8_t *at) {
    size_t k;
    if (!n->folds) return memcmp(at, n->text, n->size) == 0;
    for (k = 0; k < n->size; k++)
        if ((at[k] | n->mask[k]) != n->text[k]) return 0;
    return 1;
}

static inline const uint8_t *pi_find(const pi_needle *n, const uint8_t *at, const uint8_t *end) {
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

static inline void pi_add_choice(pi_choices *c, int number, size_t place, int byte) {
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

static inline const uint8_t *pi_find_choice(const pi_choices *c, const uint8_t *at,
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

static inline size_t pi_count_lines(const uint8_t *at, const uint8_t *end) {
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
static inline const uint8_t *pi_line_start(const uint8_t *floor, const uint8_t *at) {
#if defined(__GLIBC__)
    const uint8_t *feed = at > floor ? memrchr(floor, 10, (size_t)(at - floor)) : NULL;
    return feed ? feed + 1 : floor;
#else
    while (at > floor && at[-1] != 10) at--;
    return at;
#endif
}

#endif
