"""Components, panels and renderers of extensions, on a screen that their faults must not end."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pi.agent.faults import is_fault
from pi.modes.interactive.cells import ESCAPE, Pen, cut
from pi.modes.interactive.inline import holds_image
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.sanitize import clean_drawn
from pi.modes.interactive.view import Key, Lines

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure

__all__ = [
    "Guarded",
    "GuardedPanel",
    "Report",
    "WidgetLines",
    "built",
    "component_of",
    "failure_of",
    "made",
]

Report = Callable[["HookFailure"], None]


_ACTING = re.compile(r"[\x00-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;:]*m|\]8;)")
"""What moves the cursor or changes the terminal, in a row that may hold colours and links."""


def _rows(lines: Iterable[Any], width: int) -> list[str]:
    """What was drawn, as rows that take one row of the terminal each, whatever is in them."""
    rows: list[str] = []
    for line in lines:
        text = str(line)
        if _ACTING.search(text) is None or holds_image(text):
            rows.append(_closed(cut(text, width)))
        else:
            rows += (cut(row, width) for row in clean_drawn(text))
    return rows


def _closed(row: str) -> str:
    """The row with an end to the colours and links that it leaves on, or the next are in them."""
    if "\x1b" not in row:
        return row
    pen = Pen()
    for match in ESCAPE.finditer(row):
        pen.take(match.group())
    return row + pen.closing()


class WidgetLines:
    """Lines at the editor, cut at its width. They may hold colours."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = list(lines)
        self._drawn: tuple[int, list[str]] | None = None

    def render(self, width: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, _rows(self._lines, width))
        return self._drawn[1]

    def invalidate(self) -> None:
        self._drawn = None

    def close(self) -> None:
        """Nothing goes on in it."""


class Guarded:
    """A component of an extension: what is too wide is cut, what acts on the terminal is left out,
    what fails is said once."""

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
                self._drawn = drawn = (width, lines, _rows(lines, width))
            return drawn[2]
        except BaseException as error:  # code of others, in the middle of a frame
            if not is_fault(error):
                raise
            self.fail(error)
            return []

    def invalidate(self) -> None:
        self._drawn = None
        forget = getattr(self.inner, "invalidate", None)
        if forget is not None:
            try:
                forget()
            except BaseException as error:  # as above
                if not is_fault(error):
                    raise
                self.fail(error)

    def close(self) -> None:
        """It is taken off the screen: its `close`, if it has one, ends its timers and the like."""
        end = getattr(self.inner, "close", None)
        if end is not None:
            try:
                end()
            except BaseException as error:  # as above
                if not is_fault(error):
                    raise
                self.fail(error)

    def fail(self, error: BaseException) -> None:
        if not self._failed:
            self._failed = True
            self._report(failure_of(self._what, error))

    def mouse(self, event: Mouse) -> bool:
        """Whether it takes what the mouse does; it need not listen to that."""
        heard = getattr(self.inner, "mouse", None)
        if heard is None:
            return False
        self._drawn = None
        try:
            return bool(heard(event))
        except BaseException as error:  # code of others, at a click
            if not is_fault(error):
                raise
            self.fail(error)
            return False


class GuardedPanel(Guarded):
    """The same with the keyboard. A key that fails ends it, so that nobody is locked in.

    The inner one needs `render`, and `handle(key)` for more than looking at; Escape leaves it, if
    it does not take the key itself.
    """

    def __init__(self, inner: Any, report: Report, what: str, done: Callable[[Any], None]) -> None:
        super().__init__(inner, report, what)
        self._done = done

        self._height = 24

    @property
    def height(self) -> int:
        return self._height

    @height.setter
    def height(self, rows: int) -> None:
        self._height = rows
        self._tell("height", rows)

    @property
    def cursor(self) -> tuple[int, int] | None:
        match getattr(self.inner, "cursor", None):
            case (int(row), int(column)):
                return row, column
        return None

    @cursor.setter
    def cursor(self, place: tuple[int, int] | None) -> None:
        self._tell("cursor", place)

    @property
    def focused(self) -> bool:
        return bool(getattr(self.inner, "focused", False))

    @focused.setter
    def focused(self, focused: bool) -> None:
        if getattr(self.inner, "focused", focused) != focused:
            self._tell("focused", focused)
            self._drawn = None

    def _tell(self, name: str, value: Any) -> None:
        with suppress(AttributeError):  # one that does not want to know
            setattr(self.inner, name, value)

    def handle(self, key: Key) -> bool:
        self._drawn = None
        try:
            handle = getattr(self.inner, "handle", None)
            if handle is not None and handle(key):
                return True
        except BaseException as error:  # as above
            if not is_fault(error):
                raise
            self.fail(error)
            self._done(None)
            return True
        if key.name in ("escape", "ctrl+c"):
            self._done(None)
        return True


def failure_of(what: str, error: BaseException, owner: str = "") -> "HookFailure":
    """A fault of an extension, to be reported."""
    from pi.agent.hooks import HookFailure  # noqa: PLC0415  (loaded with extensions, not before)

    return HookFailure(owner, what, f"{type(error).__name__}: {error}", error)


async def made(factory: Callable[..., Any], *args: Any) -> Any:
    """What a factory gives, which may be a coroutine."""
    found = factory(*args)
    return await found if inspect.isawaitable(found) else found


def built(
    factory: Callable[..., Any], screen: Any, report: Report, what: str, *more: Any
) -> Any | None:
    """What a factory makes; None where it fails, which is reported."""
    try:
        inner = factory(screen, screen.theme, screen.keymap, *more)
    except BaseException as error:  # code of others
        if not is_fault(error):
            raise
        report(failure_of(what, error))
        return None
    if inner is None:
        failure = failure_of(what, TypeError("the factory gave no component"))
        report(replace(failure, place=_defined_at(factory)))
    return inner


def _defined_at(function: Callable[..., Any]) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def component_of(
    factory: Callable[..., Any], screen: Any, report: Report, what: str, *more: Any
) -> Guarded | None:
    """The same, to be put on the screen."""
    inner = built(factory, screen, report, what, *more)
    return None if inner is None else Guarded(inner, report, what)
