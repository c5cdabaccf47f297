"""The application: what is on the screen, and what goes on in the background.

It knows nothing of what the agent does: prompts and commands go to the host (talk.py, commands/),
and what comes of them comes back as events (events.py).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pi.errors import PiError
from pi.modes.interactive.copying import copy_to_clipboard
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.editor import Editor
from pi.modes.interactive.footer import Footer
from pi.modes.interactive.keymap import Keymap
from pi.modes.interactive.keys import decode_mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.pickers.stage import key_label
from pi.modes.interactive.reading import Reading
from pi.modes.interactive.screen import Frame, ScreenMode
from pi.modes.interactive.status import Status
from pi.modes.interactive.terminal import Terminal
from pi.modes.interactive.transcript import Beside, Transcript
from pi.modes.interactive.view import Component, Key, Panel
from pi.modes.stderr import tell
from pi.runtime.host import Host
from pi.session.context import written_entries
from pi.wire.messages import AgentMessage

if TYPE_CHECKING:
    from pi.modes.interactive.actions import Platform
    from pi.modes.interactive.events import Follower
    from pi.modes.interactive.looks import Looks
    from pi.modes.interactive.program_status import ProgramStatus
    from pi.runtime.ui import Blocked

__all__ = ["App", "Level"]

log = logging.getLogger(__name__)

Level = Literal["info", "warning", "error"]

THEME_SECONDS = 1.0
"""Between two looks at the file of the theme that is on."""

MOST_MESSAGES = 400
"""Of a session that is resumed; what came before them is in the session's tree."""

EDITOR_SHARE = 0.3
"""Of the screen's rows for what an extension puts in the editor's place, at the most."""


