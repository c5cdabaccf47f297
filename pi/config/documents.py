"""JSON files a person edits, all of them objects: read with errors that say file, line and column.

A byte order mark is accepted. `models.json` may also hold `//` comments and trailing commas.
"""

import errno
import os
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi.config.shapes import describe
from pi.errors import ConfigError
from pi.wire import jsonio

__all__ = ["merge_fields", "parse_document", "read_document", "read_regular"]

_LARGEST = 64 << 20
"""Bytes. What is larger is no file that a person writes, and may be there to fill the memory."""

# A string, so that what looks like a comment or comma inside one is left alone; then what goes.
# Compiled by `re` at their first use: most runs get by without.
_RELAXED = rb'"(?:\\.|[^"\\])*"|//[^\n]*|,(?=(?:\s|//[^\n]*(?:\n|$))*[}\]])'


def read_regular(path: Path) -> bytes:
    """The bytes of a file that anybody may have put there.

    A repository may hold a pipe that nobody ever writes to, or a link to a device that never ends.
    Raises OSError, for these and for what is too large as well.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if status.st_size > _LARGEST:
        raise OSError(errno.EFBIG, f"it has {status.st_size >> 20} MB", str(path))
    return path.read_bytes()


def read_document(path: Path, *, relaxed: bool = False) -> dict[str, Any] | None:
    """The file's JSON object; None if there is no file or nothing but white space in it.

    Raises ConfigError naming file, line and column.
    """
    for attempt in range(5):
        try:
            data = read_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
        try:
            return parse_document(data, path, relaxed=relaxed)
        except ConfigError:
            # Another program may be writing in place, holding the lock folder: look again.
            if attempt == 4 or not Path(f"{path}.lock").exists():
                raise
            time.sleep(0.1)
    raise AssertionError("unreachable")


def parse_document(data: bytes, path: Path, *, relaxed: bool = False) -> dict[str, Any] | None:
    """`data` as the content of `path`. Raises ConfigError."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        return None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: not UTF-8 text, line {line}") from None
    try:
        return _object(jsonio.loads(data), path)
    except jsonio.JSONError as error:
        problem = error
    if relaxed:
        # Blanks of the same length, so that positions in messages stay those of the file.
        cleaned = re.sub(_RELAXED, _blank, data)
        try:
            return _object(jsonio.loads(cleaned), path)
        except jsonio.JSONError as error:
            problem = error
    raise ConfigError(
        f"{path}: not valid JSON, {_where(problem)}",
        hint="Correct the file; it was left untouched.",
    ) from None


def merge_fields(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on `base`, objects field by field at every depth."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge_fields(below, value)
        else:
            merged[key] = value
    return merged


def _object(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: expected an object, found {describe(value)}")
    return value


def _blank(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return found if found.startswith(b'"') else b" " * len(found)


def _where(error: ValueError) -> str:
    """ "line 3 column 7: what", from the parser that refused it."""
    line = getattr(error, "lineno", None)
    what = getattr(error, "msg", str(error))
    if line is None:
        return str(what)
    return f"line {line} column {getattr(error, 'colno', 1)}: {what}"
