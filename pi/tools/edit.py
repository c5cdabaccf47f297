"""edit: replace pieces of a file, several in one call, all or none."""

import asyncio
import json
from typing import Any

from pi.errors import ToolError
from pi.tools.base import STRICT_SAMPLING, ToolContext, ToolResult, text_result
from pi.tools.files import exclusive
from pi.tools.paths import existing

__all__ = ["TOOL", "EditTool"]


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
        edits = args["edits"]
        if not edits:
            raise ToolError("edits is empty: give at least one replacement")
        # Matching and comparing are not needed to declare the tool.
        from pi.tools.edit_apply import apply  # noqa: PLC0415  (a seam: the first edit)

        async with exclusive(path):
            details = await asyncio.to_thread(apply, path, args["path"], edits)
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


TOOL = EditTool()
