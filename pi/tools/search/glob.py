"""Globs as regular expressions over paths with forward slashes.

`*` and `?` stop at a slash, `**` as a whole component does not; [a-z], [!a-z] and, where asked,
{a,b}; a backslash takes the next character as it is.

A star followed by another one need not try again once what is between them was found: the second
star takes whatever comes. So these are atomic groups, and a pattern such as `*a*a*a*a*b`, which
may come from anybody's .gitignore, takes no longer than it should.
"""

import re

__all__ = ["GlobError", "translate"]


_FOLDERS = "(?:[^/]+/)*"


class GlobError(ValueError):
    """What is wrong with a glob."""


def translate(glob: str, *, braces: bool = True, slashes: bool = True) -> str:
    """A pattern for `re.fullmatch`. slashes: False lets `*` and `?` match a slash too."""
    out: list[str] = []
    groups = 0
    at = 0
    any_one = "[^/]" if slashes else "."
    star = folders = None  # where in `out` the last `*` of this component and the last `**/` are
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "*":
            stars = at
            while stars < len(glob) and glob[stars] == "*":
                stars += 1
            piece, at = _stars(glob, at - 1, stars, any_one)
            if piece == _FOLDERS:
                _close(out, folders)
                star, folders = None, len(out)
            elif piece == f"{any_one}*":
                _close(out, star)
                star = len(out)
            out.append(piece)
        elif char == "?":
            out.append(any_one)
        elif char == "[":
            piece, at = _class(glob, at)
            out.append(piece)
        elif char == "\\":
            if at == len(glob):
                raise GlobError("it ends in a backslash")
            out.append(re.escape(glob[at]))
            at += 1
        elif char == "/":
            star = None if slashes else star
            out.append(char)
        elif braces and char == "{":
            star = folders = None
            groups += 1
            out.append("(?:")
        elif braces and char == "}":
            if not groups:
                raise GlobError("'}' without '{'")
            groups -= 1
            star = folders = None
            out.append(")")
        elif groups and char == ",":
            star = folders = None
            out.append("|")
        else:
            out.append(re.escape(char))
    if groups:
        raise GlobError("'{' without '}'")
    return "(?s:" + "".join(out) + ")"


def _close(out: list[str], star: int | None) -> None:
    """Make what follows a star in `out`, and the star, a group that settles for its first match."""
    if star is not None:
        out[star:] = [f"(?>{out[star]}?{''.join(out[star + 1 :])})"]


def _stars(glob: str, start: int, end: int, any_one: str) -> tuple[str, int]:
    """The stars glob[start:end] as a pattern, and where to go on."""
    opens = start == 0 or glob[start - 1] in "/{,"
    if end - start == 2 and opens:
        if end == len(glob):
            # Behind a slash: everything below. Alone: everything.
            return (".+" if start else ".*"), end
        if glob[end] == "/":
            return _FOLDERS, end + 1
    return f"{any_one}*", end


def _class(glob: str, at: int) -> tuple[str, int]:
    """The class that begins behind its bracket at `at`, and where to go on."""
    negated = glob[at : at + 1] in ("!", "^")
    begin = at = at + negated
    items: list[str] = []
    while True:
        if at >= len(glob):
            raise GlobError("'[' without ']'")
        char = glob[at]
        if char == "]" and at > begin:
            break
        if char == "\\" and at + 1 < len(glob):
            at += 1
            char = glob[at]
        at += 1
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("", "]"):
            last = glob[at + 1]
            at += 2
            if last == "\\" and at < len(glob):
                last = glob[at]
                at += 1
            if last < char:
                raise GlobError(f"the range {char}-{last} is empty")
            items.append(f"{re.escape(char)}-{re.escape(last)}")
        else:
            items.append(re.escape(char))
    return f"(?!/)[{'^' if negated else ''}{''.join(items)}]", at + 1
