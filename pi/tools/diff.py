"""A change as people and programs see it: a unified patch, and a numbered listing.

Both show four lines of context. Lines are compared with their LF, so that losing the last one is
a change. What was edited is known, so only that is compared: the cost is that of the edits, not
of the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

__all__ = ["Change", "Diff", "diff"]

CONTEXT = 4
_NO_NEWLINE = "\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class Change:
    """Old lines [old_start, old_end) became new lines [new_start, new_end); 0 is the first."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Diff:
    """display: for people. patch: for programs. first_changed_line: in the new text, 1 first."""

    display: str
    patch: str
    first_changed_line: int | None


def diff(path: str, old: str, new: str, regions: Sequence[Change] | None = None) -> Diff:
    """Compare two texts. regions: line ranges outside which they are known to be equal."""
    old_lines = _split(old)
    new_lines = _split(new)
    if regions is None:
        regions = [Change(0, len(old_lines), 0, len(new_lines))]
    changes = [change for region in regions for change in _refine(old_lines, new_lines, region)]
    first = changes[0].new_start + 1 if changes else None
    return Diff(
        display="\n".join(_display(old_lines, new_lines, changes)),
        patch=f"--- {path}\n+++ {path}\n" + "".join(_patch(old_lines, new_lines, changes)),
        first_changed_line=first,
    )


def _split(text: str) -> list[str]:
    """Lines with their LF; only LF ends a line."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _refine(old: list[str], new: list[str], region: Change) -> Iterator[Change]:
    a = old[region.old_start : region.old_end]
    b = new[region.new_start : region.new_end]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Change(
                region.old_start + i1,
                region.old_start + i2,
                region.new_start + j1,
                region.new_start + j2,
            )


def _groups(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Changes whose contexts touch belong together."""
    group: list[Change] = []
    for change in changes:
        if group and change.old_start - group[-1].old_end > 2 * CONTEXT:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _display(old: list[str], new: list[str], changes: Sequence[Change]) -> Iterator[str]:
    def lines_of(text: list[str]) -> int:
        return len(text) + (1 if not text or text[-1].endswith("\n") else 0)

    width = len(str(max(lines_of(old), lines_of(new))))

    def row(sign: str, number: int, line: str) -> str:
        return f"{sign}{number + 1:>{width}} {line.removesuffix(chr(10))}"

    gap = f" {'':{width}} ..."
    shown = 0
    for group in _groups(changes):
        start = max(0, group[0].old_start - CONTEXT)
        if start > shown:
            yield gap
        at = start
        for change in group:
            for number in range(at, change.old_start):
                yield row(" ", number, old[number])
            for number in range(change.old_start, change.old_end):
                yield row("-", number, old[number])
            for number in range(change.new_start, change.new_end):
                yield row("+", number, new[number])
            at = change.old_end
        shown = min(len(old), at + CONTEXT)
        for number in range(at, shown):
            yield row(" ", number, old[number])
    if changes and shown < len(old):
        yield gap


def _patch(old: list[str], new: list[str], changes: Sequence[Change]) -> Iterator[str]:
    def row(sign: str, line: str) -> str:
        return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n{_NO_NEWLINE}"

    for group in _groups(changes):
        start = max(0, group[0].old_start - CONTEXT)
        end = min(len(old), group[-1].old_end + CONTEXT)
        new_start = group[0].new_start - (group[0].old_start - start)
        new_end = group[-1].new_end + (end - group[-1].old_end)
        yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
        at = start
        for change in group:
            for line in old[at : change.old_start]:
                yield row(" ", line)
            for line in old[change.old_start : change.old_end]:
                yield row("-", line)
            for line in new[change.new_start : change.new_end]:
                yield row("+", line)
            at = change.old_end
        for line in old[at:end]:
            yield row(" ", line)


def _range(start: int, end: int) -> str:
    return f"{start + 1 if end > start else start},{end - start}"
