"""The walk over a folder: sorted, links not followed, ignored folders not entered."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pi.tools.search.ignore import IgnoreStack

__all__ = ["Choice", "Entry", "Found", "shown_name", "walk"]

Choice = bool | None
"""What a caller's own glob says of an entry: take it, leave it, or nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """path: absolute. relative: to the start of the walk, with forward slashes."""

    path: str
    relative: str
    is_folder: bool


class Found:
    """What a walk could not do: folders that could not be opened."""

    def __init__(self) -> None:
        self.unreadable = 0


def walk(
    start: str,
    stack: IgnoreStack,
    *,
    found: Found,
    stop: threading.Event,
    choose: Callable[[str, bool], Choice] | None = None,
) -> Iterator[Entry]:
    """Everything below `start` that is not ignored, a folder before its contents.

    choose: asked first, with the relative path and whether it is a folder; what it takes is not
    ignored, what it leaves is not entered.
    """
    pending = [_level(start, "", stack, found, choose)]
    while pending and not stop.is_set():
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            continue
        entry, inside = step
        yield entry
        if entry.is_folder:
            pending.append(_level(entry.path, f"{entry.relative}/", inside, found, choose))


def shown_name(path: str) -> str:
    """A path as text: bytes that are not UTF-8 become U+FFFD."""
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "replace")


def _level(
    folder: str,
    prefix: str,
    outer: IgnoreStack,
    found: Found,
    choose: Callable[[str, bool], Choice] | None,
) -> Iterator[tuple[Entry, IgnoreStack]]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing)
    except OSError:
        found.unreadable += 1
        return
    # The folder a walk starts in is already part of its stack.
    stack = outer.enter(folder, (name for name, _ in entries)) if prefix else outer
    slashed = folder.replace(os.sep, "/").rstrip("/") + "/"
    for name, is_folder in entries:
        relative = f"{prefix}{name}"
        choice = choose(relative, is_folder) if choose else None
        if choice is False:
            continue
        if choice is None and stack.ignored(f"{slashed}{name}", is_folder):
            continue
        yield Entry(os.path.join(folder, name), relative, is_folder), stack
