"""Questions: yes or no, one of several, a line, a text; and waiting for something.

Each may have a time-out, shown counting down in its title, at whose end it answers as if cancelled.
"""

import math
from collections.abc import Callable, Sequence

from pi.modes.interactive.pickers.field import TextArea, TextField
from pi.modes.interactive.pickers.select import Choice, ListPicker
from pi.modes.interactive.pickers.stage import (
    Picker,
    Stage,
    hint_rows,
    key_label,
    paragraph,
    rule,
    titled,
)
from pi.modes.interactive.status import FRAME_SECONDS, SPINNER
from pi.modes.interactive.view import Key

__all__ = [
    "ConfirmDialog",
    "Countdown",
    "EditorDialog",
    "InputDialog",
    "LoaderPanel",
    "SelectDialog",
]

LEAST_BELOW = 5
"""Rows of a dialog that the question leaves to what is answered."""


class Countdown:
    """seconds: None for no end. tick: a second is over. end: all are."""

    def __init__(
        self,
        stage: Stage,
        seconds: float | None,
        tick: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self._stage = stage
        self._left = seconds
        self._tick = tick
        self._end = end
        self._off: Callable[[], None] | None = None
        self._wait()

    @property
    def label(self) -> str:
        """` (5s)`, or nothing."""
        return "" if self._left is None else f" ({max(0, math.ceil(self._left))}s)"

    def stop(self) -> None:
        if self._off is not None:
            self._off()
        self._off = self._left = None

    def _wait(self) -> None:
        if self._left is not None:
            self._off = self._stage.later(min(1.0, max(0.0, self._left)), self._second)

    def _second(self) -> None:
        if self._left is None:
            return
        self._left -= min(1.0, self._left)
        if self._left <= 0:
            self._off = None
            self._end()
            return
        self._wait()
        self._tick()


class SelectDialog(ListPicker[int, int]):
    """Gives the index of the option taken; None when cancelled or late."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[int | None], None],
        title: str,
        options: Sequence[str],
        *,
        about: str = "",
        timeout: float | None = None,
        current: int = 0,
        notes: Sequence[str] = (),
    ) -> None:
        """timeout: seconds. notes: beside the options, as many as those or none."""
        self._plain_title = title
        choices = [
            Choice(at, option, note=notes[at] if notes else "") for at, option in enumerate(options)
        ]
        super().__init__(
            stage,
            done,
            choices,
            title=title,
            about=about,
            searching=False,
            current=current,
            empty="There is nothing to choose from.",
        )
        self._countdown = Countdown(stage, timeout, self._tick, self._late)
        self._tick()

    def chosen(self, choice: Choice[int]) -> None:
        self.finish(choice.value)

    def close(self) -> None:
        self._countdown.stop()
        super().close()

    def _tick(self) -> None:
        self.title = self._plain_title + self._countdown.label
        self.changed()

    def _late(self) -> None:
        self.finish(None)


class ConfirmDialog(SelectDialog):
    """Gives True or False, never None. Typing y or n answers too."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[bool], None],
        title: str,
        message: str = "",
        *,
        timeout: float | None = None,
        yes: str = "Yes",
        no: str = "No",
    ) -> None:
        super().__init__(
            stage,
            lambda index: done(index == 0),
            title,
            (yes, no),
            about=message,
            timeout=timeout,
        )

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if key.name in ("y", "Y", "n", "N"):
            self.finish(0 if key.name in "yY" else 1)
            return True
        return super().act(key, actions)


