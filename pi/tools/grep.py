"""grep: lines of files that match."""

import asyncio
import math
from typing import TYPE_CHECKING, Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult
from pi.tools.listing import listing
from pi.tools.paths import existing
from pi.tools.truncate import MAX_BYTES

if TYPE_CHECKING:
    from pi.tools.search import Hits

__all__ = ["MAX_LINE_UNITS", "TOOL", "GrepTool"]

DEFAULT_LIMIT = 100
MAX_LINE_UNITS = 500
"""UTF-16 code units of a line that are shown."""
_CUT = "... [truncated]"


class GrepTool:
    name = "grep"
    description = (
        "Search the contents of files for a regular expression (RE2 syntax) or a literal text. "
        "Returns path, line number and line of each match; ignored files (.gitignore) are left "
        f"out. At most {DEFAULT_LIMIT} matches or {MAX_BYTES // 1024} KB, lines cut at "
        f"{MAX_LINE_UNITS} characters."
    )
    parameters: dict[str, Any] = {  # noqa: RUF012  (read only)
        "type": "object",
        "required": ["pattern"],
        "properties": {
            "pattern": {
                "type": "string",
                "description": "What to search: a regular expression, or a text if literal is set",
            },
            "path": {
                "type": "string",
                "description": "The file or folder to search (default: the working folder)",
            },
            "glob": {
                "type": "string",
                "description": (
                    "Only files that match, relative to path: 'src/**/*.ts'; without a '/' at any "
                    "depth: '*.ts'; with '!' in front all but those"
                ),
            },
            "ignoreCase": {
                "type": "boolean",
                "description": "Take upper and lower case as equal (default: false)",
            },
            "literal": {
                "type": "boolean",
                "description": "Search the pattern as it is, not as an expression (default: false)",
            },
            "context": {
                "type": "number",
                "description": "Lines to show before and after each match (default: 0)",
            },
            "limit": {
                "type": "number",
                "description": f"How many matches at most (default: {DEFAULT_LIMIT})",
            },
        },
    }
    snippet = "Search file contents, without ignored files"
    rules = ()

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        path = existing(args.get("path") or ".", context.cwd)
        if not path.exists():
            raise ToolError(f"There is no {path}")
        from pi.tools import search  # noqa: PLC0415  (a seam: the first search loads the core)

        query = search.line_query(
            args["pattern"],
            literal=args.get("literal", False),
            ignore_case=args.get("ignoreCase", False),
        )
        limit = max(1, math.floor(args.get("limit", DEFAULT_LIMIT)))
        around = max(0, math.floor(args.get("context", 0)))
        if not path.is_dir():
            found = search.Hits([])
            flag = bytearray(1)

            def work() -> None:
                nonlocal found
                found = search.lines_of_file(path, query, limit=limit, around=around, stop=flag)

            def stop() -> None:
                flag[0] = 1

            try:
                await search.in_threads(work, stop, wanted=1)
            except asyncio.CancelledError:
                context.update(_format(found, limit, called_off=True))
                raise
            return _format(found, limit)
        tree = search.line_search(
            path, query, chosen=args.get("glob"), limit=limit, around=around, env=context.env
        )
        try:
            await search.in_threads(tree.work, tree.stop)
        except asyncio.CancelledError:
            context.update(_format(search.tree_hits(tree), limit, called_off=True))
            raise
        return _format(search.tree_hits(tree), limit)


def _format(hits: "Hits", limit: int, *, called_off: bool = False) -> ToolResult:
    lines: list[str] = []
    long_lines = False
    for name, found in hits.files:
        path = name.decode("utf-8", "replace")
        for number, matches, line, _ in found:
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            short = _short(text)
            long_lines = long_lines or short is not text
            mark = ":" if matches else "-"
            lines.append(f"{path}{mark}{number}{mark} {short}")
    more = f"Stopped at {limit} matches; limit={limit * 2} shows more, or refine the pattern"
    remarks: list[tuple[str | None, str]] = []
    if long_lines:
        cut = f"Some lines are cut at {MAX_LINE_UNITS} characters; read shows them whole"
        remarks.append(("linesTruncated", cut))
    if hits.unreadable:
        plural = "s" if hits.unreadable > 1 else ""
        unread = f"{hits.unreadable} file{plural} or folder{plural} could not be read"
        remarks.append((None, unread))
    if called_off:
        remarks.append((None, "Called off before the search was complete"))
    return listing(
        lines,
        otherwise="No matches",
        stopped=("matchLimitReached", limit, more) if hits.more else None,
        remarks=remarks,
    )


def _short(text: str) -> str:
    # The search core keeps more of a line than is shown, so that what it cut is cut here too.
    if len(text) <= MAX_LINE_UNITS // 2:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * MAX_LINE_UNITS:
        return text
    # A pair that the limit would split is left out whole.
    return units[: 2 * MAX_LINE_UNITS].decode("utf-16-le", "ignore") + _CUT


TOOL = GrepTool()
