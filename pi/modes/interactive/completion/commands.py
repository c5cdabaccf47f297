"""Completion of commands: a `/` at the start, and what follows its name."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from pi.modes.interactive.completion.base import Answer, Found, Item

__all__ = ["CommandProvider", "Offer"]

Arguments = Callable[[str], Sequence[Item] | Awaitable[Sequence[Item] | None] | None]


class Offer(NamedTuple):
    """A command that can be completed.

    takes: how its arguments are written. arguments: what could complete the text behind the name.
    """

    name: str
    about: str = ""
    takes: str = ""
    arguments: Arguments | None = None


class CommandProvider:
    """offers: asked each time, as extensions may add to them."""

    triggers = "/"

    def __init__(self, offers: Callable[[], Sequence[Offer]]) -> None:
        self._offers = offers

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        before = text[:caret]
        if not before.startswith("/") or "\n" in before:
            return None
        name, blank, rest = before[1:].partition(" ")
        if not blank:
            return self._names(name, text, caret)
        offer = next((offer for offer in self._offers() if offer.name == name), None)
        if offer is None or offer.arguments is None:
            return None
        start = caret - len(rest)
        items = offer.arguments(rest)
        if inspect.isawaitable(items):
            work = asyncio.ensure_future(items)
            work.add_done_callback(_looked_at)
            return _later(work, start, caret)
        return Found(start, caret, items) if items else None

    def _names(self, typed: str, text: str, caret: int) -> Found | None:
        if "/" in typed:
            return None  # a path
        query = typed.lower()
        ranked = [(_tier(query, offer.name.lower()), offer) for offer in self._offers()]
        found = sorted((pair for pair in ranked if pair[0] < _NOT), key=lambda pair: pair[0])
        end = caret
        while end < len(text) and not text[end].isspace():
            end += 1
        items = [
            Item(
                f"/{offer.name} ",
                offer.name,
                f"{offer.takes} – {offer.about}" if offer.takes else offer.about,
                then="submit",
            )
            for _, offer in found
        ]
        return Found(0, end, items) if items else None


_NOT = 9


def _tier(query: str, name: str) -> int:
    """How well a name fits, the lower the better."""
    if name.startswith(query):
        return 0 if name == query else 1
    at = name.find(query)
    if at > 0:
        return 3 if name[at - 1].isalnum() else 2
    letters = iter(name)
    return 4 if all(letter in letters for letter in query) else _NOT


def _looked_at(work: asyncio.Future[Sequence[Item] | None]) -> None:
    """Of what nobody waited for, an error is nobody's."""
    if not work.cancelled():
        work.exception()


async def _later(items: Awaitable[Sequence[Item] | None], start: int, caret: int) -> Found | None:
    found = await items
    return Found(start, caret, found) if found else None
