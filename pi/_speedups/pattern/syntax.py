r"""Reads a regular expression: the syntax of RE2 and ripgrep, one line at a time.

Unicode throughout (`\w`, `\d`, `\s`, `\b`, `\p{…}`, case), flags `imsUux`, classes with nesting
and `&&`, `--`, `~~`, counted repetition. What cannot be done in linear time (backreferences,
look-around) is an error, as is anything that could only match a line feed. `^`, `$`, `\A` and
`\z` all mean the ends of a line, because a line is all an expression ever sees.
"""

from dataclasses import dataclass, replace

from pi._speedups.pattern.charset import (
    ASCII_CLASSES,
    MAX_CHAR,
    Ranges,
    difference,
    digit,
    fold,
    intersect,
    merge,
    negate,
    property_class,
    space,
    word,
)
from pi._speedups.pattern.nodes import (
    Alternation,
    Chars,
    Concat,
    Empty,
    Look,
    LookKind,
    Node,
    Repeat,
)

__all__ = ["PatternError", "literal", "parse"]

_DEPTH = 100
_LF: Ranges = ((0x0A, 0x0A),)
_CONTROL = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;=?@[\\]^_`{|}~ ")
_WORD_LOOKS = {
    "start": LookKind.WORD_START,
    "end": LookKind.WORD_END,
    "start-half": LookKind.WORD_START_HALF,
    "end-half": LookKind.WORD_END_HALF,
}


class PatternError(ValueError):
    """The pattern cannot be read. `position` is a 0-based index into it, in characters."""

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at character {position + 1} of {pattern!r})")
        self.pattern = pattern
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool = False
    spaced: bool = False  # x: white space and comments are not part of the pattern
    unicode: bool = True


def literal(text: str, *, ignore_case: bool = False) -> Node:
    """The tree of a text that stands for itself."""
    if "\n" in text:
        raise PatternError(text, text.index("\n"), "a line never contains a line feed")
    parser = _Parser(text, _Flags(ignore_case=ignore_case))
    return _concat([parser.char(ord(char), parser.flags) for char in text])


def parse(pattern: str, *, ignore_case: bool = False) -> Node:
    """The tree of a regular expression.

    Raises PatternError, naming the place.
    """
    parser = _Parser(pattern, _Flags(ignore_case=ignore_case))
    node = parser.alternation(0)
    if parser.at < len(pattern):
        raise parser.error("this closing parenthesis opens nowhere")
    return node


def _concat(parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    return Concat(tuple(parts)) if parts else Empty()


class _Parser:
    def __init__(self, pattern: str, flags: _Flags) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = flags
        self.names: set[str] = set()

    def error(self, reason: str, at: int | None = None) -> PatternError:
        return PatternError(self.pattern, self.at if at is None else at, reason)

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.pattern[at] if at < len(self.pattern) else ""

    def take(self) -> str:
        char = self.pattern[self.at]
        self.at += 1
        return char

    def skip_space(self) -> None:
        if not self.flags.spaced:
            return
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            if char.isspace():
                self.at += 1
            elif char == "#":
                end = self.pattern.find("\n", self.at)
                self.at = len(self.pattern) if end < 0 else end + 1
            else:
                return

    # Structure

    def alternation(self, depth: int) -> Node:
        if depth > _DEPTH:
            raise self.error(f"groups are nested more than {_DEPTH} deep")
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Alternation(tuple(branches))

    def sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        repeats = 0
        repeatable = False
        while True:
            self.skip_space()
            char = self.peek()
            if char in ("", "|", ")"):
                return _concat(parts)
            if char in "*+?{":
                if not repeatable:
                    raise self.error("there is nothing here to repeat")
                repeats += 1
                if repeats > _DEPTH:
                    raise self.error(f"more than {_DEPTH} repetitions of one another")
                parts[-1] = self.repetition(parts[-1])
                continue
            repeats = 0
            repeatable = True
            if char == "(":
                group = self.group(depth)
                if group is None:  # `(?i)`: flags for the rest of this group
                    repeatable = False
                else:
                    parts.append(group)
            else:
                parts.append(self.single())

    def repetition(self, node: Node) -> Node:
        char = self.take()
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char, (0, None))
        if char == "{":
            least, most = self.counts()
        if self.peek() == "?":
            self.at += 1
        if isinstance(node, Repeat) and (least, most) == (0, None) and node.least <= 1:
            node = node.node if node.most != 0 else node
        return Repeat(node, least, most)

    def counts(self) -> tuple[int, int | None]:
        start = self.at - 1
        end = self.pattern.find("}", self.at)
        if end < 0:
            raise self.error("this counted repetition is not closed", start)
        low, comma, high = (part.strip() for part in self.pattern[self.at : end].partition(","))
        numbers = [part for part in (low, high) if part]
        if not numbers or not all(part.isascii() and part.isdigit() for part in numbers):
            raise self.error("a counted repetition needs a decimal number", start)
        if any(len(part) > 6 for part in numbers):
            raise self.error("this repetition count is too large", start)
        self.at = end + 1
        least = int(low or 0)
        most = least if not comma else int(high) if high else None
        if most is not None and most < least:
            raise self.error("the upper count of a repetition is below the lower one", start)
        return least, most

    def group(self, depth: int) -> Node | None:
        start = self.at
        self.at += 1
        outer = self.flags
        if self.peek() == "?":
            for look in ("?=", "?!", "?<=", "?<!"):
                if self.pattern.startswith(look, self.at):
                    raise self.error("look-around is not supported: matching is linear", start)
            self.at += 1
            if self.pattern.startswith("P=", self.at):
                raise self.error("backreferences are not supported: matching is linear", start)
            if self.pattern.startswith(("P<", "<"), self.at):
                self.name()
            else:
                self.flags = self.read_flags(start)
                if self.take() == ")":
                    return None
        node = self.alternation(depth + 1)
        if self.peek() != ")":
            raise self.error("this group is not closed", start)
        self.at += 1
        self.flags = outer
        return node

    def name(self) -> None:
        self.at = self.pattern.index("<", self.at) + 1
        end = self.pattern.find(">", self.at)
        name = self.pattern[self.at : end] if end >= 0 else ""
        plain = name.replace(".", "").replace("[", "").replace("]", "")
        if not plain.isidentifier():
            raise self.error("a group's name is missing or not a name")
        if name in self.names:
            raise self.error(f"two groups are named {name!r}")
        self.names.add(name)
        self.at = end + 1

    def read_flags(self, start: int) -> _Flags:
        flags = self.flags
        on = True
        seen = False
        while True:
            char = self.peek()
            if char == "":
                raise self.error("this group is not closed", start)
            if char in ":)":
                if not seen and (char == ")" or not on):
                    raise self.error("flags are missing here")
                return flags
            if char == "-" and on:
                on = False
                seen = False
                self.at += 1
                continue
            match char:
                case "i":
                    flags = replace(flags, ignore_case=on)
                case "x":
                    flags = replace(flags, spaced=on)
                case "u":
                    flags = replace(flags, unicode=on)
                case "m" | "s" | "U":
                    pass  # a line holds no line feed, and only whether it matches is asked
                case _:
                    raise self.error(f"{char!r} is not a flag (i, m, s, U, u and x are)")
            seen = True
            self.at += 1

    # Single characters

    def single(self) -> Node:
        char = self.take()
        match char:
            case ".":
                return self.chars(((0, MAX_CHAR if self.flags.unicode else 0xFF),))
            case "^":
                return Look(LookKind.START)
            case "$":
                return Look(LookKind.END)
            case "[":
                return self.chars(self.bracket(0))
            case "\\":
                return self.escape()
        return self.char(ord(char), self.flags, self.at - 1)

    def char(self, point: int, flags: _Flags, at: int | None = None) -> Node:
        if point == 0x0A:
            raise self.error("a line never contains a line feed", at)
        if 0xD800 <= point <= 0xDFFF:
            raise self.error("half of a surrogate pair is not a character", at)
        ranges: Ranges = ((point, point),)
        return Chars(self.fold(ranges, flags) if flags.ignore_case else ranges)

    def fold(self, ranges: Ranges, flags: _Flags) -> Ranges:
        folded = fold(ranges)
        if not flags.unicode:  # then only ASCII letters have case
            folded = merge([*ranges, *intersect(folded, ((0, 0x7F),))])
        return folded

    def chars(self, ranges: Ranges) -> Node:
        """A class of the pattern: without the line feed, bytes above 0x7F when not Unicode."""
        if ranges == _LF:
            raise self.error("a line never contains a line feed", self.at - 1)
        ranges = difference(ranges, _LF)
        if self.flags.unicode:
            return Chars(difference(ranges, ((0xD800, 0xDFFF),)))
        if ranges and ranges[-1][1] > 0xFF:
            raise self.error("without the flag u a class holds bytes only")
        return Chars(ranges, raw=True)

    def perl(self, char: str) -> Ranges:
        r"""`\d`, `\s`, `\w` and their opposites."""
        if self.flags.unicode:
            ranges = {"d": digit, "s": space, "w": word}[char.lower()]()
            return negate(ranges) if char.isupper() else ranges
        ranges = ASCII_CLASSES[{"d": "digit", "s": "space", "w": "word"}[char.lower()]]
        return negate(ranges, 0xFF) if char.isupper() else ranges

    def escape(self) -> Node:
        start = self.at - 1
        if self.at >= len(self.pattern):
            raise self.error("the pattern ends in the middle of an escape", start)
        char = self.peek()
        ascii_only = not self.flags.unicode
        match char:
            case "A":
                self.at += 1
                return Look(LookKind.START)
            case "z":
                self.at += 1
                return Look(LookKind.END)
            case "B":
                self.at += 1
                return Look(LookKind.NOT_WORD, ascii_only)
            case "<" | ">":
                self.at += 1
                kind = LookKind.WORD_START if char == "<" else LookKind.WORD_END
                return Look(kind, ascii_only)
            case "b":
                self.at += 1
                if self.peek() == "{":
                    end = self.pattern.find("}", self.at)
                    named = _WORD_LOOKS.get(self.pattern[self.at + 1 : max(end, 0)].strip())
                    if named is not None:
                        self.at = end + 1
                        return Look(named, ascii_only)
                return Look(LookKind.WORD, ascii_only)
            case "d" | "D" | "s" | "S" | "w" | "W":
                self.at += 1
                return self.chars(self.perl(char))
            case "p" | "P":
                ranges = self.property()
                if self.flags.ignore_case:
                    ranges = fold(ranges)
                return self.chars(ranges)
        point = self.escaped_char(start)
        if not self.flags.unicode and self.pattern[start + 1] == "x" and 0x7F < point <= 0xFF:
            return Chars(((point, point),), raw=True)
        return self.char(point, self.flags, start)

    def escaped_char(self, start: int) -> int:
        """The character an escape stands for, after the backslash."""
        char = self.take()
        if char in _CONTROL:
            return _CONTROL[char]
        if char in "xuU":
            return self.hexadecimal(char, start)
        if char.isdigit():
            raise self.error("backreferences are not supported: matching is linear", start)
        if char in _PUNCTUATION:
            return ord(char)
        raise self.error(f"\\{char} is not an escape", start)

    def hexadecimal(self, kind: str, start: int) -> int:
        if self.peek() == "{":
            end = self.pattern.find("}", self.at)
            digits = self.pattern[self.at + 1 : end] if end >= 0 else ""
            after = end + 1
        else:
            size = {"x": 2, "u": 4, "U": 8}[kind]
            digits = self.pattern[self.at : self.at + size]
            after = self.at + size
            if len(digits) < size:
                digits = ""
        if not digits or any(char not in "0123456789abcdefABCDEF" for char in digits):
            raise self.error("this escape needs hexadecimal digits", start)
        point = int(digits, 16)
        if point > MAX_CHAR or 0xD800 <= point <= 0xDFFF:
            raise self.error("this escape is no Unicode character", start)
        self.at = after
        return point

    def property(self) -> Ranges:
        start = self.at - 1
        negated = self.take() == "P"
        if self.peek() == "{":
            end = self.pattern.find("}", self.at)
            if end < 0:
                raise self.error("this property is not closed", start)
            name = self.pattern[self.at + 1 : end]
            self.at = end + 1
        else:
            name = self.peek()
            self.at += 1
        if name.startswith("^"):
            negated, name = not negated, name[1:]
        if not self.flags.unicode:
            raise self.error("Unicode properties need the flag u", start)
        ranges = property_class(name)
        if ranges is None:
            raise self.error(f"there is no Unicode property {name!r}", start)
        return negate(ranges) if negated else ranges

    # Classes

    def bracket(self, depth: int) -> Ranges:
        """A class, after its opening bracket."""
        start = self.at - 1
        if depth > _DEPTH:
            raise self.error(f"classes are nested more than {_DEPTH} deep")
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        total: Ranges | None = None
        operator = ""
        items: list[tuple[int, int]] = []
        first = True
        while True:
            self.skip_space()
            char = self.peek()
            if char == "":
                raise self.error("this class is not closed", start)
            if (char == "]" and not first) or self.pattern[self.at : self.at + 2] in (
                "&&",
                "--",
                "~~",
            ):
                total = self.combine(total, operator, merge(items))
                if char == "]":
                    self.at += 1
                    break
                operator = self.pattern[self.at : self.at + 2]
                self.at += 2
                items = []
                first = False
                continue
            first = False
            items.extend(self.class_item(depth, start))
        ranges = total
        if self.flags.ignore_case:
            ranges = self.fold(ranges, self.flags)
        if negated:
            ranges = negate(ranges, MAX_CHAR if self.flags.unicode else 0xFF)
        return ranges

    def combine(self, total: Ranges | None, operator: str, right: Ranges) -> Ranges:
        if total is None:
            return right
        if operator == "&&":
            return intersect(total, right)
        if operator == "--":
            return difference(total, right)
        both = merge([*total, *right])
        return difference(both, intersect(total, right))

    def class_item(self, depth: int, start: int) -> Ranges:
        at = self.at
        char = self.take()
        if char == "[":
            named = self.posix_class()
            return named if named is not None else self.bracket(depth + 1)
        if char == "\\":
            if self.at >= len(self.pattern):
                raise self.error("this class is not closed", start)
            kind = self.peek()
            if kind in "dDsSwW":
                self.at += 1
                return self.perl(kind)
            if kind in "pP":
                return self.property()
            low = self.escaped_char(at)
        else:
            low = ord(char)
        if not (self.peek() == "-" and self.peek(1) not in ("]", "-", "")):
            return ((low, low),)
        self.at += 1
        self.skip_space()
        high_at = self.at
        char = self.take()
        if char == "\\":
            if self.at >= len(self.pattern):
                raise self.error("this class is not closed", start)
            if self.peek() in "dDsSwWpP":
                raise self.error("a range ends in a character, not in a class", high_at)
            high = self.escaped_char(high_at)
        elif char == "[":
            raise self.error("a range ends in a character, not in a class", high_at)
        else:
            high = ord(char)
        if high < low:
            raise self.error("this range ends before it starts", at)
        return ((low, high),)

    def posix_class(self) -> Ranges | None:
        """`[:alpha:]`, after its opening bracket; None if it is an ordinary class."""
        if self.peek() != ":":
            return None
        end = self.pattern.find(":]", self.at + 1)
        name = self.pattern[self.at + 1 : end] if end >= 0 else ""
        negated = name.startswith("^")
        ranges = ASCII_CLASSES.get(name.removeprefix("^"))
        if ranges is None:
            return None
        self.at = end + 2
        return negate(ranges, MAX_CHAR if self.flags.unicode else 0xFF) if negated else ranges
