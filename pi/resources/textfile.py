"""Text files that people write for the model: a wrong encoding is reported, not fatal."""

import os
from pathlib import Path
from typing import NamedTuple

from pi.config.documents import read_regular

__all__ = ["TextFile", "read_text_file"]


class TextFile(NamedTuple):
    """text: without byte order mark, line endings as they are.

    diagnostic: one line for stderr when some bytes were not UTF-8, else None.
    """

    path: Path
    text: str
    diagnostic: str | None = None


def read_text_file(path: Path) -> TextFile | None:
    """The file's text, or None when there is no regular file of that name.

    Raises OSError when there is one and it cannot be read.
    """
    if not os.path.isfile(path):
        return None
    data = read_regular(path)
    try:
        return TextFile(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return TextFile(
            path,
            data.decode("utf-8-sig", "replace"),
            f"{path}: line {line} is not UTF-8; what cannot be read is shown as �. "
            "Save the file as UTF-8",
        )
