"""Panels that float: a list to pick an earlier prompt from, and a clock in the corner."""

import time
from collections.abc import Callable
from typing import Any

from pi.extensions import CommandContext, Pi
from pi.extensions.ui import Box, Overlay, Part, SelectList


class Clock(Part):
    """How long the session has been open."""

    def __init__(self, screen: Any) -> None:
        self.screen, self.began = screen, time.monotonic()
        self.off: Callable[[], None] = lambda: None
        self.tick()

    def tick(self) -> None:
        self.off = self.screen.later(1, self.tick)
        self.screen.redraw()

    def close(self) -> None:
        self.off()

    def render(self, width: int) -> list[str]:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        return [self.screen.theme.fg("accent", f"{minutes:02d}:{seconds:02d}".center(width))]


def extend(pi: Pi) -> None:
    clock: Any = None

    @pi.command("pick", "Put an earlier prompt into the editor")
    async def pick(args: str, ctx: CommandContext) -> None:
        said = [ctx.text_of(m) for m in ctx.session.messages() if m["role"] == "user"]
        if ctx.mode != "tui" or not said:
            ctx.ui.notify("There is nothing to pick from", "warning")
            return

        def make(screen: Any, theme: Any, keys: Any, done: Callable[..., None]) -> Box:
            prompts = SelectList(
                screen, reversed(said), searching=True, on_select=done, on_cancel=done
            )
            return Box(screen, prompts, title="Earlier prompts", border="accent")

        options = Overlay(width="60%", min_width=40, max_height="50%")
        chosen = await ctx.ui.custom(make, overlay=options)
        if chosen is not None:
            ctx.ui.paste_to_editor(chosen)

    @pi.command("clock", "Show or hide a clock in the corner")
    def toggle(args: str, ctx: CommandContext) -> None:
        nonlocal clock
        if clock is not None:
            clock.close()
            clock = None
            return
        options = Overlay(
            anchor="top-right",
            width=13,
            margin={"top": 1, "right": 2},
            capturing=False,
            visible=lambda columns, rows: columns >= 60,
        )
        clock = ctx.ui.show_overlay(
            lambda screen, theme, keys: Box(screen, Clock(screen), title="open"), options
        )

    @pi.command("peek", "Hide the clock, or show it again")
    def peek(args: str) -> None:
        if clock is not None:
            (clock.show if clock.hidden else clock.hide)()