class App:
    """One run of the terminal interface; start.py builds it.

    above, below: components around the editor, such as widgets of extensions.
    footer: what stands there, `figures` unless an extension has put something else.
    theme_name, tui_mode: what the command line asks for, over the settings.
    program: tells the terminal what pi is at, where it wants to know.
    on_input: gets what the terminal sends, before anybody else; true swallows it.
    """

    follower: "Follower"
    looks: "Looks"
    platform: "Platform"

    def __init__(
        self,
        host: Host,
        desk: Desk,
        transcript: Transcript,
        editor: Editor,
        figures: Footer,
    ) -> None:
        self.host, self.desk, self.stage = host, desk, desk.stage
        self.ask = desk.ask
        self.transcript, self.editor, self.figures = transcript, editor, figures
        self.status = Status(self.stage.theme)
        self.above: list[Component] = []
        self.below: list[Component] = []
        self.footer: Component = figures
        self.reading = Reading(
            desk.screen.viewport,
            lambda: self.keymap,
            self.stage.theme,
            lambda text: self.begin(copy_to_clipboard(self, text)),
            wheel=host.services.settings.fullscreen_wheel_scroll_lines,
            copy_on_select=host.services.settings.fullscreen_copy_on_select,
        )
        self.theme_name: str | None = None
        self.tui_mode: ScreenMode | None = None
        self.header: Component | None = None
        self.on_input: list[Callable[[str], object]] = []
        self.terminal_has_focus = True
        self.program: ProgramStatus | None = None
        self.finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._ticking: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        desk.home, desk.frame = editor, self.frame
        desk.drawn, desk.on_error = self._after_frame, self.complain

    @property
    def terminal(self) -> Terminal:
        return self.desk.terminal

    @property
    def theme(self) -> Theme:
        return self.stage.theme

    @property
    def keymap(self) -> Keymap:
        return self.stage.keymap

    # What is seen

    def frame(self) -> Frame:
        panel: Panel = self.desk.bottom or self.editor
        if panel is self.desk.home:
            _, rows = self.desk.screen.size
            self.editor.height = rows  # it takes a part of that
            if panel is not self.editor:  # an extension's, in its place
                panel.height = int(rows * EDITOR_SHARE)
        self.desk.fit_panel()
        bottom: tuple[Component, ...] = (self.status, *self.above, panel, *self.below, self.footer)
        focus = self.desk.focus
        if self.reading.searching:
            bottom, focus = (self.reading, *bottom), self.reading
        caret = focus is self.editor and self.editor.draws_caret
        return Frame(self.transcript.components, bottom, focus, caret, self.desk.over)

    def _after_frame(self) -> None:
        if self.status.working is not None and self._ticking is None:
            self._ticking = self._loop.call_later(self.status.tick, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        if self.status.working is not None:
            self.transcript.tick(time.monotonic())
            self.refresh()

    def refresh(self, *, now: bool = False) -> None:
        self.desk.refresh(now=now)

    def say(self, text: str, level: Level = "info") -> None:
        """A line of ours in the conversation; below it, once that is over."""
        if self.desk.closed:
            tell(text if level == "info" else f"{level.capitalize()}: {text}")
            return
        self.transcript.notice(text, level)
        self.refresh()

    def complain(self, error: BaseException) -> None:
        """An error, with what to do about it."""
        text = str(error) or type(error).__name__
        hint = error.hint if isinstance(error, PiError) else None
        self.say(f"{text}\n{hint}" if hint else text, "error")

    def show(self, component: Component) -> None:
        """Something to look at, in the conversation."""
        self.transcript.add(component)
        self.refresh()

    def warn(self, line: str) -> None:
        """What went to stderr where there is no screen."""
        level, colon, text = line.partition(": ")
        known = {"Warning": "warning", "Error": "error", "Info": "info"}.get(level)
        if known is None or not colon:
            self.say(line)
        else:
            self.say(text, known)  # type: ignore[arg-type]

    def use_theme(self, name: str) -> None:
        """Draw in the theme of that name; one that cannot be had is told of.

        One from a file is drawn anew when the file changes.
        """
        theme = self.looks.theme(name, self.host.services)
        if self.looks.problem is not None:
            self.say(self.looks.problem, "warning")
        self.wear(theme)
        if self.looks.from_file:
            self._watching = self._loop.call_later(THEME_SECONDS, self._look_again, name)

    def wear(self, theme: Theme) -> None:
        """Draw in this theme, whatever becomes of files."""
        self.set_theme(theme)
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _look_again(self, name: str) -> None:
        if self.looks.changed():
            self.use_theme(name)
        else:
            self._watching = self._loop.call_later(THEME_SECONDS, self._look_again, name)

    def apply_settings(self) -> None:
        """Settings have changed: what of them is seen is seen now."""
        settings = self.host.services.settings
        look, editor, screen = self.transcript.look, self.editor, self.desk.screen
        look.pad, look.code_indent = settings.output_pad, settings.markdown.code_block_indent
        look.diagrams = settings.markdown.mermaid
        look.thinking_hidden = settings.hide_thinking_block
        look.image_columns = settings.terminal.image_width_cells
        editor.padding = settings.editor_padding_x
        editor.hardware_cursor = self.host.services.hardware_cursor
        editor.completer.most = settings.autocomplete_max_visible
        self.reading.wheel = settings.fullscreen_wheel_scroll_lines
        self.reading.copy_on_select = settings.fullscreen_copy_on_select
        screen.viewport.scrollbar = settings.fullscreen_scrollbar
        screen.set_refill(self.host.services.clear_on_shrink)
        if self.tui_mode is None:
            screen.switch(settings.tui_mode)
        self.follower.update()
        self.use_theme(self.theme_name or settings.theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw everything in other colours; what the terminal's scrollback has stays as it is."""
        self.stage.theme = self.status.theme = self.figures.theme = theme
        self.editor.theme = self.reading.theme = theme
        self.desk.screen.set_theme(theme)
        self.transcript.set_theme(theme)
        self.invalidate()

    def show_again(self) -> None:
        """The conversation is another one now, such as another branch."""
        self.desk.screen.restart(keep=False)
        self.transcript.clear()
        if self.header is not None:
            self.transcript.add(self.header)
        self.load()
        self.follower.update()

    def load(self) -> list[AgentMessage]:
        """Put the conversation into the transcript as it was said, or its last messages: these."""
        host, held = self.host, self.host.session.transcript
        messages: list[AgentMessage] = []
        ids: list[str] = []
        beside: dict[str, list[Beside]] = {}
        for entry, said in written_entries(host.store.history, MOST_MESSAGES):
            messages += said
            ids += [entry["id"]] * len(said)
            if entry["type"] == "custom" and host.additions is not None:
                beside.setdefault(ids[-1] if ids else "", []).append(entry)
        shown = frozenset(ids)
        hidden = sum(entry_id not in shown for entry_id in held.ids_of_last(len(held.messages)))
        if hidden > 0:
            self.transcript.notice(
                f"{hidden} earlier messages are not shown; /tree and /export have them."
            )
        if host.services.settings.show_cache_miss_notices:
            # Few want to know.
            from pi.modes.interactive.cache_notices import stored_notices  # noqa: PLC0415

            for entry_id, notices in stored_notices(host, shown).items():
                beside.setdefault(entry_id, []).extend(notices)
        self.transcript.load(messages, ids, beside)
        return messages

    def invalidate(self) -> None:
        """Settings have changed: everything is drawn anew."""
        parts = (*self.desk.panels, self.editor, *self.above, *self.below, self.footer)
        for part in parts:
            part.invalidate()
        if self.desk.home is not None and self.desk.home is not self.editor:
            self.desk.home.invalidate()
        if self.desk.overlays is not None:
            self.desk.overlays.invalidate()
        self.transcript.invalidate()
        self.refresh()

    def hint(self, action: str, what: str = "") -> str:
        """ "esc to stop", by the keymap; nothing for an action without a key."""
        label = key_label(self.stage, action)
        return f"{label} {what}".strip() if label else ""

    @contextmanager
    def working(self, what: str, *, hint: str = "") -> Iterator[None]:
        """Show that something is under way. During a run, the run's own status stays.

        hint: the action that stops it.
        """
        mine = self.status.working is None
        if mine:
            self.status.begin(what, hint=self.hint(hint, "to stop") if hint else "")
            self.refresh()
        try:
            yield
        finally:
            if mine and self.status.working == what:
                self.status.end()
            self.refresh()

    @contextmanager
    def blocked(self, kind: "Blocked", message: str) -> Iterator[None]:
        """Tell the terminal, should it want to know, that somebody is waited for inside."""
        if self.program is None:
            yield
        else:
            with self.program.blocked(kind, message):
                yield

    # What the terminal sends

    def intercept(self, key: Key) -> bool:
        """What comes before any panel: focus, and extensions that read raw input."""
        if key.name in ("focusIn", "focusOut"):
            self.terminal_has_focus = key.name == "focusIn"
            return True
        if any(listener(key.data) for listener in list(self.on_input)):
            self.desk.pause()
            return True
        if self.desk.screen.mode != "fullscreen":
            return key.name == "mouse"
        if key.name == "mouse":
            event = decode_mouse(key.data)
            if event is None or self.desk.point(event):
                return True
        listing = self.desk.focus is not self.desk.home or self.editor.completer.popup is not None
        read = self.reading.handle(key, listing)
        if read:
            self.refresh(now=True)
        return read

    # What goes on meanwhile

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in the background; what goes wrong is said in the conversation."""
        task = self._loop.create_task(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.desk.wait_for_start()

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PiError as error:
            self.complain(error)
        except OSError as error:
            self.complain(PiError(f"{error.filename or 'error'}: {error.strerror or error}"))
        except Exception as error:
            log.info("a fault in the interface", exc_info=error)
            self.complain(
                PiError(
                    f"unexpected fault: {type(error).__name__}: {error}",
                    hint="This is a bug in pi. PI_LOG=FILE writes down more.",
                )
            )
        finally:
            self.refresh()

    def quit(self, code: int = 0) -> None:
        if not self.finished.done():
            self.finished.set_result(code)

    async def close(self) -> None:
        """End what goes on here; the host is closed by whoever opened it."""
        for timer in (self._ticking, self._watching):
            if timer is not None:
                timer.cancel()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
