"""The word before the caret as a path: where it starts, how it is quoted, how to put one back."""

import re
from typing import NamedTuple

__all__ = ["Token", "token_before", "written"]

_PLAIN = re.compile(r"[^\w@%+=:,./~-]")  # what a shell might act on


class Token(NamedTuple):
    """start: where it starts in the text, with its `@` and quote. path: without them."""

    start: int
    path: str
    at: bool
    quoted: bool


def token_before(text: str, caret: int) -> Token:
    """The token that ends at the caret; an empty one behind a blank.

    A token ends at a blank that is neither in quotes nor behind a backslash.
    """
    line = text.rfind("\n", 0, caret) + 1
    start = line
    quoted = False
    at = line
    while at < caret:
        character = text[at]
        if quoted:
            quoted = character != '"'
        elif character == "\\":
            at += 1
        elif character == '"' and text[start:at] in ("", "@"):
            quoted = True
        elif character in " \t":
            start = at + 1
        at += 1
    token = text[start:caret]
    has_at = token.startswith("@")
    body = token[has_at:]
    in_quotes = body.startswith('"')
    path = body[1:] if in_quotes else re.sub(r"\\(.)", r"\1", body)
    return Token(
        start, path.removesuffix('"') if in_quotes and not quoted else path, has_at, quoted
    )


def written(path: str, token: Token, *, shell: bool, done: bool) -> str:
    """A path in the token's place. done: nothing is added to it, a blank goes behind."""
    sign = "@" if token.at else ""
    end = " " if done else ""
    if shell and not token.quoted:
        return sign + _PLAIN.sub(r"\\\g<0>", path) + end
    if token.quoted or re.search(r"\s", path):
        return f'{sign}"{path}' + (f'"{end}' if done else "")
    return sign + path + end
