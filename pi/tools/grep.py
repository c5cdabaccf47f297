"""grep: lines of files that match."""

import math
import threading
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult, text_result
from pi.tools.paths import existing
from pi.tools.search.lines import FileMatches, Hits, Query, search_tree
from pi.tools.search.overrides import override
from pi.tools.search.pattern import compile_pattern
from pi.tools.search.task import in_thread
from pi.tools.truncate import MAX_BYTES, NO_LINE_LIMIT, head, size_text

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
        matcher = compile_pattern(
            args["pattern"],
            literal=args.get("literal", False),
            ignore_case=args.get("ignoreCase", False),
        )
        query = Query(
            matcher=matcher,
            choose=override(args["glob"]) if args.get("glob") else None,
            limit=max(1, math.floor(args.get("limit", DEFAULT_LIMIT))),
            context=max(0, math.floor(args.get("context", 0))),
        )

        def search(stop: threading.Event) -> Hits:
            return search_tree(Path(path), query, context.env, stop)

        hits = await in_thread(search, lambda partial: context.update(_format(partial, query)))
        return _format(hits, query)


def _format(hits: Hits, query: Query) -> ToolResult:
    if not hits.files:
        notes = _incomplete(hits)
        return text_result("No matches" + (f"\n\n[{'. '.join(notes)}]" if notes else ""))
    lines: list[str] = []
    long_lines = False
    for file in hits.files:
        for line, cut in _file_lines(file):
            lines.append(line)
            long_lines = long_lines or cut
    kept = head("\n".join(lines), max_lines=NO_LINE_LIMIT)
    details: dict[str, Any] = {}
    notices = []
    if hits.more:
        details["matchLimitReached"] = query.limit
        notices.append(
            f"Stopped at {query.limit} matches; limit={query.limit * 2} shows more, "
            "or refine the pattern"
        )
    if kept.truncated:
        details["truncation"] = kept.details()
        notices.append(f"cut at {size_text(MAX_BYTES)}")
    if long_lines:
        details["linesTruncated"] = True
        notices.append(f"Some lines are cut at {MAX_LINE_UNITS} characters; read shows them whole")
    notices += _incomplete(hits)
    text = kept.content
    if notices:
        text += f"\n\n[{'. '.join(notices)}]"
    return text_result(text, details=details or None)


def _incomplete(hits: Hits) -> list[str]:
    notices = []
    if hits.unreadable:
        plural = "s" if hits.unreadable > 1 else ""
        notices.append(f"{hits.unreadable} file{plural} or folder{plural} could not be read")
    if hits.stopped:
        notices.append("Called off before the search was complete")
    return notices


def _file_lines(file: FileMatches) -> list[tuple[str, bool]]:
    """`path:N: text` of a match, `path-N- text` of its context, and whether the text was cut."""
    shown = []
    for number, is_match, text in file.lines:
        mark = ":" if is_match else "-"
        short = _short(text)
        shown.append((f"{file.path}{mark}{number}{mark} {short}", short is not text))
    return shown


def _short(text: str) -> str:
    if len(text) <= MAX_LINE_UNITS // 2:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * MAX_LINE_UNITS:
        return text
    # A pair that the limit would split is left out whole.
    return units[: 2 * MAX_LINE_UNITS].decode("utf-16-le", "ignore") + _CUT


TOOL = GrepTool()
