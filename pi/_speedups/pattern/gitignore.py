"""Reads ignore files to rules that both twins match: git's semantics, byte for byte.

A rule's path is a list of segments; a segment is a small code of operations, so that it is read
once, here, whoever runs it:

    LITERAL byte   ANY   STAR   CLASS 32 bytes (a bit for each byte)   FOLDERS (`**`, alone)
"""

from dataclasses import dataclass

__all__ = ["ANY", "CLASS", "FOLDERS", "LITERAL", "STAR", "Rule", "parse_rules"]

LITERAL, ANY, STAR, CLASS, FOLDERS = range(1, 6)

_POSIX: dict[bytes, frozenset[int]] = {
    b"alnum": frozenset(b for b in range(128) if chr(b).isalnum()),
    b"alpha": frozenset(b for b in range(128) if chr(b).isalpha()),
    b"blank": frozenset(b"\t "),
    b"cntrl": frozenset([*range(32), 127]),
    b"digit": frozenset(b"0123456789"),
    b"graph": frozenset(range(33, 127)),
    b"lower": frozenset(range(97, 123)),
    b"print": frozenset(range(32, 127)),
    b"punct": frozenset(b for b in range(33, 127) if not chr(b).isalnum()),
    b"space": frozenset(b"\t\n\v\f\r "),
    b"upper": frozenset(range(65, 91)),
    b"xdigit": frozenset(b"0123456789abcdefABCDEF"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file.

    by_name: it has no slash and is matched with the last part of a path, at any depth; otherwise
    with the path below the file's folder. The subject must start with `prefix`; what follows is
    matched with the segments, or must be nothing if there are none. (So does git: in `a**/b` it
    takes the `**` for a component of its own, because the `a` is gone when it looks.)
    """

    negated: bool
    folders_only: bool
    by_name: bool
    prefix: bytes
    segments: tuple[bytes, ...]


def parse_rules(text: bytes) -> list[Rule]:
    """The rules of an ignore file, in its order; the last that matches decides."""
    rules = []
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        rule = _parse_line(line.removesuffix(b"\r"))
        if rule is not None:
            rules.append(rule)
    return rules


def _parse_line(line: bytes) -> Rule | None:
    if line.startswith(b"#"):
        return None
    line = _without_trailing_spaces(line)
    negated = line.startswith(b"!")
    if negated:
        line = line[1:]
    folders_only = line.endswith(b"/")
    if folders_only:
        line = line[:-1]
    if not line:
        return None
    by_name = b"/" not in line
    if line.startswith(b"/"):
        line = line[1:]
    plain = 0
    while plain < len(line) and line[plain] not in b"*?[\\":
        plain += 1
    if plain == len(line):
        return Rule(negated, folders_only, by_name, line, ())
    if by_name:
        plain = 0
    segments = _segments(line[plain:], by_name)
    if segments is None:
        return None
    return Rule(negated, folders_only, by_name, line[:plain], segments)


def _without_trailing_spaces(line: bytes) -> bytes:
    """Spaces at the end count only behind a backslash."""
    end = 0
    at = 0
    while at < len(line):
        if line[at] == 0x5C:  # what it escapes is kept, and cannot be a trailing space
            at += 2
            end = min(at, len(line))
        else:
            at += 1
            if line[at - 1] != 0x20:
                end = at
    return line[:end]


def _segments(line: bytes, by_name: bool) -> tuple[bytes, ...] | None:
    """The codes of the parts between slashes; None if the pattern can never match."""
    segments: list[bytes] = []
    code = bytearray()
    stars = 0  # consecutive `*` at the start of the segment, while it has nothing else
    at = 0

    def close(escaped: bool = False) -> None:
        nonlocal stars
        if stars >= 2 and len(code) == stars and not by_name:
            if escaped:  # in `**\\/x` git wants at least one folder
                segments.append(bytes([STAR]))
            segments.append(bytes([FOLDERS]))
        else:
            segments.append(_squeeze(code))
        code.clear()
        stars = 0

    while at < len(line):
        byte = line[at]
        at += 1
        escaped = byte == 0x5C
        if escaped:
            if at >= len(line):
                return None
            byte = line[at]
            at += 1
            if byte != 0x2F:
                code += bytes([LITERAL, byte])
                continue
        if byte == 0x2F:
            close(escaped)
        elif byte == 0x2A:
            if len(code) == stars:
                stars += 1
            code.append(STAR)
        elif byte == 0x3F:
            code.append(ANY)
        elif byte == 0x5B:
            parsed = _bracket(line, at)
            if parsed is None:
                return None
            members, at = parsed
            bits = bytearray(32)
            for member in members:
                bits[member >> 3] |= 1 << (member & 7)
            code.append(CLASS)
            code += bits
        else:
            code += bytes([LITERAL, byte])
    close()
    return tuple(segments)


def _squeeze(code: bytearray) -> bytes:
    """Neighbouring stars are one."""
    out = bytearray()
    last = 0
    at = 0
    while at < len(code):
        size = {LITERAL: 2, CLASS: 33}.get(code[at], 1)
        if not (code[at] == last == STAR):
            out += code[at : at + size]
        last = code[at]
        at += size
    return bytes(out)


def _bracket(line: bytes, at: int) -> tuple[frozenset[int], int] | None:
    """The bytes of a class and where it ends; None if it does not, which makes it match nothing."""
    members: set[int] = set()
    negated = line[at : at + 1] in (b"!", b"^")
    at += negated
    before = -1  # the byte a range may start from
    first = True
    while True:
        if at >= len(line):
            return None
        byte = line[at]
        if byte == 0x5D and not first:
            at += 1
            break
        first = False
        if byte == 0x5C:
            at += 1
            if at >= len(line):
                return None
            before = line[at]
            members.add(before)
        elif byte == 0x2D and before > 0 and line[at + 1 : at + 2] not in (b"", b"]"):
            at += 1
            high = line[at]
            if high == 0x5C:
                at += 1
                if at >= len(line):
                    return None
                high = line[at]
            members.update(range(before, high + 1))
            before = -1
        elif line[at : at + 2] == b"[:":
            end = line.find(b"]", at + 2)
            if end < 0:
                return None
            if end == at + 2 or line[end - 1] != 0x3A:
                members.add(byte)
                before = byte
            else:
                named = _POSIX.get(line[at + 2 : end - 1])
                if named is None:
                    return None
                members |= named
                before = -1
                at = end
        else:
            members.add(byte)
            before = byte
        at += 1
    found = frozenset(range(256)) - members if negated else frozenset(members)
    return found - {0x2F}, at
