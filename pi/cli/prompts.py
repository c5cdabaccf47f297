"""The prompts of a run, from the command line's messages and @files and from piped stdin.

The first prompt is stdin, then the files, then the first message, one after the other with nothing
in between; each further message is a prompt of its own.
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from pi.errors import PiError
from pi.runtime.attachments import LoadImage
from pi.runtime.prompts import Prompt
from pi.wire.blanks import BLANKS
from pi.wire.messages import ImageContent

__all__ = ["compose_prompts"]

# Compiled by `re` at their first use: most runs get by without.
_ODD_SPACES = "[\xa0\u2000-\u200a\u202f\u205f\u3000]"


def compose_prompts(
    messages: Sequence[str],
    files: Sequence[str],
    stdin: bytes | None,
    *,
    cwd: Path,
    home: Path,
    load_image: LoadImage,
) -> list[Prompt]:
    """The prompts in order; none when there is nothing to say. Blank prompts are left out.

    files: as typed, without the @. stdin: everything it brought, None when it is a terminal.
    cwd, home: absolute. Raises PiError for a file that is missing, a folder, or unreadable.
    """
    parts = [_stdin_text(stdin)]
    images: list[ImageContent] = []
    notes: list[str] = []
    for typed in files:
        path, data = _read(typed, cwd, home)
        if not data:
            continue
        attached = load_image(data)
        if attached is None:
            text = data.decode("utf-8", "replace").removeprefix("\ufeff")
            parts.append(f'<file name="{_printable(str(path))}">\n{text}\n</file>\n')
            continue
        parts.append(f'<file name="{_printable(str(path))}">{attached.conversion}</file>\n')
        if attached.image is not None:
            images.append(attached.image)
        if attached.note:
            notes.append(attached.note)
    parts += (_printable(message) for message in messages[:1])
    text = "".join(parts)
    if notes:
        text = "\n\n".join((text, "\n".join(notes)))
    prompts = [Prompt(text, tuple(images))]
    prompts += (Prompt(_printable(message)) for message in messages[1:])
    return [prompt for prompt in prompts if prompt.images or prompt.text.strip(BLANKS)]


def _stdin_text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace").strip(BLANKS)


def _printable(text: str) -> str:
    """`text` with U+FFFD for what was not UTF-8 on the command line (lone surrogates here)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _read(typed: str, cwd: Path, home: Path) -> tuple[Path, bytes]:
    """The absolute path and the bytes of an @file."""
    candidates = [_absolute(name, cwd, home) for name in _readings(typed)]
    path = next((path for path in candidates if os.path.lexists(path)), candidates[0])
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise PiError(f"@{typed} is a folder: {path}", hint="Name the files in it one by one.")
        return path, path.read_bytes()
    except FileNotFoundError:
        raise PiError(
            f"@{typed}: there is no file {path}",
            hint="An argument that begins with @ names a file. To send it as text, pipe it in.",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise PiError(f"@{typed} cannot be read: {path}: {reason}") from None


def _readings(typed: str) -> list[str]:
    """What `typed` may mean, likeliest first.

    Pasted paths come with a second @, and with spaces that only look like spaces.
    """
    names = [typed, re.sub(_ODD_SPACES, " ", typed)]
    names += [name.removeprefix("@") for name in names]
    return list(dict.fromkeys(names))


def _absolute(name: str, cwd: Path, home: Path) -> Path:
    """With ~ and file: URLs resolved, and `..` taken out as text, as a shell's user reads it."""
    if name.startswith("file://"):
        name = unquote(name.removeprefix("file://").removeprefix("localhost"))
        if os.name == "nt":
            name = name.lstrip("/")
    if name == "~" or name.startswith(("~/", f"~{os.sep}")):
        name = os.path.join(home, name[2:])
    return Path(os.path.normpath(os.path.join(cwd, name)))