class _TextDialog(Picker[str]):
    """What a line and a text have in common: title, question, time-out, hints."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        title: str,
        about: str,
        timeout: float | None,
    ) -> None:
        super().__init__(stage, done)
        self._title = title
        self._about = about
        self._countdown = Countdown(stage, timeout, self.changed, lambda: self.finish(None))

    def close(self) -> None:
        self._countdown.stop()
        super().close()

    def _head(self, width: int) -> list[str]:
        most = max(1, self.height - LEAST_BELOW)
        rows = titled(self.theme, width, self._title + self._countdown.label, most)
        if self._about:
            rows += paragraph(self.theme, self._about, width)
        return rows[:most]


class InputDialog(_TextDialog):
    """Gives a line, as it was typed. secret: shown as dots."""

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        title: str,
        *,
        about: str = "",
        prefill: str = "",
        placeholder: str = "",
        secret: bool = False,
        timeout: float | None = None,
    ) -> None:
        super().__init__(stage, done, title, about, timeout)
        self._field = TextField(prefill, secret=secret, placeholder=placeholder)

    def draw(self, width: int) -> list[str]:
        rows = self._head(width)
        text, at = self._field.draw(self.theme, width - 3)
        self.cursor = (len(rows), 2 + at)
        rows.append(self.theme.fg("accent", "> ") + text)
        rows += hint_rows(
            self.stage,
            width,
            [
                (key_label(self.stage, "tui.select.confirm"), "submit"),
                (key_label(self.stage, "tui.select.cancel"), "cancel"),
            ],
        )
        return [*rows, rule(self.theme, width)]

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if "tui.select.cancel" in actions:
            self.finish(None)
            return True
        if "tui.select.confirm" in actions or "tui.input.submit" in actions:
            self.finish(self._field.text)
            return True
        return self._field.act(key, actions)


class EditorDialog(_TextDialog):
    """Gives a text of several lines.

    external: opens the person's own editor on a text and calls back with the result (None: as it
    was); None where there is no such thing.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[str | None], None],
        title: str,
        *,
        about: str = "",
        prefill: str = "",
        timeout: float | None = None,
        external: Callable[[str, Callable[[str | None], None]], None] | None = None,
    ) -> None:
        super().__init__(stage, done, title, about, timeout)
        self._area = TextArea(prefill)
        self._external = external

    def draw(self, width: int) -> list[str]:
        head = self._head(width)
        label = key_label
        hints = hint_rows(
            self.stage,
            width,
            [
                (label(self.stage, "tui.input.submit"), "submit"),
                (label(self.stage, "tui.input.newLine"), "new line"),
                (label(self.stage, "tui.select.cancel"), "cancel"),
                (label(self.stage, "app.editor.external") if self._external else "", "editor"),
            ],
        )
        room = max(1, self.height - len(head) - len(hints) - 1)
        rows, cursor = self._area.rows(width - 1, min(room, 12))
        self.cursor = (len(head) + cursor[0], 1 + cursor[1])
        return [*head, *(" " + row for row in rows), *hints, rule(self.theme, width)]

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if "tui.select.cancel" in actions:
            self.finish(None)
        elif "tui.input.submit" in actions:
            self.finish(self._area.text)
        elif "app.editor.external" in actions and self._external is not None:
            self._external(self._area.text, self._edited)
        else:
            return self._area.act(key, actions)
        return True

    def _edited(self, text: str | None) -> None:
        if text is not None and not self.ended:
            self._area.text = text
            self.changed()


class LoaderPanel(Picker[bool]):
    """Something takes its time. Gives None when the person does not want to wait.

    Whoever opened it takes it away when the work is done: `close`. `say` changes what stands there.
    """

    def __init__(
        self,
        stage: Stage,
        done: Callable[[bool | None], None],
        message: str,
        *,
        title: str = "",
        can_cancel: bool = True,
    ) -> None:
        super().__init__(stage, done)
        self._message = message
        self._title = title
        self._can_cancel = can_cancel
        self._frame = 0
        self._off: Callable[[], None] | None = stage.later(FRAME_SECONDS, self._turn)

    def say(self, message: str) -> None:
        self._message = message
        self.changed()

    def close(self) -> None:
        if self._off is not None:
            self._off()
            self._off = None
        super().close()

    def draw(self, width: int) -> list[str]:
        theme = self.theme
        rows = [rule(theme, width, self._title)]
        text = paragraph(theme, self._message, width - 2)
        spinner = theme.fg("accent", SPINNER[self._frame % len(SPINNER)])
        rows += [f" {spinner}{text[0]}", *(f"  {row}" for row in text[1:])]
        if self._can_cancel:
            keys = key_label(self.stage, "tui.select.cancel")
            rows += hint_rows(self.stage, width, [(keys, "cancel")])
        return [*rows, rule(theme, width)]

    def act(self, key: Key, actions: Sequence[str]) -> bool:
        if self._can_cancel and "tui.select.cancel" in actions:
            self.finish(None)
        return True

    def _turn(self) -> None:
        if not self.ended:
            self._frame += 1
            self._off = self.stage.later(FRAME_SECONDS, self._turn)
            self.changed()
