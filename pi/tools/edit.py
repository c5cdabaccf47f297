"""edit: replace pieces of a file, several in one call, all or none."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.base import STRICT_SAMPLING, ToolContext, ToolResult, text_result
from pi.tools.diff import Change, diff
from pi.tools.edit_match import Edit, Replacement, plan, replace
from pi.tools.files import exclusive, whole_characters, write_atomically
from pi.tools.line_ends import LineEnds
from pi.tools.paths import existing, os_error

__all__ = ["TOOL", "EditTool"]

_BOM = "\ufeff"


class EditTool:
    name = "edit"
    description = (
        "Replace exact pieces of one file. Each edits[].oldText must occur exactly once in the "
        "file as it is now and must not overlap another; all edits of a call are matched against "
        "that same text. Quote just enough to be unique, and join changes of neighbouring lines "
        "into one edit."
    )
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["path", "edits"],
        "properties": {
            "path": {
                "type": "string",
                "description": "The file, relative to the working folder or absolute",
            },
            "edits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["oldText", "newText"],
                    "properties": {
                        "oldText": {
                            "type": "string",
                            "description": "Text of the file, exactly as it is there and unique",
                        },
                        "newText": {
                            "type": "string",
                            "description": "What takes its place",
                        },
                    },
                },
                "description": (
                    "The replacements. They apply to the file as it is before the call, so one "
                    "cannot build on another, and they must not overlap."
                ),
            },
        },
    }
    sampling = STRICT_SAMPLING
    snippet = "Change parts of a file by exact replacement, several at once"
    rules = (
        "Change existing files with edit; put all changes of one file into one call.",
        "Keep each edits[].oldText short but unique in the file, copied exactly; join edits that "
        "would touch or overlap.",
    )

    def prepare(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Edits sent as a JSON string become a list; an older oldText/newText pair joins them."""
        edits = arguments.get("edits")
        if isinstance(edits, str):
            edits = _parsed(edits)
        prepared = dict(arguments)
        old, new = prepared.get("oldText"), prepared.get("newText")
        if isinstance(old, str) and isinstance(new, str):
            earlier = edits if isinstance(edits, list) else [edits] if _is_edit(edits) else []
            del prepared["oldText"], prepared["newText"]
            edits = [*earlier, {"oldText": old, "newText": new}]
        if edits is not None:
            prepared["edits"] = edits
        return prepared

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        path = existing(args["path"], context.cwd)
        edits = [_edit(item) for item in args["edits"]]
        if not edits:
            raise ToolError("edits is empty: give at least one replacement")
        async with exclusive(path):
            details = await asyncio.to_thread(_apply, path, args["path"], edits)
        count = f"{len(edits)} edit{'s' if len(edits) > 1 else ''}"
        return text_result(f"Applied {count} to {args['path']}", details=details)


def _parsed(text: str) -> Any:
    """The list or edit a JSON string holds, else the string, which validation will refuse."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, list) or _is_edit(value) else text


def _is_edit(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), str) for key in ("oldText", "newText")
    )


def _edit(item: dict[str, str]) -> Edit:
    def clean(text: str) -> str:
        return whole_characters(text).replace("\r\n", "\n").replace("\r", "\n")

    return Edit(clean(item["oldText"]), clean(item["newText"]))


def _apply(path: Path, shown: str, edits: Sequence[Edit]) -> dict[str, Any]:
    """Change the file; returns the result's details."""
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
    replacements = plan(ends.text, edits, shown)
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


TOOL = EditTool()
