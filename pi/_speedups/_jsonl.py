"""Heads of session lines, without decoding the lines; jsonl.pyx is compiled.

A head is the type, id and parent that place an entry in the tree. It is taken from the first bytes
of a line written in the usual order; what looks unusual is handed to the caller to parse. An
object that names a key twice, which no writer of JSON produces, is taken by its first bytes.
"""

import re

__all__ = ["Head", "skip_others", "usual_head"]

Head = tuple[str, str, str | None]

# Printable ASCII without quote and backslash: anything else takes the slow way.
_TEXT = rb"[ !#-\[\]-~]+"
_USUAL = re.compile(
    rb'[ \t]*\{"type": ?"(%b)", ?"id": ?"(%b)", ?"parentId": ?(?:"(%b)"|null), ?"'
    % (_TEXT, _TEXT, _TEXT)
)
_SPACE = b" \t\r\n"


def usual_head(line: bytes) -> Head | None:
    """Type, id and parent of a line in the usual order; None where only parsing it can tell.

    The line may still turn out to be damaged further on.
    """
    match = _USUAL.match(line)
    if (
        match is None
        or line[-16:].rstrip(_SPACE)[-1:] != b"}"
        # A second one: nested by chance, or two lines that were fused by a torn write.
        or line.find(b'"parentId"', match.end() - 1) >= 0
    ):
        return None
    kind, entry_id, parent = match.groups()
    return kind.decode(), entry_id.decode(), parent.decode() if parent else None


def skip_others(block: bytes, upper: int, wanted: bytes) -> int:
    """How much of block[:upper] is left when lines whose first bytes name another id are passed.

    Goes backwards over whole lines, those with a newline before them; stops behind the last that
    may be `wanted`, or at the end of the piece whose beginning is not in the block.
    """
    upper = max(0, min(upper, len(block)))
    while (cut := block.rfind(b"\n", 0, upper)) >= 0:
        match = _USUAL.match(block, cut + 1, upper)
        if cut + 1 < upper and (match is None or match.group(2) == wanted):
            break
        upper = cut
    return upper
