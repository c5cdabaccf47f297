"""Files that a person drags into the terminal: it pastes their paths, each in its own spelling."""

import contextlib
import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["dropped_files", "is_image"]

_LONGEST = 8192  # characters; a longer paste is text
_MOST = 50
_STARTS = ("/", "~", "'", '"', "file://")
_WINDOWS = re.compile(r"[\"']?[A-Za-z]:[\\/]|[\"']?\\\\")


def dropped_files(text: str, home: Path) -> list[Path]:
    """The files a paste consists of; nothing if there is anything else in it.

    Understood are plain paths, backslashes before blanks, quotes, and file:// addresses.
    """
    text = text.strip()
    windows = _WINDOWS.match(text) is not None
    if not text or len(text) > _LONGEST or not (windows or text.startswith(_STARTS)):
        return []
    if (whole := _existing(text, home)) is not None:
        return [whole]
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars="")
        lexer.whitespace_split = True
        lexer.commenters = ""
        if windows:
            lexer.escape = ""
        parts = list(lexer)
    except ValueError:  # a quote without its other half
        return []
    if len(parts) > _MOST:
        return []
    found = [_existing(part, home) for part in parts]
    return [path for path in found if path is not None] if None not in found else []


def is_image(path: Path) -> bool:
    """Whether the file is an image of a format that can be sent, by its first bytes."""
    from pi.tools.images import SNIFF_BYTES, sniff  # noqa: PLC0415  (only if a file is dropped)

    try:
        with open(path, "rb") as file:
            return sniff(file.read(SNIFF_BYTES)) is not None
    except OSError:
        return False


def _existing(text: str, home: Path) -> Path | None:
    if text.startswith("file://"):
        with contextlib.suppress(ValueError):
            text = unquote(urlsplit(text).path)
            if re.match(r"/[A-Za-z]:", text):
                text = text[1:]
    elif text.startswith("~/"):
        text = str(home / text[2:])
    path = Path(text)
    try:
        return path if path.is_absolute() and path.is_file() else None
    except (OSError, ValueError):  # too long, or a zero byte
        return None
