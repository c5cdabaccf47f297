"""Text to the clipboard: through the terminal, and through the desktop's own program if any."""

import asyncio
import base64
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pi.modes.interactive.app import App

__all__ = ["copy_text", "copy_to_clipboard"]

_OSC_LIMIT = 100_000
"""Characters of base64 that terminals are known to take."""


async def copy_text(
    text: str, write: Callable[[str], None], variables: Mapping[str, str]
) -> str | None:
    """Copy; None, or why it may not have worked.

    write: sends an escape sequence to the terminal. It is the only way over SSH, and most
    terminals take it without saying so.
    """
    encoded = base64.b64encode(text.encode()).decode()
    sent = len(encoded) <= _OSC_LIMIT
    if sent:
        sequence = f"\x1b]52;c;{encoded}\x07"
        if variables.get("TMUX"):
            sequence = f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"
        write(sequence)
    command = None if variables.get("SSH_CONNECTION") else _program(variables)
    if command is None:
        return None if sent else "it is too long for the terminal, and no clipboard program is here"
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(5):
            await process.communicate(text.encode("utf-16-le" if os.name == "nt" else "utf-8"))
    except (OSError, TimeoutError) as error:
        return None if sent else f"{command[0]}: {error or 'no answer'}"
    return None if sent or process.returncode == 0 else f"{command[0]} failed"


async def copy_to_clipboard(app: "App", text: str, what: str = "") -> None:
    """Copy, and say so. what: what was copied; without it, only a failure is told."""
    problem = await copy_text(text, app.terminal.write, app.host.services.environment.variables)
    if problem is not None:
        app.say(f"Could not copy: {problem}", "warning")
    elif what:
        app.say(f"Copied {what}.")


def _program(variables: Mapping[str, str]) -> list[str] | None:
    """The command that reads the clipboard's new content from its stdin."""
    if sys.platform == "darwin":
        candidates = [["pbcopy"]]
    elif os.name == "nt":
        candidates = [["clip.exe"]]
    else:
        candidates = []
        if variables.get("WAYLAND_DISPLAY"):
            candidates.append(["wl-copy"])
        if variables.get("DISPLAY"):
            candidates += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
        if variables.get("TERMUX_VERSION"):
            candidates.append(["termux-clipboard-set"])
        if variables.get("WSL_DISTRO_NAME"):
            candidates.append(["clip.exe"])
    return next((command for command in candidates if shutil.which(command[0])), None)
