"""A person at pi with extensions, in a tmux of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.e2e.conftest import COMMAND
from tests.e2e.interactive.tmux import Screen
from tests.extensions.conftest import Extended

__all__ = ["READY", "command_of", "say", "settled", "sitting"]

READY = """
def extend(pi):
    pi.on("session_start", lambda event, ctx: ctx.ui.set_status("ready", "all are ready"))
"""
"""Loaded last: what the others do in session_start has been done then."""


def command_of(pi: Extended, *arguments: str) -> list[str]:
    return [*COMMAND, *pi.script.options, *pi.options, *arguments]


@contextmanager
def sitting(
    pi: Extended,
    *arguments: str,
    columns: int = 90,
    rows: int = 40,
    until: str = "0.0%",
    **env: str,
) -> Iterator[Screen]:
    """until: what is shown when it can be used."""
    environment = {**pi.machine.environment, "LANG": "C.UTF-8", **env}
    with Screen(
        command_of(pi, *arguments),
        cwd=pi.machine.project,
        env=environment,
        columns=columns,
        rows=rows,
    ) as screen:
        screen.wait(until)
        yield screen


settled = partial(sitting, rows=30, until="all are ready", COLORTERM="truecolor")
"""The same where READY is the last extension."""


def say(screen: Screen, text: str) -> None:
    screen.type(text)
    screen.press("Enter")
