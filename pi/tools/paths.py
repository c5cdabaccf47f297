"""From the path a model wrote to a path on this machine.

Models copy an @ from a mention, type a plain space or apostrophe where the file has a special one,
and compose accents the other way. A file that exists under such a name is found.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from pi.errors import ToolError

__all__ = ["SPACES", "existing", "os_error", "resolve"]

SPACES = (
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""All that look like a plain space."""
_PLAIN = dict.fromkeys(map(ord, SPACES), " ")
_BEFORE_MERIDIEM = re.compile(r" (?=[AaPp][Mm]\.)")
_REASONS = {
    "ENOENT": "no such file or directory",
    "EACCES": "permission denied",
    "EPERM": "operation not permitted",
    "EISDIR": "it is a directory",
    "ENOTDIR": "a part of the path is not a directory",
    "EEXIST": "a part of the path is a file",
    "ENAMETOOLONG": "the name is too long",
    "ELOOP": "too many symbolic links",
    "ENOSPC": "no space left on the device",
    "EROFS": "the file system is read-only",
}


def resolve(path: str, cwd: Path) -> Path:
    """`path` made absolute: `~`, a file URL and one leading @ expanded, unusual spaces plain.

    Raises ToolError for a path with a null byte.
    """
    return _absolute(path.translate(_PLAIN).removeprefix("@"), cwd)


def existing(path: str, cwd: Path) -> Path:
    """As `resolve`, but the first spelling of the path that exists, if any does."""
    first = resolve(path, cwd)
    for candidate in _spellings(first, path, cwd):
        if os.path.lexists(candidate):
            return candidate
    return first


def os_error(doing: str, path: str, error: OSError) -> ToolError:
    """What went wrong with a file, as an answer to the model. doing: "read", "write", …"""
    import errno  # noqa: PLC0415  (only when something failed)

    code = errno.errorcode.get(error.errno or 0, "EIO")
    reason = _REASONS.get(code) or (error.strerror or str(error)).lower()
    return ToolError(f"Cannot {doing} {path}: {reason} ({code})")


def _absolute(path: str, cwd: Path) -> Path:
    if "\0" in path:
        shown = path.replace("\0", "\\x00")
        raise ToolError(f"Not a path: {shown} contains a null byte")
    if path.startswith("file://"):
        from urllib.parse import unquote, urlsplit  # noqa: PLC0415  (2 ms, for rare URLs)

        path = unquote(urlsplit(path).path)
    if path == "~" or path.startswith(("~/", "~" + os.sep)):
        path = os.path.expanduser("~") + path[1:]
    return Path(os.path.normpath(cwd / path))


def _spellings(first: Path, path: str, cwd: Path) -> Iterator[Path]:
    yield first
    text = str(first)
    narrow = _BEFORE_MERIDIEM.sub("\u202f", text)  # as macOS names screenshots
    decomposed = unicodedata.normalize("NFD", text)
    curly = text.replace("'", "\u2019")
    for variant in (
        narrow,
        decomposed,
        curly,
        unicodedata.normalize("NFD", curly),
        unicodedata.normalize("NFC", text),
    ):
        yield Path(variant)
    yield _absolute(path, cwd)
