"""What grep and find ask of the search core: queries, walks and threads.

Importing this loads the core, so the tools do it when they run. Paths in answers are bytes, as the
file system has them.
"""

import asyncio
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pi._speedups import TreeSearch, Walker, search_file
from pi._speedups.pattern.globs import folder_glob, glob, has_capital
from pi._speedups.pattern.nodes import Node
from pi._speedups.pattern.places import global_excludes
from pi._speedups.pattern.program import Program, TooLarge, compile_program
from pi._speedups.pattern.query import Query, make_query
from pi._speedups.pattern.syntax import PatternError
from pi.errors import ToolError

__all__ = [
    "Hits",
    "Line",
    "entries",
    "in_threads",
    "line_query",
    "line_search",
    "lines_of_file",
    "tree_hits",
]

Line = tuple[int, bool, bytes, bool]
"""Number from 1, whether it matches, the text, whether bytes at its end are missing."""

KEPT_BYTES = 1504
"""Of each line: more than 500 UTF-16 units, whatever the text."""
MAX_THREADS = 8
_MOST = 1 << 30  # what is asked of the core at most; nobody reads more


@dataclass(frozen=True, slots=True)
class Hits:
    """files: path below the searched folder, and lines in order, each once.

    more: there are matches beyond the limit. unreadable: files and folders.
    """

    files: list[tuple[bytes, list[Line]]]
    more: bool = False
    unreadable: int = 0


def line_query(pattern: str, *, literal: bool, ignore_case: bool) -> Query:
    """Raises ToolError for what is not an expression, or not of one line."""
    try:
        return make_query(pattern, literal=literal, ignore_case=ignore_case)
    except PatternError as error:
        what = "one line of text" if literal else "a regular expression"
        raise ToolError(f"Not {what}: {error}") from error


def line_search(
    folder: Path,
    query: Query,
    *,
    chosen: str | None,
    limit: int,
    around: int,
    env: Mapping[str, str],
) -> TreeSearch:
    """A search of all files below a folder that are not ignored.

    chosen: a glob of files to search although they are ignored, and no others; with "!" in front,
    of files to leave out. around: lines of context before and after. Raises ToolError.
    """
    only: Program | None = None
    excludes = folders_only = False
    if chosen:
        excludes = chosen.startswith("!")
        only, folders_only = _program(chosen, lambda: folder_glob(chosen.removeprefix("!")))
    walker = Walker(
        _root(folder),
        ignore_names=(b".ignore", b".rgignore"),
        everywhere=_user_rules(env),
        files_only=True,
        only=only,
        only_excludes=excludes,
        only_folders=folders_only,
    )
    most, context = min(limit, _MOST), min(around, _MOST)
    return TreeSearch(query, walker, most=most, before=context, after=context, keep=KEPT_BYTES)


def tree_hits(search: TreeSearch) -> Hits:
    """What a search has found, once no thread works on it."""
    files, more = search.results()
    return Hits(files, more, len(search.errors))


def lines_of_file(path: Path, query: Query, *, limit: int, around: int, stop: bytearray) -> Hits:
    """The search of one file, whatever is in it; of what is no ordinary file nothing comes.

    Ends soon, with what was found, once another thread sets the first byte of `stop`.
    """
    most, context = min(limit, _MOST), min(around, _MOST)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return Hits([])  # a pipe would never end
        # One more than asked tells whether there is more.
        lines = search_file(
            query,
            os.fsencode(path),
            most=most + 1,
            before=context,
            after=context,
            keep=KEPT_BYTES,
            stop=stop,
        )
    except OSError:
        return Hits([], unreadable=1)
    more = sum(matches for _, matches, _, _ in lines) > most
    if more:
        lines = _first(lines, most, context)
    return Hits([(os.fsencode(path.name), lines)] if lines else [], more)


def entries(folder: Path, pattern: str, env: Mapping[str, str]) -> Walker:
    """A walk that yields what a glob selects; .gitignore counts outside repositories too.

    A glob with a slash is matched against absolute paths, wherever it begins in them. Capitals in
    it make it sensitive to case. Raises ToolError.
    """
    by_path = "/" in pattern
    text = pattern or "*"
    if by_path and not text.startswith(("/", "**/")):
        text = f"**/{text}"
    folding = not has_capital(text)
    select, _ = _program(pattern, lambda: (glob(text, ignore_case=folding), False))
    return Walker(
        _root(folder),
        ignore_names=(b".ignore", b".fdignore"),
        require_git=False,
        everywhere=_user_rules(env),
        select=select,
        select_path=by_path,
    )


async def in_threads(
    work: Callable[[], None], stop: Callable[[], None] = lambda: None, *, wanted: int = MAX_THREADS
) -> None:
    """Run `work` in threads that share it, a processor each, away from the event loop.

    A caller that is cancelled gets the cancellation after `stop()`, once all threads are back.
    """
    count = max(1, min(wanted, os.cpu_count() or 1))
    threads = [asyncio.ensure_future(asyncio.to_thread(work)) for _ in range(count)]
    try:
        await asyncio.wait(threads)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait(threads)
        raise
    for thread in threads:
        thread.result()


def _first(lines: list[Line], most: int, after: int) -> list[Line]:
    """The lines up to the match number `most` and its context, in which later ones are none."""
    left = most
    for at, (number, matches, _, _) in enumerate(lines):
        left -= matches
        if not left:
            behind = [line for line in lines[at + 1 :] if line[0] <= number + after]
            return lines[: at + 1] + [(line[0], False, line[2], line[3]) for line in behind]
    return lines


def _program(pattern: str, parse: Callable[[], tuple[Node, bool]]) -> tuple[Program, bool]:
    try:
        node, folders_only = parse()
        return compile_program(node, lines=False), folders_only
    except (PatternError, TooLarge) as error:
        # Not the place: the core reads the glob with its anchors.
        reason = error.reason if isinstance(error, PatternError) else error
        raise ToolError(f"Not a glob: '{pattern}': {reason}") from error


def _root(folder: Path) -> bytes:
    return os.fsencode(folder.as_posix())


def _user_rules(env: Mapping[str, str]) -> bytes:
    home = Path(env.get("HOME") or os.path.expanduser("~"))
    config = env.get("XDG_CONFIG_HOME")
    return global_excludes(home, Path(config) if config else None)
