"""Where in an extension something went wrong."""

import os
import traceback
from pathlib import Path

__all__ = ["place_of"]


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


def _within(filename: str, root: Path) -> bool:
    start = os.fspath(root)
    return filename == start or filename.startswith(start + os.sep)
