"""find: files and folders by glob."""

import math
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pi.errors import ToolError
from pi.tools.base import ToolContext, ToolResult, text_result
from pi.tools.paths import existing
from pi.tools.search.glob import GlobError, translate
from pi.tools.search.ignore import IgnoreStack
from pi.tools.search.task import in_thread
from pi.tools.search.walk import Found, shown_name, walk
from pi.tools.truncate import MAX_BYTES, NO_LINE_LIMIT, head, size_text

__all__ = ["TOOL", "FindTool"]

DEFAULT_LIMIT = 1000
_IGNORE_FILES = (".fdignore", ".ignore", ".gitignore")


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
        matcher = _matcher(args["pattern"], folder)

        def search(stop: threading.Event) -> _Result:
            return _search(folder, matcher, limit, context, stop)

        found = await in_thread(search, lambda partial: context.update(_format(partial, limit)))
        return _format(found, limit)


@dataclass(frozen=True, slots=True)
class _Matcher:
    """prefix: of paths that are matched whole; None when only names are."""

    pattern: re.Pattern[str]
    prefix: str | None

    def matches(self, relative: str) -> bool:
        if self.prefix is None:
            return self.pattern.fullmatch(relative.rpartition("/")[2]) is not None
        return self.pattern.fullmatch(self.prefix + relative) is not None


@dataclass(slots=True)
class _Result:
    paths: list[str] = field(default_factory=list)
    more: bool = False
    stopped: bool = False
    unreadable: int = 0


def _matcher(glob: str, folder: Path) -> _Matcher:
    """A glob with a slash is matched against whole paths, wherever it begins in them.

    Capitals in it make it sensitive to case.
    """
    whole = "/" in glob
    if whole and not glob.startswith(("/", "**/")):
        glob = f"**/{glob}"
    flags = 0 if any(char.isupper() for char in glob) else re.IGNORECASE
    try:
        pattern = re.compile(translate(glob or "*"), flags)
    except (GlobError, re.error) as error:
        raise ToolError(f"Not a glob: '{glob}': {error}") from error
    if not whole:
        return _Matcher(pattern, None)
    root = folder.as_posix().rstrip("/") + "/"
    # What may begin anywhere is matched by components, and the first is behind the root's slash.
    return _Matcher(pattern, root if glob.startswith("/") else root.removeprefix("/"))


def _search(
    folder: Path, matcher: _Matcher, limit: int, context: ToolContext, stop: threading.Event
) -> _Result:
    stack = IgnoreStack.outermost(
        folder, _IGNORE_FILES, git_needs_repository=False, env=context.env
    )
    found = Found()
    result = _Result()
    for entry in walk(str(folder), stack, found=found, stop=stop):
        if matcher.matches(entry.relative):
            if len(result.paths) == limit:
                result.more = True
                break
            shown = shown_name(entry.relative)
            result.paths.append(f"{shown}/" if entry.is_folder else shown)
    result.stopped = stop.is_set()
    result.unreadable = found.unreadable
    return result


def _format(found: _Result, limit: int) -> ToolResult:
    notices = []
    details: dict[str, Any] = {}
    kept = head("\n".join(found.paths), max_lines=NO_LINE_LIMIT)
    if found.more:
        details["resultLimitReached"] = limit
        notices.append(
            f"Stopped at {limit} results; limit={limit * 2} shows more, or refine the pattern"
        )
    if kept.truncated:
        details["truncation"] = kept.details()
        notices.append(f"cut at {size_text(MAX_BYTES)}")
    if found.unreadable:
        plural = "s" if found.unreadable > 1 else ""
        notices.append(f"{found.unreadable} folder{plural} could not be opened")
    if found.stopped:
        notices.append("Called off before the search was complete")
    text = kept.content or "No files match the pattern"
    if notices:
        text += f"\n\n[{'. '.join(notices)}]"
    return text_result(text, details=details or None)


TOOL = FindTool()
