"""Source code in colours, by pygments: loaded when the first piece of code is drawn."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pi.modes.interactive.palette import Theme

if TYPE_CHECKING:
    from pygments.token import _TokenType

__all__ = ["highlight", "language_of", "preload"]

_LIMIT = 200_000
"""Characters; what is longer is drawn without colours."""

# From the most particular to the least; a token type is looked up through its parents.
_TOKENS = {
    "Comment": "syntaxComment",
    "Keyword": "syntaxKeyword",
    "Keyword.Type": "syntaxType",
    "Name.Builtin": "syntaxFunction",
    "Name.Function": "syntaxFunction",
    "Name.Decorator": "syntaxFunction",
    "Name.Class": "syntaxType",
    "Name.Exception": "syntaxType",
    "Name.Tag": "syntaxKeyword",
    "Name.Attribute": "syntaxVariable",
    "Name.Variable": "syntaxVariable",
    "Name.Constant": "syntaxNumber",
    "Literal.String": "syntaxString",
    "Literal.Number": "syntaxNumber",
    "Literal": "syntaxNumber",
    "Operator": "syntaxOperator",
    "Operator.Word": "syntaxKeyword",
    "Punctuation": "syntaxPunctuation",
    "Generic.Deleted": "toolDiffRemoved",
    "Generic.Inserted": "toolDiffAdded",
    "Generic.Heading": "syntaxKeyword",
    "Generic.Subheading": "syntaxFunction",
    "Generic.Prompt": "syntaxComment",
}


def preload() -> None:
    """Import what the first piece of code needs, at a moment when nobody waits."""
    _lexer("python")


def language_of(path: str) -> str:
    """The language of a file by its name, "" where it has none."""
    # Loading pygments takes 15 ms, and most of what is drawn is not code.
    from pygments.lexers import find_lexer_class_for_filename  # noqa: PLC0415

    found = find_lexer_class_for_filename(path)
    return str(found.aliases[0]) if found is not None and found.aliases else ""


def highlight(code: str, language: str, theme: Theme) -> list[str]:
    """The lines of the code, styled; in one colour where the language is not known.

    code: already made safe for the terminal.
    """
    lines = code.split("\n")
    lexer = _lexer(language.lower()) if language and theme.depth != "none" else None
    if lexer is None or len(code) > _LIMIT:
        return [theme.fg("mdCodeBlock", line) for line in lines]
    styled: list[str] = []
    line: list[str] = []
    for kind, text in lexer.get_tokens(code):
        token = _token(kind)
        first, *more = text.split("\n")
        if first:
            line.append(theme.fg(token, first) if token else first)
        for piece in more:
            styled.append("".join(line))
            line = [theme.fg(token, piece) if token else piece] if piece else []
    if line:
        styled.append("".join(line))
    # Lexers add a newline at the end, and may eat blank lines there.
    styled += [""] * (len(lines) - len(styled))
    return styled[: len(lines)]


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any:
    """None where pygments does not know the language."""
    # As above: loaded with the first piece of code.
    from pygments.lexers import find_lexer_class_by_name  # noqa: PLC0415
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return find_lexer_class_by_name(language)(stripnl=False, ensurenl=True)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _token(kind: "_TokenType") -> str:
    """The theme's token for a kind of text, "" for plain text."""
    name = ".".join(kind)
    while name:
        if name in _TOKENS:
            return _TOKENS[name]
        name = name.rpartition(".")[0]
    return ""
