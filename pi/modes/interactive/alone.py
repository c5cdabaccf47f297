"""Panels at the terminal by themselves, below what the shell shows: for commands that ask."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.modes.interactive.actions import platform_of
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.keymap import load_keymap
from pi.modes.interactive.looks import Looks
from pi.modes.interactive.painted import Painted
from pi.modes.interactive.screen import Frame, Screen
from pi.modes.interactive.terminal import Terminal

__all__ = ["alone"]

T = TypeVar("T")


async def alone(environment: Environment, ask: Callable[[Desk], Awaitable[T]]) -> T:
    """Have `ask` open panels on a desk; afterwards the terminal is as it was.

    A terminal that goes away, and SIGTERM, leave what is open without an answer.
    """
    paths = find_paths(environment)
    settings = read_settings(paths).resolve(trusted=False)
    looks = Looks(environment.variables)
    platform = platform_of(sys.platform, environment.variables)

    loop = asyncio.get_running_loop()

    def ended(*_: object) -> None:
        loop.call_soon_threadsafe(desk.lost)

    def resumed() -> None:
        screen.forget()
        desk.refresh(now=True)

    terminal = Terminal(
        lambda key: desk.key(key),
        on_resize=lambda: desk.refresh(now=True),
        on_pause=lambda: screen.suspend(),
        on_resume=resumed,
        on_lost=lambda: desk.lost(),
        escape_timeout=environment.escape_wait,
        control_h="ctrl+backspace" if environment.variables.get("WT_SESSION") else "backspace",
    )
    theme = looks.first(settings)
    screen = Screen(Painted(terminal), theme)
    keymap = load_keymap(paths.keybindings, platform)
    desk = Desk(terminal, screen, theme, keymap)
    before = signal.signal(signal.SIGTERM, ended)
    try:
        with terminal.opened():
            try:
                return await ask(desk)
            finally:
                if not terminal.lost:
                    screen.draw(Frame((), ()))  # nothing is left of the panel
                    screen.close()
    finally:
        signal.signal(signal.SIGTERM, before)
        desk.close()
