"""Changes of files in colour: the listing of an edit's result, and edits that have yet to run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pi.modes.interactive.cells import width, wrap
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean

__all__ = ["diff_counts", "diff_rows", "edit_lines"]

_LINE = re.compile(r"([ +-])( *\d*) (.*)", re.DOTALL)
_COLORS = {"+": "toolDiffAdded", "-": "toolDiffRemoved", " ": "toolDiffContext"}
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.4
"""Below this ratio two lines are two lines, not one that was changed."""


def diff_rows(display: Sequence[str], columns: int, theme: Theme) -> list[str]:
    """Rows of a numbered listing: a sign, a number, a line; long lines go on below themselves."""
    rows: list[str] = []
    for sign, number, text in _emphasized(list(_parts(display)), theme):
        color = _COLORS[sign]
        gutter = f"{number} {sign if sign != ' ' else ' '} "
        for at, row in enumerate(wrap(text, max(8, columns - width(gutter)))):
            head = gutter if at == 0 else " " * width(gutter)
            rows.append(theme.fg(color, head + row))
    return rows


def diff_counts(display: Sequence[str]) -> tuple[int, int]:
    """Lines added and removed."""
    return (
        sum(line.startswith("+") for line in display),
        sum(line.startswith("-") for line in display),
    )


def edit_lines(args: Mapping[str, Any]) -> list[str]:
    """The edits of a call that has not run: what goes and what comes, without line numbers."""
    edits = args.get("edits")
    pairs = [edit for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else []
    if "oldText" in args or "newText" in args:
        pairs.append({"oldText": args.get("oldText"), "newText": args.get("newText")})
    lines: list[str] = []
    for pair in pairs:
        for sign, key in (("-", "oldText"), ("+", "newText")):
            text = pair.get(key)
            if isinstance(text, str) and text:
                lines += [f"{sign} {line}" for line in text.removesuffix("\n").split("\n")]
    return lines


def _parts(display: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for line in display:
        match = _LINE.match(line)
        if match is None:
            yield " ", "", clean(line)
        else:
            yield match[1], match[2], clean(match[3])


def _emphasized(parts: list[tuple[str, str, str]], theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Where one line took the place of one other, what differs in them is underlined."""
    at = 0
    while at < len(parts):
        sign, number, text = parts[at]
        alone = (
            sign == "-"
            and (at == 0 or parts[at - 1][0] != "-")
            and at + 1 < len(parts)
            and parts[at + 1][0] == "+"
            and (at + 2 == len(parts) or parts[at + 2][0] != "+")
        )
        if alone:
            after = parts[at + 1]
            old, new = _changed(text, after[2], theme)
            yield sign, number, old
            yield after[0], after[1], new
            at += 2
        else:
            yield sign, number, text
            at += 1


def _changed(old: str, new: str, theme: Theme) -> tuple[str, str]:
    if max(len(old), len(new)) > 1_000:
        return old, new
    # Not before the first edit of a line is drawn.
    from difflib import SequenceMatcher  # noqa: PLC0415

    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return old, new
    out: tuple[list[str], list[str]] = ([], [])
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for words, side in (("".join(before[i1:i2]), out[0]), ("".join(after[j1:j2]), out[1])):
            marked = tag != "equal" and words.strip()
            side.append(theme.style(words, underline=True, bold=True) if marked else words)
    return "".join(out[0]), "".join(out[1])
