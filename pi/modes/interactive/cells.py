"""How wide text is on a terminal, and how to cut it: in cells, not in characters.

Rows may hold SGR sequences and hyperlinks (OSC 8); both have no width, and what this module cuts is
closed again at its end. Widths are wcwidth's, whose tables are compiled: one grapheme cluster is
what moves the cursor, whether it is a letter with its accents or an emoji of five code points.
"""

import re
from collections.abc import Iterator
from functools import cache

# The widths of characters; prompt-toolkit brings it along anyway.
from wcwidth import clip, iter_graphemes, strip_sequences, wcswidth

__all__ = ["ESCAPE", "Pen", "crop", "cut", "link_at", "pad", "plain", "width", "wrap", "wrap_rows"]

ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]_PX^][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
"""A whole escape sequence: CSI, a string (OSC, APC, DCS), or two characters."""

_LINK = r"\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]+)"  # compiled by `re` when something is clicked
_WORD = re.compile(r" +|[^ ]+")
_NO_LINE_STARTS_WITH = frozenset("、。，．：；？！）」』】〕〉》〗”’・ー…,.!?;:)]}")


# Compiled when the first text asks for them that is not ASCII: such large sets take milliseconds.
@cache
def _wide() -> re.Pattern[str]:
    """Writing without spaces between words: a row may end after any character."""
    return re.compile(
        r"[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f"
        r"\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff]"
    )


@cache
def _single() -> re.Pattern[str]:
    """Letters and signs of one cell each, alone or beside anything: what most text is made of."""
    return re.compile(
        r"[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u0384-\u0481\u048a-\u052f\u2010-\u2027"
        r"\u2030-\u205e\u2190-\u22ff\u2500-\u25fc]*"
    )


def plain(text: str) -> str:
    """The text without its escape sequences."""
    return strip_sequences(text) if "\x1b" in text else text


def width(text: str) -> int:
    """Cells the text takes; escape sequences take none."""
    if "\x1b" in text:
        text = strip_sequences(text)
    return len(text) if text.isascii() else max(0, wcswidth(text))


def cut(text: str, cells: int, end: str = "…") -> str:
    """The text in at most so many cells; where something is missing, it ends in `end`."""
    if len(text) <= cells and text.isascii():
        return text
    if width(text) <= cells:
        return text
    room = cells - width(end)
    if room < 0:
        return crop(text, 0, cells)
    return crop(text, 0, room) + end


def crop(text: str, start: int, end: int) -> str:
    """Cells `start` to `end` of the text, styled as they were; half a wide character is a space."""
    if end <= start:
        return ""
    if "\x1b" not in text and text.isascii():
        return text[start:end]
    return clip(text, start, end, control_codes="ignore") or ""


def link_at(text: str, column: int) -> str | None:
    """The address that a cell is a link to (OSC 8)."""
    if "\x1b]8;" not in text:
        return None
    found = re.search(_LINK, crop(text, column, column + 1))
    return None if found is None else found[1]


def pad(text: str, cells: int) -> str:
    """The text with spaces behind it to so many cells; longer text stays as it is."""
    missing = cells - width(text)
    return text + " " * missing if missing > 0 else text


def wrap_rows(text: str, cells: int) -> list[str]:
    """Every line of the text wrapped; styles that span lines are not carried over."""
    rows: list[str] = []
    for line in text.split("\n"):
        rows += wrap(line, cells)
    return rows


def wrap(line: str, cells: int) -> list[str]:
    """One line broken between words into rows of at most so many cells.

    Spaces at a break vanish, spaces at the start of the line stay. A word that is too long for a
    row is broken anywhere; text without spaces (Chinese, Japanese) between characters. Styles and
    links that are open at a break are closed and opened again.
    """
    cells = max(1, cells)
    if "\x1b" not in line:
        if len(line) <= cells and line.isascii():
            return [line]
        return [line[start:end] for start, end in _breaks(line, cells)]
    text = strip_sequences(line)
    spans = _breaks(text, cells)
    if len(spans) == 1 and spans[0] == (0, len(text)):
        return [line]
    return list(_styled(line, spans))


def _breaks(text: str, cells: int) -> list[tuple[int, int]]:
    """The parts of the text, without escape sequences, that make its rows."""
    first = len(text) - len(text.lstrip(" "))  # indentation is no place to break
    if first == len(text):
        return [(0, min(first, cells))]
    if first > cells // 2:
        if width(text) <= cells:
            return [(0, len(text))]
        first, start = 0, first  # no room for it
    else:
        start = 0
    if text.isascii() or _single().fullmatch(text):
        return _breaks_single(text, cells, start, first)
    return _breaks_wide(text, cells, start, first)


def _breaks_single(text: str, cells: int, start: int, first: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    size = len(text)
    while size - start > cells:
        stop = text.rfind(" ", max(start, first), start + cells + 1)
        if stop <= start:
            stop = start + cells
            spans.append((start, stop))
            start = stop
            continue
        end = stop
        while text[end - 1] == " ":
            end -= 1
        spans.append((start, end))
        start = stop
        while start < size and text[start] == " ":
            start += 1
    if start < size or not spans:
        spans.append((start, size))
    return spans


def _breaks_wide(text: str, cells: int, start: int, first: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    end = start + first
    used, gap = first, 0  # cells of the row; of the spaces behind it
    for at, stop, size, fresh in _atoms(text, cells, end):
        if fresh is None:
            gap += size
            continue
        empty = not used or (not spans and used == first)
        if used + gap + size <= cells and (empty or not fresh):
            used, end = used + gap + size, stop
        else:
            spans.append((start, end))
            start, used, end = at, size, stop
        gap = 0
    # Spaces at the very end stay where they fit, as they do in a line that needs no break.
    spans.append((start, len(text) if used + gap <= cells else end))
    return spans


def _atoms(text: str, cells: int, start: int) -> Iterator[tuple[int, int, int, bool | None]]:
    """What a row is made of: start, end, cells, and whether it wants a row of its own.

    None for the last says that it is spaces.
    """
    for match in _WORD.finditer(text, start):
        word, at = match.group(), match.start()
        if word[0] == " ":
            yield at, match.end(), len(word), None
            continue
        size = width(word)
        wide = _wide().search(word) is not None
        if size <= cells - (at if at == start else 0) and not wide:
            yield at, match.end(), size, False
            continue
        begin, used, fresh = at, 0, not wide
        for cluster in iter_graphemes(word):
            size = width(cluster)
            if used and not (cluster in _NO_LINE_STARTS_WITH and used + size <= cells):
                yield begin, at, used, fresh
                begin, used, fresh = at, 0, False
            used += size
            at += len(cluster)
        yield begin, at, used, fresh


def _styled(line: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """Rows cut out of a line with escape sequences at places counted without them."""
    pen = Pen()
    parts = iter(_parts(line))
    part, escape = next(parts, ("", False))
    at = 0
    for start, end in spans:
        row: list[str] = []
        opened = False
        while at < end or escape:
            if escape:
                if at >= end:
                    break
                pen.take(part)
                if opened:
                    row.append(part)
                part, escape = next(parts, ("", False))
                continue
            if not part:
                following = next(parts, None)
                if following is None:
                    break
                part, escape = following
                continue
            if at < start:
                skip = min(start - at, len(part))
                part, at = part[skip:], at + skip
                continue
            if not opened:
                row.append(pen.opening())
                opened = True
            piece = part[: end - at]
            row.append(piece)
            part, at = part[len(piece) :], at + len(piece)
        row.append(pen.closing())
        yield "".join(row)


def _parts(line: str) -> Iterator[tuple[str, bool]]:
    """The line's text and its escape sequences in turn."""
    at = 0
    for match in ESCAPE.finditer(line):
        if match.start() > at:
            yield line[at : match.start()], False
        yield match.group(), True
        at = match.end()
    if at < len(line):
        yield line[at:], False


_CLOSES = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4",),
    "25": ("5",),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
    "39": ("fg",),
    "49": ("bg",),
    "55": ("53",),
    "59": ("58",),
}
_KINDS = {"38": "fg", "48": "bg", "58": "58", "21": "4"}
_KINDS |= {str(code): "fg" for code in (*range(30, 38), *range(90, 98))}
_KINDS |= {str(code): "bg" for code in (*range(40, 48), *range(100, 108))}
_KINDS |= {code: code for code in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "53")}


class Pen:
    """What is switched on at one place of a row: attributes, colours, a link."""

    __slots__ = ("link", "on")

    def __init__(self) -> None:
        self.on: dict[str, str] = {}
        self.link = ""

    def take(self, sequence: str) -> None:
        """Follow an escape sequence; what is neither SGR nor OSC 8 changes nothing."""
        if sequence.startswith("\x1b]8;"):
            target = sequence.rstrip("\x07\\\x1b").split(";", 2)[-1]
            self.link = sequence if target else ""
        elif sequence.startswith("\x1b[") and sequence.endswith("m"):
            self.sgr(sequence[2:-1])

    def sgr(self, parameters: str) -> None:
        """Follow an SGR sequence, given as what stands between its ends; unknown codes are lost."""
        fields = parameters.split(";")
        at = 0
        while at < len(fields):
            field = fields[at]
            at += 1
            code = field.split(":", 1)[0].lstrip("0")
            if not code:
                self.on.clear()
            elif code in _CLOSES:
                for kind in _CLOSES[code]:
                    self.on.pop(kind, None)
            elif code in ("38", "48", "58") and ":" not in field:
                size = {"5": 2, "2": 4}.get(fields[at] if at < len(fields) else "", 0)
                more = fields[at : at + size]
                at += size
                if size and len(more) == size and all(more):
                    self.on[_KINDS[code]] = ";".join([code, *more])
            elif code in _KINDS:
                self.on[_KINDS[code]] = field

    def opening(self) -> str:
        """The sequences that switch on what is on."""
        sgr = f"\x1b[{';'.join(self.on.values())}m" if self.on else ""
        return sgr + self.link

    def closing(self) -> str:
        """The sequences that switch off what is on."""
        return ("\x1b]8;;\x1b\\" if self.link else "") + ("\x1b[0m" if self.on else "")
