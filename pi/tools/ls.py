"""ls: the names in one folder."""

import asyncio
import math
import os
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult
from pi.tools.collation import collation_key
from pi.tools.listing import listing
from pi.tools.paths import existing, os_error
from pi.tools.truncate import MAX_BYTES

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
        more = f"Stopped at {limit} entries; limit={limit * 2} shows more"
        return listing(
            names[:limit],
            otherwise="(the folder is empty)",
            stopped=("entryLimitReached", limit, more) if len(names) > limit else None,
        )


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
