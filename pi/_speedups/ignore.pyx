# cython: boundscheck=False, wraparound=False, cdivision=True
"""Matches paths with the rules of one ignore file; twin of _ignore.py.

Most rules are a name or an ending, compared as such. The others are matched segment by segment:
stars inside a segment and `**` between segments each go back to their last choice only, so the
time is polynomial whatever the pattern.
"""

from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memcmp

from pi._speedups.pattern.gitignore import parse_rules

cdef enum:
    LITERAL = 1
    ANY = 2
    STAR = 3
    CLASS = 4
    FOLDERS = 5


cdef bint match_segment(
    const uint8_t* code, int size, const uint8_t* text, const uint8_t* end
) noexcept nogil:
    cdef const uint8_t* stop = code + size
    cdef const uint8_t* star = NULL
    cdef const uint8_t* retry = NULL
    while True:
        if code < stop and code[0] == STAR:
            code += 1
            if code == stop:
                return True
            star = code
            retry = text
            continue
        if text == end:
            return code == stop
        if code < stop:
            if code[0] == LITERAL:
                if code[1] == text[0]:
                    code += 2
                    text += 1
                    continue
            elif code[0] == ANY:
                code += 1
                text += 1
                continue
            elif code[1 + (text[0] >> 3)] & (1 << (text[0] & 7)):
                code += 33
                text += 1
                continue
        if star == NULL:
            return False
        retry += 1
        text = retry
        code = star


cdef bint match_path(const CompiledRule* rule, const uint8_t* path, const uint8_t* end) noexcept nogil:
    """Whether the segments match; a path of no bytes is one empty segment, NULL is none at all."""
    cdef int at = 0
    cdef int count = rule.n_segments
    cdef int again = -1
    cdef const uint8_t* retry = NULL
    cdef const uint8_t* stop
    while True:
        if at < count and rule.segments[at].size == 1 and rule.segments[at].code[0] == FOLDERS:
            if at < count - 1:
                at += 1
                again = at
                retry = path
                continue
            if path != NULL:
                return True
        elif path == NULL:
            # Taking more folders into `**` leaves even less to match.
            return at == count
        elif at < count:
            stop = <const uint8_t*>memchr(path, 47, end - path)
            if match_segment(
                rule.segments[at].code, rule.segments[at].size, path, end if stop == NULL else stop
            ):
                at += 1
                path = stop
                if path != NULL:
                    path += 1
                continue
        if again < 0 or retry == NULL:
            return False
        stop = <const uint8_t*>memchr(retry, 47, end - retry)
        if stop == NULL:
            return False
        retry = stop + 1
        path = retry
        at = again


cdef int check(
    const RuleList* rules, const uint8_t* path, int size, int name_at, bint folder
) noexcept nogil:
    """1: ignored, -1: kept by a negated rule, 0: no rule says. name_at: where the name starts."""
    cdef int k = rules.count - 1
    cdef const CompiledRule* rule
    cdef const uint8_t* subject
    cdef int length
    cdef bint hit
    while k >= 0:
        rule = &rules.rules[k]
        k -= 1
        if rule.folders_only and not folder:
            continue
        if rule.by_name:
            subject = path + name_at
            length = size - name_at
        else:
            subject = path
            length = size
        if rule.form == 1:
            hit = length == rule.text_size and memcmp(subject, rule.text, length) == 0
        elif rule.form == 2:
            hit = (
                length >= rule.text_size
                and memcmp(subject + length - rule.text_size, rule.text, rule.text_size) == 0
            )
        else:
            hit = (
                length >= rule.text_size
                and memcmp(subject, rule.text, rule.text_size) == 0
                and match_path(rule, subject + rule.text_size, subject + length)
            )
        if hit:
            return -1 if rule.negated else 1
    return 0


cdef bytes plain_text(bytes code):
    """The text of a code of literals alone, None for any other."""
    if len(code) % 2 or any(operation != LITERAL for operation in code[::2]):
        return None
    return code[1::2]


cdef class Rules:
    """The rules of one ignore file, for paths below its folder."""

    def __cinit__(self, bytes text):
        cdef list parsed = parse_rules(text)
        cdef CompiledRule* rule
        cdef bytes code, plain
        cdef int k
        self.kept = []
        self.list.rules = <CompiledRule*>calloc(len(parsed) + 1, sizeof(CompiledRule))
        if self.list.rules == NULL:
            raise MemoryError
        for item in parsed:
            rule = &self.list.rules[self.list.count]
            self.list.count += 1
            rule.negated = item.negated
            rule.folders_only = item.folders_only
            rule.by_name = item.by_name
            rule.n_segments = len(item.segments)
            rule.segments = <Segment*>calloc(rule.n_segments + 1, sizeof(Segment))
            if rule.segments == NULL:
                raise MemoryError
            for k in range(rule.n_segments):
                code = item.segments[k]
                self.kept.append(code)
                rule.segments[k].code = code
                rule.segments[k].size = len(code)
            plain = item.prefix
            if not rule.n_segments:
                rule.form = 1
            elif item.by_name and item.segments[0][0] == STAR:
                ending = plain_text(item.segments[0][1:])
                if ending is not None:
                    rule.form = 2
                    plain = ending
            self.kept.append(plain)
            rule.text = plain
            rule.text_size = len(plain)

    def __dealloc__(self):
        cdef int k
        if self.list.rules != NULL:
            for k in range(self.list.count):
                free(self.list.rules[k].segments)
            free(self.list.rules)

    def __len__(self):
        return self.list.count

    def check(self, bytes path, bint folder):
        """1: the path is ignored, -1: a negated rule keeps it, 0: no rule says anything."""
        cdef const uint8_t* data = path
        return check(&self.list, data, len(path), path.rfind(b"/") + 1, folder)
