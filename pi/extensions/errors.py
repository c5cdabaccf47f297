"""Where in an extension something went wrong."""

import inspect
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pi.agent.faults import text_of_error

__all__ = ["fault_in", "place_of"]


def place_of(error: BaseException, root: Path) -> str | None:
    """`file:line` of the innermost frame of the extension; None where none of it is in there.

    root: the extension's file, or its folder. For a syntax error, the place that it names.
    """
    if (
        isinstance(error, SyntaxError)
        and error.filename is not None
        and _within(error.filename, root)
    ):
        return f"{error.filename}:{error.lineno or 1}"
    found = None
    seen: BaseException | None = error
    while seen is not None and found is None:
        for frame, line in traceback.walk_tb(seen.__traceback__):
            if _within(frame.f_code.co_filename, root):
                found = f"{frame.f_code.co_filename}:{line}"
        seen = seen.__cause__ or seen.__context__
    return found


def fault_in(function: Callable[..., Any], error: BaseException) -> str:
    """What a function of an extension raised, in a line, with its place as far as that is known."""
    try:
        source = inspect.getsourcefile(inspect.unwrap(function)) or ""
    except TypeError:  # an object that can be called, or written in C
        source = ""
    place = place_of(error, Path(source).parent) if source else None
    return f"{text_of_error(error)} ({place})" if place else text_of_error(error)


def _within(filename: str, root: Path) -> bool:
    start = os.fspath(root)
    return filename == start or filename.startswith(start + os.sep)
