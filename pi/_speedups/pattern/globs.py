"""File globs, as search tools read them: `*`, `?`, `**`, classes and nested braces.

`*` and `?` stop at a slash; `**` as a whole component crosses any number of folders, elsewhere it
is a `*`. A glob becomes a pattern's tree, and so runs in linear time whatever its braces.
"""

from pi._speedups.pattern.charset import ASCII_CLASSES, Ranges, fold, merge, negate
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
from pi._speedups.pattern.syntax import PatternError

__all__ = ["folder_glob", "glob", "has_capital"]

_DEPTH = 100
_ANY_BYTE = Chars(((0, 0xFF),), raw=True)
_NO_SLASH = Chars(((0, 0x2E), (0x30, 0xFF)), raw=True)
_SLASH = Chars(((0x2F, 0x2F),))
_STAR = Repeat(_NO_SLASH, 0, None)
_EVERYTHING = Repeat(_ANY_BYTE, 0, None)
# What one `?` takes: a character, or a byte of a name that is not UTF-8.
_ONE = Alternation((Chars(((0, 0x2E), (0x30, 0xD7FF), (0xE000, 0x10FFFF))), _NO_SLASH))


def glob(pattern: str, *, ignore_case: bool = False) -> Node:
    """The tree of a glob that must match the whole of a name or path.

    Raises PatternError, naming the place.
    """
    return Concat((Look(LookKind.START), _Glob(pattern, ignore_case).parse(), Look(LookKind.END)))


def folder_glob(pattern: str, *, ignore_case: bool = False) -> tuple[Node, bool]:
    """A glob with the anchoring of an ignore file, for paths below a folder; and: folders only.

    Without a slash (but at its end) it matches names at any depth, else from the folder on.
    """
    folders_only = pattern.endswith("/") and not pattern.endswith("\\/")
    body = pattern.removesuffix("/") if folders_only else pattern
    if "/" not in body:
        body = "**/" + body
    else:
        body = body.removeprefix("/")
    if body.endswith("/**"):
        body += "/*"
    return glob(body, ignore_case=ignore_case), folders_only


def has_capital(pattern: str) -> bool:
    """Whether smart case takes the glob's letters as they are."""
    return any(char.isupper() for char in pattern)


class _Glob:
    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.pattern = pattern
        self.ignore_case = ignore_case
        self.at = 0

    def error(self, reason: str, at: int) -> PatternError:
        return PatternError(self.pattern, at, reason)

    def parse(self) -> Node:
        node = self.sequence(0)
        if self.at < len(self.pattern):
            raise self.error("this closing brace opens nowhere", self.at)
        return node

    def sequence(self, depth: int) -> Node:
        """Up to the end, or inside braces up to a comma or the closing brace."""
        pattern = self.pattern
        parts: list[Node] = []
        while self.at < len(pattern):
            start = self.at
            char = pattern[start]
            if char == "}" or (char == "," and depth):
                break
            self.at += 1
            match char:
                case "*":
                    parts.append(self.stars(start, depth, parts))
                case "?":
                    parts.append(_ONE)
                case "[":
                    parts.append(self.bracket(start))
                case "{":
                    parts.append(self.braces(start, depth + 1))
                case "\\":
                    if self.at >= len(pattern):
                        raise self.error("the glob ends in the middle of an escape", start)
                    parts.append(self.char(pattern[self.at]))
                    self.at += 1
                case _:
                    parts.append(self.char(char))
        return Concat(tuple(parts)) if parts else Empty()

    def char(self, char: str) -> Node:
        point = ord(char)
        if 0xDC80 <= point <= 0xDCFF:  # a byte of a name that is not UTF-8
            return Chars(((point - 0xDC00, point - 0xDC00),), raw=True)
        ranges: Ranges = ((point, point),)
        return Chars(fold(ranges) if self.ignore_case else ranges)

    def stars(self, start: int, depth: int, parts: list[Node]) -> Node:
        pattern = self.pattern
        if not pattern.startswith("*", self.at):
            return _STAR
        self.at += 1
        before = pattern[start - 1] if start else ""
        after = pattern[self.at : self.at + 1]
        opens = before in ("", "/") or (depth > 0 and before in ("{", ","))
        closes = after in ("", "/") or (depth > 0 and after in (",", "}"))
        if not (opens and closes):
            return _STAR
        if after == "/":
            # Folders, each with its slash, as many as there are.
            self.at += 1
            if before == "" or (depth > 0 and before in ("{", ",")):
                return Alternation((Empty(), _SLASH, Concat((_EVERYTHING, _SLASH))))
            return Alternation((Empty(), Concat((_EVERYTHING, _SLASH))))
        return _EVERYTHING

    def braces(self, start: int, depth: int) -> Node:
        if depth > _DEPTH:
            raise self.error(f"braces are nested more than {_DEPTH} deep", start)
        branches = [self.sequence(depth)]
        while self.pattern.startswith(",", self.at):
            self.at += 1
            branches.append(self.sequence(depth))
        if not self.pattern.startswith("}", self.at):
            raise self.error("this brace is not closed", start)
        self.at += 1
        return Alternation(tuple(branches))

    def bracket(self, start: int) -> Node:
        pattern = self.pattern
        negated = pattern.startswith(("!", "^"), self.at)
        self.at += negated
        items: list[tuple[int, int]] = []
        first = True
        while True:
            if self.at >= len(pattern):
                raise self.error("this class is not closed", start)
            char = pattern[self.at]
            self.at += 1
            if char == "]" and not first:
                break
            first = False
            if char == "[" and pattern.startswith(":", self.at):
                end = pattern.find(":]", self.at)
                named = ASCII_CLASSES.get(pattern[self.at + 1 : end]) if end > 0 else None
                if named is not None:
                    items.extend(named)
                    self.at = end + 2
                    continue
            low = high = ord(char)
            if pattern.startswith("-", self.at) and pattern[self.at + 1 : self.at + 2] not in (
                "",
                "]",
            ):
                high = ord(pattern[self.at + 1])
                self.at += 2
                if high < low:
                    raise self.error("this range ends before it starts", start)
            items.append((low, high))
        ranges = merge(items)
        if self.ignore_case:
            ranges = fold(ranges)
        return Chars(negate(ranges) if negated else ranges)
