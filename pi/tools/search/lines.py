"""The matching lines of a file or of a tree, with their surroundings."""

import codecs
import os
import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pi.tools.search.ignore import IgnoreStack
from pi.tools.search.pattern import Matcher
from pi.tools.search.walk import Choice, Found, shown_name, walk

__all__ = ["FileMatches", "Hits", "Query", "search_tree"]

_IGNORE_FILES = (".rgignore", ".ignore", ".gitignore")
_SNIFFED = 64 * 1024


@dataclass(frozen=True, slots=True)
class Query:
    """limit: matches in all. context: lines before and after each."""

    matcher: Matcher
    choose: Callable[[str, bool], Choice] | None
    limit: int
    context: int


@dataclass(frozen=True, slots=True)
class FileMatches:
    """lines: number from 1, whether it matches, and its text without line end; each once."""

    path: str
    lines: list[tuple[int, bool, str]]


@dataclass(slots=True)
class Hits:
    """more: there are further matches beyond the limit. stopped: called off."""

    files: list[FileMatches] = field(default_factory=list)
    count: int = 0
    more: bool = False
    stopped: bool = False
    unreadable: int = 0


def search_tree(path: Path, query: Query, env: Mapping[str, str], stop: threading.Event) -> Hits:
    """Search one file, whatever it is, or all files below a folder that are not ignored."""
    hits = Hits()
    if not path.is_dir():
        _search_file(str(path), shown_name(path.name), query, hits, binary=True)
        return hits
    stack = IgnoreStack.outermost(path, _IGNORE_FILES, git_needs_repository=True, env=env)
    found = Found()
    for entry in walk(str(path), stack, found=found, stop=stop, choose=query.choose):
        if not entry.is_folder:
            _search_file(entry.path, shown_name(entry.relative), query, hits, binary=False)
            if hits.more:
                break
    hits.stopped = stop.is_set()
    hits.unreadable += found.unreadable
    return hits


def _search_file(path: str, shown: str, query: Query, hits: Hits, *, binary: bool) -> None:
    try:
        mode = os.stat(path).st_mode if binary else os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            return  # a link's target is searched where it is; a pipe would never end
        with open(path, "rb") as file:
            data = file.read(_SNIFFED)
            text = _encoding(data)
            if text is None and not binary and b"\0" in data:
                return
            data += file.read()
    except OSError:
        hits.unreadable += 1
        return
    if text == "utf-8-sig":
        data = data[3:]
    elif text is not None:
        data = data.decode(text, "replace").encode()
    lines = _matching(data, query, hits)
    if lines:
        hits.files.append(FileMatches(shown, lines))


def _encoding(data: bytes) -> str | None:
    """What a byte order mark says; None without one: UTF-8, or bytes that are like it."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _matching(data: bytes, query: Query, hits: Hits) -> list[tuple[int, bool, str]]:
    lines: list[tuple[int, bool, str]] = []
    at, number = 0, 1  # the start of a line, and which
    shown_to = 0  # where the next line that is not shown yet starts
    shown_number = 1
    while (span := query.matcher.next_line(data, at)) is not None:
        if hits.count == query.limit:
            hits.more = True
            break
        hits.count += 1
        start, end = span
        number += data.count(b"\n", at, start)
        if query.context:
            lines += _context(data, shown_to, shown_number, start, number, query.context, lines)
        lines.append((number, True, _text(data, start, end)))
        at, number = end + 1, number + 1
        shown_to, shown_number = at, number
    if query.context and lines:
        lines += _after(data, shown_to, shown_number, query.context, len(data))
    return lines


def _context(
    data: bytes,
    since: int,
    since_number: int,
    start: int,
    number: int,
    context: int,
    shown: list[tuple[int, bool, str]],
) -> list[tuple[int, bool, str]]:
    """The lines between what is shown and a match at `start`: after the former, before the latter.

    since: the start of the line behind the last match, if any is shown.
    """
    after = _after(data, since, since_number, context, start) if shown else []
    first = since_number + len(after)
    before: list[tuple[int, bool, str]] = []
    while len(before) < context and number - 1 >= first:
        begin = data.rfind(b"\n", 0, start - 1) + 1
        number -= 1
        before.append((number, False, _text(data, begin, start - 1)))
        start = begin
    return after + before[::-1]


def _after(data: bytes, at: int, number: int, count: int, stop: int) -> list[tuple[int, bool, str]]:
    lines: list[tuple[int, bool, str]] = []
    while len(lines) < count and at < stop:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        lines.append((number, False, _text(data, at, end)))
        at, number = end + 1, number + 1
    return lines


def _text(data: bytes, start: int, end: int) -> str:
    return data[start:end].removesuffix(b"\r").decode("utf-8", "replace")
