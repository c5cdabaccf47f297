"""Components, panels and renderers of extensions, on a screen that their faults must not end."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pi.modes.interactive.cells import cut
from pi.modes.interactive.completion.base import Answer, Found, Item
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.view import Component, Key, Lines

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure

__all__ = [
    "AddedCompletion",
    "Drawn",
    "Guarded",
    "GuardedPanel",
    "WidgetLines",
    "component_of",
    "failure_of",
    "made",
]

Report = Callable[["HookFailure"], None]


class WidgetLines:
    """Lines at the editor, cut at its width. They may hold colours."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = [line for text in lines for line in text.split("\n")]
        self._drawn: tuple[int, list[str]] | None = None

    def render(self, width: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, [cut(line, width) for line in self._lines])
        return self._drawn[1]

    def invalidate(self) -> None:
        self._drawn = None


class Guarded:
    """A component of an extension: what is too wide is cut, what fails is said once."""

    def __init__(self, inner: Any, report: Report, what: str) -> None:
        self.inner = inner
        self._report = report
        self._what = what
        self._failed = False
        self._drawn: tuple[int, Lines, list[str]] | None = None

    def render(self, width: int) -> Lines:
        try:
            lines = self.inner.render(width)
            drawn = self._drawn
            if drawn is None or drawn[0] != width or drawn[1] is not lines:
                self._drawn = drawn = (width, lines, [cut(str(line), width) for line in lines])
            return drawn[2]
        except Exception as error:  # noqa: BLE001  (code of others, in the middle of a frame)
            self.fail(error)
            return []

    def invalidate(self) -> None:
        self._drawn = None
        forget = getattr(self.inner, "invalidate", None)
        if forget is not None:
            try:
                forget()
            except Exception as error:  # noqa: BLE001  (as above)
                self.fail(error)

    def fail(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            self._report(failure_of(self._what, error))


class GuardedPanel(Guarded):
    """The same with the keyboard. A key that fails ends it, so that nobody is locked in.

    The inner one needs `render`, and `handle(key)` for more than looking at; Escape leaves it, if
    it does not take the key itself.
    """

    def __init__(self, inner: Any, report: Report, what: str, done: Callable[[Any], None]) -> None:
        super().__init__(inner, report, what)
        self._done = done

    @property
    def height(self) -> int:
        return int(getattr(self.inner, "height", 24))

    @height.setter
    def height(self, rows: int) -> None:
        self.inner.height = rows

    @property
    def cursor(self) -> tuple[int, int] | None:
        place: tuple[int, int] | None = getattr(self.inner, "cursor", None)
        return place

    @cursor.setter
    def cursor(self, place: tuple[int, int] | None) -> None:
        self.inner.cursor = place

    def handle(self, key: Key) -> bool:
        self._drawn = None
        try:
            handle = getattr(self.inner, "handle", None)
            if handle is not None and handle(key):
                return True
        except Exception as error:  # noqa: BLE001  (as above)
            self.fail(error)
            self._done(None)
            return True
        if key.name in ("escape", "ctrl+c"):
            self._done(None)
        return True


class Drawn:
    """What a renderer makes of a message, an entry or a tool call: its lines, or a component."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self._make = make

    def render(self, width: int) -> Lines:
        made = self._make(width)
        lines = made.render(width) if hasattr(made, "render") else _lines(made)
        return [cut(line, width) for line in lines]

    def invalidate(self) -> None:
        """It is made anew each time it is drawn."""


class AddedCompletion:
    """A completion of an extension: `(text before the caret)` → values, or value and description.

    What is chosen takes the place of the word before the caret.
    """

    def __init__(self, provide: Callable[..., Any], report: Report, triggers: str) -> None:
        self.triggers = triggers
        self._provide = provide
        self._report = report

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        before = text[:caret]
        start = max(before.rfind(" "), before.rfind("\n")) + 1
        try:
            found = self._provide(before)
        except Exception as error:  # noqa: BLE001  (code of others, at a key press)
            self._report(failure_of("completion", error))
            return None
        if inspect.isawaitable(found):
            return self._later(found, start, caret)
        return _found(found, start, caret)

    async def _later(self, found: Any, start: int, caret: int) -> Found | None:
        try:
            return _found(await found, start, caret)
        except Exception as error:  # noqa: BLE001  (as above)
            self._report(failure_of("completion", error))
            return None


def failure_of(what: str, error: Exception, owner: str = "") -> "HookFailure":
    """A fault of an extension, to be reported."""
    from pi.agent.hooks import HookFailure  # noqa: PLC0415  (loaded with extensions, not before)

    return HookFailure(owner, what, f"{type(error).__name__}: {error}", error)


async def made(factory: Callable[..., Any], *args: Any) -> Any:
    """What a factory gives, which may be a coroutine."""
    found = factory(*args)
    return await found if inspect.isawaitable(found) else found


def component_of(
    factory: Callable[..., Any], stage: Stage, report: Report, what: str, *more: Any
) -> Component | None:
    """A component that a factory makes; None where it fails, which is reported."""
    try:
        return Guarded(factory(stage, stage.theme, stage.keymap, *more), report, what)
    except Exception as error:  # noqa: BLE001  (code of others)
        report(failure_of(what, error))
        return None


def _lines(made: Any) -> list[str]:
    if isinstance(made, str):
        return made.split("\n")
    return [str(line) for line in made or ()]


def _found(items: Any, start: int, caret: int) -> Found | None:
    listed = [
        Item(item, item) if isinstance(item, str) else Item(item[0], item[0], item[1])
        for item in items or ()
    ]
    return Found(start, caret, listed) if listed else None
