"""A browser, opened in the background."""

import os
import subprocess
import sys

__all__ = ["open_browser"]


def open_browser(url: str) -> None:
    """Without one nothing happens: the address on the screen has to do."""
    if sys.platform == "win32":
        os.startfile(url)
        return
    command = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        subprocess.Popen(
            [command, url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return
