"""ls: the names in one folder."""

import asyncio
import math
import os
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult, text_result
from pi.tools.collation import collation_key
from pi.tools.paths import existing, os_error
from pi.tools.truncate import MAX_BYTES, NO_LINE_LIMIT, head, size_text

__all__ = ["TOOL", "LsTool"]

DEFAULT_LIMIT = 500


class LsTool:
    name = "ls"
    description = (
        "List a folder: hidden names included, sorted, folders marked with '/'. "
        f"Shows at most {DEFAULT_LIMIT} entries or {MAX_BYTES // 1024} KB."
    )
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "properties": {
            "path": {
                "type": "string",
                "description": "The folder (default: the working folder)",
            },
            "limit": {
                "type": "number",
                "description": f"How many entries at most (default: {DEFAULT_LIMIT})",
            },
        },
    }
    snippet = "List what is in a folder"
    rules = ()

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        folder = existing(args.get("path") or ".", context.cwd)
        limit = max(1, math.floor(args.get("limit", DEFAULT_LIMIT)))
        try:
            names = await asyncio.to_thread(_names, folder)
        except FileNotFoundError as error:
            raise ToolError(f"There is no {folder}") from error
        except NotADirectoryError as error:
            raise ToolError(f"Not a folder: {folder}") from error
        except OSError as error:
            raise os_error("list", str(folder), error) from error
        if not names:
            return text_result("(the folder is empty)")
        kept = head("\n".join(names[:limit]), max_lines=NO_LINE_LIMIT)
        details: dict[str, Any] = {}
        notices = []
        if len(names) > limit:
            details["entryLimitReached"] = limit
            notices.append(f"Stopped at {limit} entries; limit={limit * 2} shows more")
        if kept.truncated:
            details["truncation"] = kept.details()
            notices.append(f"cut at {size_text(MAX_BYTES)}")
        text = kept.content
        if notices:
            text += f"\n\n[{'. '.join(notices)}]"
        return text_result(text, details=details or None)


def _names(folder: Path) -> list[str]:
    """Sorted; broken links are left out, as they lead to nothing that could be read."""
    names = []
    for name in sorted(os.listdir(folder), key=lambda name: (collation_key(name.lower()), name)):
        try:
            is_folder = (folder / name).is_dir()
            if not is_folder:
                os.stat(folder / name)
        except OSError:
            continue
        shown = os.fsencode(name).decode("utf-8", "replace")
        names.append(f"{shown}/" if is_folder else shown)
    return names


TOOL = LsTool()
