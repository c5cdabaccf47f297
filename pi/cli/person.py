"""The person at the terminal, as far as signing in needs them. Everything shown goes to stderr."""

import getpass
import os
import sys
import threading
from collections.abc import Sequence

from pi.auth.browser import open_browser
from pi.auth.oauth.base import SignInCancelled

__all__ = ["Terminal"]

_TICK = 0.2
"""Seconds between two looks at whether an answer came another way."""


class Terminal:
    """browser: whether to open one."""

    def __init__(self, *, browser: bool = True) -> None:
        self._browser = browser

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def show_address(self, url: str, *, note: str) -> None:
        self.say(f"Open this address in a browser:\n\n  {url}\n\n{note}")
        if self._browser:
            open_browser(url)

    def ask(self, question: str, *, secret: bool = False) -> str:
        try:
            if secret:
                return getpass.getpass(question).strip()
            sys.stderr.write(question)
            sys.stderr.flush()
            line = sys.stdin.readline()
        except EOFError:
            raise SignInCancelled from None
        if not line:
            raise SignInCancelled
        return line.strip()

    def paste(self, question: str, stop: threading.Event) -> str | None:
        """On Windows the wait for a line cannot be ended; its thread is left behind then."""
        sys.stderr.write(question)
        sys.stderr.flush()
        if os.name != "nt":
            import select  # noqa: PLC0415  (for this wait alone)

            while not select.select([sys.stdin], [], [], _TICK)[0]:
                if stop.is_set():
                    self.say("")
                    return None
        line = sys.stdin.readline()
        if not line:
            raise SignInCancelled
        return line.strip()

    def choose(self, question: str, choices: Sequence[str]) -> int:
        self.say(question)
        for number, choice in enumerate(choices, 1):
            self.say(f"  {number}. {choice}")
        while True:
            answer = self.ask(f"1-{len(choices)}: ")
            if answer.isdecimal() and 1 <= int(answer) <= len(choices):
                return int(answer) - 1
