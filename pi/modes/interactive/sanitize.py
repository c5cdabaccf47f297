"""Text that others wrote, made safe for the terminal.

Models, tools and files may say anything, escape sequences that move the cursor, set the title or
fill the clipboard among it. What leaves here holds printable characters and newlines, and, where
asked for, colours: SGR sequences put together anew. Everything that is drawn and was not written in
this program goes through `clean` or `clean_lines`.
"""

import re

from pi.modes.interactive.cells import ESCAPE, Pen, plain, width

__all__ = ["clean", "clean_drawn", "clean_line", "clean_lines"]

_TAB = 4

# What a terminal could act on, what would stop the text from being encoded (lone surrogates), what
# reorders a line so that it reads differently from what it says, and separators some terminals
# take for a new line.
_SUSPECT = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<sgr>[0-9;:]*)m"
    r"|(?:\x1b\[|\x9b)[\x20-\x3f]*[\x40-\x7e]?"
    # A string (OSC, DCS, APC …) up to its end; of one without end, only what opens it.
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])"
    r"(?:[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\|\x9c))?"
    r"|\x1b[\x20-\x2f]*[\x30-\x7e]?"
)
_INTRODUCER = re.compile(r"[\x1b\x90\x98\x9b\x9d-\x9f]")
_LINK = re.compile(r"\x1b\]8;[ -:<-~]*;[!-~]*(?:\x1b\\|\x07)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_OFF = frozenset(("22", "23", "24", "27", "29", "39", "49", "59"))
_HIDDEN = ("5", "6", "8")  # blinking, and text one cannot see


def clean(text: str, *, colors: bool = False) -> str:
    """The text without anything a terminal acts on; newlines stay, tabs become spaces.

    A carriage return starts its line anew, as it does on a terminal, so that of a progress bar its
    last state is left. colors: keep SGR sequences; they are not closed at the ends of lines.
    """
    if _SUSPECT.search(text) is None:
        return text
    if _INTRODUCER.search(text):
        text = _SEQUENCE.sub(_sgr if colors else "", text)
    if "\r" in text or "\b" in text or "\t" in text:
        text = "\n".join(map(_line, text.replace("\r\n", "\n").split("\n")))
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    if _SUSPECT.search(text) is not None:
        text = _SUSPECT.sub(_kept if colors else _dropped, text)
    return text


def clean_line(text: str) -> str:
    """The text as one line: newlines become spaces."""
    text = clean(text)
    return " ".join(text.split("\n")) if "\n" in text else text


def clean_lines(text: str, *, colors: bool = False) -> list[str]:
    """The text's lines, each of them closing the colours it opens.

    A colour that is on at the end of a line goes on in the next, as on a terminal.
    """
    lines = clean(text, colors=colors).split("\n")
    return _closed(lines) if colors and "\x1b" in text else lines


def clean_drawn(text: str) -> list[str]:
    """The lines of what an extension has drawn: colours and links stay, nothing else that acts.

    What it shows may come from anywhere, such as the output of a program.
    """
    if "\x1b]8;" not in text:
        return clean_lines(text, colors=True)
    parts: list[str] = []
    at = 0
    for match in _LINK.finditer(text):
        parts += (clean(text[at : match.start()], colors=True), match.group())
        at = match.end()
    parts.append(clean(text[at:], colors=True))
    return _closed("".join(parts).split("\n"))


def _closed(lines: list[str]) -> list[str]:
    """Colours and links that span lines, closed at the end of each and opened in the next."""
    pen = Pen()
    for index, line in enumerate(lines):
        before = pen.opening()
        if "\x1b" in line:
            for match in ESCAPE.finditer(line):
                pen.take(match.group())
            lines[index] = before + line + pen.closing()
        elif before and line:
            lines[index] = before + line + pen.closing()
    return lines


def _sgr(match: re.Match[str]) -> str:
    """A colour sequence as this program would write it."""
    parameters: str | None = match.group("sgr")
    if parameters is None or len(parameters) > 64:
        return ""
    fields = parameters.split(";")
    reset = "\x1b[0m" if any(not field.strip("0") for field in fields[:1]) else ""
    pen = Pen()
    pen.sgr(parameters)
    for code in _HIDDEN:
        pen.on.pop(code, None)
    if pen.on:
        return reset + pen.opening()
    return reset or (f"\x1b[{parameters}m" if parameters in _OFF else "")


def _line(line: str) -> str:
    """What is left of a line after its carriage returns, backspaces and tabs."""
    if "\r" in line:
        before, _, line = line.rstrip("\r").rpartition("\r")
        if "\x1b" in before:
            line = "".join(match.group() for match in ESCAPE.finditer(before)) + line
    if "\b" in line:
        kept: list[str] = []
        # A backspace must not take apart a colour sequence: such a line goes without.
        for character in plain(line):
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    return _expand(line) if "\t" in line else line


def _expand(line: str) -> str:
    """Tabs as spaces, counted in cells."""
    if line.isascii() and "\x1b" not in line:
        return line.expandtabs(_TAB)
    parts = line.split("\t")
    at = 0
    for index, part in enumerate(parts[:-1]):
        at += width(part)
        parts[index] = part + " " * (_TAB - at % _TAB)
        at += _TAB - at % _TAB
    return "".join(parts)


def _dropped(match: re.Match[str]) -> str:
    return "\ufffd" if _SURROGATE.match(match.group()) else ""


def _kept(match: re.Match[str]) -> str:
    """As `_dropped`, but an escape that is left is the start of a colour."""
    return "\x1b" if match.group() == "\x1b" else _dropped(match)
