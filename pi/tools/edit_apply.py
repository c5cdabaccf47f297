"""One edit call on one file: read, match, replace, write, and what to tell of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.diff import Change, diff
from pi.tools.edit_match import Edit, Replacement, plan, replace
from pi.tools.files import whole_characters, write_atomically
from pi.tools.line_ends import LineEnds
from pi.tools.paths import os_error

__all__ = ["apply"]

_BOM = "\ufeff"


def apply(path: Path, shown: str, edits: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Change the file; returns the result's details.

    edits: oldText and newText of each. shown: the path as the model wrote it. Raises ToolError.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ToolError(f"Cannot edit {shown}: it is not a regular file")
        raw = path.read_bytes()
    except OSError as error:
        raise os_error("edit", shown, error) from error
    # Bytes that are not UTF-8 pass through as lone surrogates and come out as they were.
    decoded = raw.decode("utf-8", "surrogateescape")
    bom = _BOM if decoded.startswith(_BOM) else ""
    ends = LineEnds(decoded[len(bom) :])
    replacements = plan(ends.text, [_edit(item) for item in edits], shown)
    changed = replace(ends.text, replacements)
    if changed == ends.text:
        raise ToolError(f"Nothing to change in {shown}: each newText equals what is there")
    data = (bom + ends.restore(replacements)).encode("utf-8", "surrogateescape")
    try:
        write_atomically(path, data)
    except OSError as error:
        raise os_error("write", shown, error) from error
    result = diff(
        shown, _visible(ends.text), _visible(changed), list(_regions(ends.text, replacements))
    )
    return {
        "diff": result.display,
        "patch": result.patch,
        "firstChangedLine": result.first_changed_line,
    }


def _edit(item: Mapping[str, str]) -> Edit:
    def clean(text: str) -> str:
        return whole_characters(text).replace("\r\n", "\n").replace("\r", "\n")

    return Edit(clean(item["oldText"]), clean(item["newText"]))


def _visible(text: str) -> str:
    """Undecodable bytes as U+FFFD: details are JSON."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _regions(text: str, replacements: Sequence[Replacement]) -> list[Change]:
    """The line ranges the replacements touch; neighbours are joined."""
    regions: list[Change] = []
    shift = 0  # how many lines the new text is ahead
    at, line = 0, 0
    for item in replacements:
        line += text.count("\n", at, item.start)
        removed = text.count("\n", item.start, item.end)
        added = item.new.count("\n")
        first, last = line, line + removed + 1
        at, line = item.end, line + removed
        shift += added - removed
        if regions and first <= regions[-1].old_end:
            before = regions.pop()
            regions.append(Change(before.old_start, last, before.new_start, last + shift))
        else:
            earlier = shift - (added - removed)
            regions.append(Change(first, last, first + earlier, last + shift))
    return regions
