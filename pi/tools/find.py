"""find: files and folders by glob."""

import asyncio
import math
from typing import Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult
from pi.tools.listing import listing
from pi.tools.paths import existing
from pi.tools.truncate import MAX_BYTES

__all__ = ["TOOL", "FindTool"]

DEFAULT_LIMIT = 1000
_BATCH = 512  # entries asked for at once
_FOLDER = 2  # the walk's name for a kind of entry


class FindTool:
    name = "find"
    description = (
        "Find files and folders by glob; hidden ones too, ignored ones (.gitignore) not. Paths are "
        f"relative to the searched folder, folders end in '/'. At most {DEFAULT_LIMIT} results or "
        f"{MAX_BYTES // 1024} KB."
    )
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["pattern"],
        "properties": {
            "pattern": {
                "type": "string",
                "description": "A glob: '*.ts' at any depth, 'src/**/*.spec.ts', '**/*.json'",
            },
            "path": {
                "type": "string",
                "description": "The folder to search (default: the working folder)",
            },
            "limit": {
                "type": "number",
                "description": f"How many results at most (default: {DEFAULT_LIMIT})",
            },
        },
    }
    snippet = "Find files by glob, without ignored ones"
    rules = ()

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        folder = existing(args.get("path") or ".", context.cwd)
        if not folder.is_dir():
            what = "Not a folder" if folder.exists() else "There is no folder"
            raise ToolError(f"{what}: {folder}")
        limit = max(1, math.floor(args.get("limit", DEFAULT_LIMIT)))
        from pi.tools import search  # noqa: PLC0415  (a seam: the first search loads the core)

        walk = search.entries(folder, args["pattern"], context.env)
        found: list[tuple[bytes, int]] = []

        def work() -> None:
            while batch := walk.next(min(_BATCH, limit + 1 - len(found))):
                found.extend(batch)
                if len(found) > limit:
                    break

        def result(*, called_off: bool = False) -> ToolResult:
            return _format(found, limit, len(walk.errors), called_off=called_off)

        try:
            await search.in_threads(work, walk.stop, wanted=1)
        except asyncio.CancelledError:
            context.update(result(called_off=True))
            raise
        return result()


def _format(
    found: list[tuple[bytes, int]], limit: int, unreadable: int, *, called_off: bool
) -> ToolResult:
    """found: paths and kinds, one more than the limit if there are more."""
    paths = [
        path.decode("utf-8", "replace") + ("/" if kind == _FOLDER else "")
        for path, kind in found[:limit]
    ]
    more = f"Stopped at {limit} results; limit={limit * 2} shows more, or refine the pattern"
    remarks: list[tuple[None, str]] = []
    if unreadable:
        plural = "s" if unreadable > 1 else ""
        remarks.append((None, f"{unreadable} folder{plural} could not be opened"))
    if called_off:
        remarks.append((None, "Called off before the search was complete"))
    return listing(
        paths,
        otherwise="No files match the pattern",
        stopped=("resultLimitReached", limit, more) if len(found) > limit else None,
        remarks=remarks,
    )


TOOL = FindTool()
