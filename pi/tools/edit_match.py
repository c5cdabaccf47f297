"""Finding and replacing text in a file, exactly or as a person would read it.

A model quotes a file from memory: it straightens quotes and dashes, drops blanks at line ends,
composes accents. Text is therefore sought exactly first, then in a normalised form, and what is
outside the match keeps every byte. Uniqueness is always counted on the normalised form: text that
a reader cannot tell apart is not unique.

Texts here have LF line ends; bytes that were not UTF-8 are lone surrogates (surrogateescape).
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pi.errors import ToolError
from pi.tools.near_miss import near_miss
from pi.tools.paths import SPACES

__all__ = ["Edit", "Replacement", "normalise", "plan", "replace"]

_LOOKALIKES: dict[int, str] = {
    ord(char): plain
    for chars, plain in (
        ("\u2018\u2019\u201a\u201b", "'"),
        ("\u201c\u201d\u201e\u201f", '"'),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        (SPACES, " "),
        # A byte that is not UTF-8 was shown to the model as this.
        (map(chr, range(0xDC80, 0xDD00)), "\ufffd"),
    )
    for char in chars
}
_TRAILING = re.compile(r"(?<![^\S\n])[^\S\n]+$", re.MULTILINE)
_ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Edit:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """text[start:end] becomes `new`."""

    start: int
    end: int
    new: str


def normalise(text: str) -> str:
    """`text` as it is compared: NFKC, plain quotes, dashes and blanks, none at line ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    return _TRAILING.sub("", text)


def plan(text: str, edits: Sequence[Edit], path: str) -> list[Replacement]:
    """Where each edit applies, in the order of the text.

    Raises ToolError: an empty, missing or repeated old text, overlapping edits.
    """

    def label(index: int) -> str:
        return "oldText" if len(edits) == 1 else f"edits[{index}].oldText"

    for index, edit in enumerate(edits):
        if not edit.old:
            raise ToolError(f"{label(index)} is empty: it must quote the text of {path} to replace")
    plain = normalise(text)
    found: list[tuple[Replacement, int]] = []
    for index, edit in enumerate(edits):
        found.append((_locate(text, plain, edit, label(index), path), index))
    found.sort(key=lambda item: (item[0].start, item[0].end))
    for (before, i), (after, j) in pairwise(found):
        if after.start < before.end:
            first, second = sorted((i, j))
            raise ToolError(
                f"edits[{first}] and edits[{second}] overlap in {path}: "
                "make them one edit, or quote less"
            )
    return [replacement for replacement, _ in found]


def replace(text: str, replacements: Sequence[Replacement]) -> str:
    """`text` with all of them applied; they are sorted and do not overlap."""
    parts: list[str] = []
    at = 0
    for replacement in replacements:
        parts += (text[at : replacement.start], replacement.new)
        at = replacement.end
    parts.append(text[at:])
    return "".join(parts)


def _locate(text: str, plain: str, edit: Edit, label: str, path: str) -> Replacement:
    sought = normalise(edit.old)
    start = text.find(edit.old)
    # Old text of nothing but blanks normalises to nothing: it can only be counted as it is.
    where, what = (plain, sought) if sought else (text, edit.old)
    count = where.count(what)
    if start < 0 and (not sought or not count):
        raise ToolError(
            f"{label} was not found in {path}: it must match the file, blanks and line ends "
            f"included{near_miss(plain, sought)}"
        )
    if count > 1:
        raise ToolError(
            f"{label} occurs {count} times in {path} (lines {_lines(where, what)}): "
            "quote more of its surroundings to make it unique"
        )
    if start >= 0:
        return Replacement(start, start + len(edit.old), edit.new)
    replacement = _original_span(text, plain, plain.index(sought), len(sought), edit.new)
    undecodable = _ESCAPED.search(text, replacement.start, replacement.end)
    if undecodable:
        line = text.count("\n", 0, undecodable.start()) + 1
        raise ToolError(
            f"{label} covers bytes of {path} that are not UTF-8 (line {line}, shown as U+FFFD) "
            "and would be lost: quote text without them"
        )
    return replacement


def _lines(text: str, sought: str, limit: int = 10) -> str:
    numbers: list[str] = []
    at = text.find(sought)
    while at >= 0 and len(numbers) < limit:
        numbers.append(str(text.count("\n", 0, at) + 1))
        at = text.find(sought, at + len(sought))
    return ", ".join(numbers) + (", …" if at >= 0 else "")


def _original_span(text: str, plain: str, start: int, length: int, new: str) -> Replacement:
    """The part of `text` that plain[start:start + length] stands for.

    A character of the text that becomes several (a ligature) may be matched in part: the rest of
    it is kept in its plain form, around `new`.
    """
    end = start + length
    first_line, column = plain.count("\n", 0, start), start - (plain.rfind("\n", 0, start) + 1)
    last_line, last_column = plain.count("\n", 0, end), end - (plain.rfind("\n", 0, end) + 1)
    line_starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text) + 1]

    def line(number: int) -> str:
        return text[line_starts[number] : line_starts[number + 1] - 1]

    begin, _, before = _column(line(first_line), column)
    _, finish, after = _column(line(last_line), last_column, end=True)
    return Replacement(
        line_starts[first_line] + begin, line_starts[last_line] + finish, f"{before}{new}{after}"
    )


def _column(line: str, column: int, *, end: bool = False) -> tuple[int, int, str]:
    """Where the plain column lies in `line`: before, after, and the plain part left or right of it.

    The column after the last character stands behind the blanks that normalising took away.
    """
    plain_length = len(normalise(line))
    if column >= plain_length and (end or column > 0):
        return len(line), len(line), ""
    offsets = [0]  # in the plain line, where each cluster starts
    clusters = _clusters(line)
    plain_parts = []
    for begin, finish in clusters:
        part = unicodedata.normalize("NFKC", line[begin:finish]).translate(_LOOKALIKES)
        plain_parts.append(part)
        offsets.append(offsets[-1] + len(part))
    index = bisect_right(offsets, column) - 1
    if offsets[index] == column:
        at = clusters[index][0] if index < len(clusters) else len(line)
        return at, at, ""
    inside = column - offsets[index]
    part = plain_parts[index]
    return clusters[index][0], clusters[index][1], part[inside:] if end else part[:inside]


def _clusters(line: str) -> list[tuple[int, int]]:
    """Pieces of `line` that normalise independently of each other."""
    starts = [
        index
        for index, char in enumerate(line)
        if char.isascii() or (not unicodedata.combining(char) and not _joins_left(char))
    ]
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    pieces = list(pairwise([*starts, len(line)]))
    apart = "".join(unicodedata.normalize("NFKC", line[begin:end]) for begin, end in pieces)
    if apart != unicodedata.normalize("NFKC", line):
        return [(0, len(line))]
    return pieces


def _joins_left(char: str) -> bool:
    """Whether a starter composes with what is before it: Hangul vowels, half-width marks."""
    return "\u1160" <= char <= "\u11ff" or char in "\uff9e\uff9f"
