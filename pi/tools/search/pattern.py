"""Regular expressions that take time linear in the text, whatever the pattern: RE2's.

google-re2 was chosen over pyre2: it has wheels for more platforms, takes the pattern as it is, and
imports in 2 ms; its slow findall is not used. Python's `re` backtracks: a pattern that a model
made up could hang the tool on one line.
"""

import re
from typing import Any, Protocol

from pi.errors import ToolError

__all__ = ["Matcher", "compile_pattern"]

_WORD = r"\p{L}\p{M}\p{Nd}\p{Pc}"
_SPACE = r"\t\n\v\f\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
_CLASSES = {"d": r"\p{Nd}", "w": _WORD, "s": _SPACE}
_WHOLE_TEXT = re.compile(r"\\[Az]|\(\?[a-zA-Z]*-[a-zA-Z]*m")
_MAX_MEMORY = 64 << 20


class Matcher(Protocol):
    """Finds the next line that matches."""

    def next_line(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Start and end (without its LF) of the first matching line at or after `at`.

        `at` is the start of a line.
        """
        ...


def compile_pattern(pattern: str, *, literal: bool, ignore_case: bool) -> Matcher:
    """A matcher of lines. Raises ToolError for a pattern that is not a regular expression."""
    if "\n" in pattern:
        raise ToolError("The pattern contains a newline, but lines are searched one by one")
    encoded = pattern.encode("utf-8", "replace")
    if literal and not ignore_case:
        return _Literal(encoded)
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415  (a seam: the first search)

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.case_sensitive = not ignore_case
    options.never_capture = True
    options.literal = literal
    if literal:
        return _Regex(re2.compile(encoded, options), None)
    translated = _translate(pattern).encode("utf-8", "replace")
    try:
        line = re2.compile(translated, options)
        text = re2.compile(b"(?m)(?:" + translated + b")", options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise ToolError(f"Not a regular expression (RE2 syntax): {pattern}\n{shown}") from error
    if _WHOLE_TEXT.search(pattern):
        return _EachLine(line)
    return _Regex(line, text)


class _Literal:
    def __init__(self, sought: bytes) -> None:
        self._sought = sought

    def next_line(self, data: bytes, at: int) -> tuple[int, int] | None:
        found = data.find(self._sought, at)
        if found < 0 or at >= len(data):
            return None
        return _line_around(data, found, at)


class _Regex:
    """The text is searched whole; a match is a candidate that its line must confirm.

    A match may begin in one line and need the next, which is no match of a line. No line is
    missed: a match within a line begins no earlier than the first match of the text.
    """

    def __init__(self, line: Any, text: Any) -> None:
        self._line = line
        self._text = text

    def next_line(self, data: bytes, at: int) -> tuple[int, int] | None:
        search = (self._text or self._line).search
        while at < len(data):
            found = search(data, at)
            if found is None or (found.start() == len(data) and data.endswith(b"\n")):
                return None
            start, end = _line_around(data, found.start(), at)
            if found.end() <= end or self._line.search(data[start:end]) is not None:
                return start, end
            at = end + 1
        return None


class _EachLine:
    """For patterns that speak of the text's beginning or end, where a line's is meant."""

    def __init__(self, line: Any) -> None:
        self._line = line

    def next_line(self, data: bytes, at: int) -> tuple[int, int] | None:
        while at < len(data):
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            if self._line.search(data[at:end]) is not None:
                return at, end
            at = end + 1
        return None


def _line_around(data: bytes, position: int, at: int) -> tuple[int, int]:
    start = data.rfind(b"\n", at, position) + 1 or at
    end = data.find(b"\n", position)
    return start, len(data) if end < 0 else end


def _translate(pattern: str) -> str:
    """The usual syntax in RE2's: \\d, \\w and \\s of all scripts, and \\u{…}.

    Inside a class, \\W, \\D and \\S cannot be written out and stay ASCII's.
    """
    out: list[str] = []
    at = 0
    in_class = False
    while at < len(pattern):
        char = pattern[at]
        if char != "\\" or at + 1 == len(pattern):
            if char == "[" and not in_class:
                in_class = True
                # A bracket that comes first is a member.
                opening = re.match(r"\[\^?\]?", pattern[at:])
                assert opening is not None
                out.append(opening.group())
                at += opening.end()
                continue
            if char == "[" and pattern.startswith("[:", at) and ":]" in pattern[at:]:
                end = pattern.index(":]", at) + 2
                out.append(pattern[at:end])
                at = end
                continue
            if char == "]":
                in_class = False
            out.append(char)
            at += 1
            continue
        escape = pattern[at + 1]
        at += 2
        if escape == "Q":
            end = pattern.find("\\E", at)
            end = len(pattern) if end < 0 else end
            out.append(re.escape(pattern[at:end]))
            at = end + 2
        elif escape in "uU":
            digits = re.match(r"\{[0-9a-fA-F]+\}|[0-9a-fA-F]{4}", pattern[at:])
            if digits is None:
                raise ToolError(f"Not a regular expression: \\{escape} without a code in {pattern}")
            out.append(f"\\x{{{digits.group().strip('{}')}}}")
            at += digits.end()
        elif escape == "n":
            raise ToolError("The pattern contains \\n, but lines are searched one by one")
        elif escape in _CLASSES:
            out.append(_CLASSES[escape] if in_class else f"[{_CLASSES[escape]}]")
        elif escape.lower() in _CLASSES and not in_class:
            out.append(f"[^{_CLASSES[escape.lower()]}]")
        elif escape in "/\"'`~@#%&,;:=!<> -" or not escape.isascii():
            out.append(re.escape(escape) if escape in "-" and in_class else escape)
        else:
            out.append(f"\\{escape}")
    return "".join(out)
