"""Sets of characters as sorted, disjoint, inclusive ranges of code points."""

import unicodedata
from collections.abc import Iterable
from functools import cache

__all__ = [
    "ASCII_CLASSES",
    "MAX_CHAR",
    "Ranges",
    "difference",
    "digit",
    "fold",
    "intersect",
    "merge",
    "negate",
    "property_class",
    "space",
    "word",
]

Span = tuple[int, int]
Ranges = tuple[Span, ...]

MAX_CHAR = 0x10FFFF
_SURROGATES = ((0xD800, 0xDFFF),)

ASCII_CLASSES: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": ((0x30, 0x39),),
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": ((0x41, 0x5A),),
    "word": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}

_LONG_CATEGORIES = {
    "letter": "L", "casedletter": "LC", "uppercaseletter": "Lu", "lowercaseletter": "Ll",
    "titlecaseletter": "Lt", "modifierletter": "Lm", "otherletter": "Lo", "mark": "M",
    "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N",
    "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
    "otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc",
    "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z", "spaceseparator": "Zs",
    "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
    "format": "Cf", "unassigned": "Cn", "privateuse": "Co",
}  # fmt: skip


def merge(ranges: Iterable[Span]) -> Ranges:
    """Sorted and without overlaps or neighbours that touch."""
    out: list[Span] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            if high > out[-1][1]:
                out[-1] = (out[-1][0], high)
        else:
            out.append((low, high))
    return tuple(out)


def negate(ranges: Ranges, top: int = MAX_CHAR) -> Ranges:
    """Everything else up to `top`."""
    out = []
    start = 0
    for low, high in ranges:
        if low > start:
            out.append((start, low - 1))
        start = high + 1
    if start <= top:
        out.append((start, top))
    return tuple(out)


def intersect(one: Ranges, two: Ranges) -> Ranges:
    out = []
    i = j = 0
    while i < len(one) and j < len(two):
        low, high = max(one[i][0], two[j][0]), min(one[i][1], two[j][1])
        if low <= high:
            out.append((low, high))
        if one[i][1] < two[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def difference(one: Ranges, two: Ranges) -> Ranges:
    return intersect(one, negate(two))


def _parse(text: str) -> Ranges:
    out = []
    for part in text.split():
        low, _, high = part.partition("-")
        out.append((int(low, 16), int(high or low, 16)))
    return tuple(out)


@cache
def word() -> Ranges:
    r"""`\w`: alphabetic, marks, decimal digits, connectors, joiners."""
    from pi._speedups.pattern import tables  # noqa: PLC0415  (parsed only for patterns that ask)

    return _parse(tables.WORD)


@cache
def digit() -> Ranges:
    from pi._speedups.pattern import tables  # noqa: PLC0415  (as above)

    return _parse(tables.DIGIT)


@cache
def space() -> Ranges:
    from pi._speedups.pattern import tables  # noqa: PLC0415  (as above)

    return _parse(tables.SPACE)


@cache
def _folds() -> dict[int, tuple[int, ...]]:
    from pi._speedups.pattern import tables  # noqa: PLC0415  (as above)

    out = {}
    for group in tables.FOLDS.split():
        points = tuple(int(point, 16) for point in group.split(","))
        for point in points:
            out[point] = points
    return out


def fold(ranges: Ranges) -> Ranges:
    """The set together with every character that differs from a member only in case."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1] < 0x80:  # the common case: no table
        char = chr(ranges[0][0])
        if not char.isalpha():
            return ranges
        extra = {"k": 0x212A, "s": 0x17F}.get(char.lower())
        points = {ord(char.lower()), ord(char.upper())} | ({extra} if extra else set())
        return merge((point, point) for point in points)
    groups = _folds()
    added: list[Span] = []
    for low, high in ranges:
        if high - low > len(groups):
            inside = [point for point in groups if low <= point <= high]
        else:
            inside = [point for point in range(low, high + 1) if point in groups]
        for point in inside:
            added.extend((other, other) for other in groups[point])
    return merge([*ranges, *added])


@cache
def _categories() -> dict[str, Ranges]:
    """Every general category, by its two-letter name."""
    found: dict[str, list[Span]] = {}
    last, start = unicodedata.category("\0"), 0
    for point in range(1, MAX_CHAR + 2):
        now = unicodedata.category(chr(point)) if point <= MAX_CHAR else ""
        if now != last:
            found.setdefault(last, []).append((start, point - 1))
            last, start = now, point
    return {name: tuple(ranges) for name, ranges in found.items()}


def property_class(name: str) -> Ranges | None:
    r"""What `\p{name}` stands for: a general category, a script, a few more; None if unknown."""
    plain = "".join(char for char in name if char not in "_- ").lower()
    kind, separator, value = plain.partition("=")
    if separator:
        if kind in ("script", "sc", "generalcategory", "gc"):
            plain = value
        else:
            return None
    if plain == "any":
        return ((0, MAX_CHAR),)
    if plain == "ascii":
        return ASCII_CLASSES["ascii"]
    if plain in ("alphabetic", "alpha"):
        marks = difference(word(), merge([*_category("Nd"), *_category("Pc")]))
        return difference(marks, ((0x200C, 0x200D),))
    if plain in ("whitespace", "wspace"):
        return space()
    if plain in ("uppercase", "upper"):
        return _category("Lu")
    if plain in ("lowercase", "lower"):
        return _category("Ll")
    if plain in _LONG_CATEGORIES or len(plain) <= 2:
        wanted = _LONG_CATEGORIES.get(plain) or plain.capitalize()
        if wanted == "Lc":
            wanted = "LC"
        return _category(wanted) or None
    from pi._speedups.pattern.scripts import SCRIPTS  # noqa: PLC0415  (rare, and 40 kB)

    text = SCRIPTS.get(plain)
    return None if text is None else _parse(text)


def _category(wanted: str) -> Ranges:
    if wanted == "LC":
        names = ["Lu", "Ll", "Lt"]
    else:
        names = [name for name in _categories() if name.startswith(wanted)]
    found = merge(part for name in names for part in _categories()[name])
    return difference(found, _SURROGATES)
