"""Who signs in to a server, reached through the session's UI from the sign-in's thread."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from pi.auth.browser import open_browser
from pi.auth.oauth.base import SignInCancelled

__all__ = ["AskingPerson"]


class AskingPerson:
    """Made on the event loop; the rest is called from another thread."""

    def __init__(self, ui: Any, server: str) -> None:
        self._ui = ui
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._gone = threading.Event()
        self._asking: asyncio.Task[Any] | None = None
        self._url = ""

    def done(self) -> None:
        """Take the question away, and end a wait for an answer to it."""
        self._gone.set()
        if self._asking is not None:
            self._asking.cancel()

    def say(self, text: str) -> None:
        self._loop.call_soon_threadsafe(self._ui.notify, text, "info")

    def show_address(self, url: str, *, note: str) -> None:
        self._url = url
        self.say(f'Sign in to MCP server "{self._server}" in a browser: {url}')
        open_browser(url)

    def ask(self, question: str, *, secret: bool = False) -> str:
        raise SignInCancelled

    def paste(self, question: str, stop: threading.Event) -> str | None:
        """Without somebody at the terminal, the browser is waited for."""
        answer: list[str | None] = []
        if self._ui.has_ui:
            self._loop.call_soon_threadsafe(self._begin, answer)
        while not stop.wait(0.1):
            if answer:
                return answer[0] or ""
            if self._gone.is_set():
                return ""
        self._loop.call_soon_threadsafe(self._end)
        return None

    def _begin(self, answer: list[str | None]) -> None:
        async def ask() -> None:
            title = "Waiting for the browser; if it cannot come back, paste its address here"
            answer.append(await self._ui.input(title, "http://127.0.0.1:…/callback?code=…"))

        self._asking = asyncio.ensure_future(ask())

    def _end(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def choose(self, question: str, choices: Sequence[str]) -> int:
        raise SignInCancelled
