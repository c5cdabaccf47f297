"""Completions of extensions, on top of what pi completes: the last added is asked first."""

import inspect
import string
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pi.agent.faults import is_fault
from pi.modes.interactive.completion.asking import Completer
from pi.modes.interactive.completion.base import Answer, Found, Item
from pi.modes.interactive.extension_parts import Report, failure_of

__all__ = ["AddedCompletion"]

TRIGGERS = string.ascii_letters + "#$@:"
"""What has to be in the line for one that says nothing of it to be asked."""


class AddedCompletion:
    """provide: a function `(text before the caret)` → items, or an object:

    `complete(text, caret, following)` → items, a `Found`, or None to leave it to those below, whose
        answer `await following()` gives. Either may be a coroutine.
    `triggers`: characters one of which must be in the line, unless Tab is pressed.
    `apply(text, caret, item)` → text and caret, for another way to put an item in; None for the
        usual one.
    `completes_files(text, caret)`: whether Tab is also for what pi completes by itself.

    An item is a text, (text, about), a mapping with value, label and description, or an `Item`. It
    takes the place of the word before the caret, or of what the `Found` says.
    """

    def __init__(
        self, provide: Any, report: Report, completer: Completer, triggers: str | None
    ) -> None:
        self.triggers: str = triggers or getattr(provide, "triggers", None) or TRIGGERS
        self._provide = provide
        self._report = report
        self._completer = completer

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        try:
            complete = getattr(self._provide, "complete", None)
            if complete is None:
                line = text[text.rfind("\n", 0, caret) + 1 : caret]
                if not any(character in line for character in self.triggers):
                    return None  # Tab asks everybody
                call = partial(self._provide, text[:caret])
            else:
                following = partial(self._following, text, caret, asked=asked)
                call = partial(complete, text, caret, following)
            if inspect.iscoroutinefunction(call.func):
                return self._later(call, text, caret)
            found = call()
            if inspect.isawaitable(found):
                return self._later(lambda: found, text, caret)
            return self._found(found, text, caret)
        except BaseException as error:  # code of others, at a key press
            if not is_fault(error):
                raise
            self._report(failure_of("completion", error))
            return None

    def wants_all(self, text: str, caret: int) -> bool:
        """Whether Tab is for those below, too."""
        ask = getattr(self._provide, "completes_files", None)
        try:
            return ask is None or bool(ask(text, caret))
        except BaseException as error:  # as above
            if not is_fault(error):
                raise
            self._report(failure_of("completion", error))
            return True

    async def _later(self, call: Callable[[], Any], text: str, caret: int) -> Found | None:
        """call: begins only now, as what is typed on calls this off before it has begun."""
        try:
            return self._found(await call(), text, caret)
        except BaseException as error:  # as above
            if not is_fault(error):
                raise
            self._report(failure_of("completion", error))
            return None

    async def _following(self, text: str, caret: int, *, asked: bool) -> Found | None:
        """What those below offer."""
        providers = self._completer.providers
        if self not in providers:
            return None
        for provider in providers[providers.index(self) + 1 :]:
            answer = provider.complete(text, caret, asked=asked)
            found = await answer if inspect.isawaitable(answer) else answer
            if found is not None:
                return found
        return None

    def _found(self, given: Any, text: str, caret: int) -> Found | None:
        if given is None or isinstance(given, Found):
            found = given
        else:
            start = max(text.rfind(" ", 0, caret), text.rfind("\n", 0, caret)) + 1
            found = Found(start, caret, [_item(each) for each in given])
        if found is None or not found.items:
            return None
        apply = getattr(self._provide, "apply", None)
        if apply is None:
            return found
        return Found(found.start, found.end, found.items, self._guarded(apply))

    def _guarded(
        self, apply: Callable[..., Any]
    ) -> Callable[[str, int, Item], tuple[str, int] | None]:
        def put(text: str, caret: int, item: Item) -> tuple[str, int] | None:
            try:
                given = apply(text, caret, item)
                if given is None:
                    return None
                changed, place = given
                return str(changed), max(0, min(int(place), len(changed)))
            except BaseException as error:  # as above
                if not is_fault(error):
                    raise
                self._report(failure_of("completion", error))
                return None

        return put


def _item(given: Any) -> Item:
    if isinstance(given, Item):
        return given
    if isinstance(given, str):
        return Item(given, given)
    if isinstance(given, Mapping):
        value = str(given["value"])
        return Item(value, str(given.get("label", value)), str(given.get("description", "")))
    return Item(given[0], given[0], given[1])
