"""Writing a prompt in the person's own editor."""

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pi.errors import PiError
from pi.modes.interactive.terminal import Terminal

__all__ = ["edit_outside", "editor_command"]


def editor_command(
    setting: str | None, variables: Mapping[str, str], *, windows: bool = os.name == "nt"
) -> list[str]:
    """The program and its arguments: the setting `externalEditor`, $VISUAL, $EDITOR, or the usual.

    Raises PiError for one that cannot be read as a command.
    """
    for name, written in (
        ("externalEditor", setting),
        ("VISUAL", variables.get("VISUAL")),
        ("EDITOR", variables.get("EDITOR")),
    ):
        if written and written.strip():
            try:
                words = shlex.split(written, posix=not windows)
            except ValueError:
                raise PiError(f"{name} is not a command: {written}") from None
            return [word.strip('"') for word in words] if windows else words
    return ["notepad"] if windows else ["nano"]


async def edit_outside(terminal: Terminal, text: str, command: Sequence[str]) -> str | None:
    """What becomes of the text in the program, which has the terminal meanwhile.

    None if it ended with an error, which is how editors say that nothing shall be done. The file is
    the person's alone, and is removed. Raises PiError if the program does not start.
    """
    path = _file_with(text)
    try:
        try:
            code = await terminal.run_outside(*command, str(path))
        except OSError as error:
            raise PiError(
                f"cannot start the editor {command[0]}: {error.strerror or error}",
                hint="Set externalEditor in settings.json, or $VISUAL, to one that is installed.",
            ) from None
        if code != 0:
            return None
        try:
            edited = path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return None
    finally:
        path.unlink(missing_ok=True)
    return edited if text.endswith("\n") else edited.removesuffix("\n").removesuffix("\r")


def _file_with(text: str) -> Path:
    number, name = tempfile.mkstemp(prefix="pi-prompt-", suffix=".md")
    with open(number, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
        if text and not text.endswith("\n"):
            file.write("\n")  # as text files end; not taken for a part of the prompt
    return Path(name)
