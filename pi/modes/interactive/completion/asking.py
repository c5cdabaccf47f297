"""Asking the providers while one types: whose turn it is, what comes late, what was waved away."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pi.agent.faults import is_fault
from pi.modes.interactive.completion.base import Answer, Found, Provider
from pi.modes.interactive.completion.popup import Popup

__all__ = ["Completer"]

_log = logging.getLogger(__name__)


class Completer:
    """popup: the open list. changed: called when an answer came late. most: entries to be seen."""

    def __init__(
        self, providers: Sequence[Provider], changed: Callable[[], None], most: int = 5
    ) -> None:
        self.providers = list(providers)
        self.most = most
        self.popup: Popup | None = None
        self._changed = changed
        self._from: Provider | None = None  # whose list is open
        self._before = ""  # the text before the caret that it is for
        self._dismissed: int | None = None  # where a list started that was closed
        self._tasks: tuple[asyncio.Future[Any], ...] = ()

    def ask(self, text: str, caret: int, *, asked: bool = False) -> None:
        """Open, renew or close the list for this text. asked: somebody pressed Tab."""
        self._cancel()
        before = text[:caret]
        if not (before.startswith(self._before) or self._before.startswith(before)):
            self._from = self.popup = None  # what is open is for another text
        line = text[text.rfind("\n", 0, caret) + 1 : caret]
        turns = [
            provider
            for provider in self.providers
            if asked or provider is self._from or any(c in line for c in provider.triggers)
        ]
        if asked:
            for at, provider in enumerate(turns):
                wants_all = getattr(provider, "wants_all", None)  # an extension's
                if wants_all is not None and not wants_all(text, caret):
                    turns = turns[: at + 1]
                    break
        for at, provider in enumerate(turns):
            answer = provider.complete(text, caret, asked=asked)
            if inspect.isawaitable(answer):
                if provider is not self._from:
                    self._from = self.popup = None
                first = asyncio.ensure_future(answer)
                rest = turns[at + 1 :]
                later = self._later(provider, first, rest, text, caret, asked)
                self._tasks = (first, asyncio.ensure_future(later))
                return
            if answer is not None:
                self._show(provider, answer, text[:caret], asked)
                return
        self._from = self.popup = self._dismissed = None

    def stale(self, text: str, caret: int) -> bool:
        """Whether a newer list is on its way and what is marked in the open one does not fit."""
        if self.popup is None or not self._tasks:
            return False
        found = self.popup.found
        return not self.popup.fits(text[found.start : found.end + caret - self.popup.caret])

    def close(self) -> None:
        """Nothing is to be completed any more."""
        self._cancel()
        self._from = self.popup = None

    def dismiss(self) -> None:
        """The list was closed on purpose: it stays so for what is being completed."""
        if self.popup is not None:
            self._dismissed = self.popup.found.start
        self.close()

    def _show(self, provider: Provider, found: Found, before: str, asked: bool) -> None:
        if not found.items or (self._dismissed == found.start and not asked):
            self._from = self.popup = None
            return
        self._dismissed = None
        self._from, self.popup = provider, Popup(found, len(before), self.most)
        self._before = before

    async def _later(
        self,
        provider: Provider,
        answer: Answer,
        rest: Sequence[Provider],
        text: str,
        caret: int,
        asked: bool,
    ) -> None:
        """Wait for an answer; where it is none, go on with the rest."""
        found = await _awaited(answer)
        for other in rest:
            if found is not None:
                break
            provider = other
            found = await _awaited(other.complete(text, caret, asked=asked))
        self._tasks = ()
        if found is None:
            self._from = self.popup = None
        else:
            self._show(provider, found, text[:caret], asked)
        self._changed()

    def _cancel(self) -> None:
        for task in self._tasks:  # both: the second may not have begun to wait for the first
            task.cancel()
        self._tasks = ()


async def _awaited(answer: Answer) -> Found | None:
    if not inspect.isawaitable(answer):
        return answer
    try:
        return await answer
    except BaseException as error:  # an extension's: typing goes on
        if not is_fault(error):
            raise
        _log.exception("completion failed")
        return None
