"""From the options to a running terminal interface, and back to the shell."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.modes.interactive import printed
from pi.modes.interactive.actions import platform_of
from pi.modes.interactive.app import App
from pi.modes.interactive.assembly import assemble, learn_colors, settle_in
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.keymap import load_keymap
from pi.modes.interactive.keys import Reply
from pi.modes.interactive.lobby import Lobby
from pi.modes.interactive.looks import Looks
from pi.modes.interactive.painted import Painted
from pi.modes.interactive.screen import Screen, ScreenMode
from pi.modes.interactive.terminal import Colors, Terminal
from pi.modes.interactive.view import Key
from pi.modes.interactive.wishes import InteractiveOptions
from pi.modes.signals import aborts_on_signals
from pi.modes.stderr import diverted, one_line, tell
from pi.runtime.host import Host
from pi.runtime.options import RunOptions
from pi.runtime.prompts import Prompt
from pi.runtime.services import missing_packages

__all__ = ["OpenHost", "Prepare", "run_interactive"]

Prepare = Callable[[Paths], Awaitable[None]]
OpenHost = Callable[[RunOptions, Prepare], Awaitable[Host]]
"""Awaits the second one with the folders that it is going to be about."""

COLORS_WITHIN = 0.3
"""Seconds for the terminal to name its colours; the first frame does not wait for that."""


async def run_interactive(
    options: RunOptions,
    environment: Environment,
    wishes: InteractiveOptions,
    open_host: OpenHost,
    prompts: Callable[[Host], Sequence[Prompt]],
) -> int:
    """Live in the terminal until the person leaves; the exit code.

    prompts: what the command line says already, once there is a session.
    """
    told: list[str] = []
    with diverted(told.append):
        sitting = _Sitting(environment, wishes)
        try:
            with sitting.terminal.opened(), sitting.ends_on_signals():
                async with printed.told():
                    code = await sitting.live(options, open_host, prompts, told)
        finally:
            sitting.desk.close()
    for line in told:  # what nobody could be shown any more
        tell(line)
    if sitting.epilogue:
        tell(sitting.epilogue)
    return code


class _Sitting:
    """One stay at the terminal, from the first question to the last word."""

    def __init__(self, environment: Environment, wishes: InteractiveOptions) -> None:
        self.environment, self.wishes = environment, wishes
        self.paths = find_paths(environment)
        self.settings = read_settings(self.paths).resolve(trusted=False)
        self.looks = Looks(environment.variables)
        self.terminal = Terminal(
            self._key,
            on_resize=self._again,
            on_pause=lambda: self.screen.suspend(),
            on_resume=self._resumed,
            on_lost=self._lost,
            on_reply=self._replied,
            focus_events=True,
            # Windows Terminal sends ^H for Ctrl+Backspace, others for Backspace.
            escape_timeout=environment.escape_wait,
            control_h="ctrl+backspace" if environment.variables.get("WT_SESSION") else "backspace",
        )
        mode: ScreenMode = wishes.tui_mode or self.settings.tui_mode
        theme = self.looks.first(self.settings)
        self.screen = Screen(
            Painted(self.terminal),
            theme,
            mode,
            switch=self._switch_modes,
            scrollbar=self.settings.fullscreen_scrollbar,
        )
        self.platform = platform_of(sys.platform, environment.variables)
        self.keymap = load_keymap(self.paths.keybindings, self.platform)
        self.desk = Desk(self.terminal, self.screen, theme, self.keymap)
        self.app: App | None = None
        self.epilogue = ""
        self._code = 0

    async def live(
        self,
        options: RunOptions,
        open_host: OpenHost,
        prompts: Callable[[Host], Sequence[Prompt]],
        told: list[str],
    ) -> int:
        colors = asyncio.create_task(self.terminal.colors(COLORS_WITHIN))
        try:
            chosen = await self._before(options)
            if chosen is None or self._code:
                return self._code
            host = await open_host(chosen, lambda paths: self._install(chosen, paths))
            try:
                return await self._with_host(host, prompts, told, colors)
            finally:
                await self._leave(host)
        finally:
            colors.cancel()

    async def _before(self, options: RunOptions) -> RunOptions | None:
        """What has to be asked before there is a session; None to leave."""
        lobby = Lobby(self.desk, self.environment)
        if self.wishes.pick_session:
            picked = await lobby.session(options)
            if picked is None:
                return None
            options = picked
        return await lobby.before_opening(options, self.paths)

    async def _install(self, options: RunOptions, paths: Paths) -> None:
        """Packages that are not there: on a terminal as it was, for it may take minutes.

        It is seen what takes so long, and Ctrl+C ends pi and it.
        """
        install = missing_packages(options, self.environment, paths)
        if install is None:
            return
        async with self.terminal.outside():
            # In this thread, where an interrupt ends it; nothing else goes on meanwhile.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with diverted(self._write_line):
                install()

    async def _leave(self, host: Host) -> None:
        """Extensions hear of the end on a terminal as it was, where Ctrl+C ends what they do.

        A hang-up does not: what they have to save, they save.
        """
        self.desk.close()
        self.terminal.close()
        closing = asyncio.create_task(host.close())

        def hasten() -> None:
            closing.cancel()

        with diverted(self._write_line), aborts_on_signals(hasten, ("SIGINT", "SIGTERM")):
            await asyncio.wait([closing])
        if not closing.cancelled():
            closing.result()

    def _write_line(self, line: str) -> None:
        output = self.terminal.output
        with suppress(OSError):  # a terminal that is gone
            output.write_raw(f"{one_line(line)}\n")
            output.flush()

    async def _with_host(
        self,
        host: Host,
        prompts: Callable[[Host], Sequence[Prompt]],
        told: list[str],
        colors: "asyncio.Task[Colors]",
    ) -> int:
        app = self.app = assemble(host, self.desk, self.looks, self.wishes, self.platform)
        try:
            first = prompts(host)
            with diverted(lambda line: app.warn(line)):
                for line in told:
                    app.warn(line)
                told.clear()
                for problem in self.keymap.problems:
                    app.warn(problem)
                app.refresh(now=True)
                app.begin(settle_in(app, colors, first))
                return await app.finished
        finally:
            await app.close()
            self._goodbye(app)

    def _goodbye(self, app: App) -> None:
        settings = app.host.services.settings
        if app.program is not None:
            app.program.close()
        whole = settings.fullscreen_exit_output == "transcript"
        self.screen.close(transcript=app.transcript.components if whole else None)
        store = app.host.store
        if store.saved and app.transcript.components:
            self.epilogue = f"To go on with this session: pi --session {store.id}"

    @contextmanager
    def ends_on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end pi in order; Ctrl+C itself is a key here."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.getsignal(number) for number in numbers}
        for number in numbers:
            signal.signal(
                number, lambda got, frame: loop.call_soon_threadsafe(self._end, 128 + got)
            )
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, code: int) -> None:
        self._code = code
        if self.app is not None:
            self.app.quit(code)
        self.desk.lost()

    # What the terminal tells

    def _key(self, key: Key) -> None:
        if self.app is None or not self.app.intercept(key):
            self.desk.key(key)

    def _again(self) -> None:
        self.desk.refresh(now=True)

    def _resumed(self) -> None:
        self.screen.forget()
        self.desk.refresh(now=True)

    def _lost(self) -> None:
        """Nobody sees us any more: end in order, keeping what was said."""
        self._end(129)

    def _replied(self, reply: Reply) -> None:
        """The terminal has changed between dark and light."""
        if self.app is not None and reply.body.startswith("?997;"):
            self.app.begin(learn_colors(self.app))

    def _switch_modes(self, on: bool) -> None:
        self.terminal.set_mode("alternate", on)
        self.terminal.set_mode("mouse", on)
