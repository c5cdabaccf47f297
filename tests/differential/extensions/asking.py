"""Everything that extensions ask and show over RPC; the twin of asking.ts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from pi.extensions import (
    AgentEnd,
    AgentStart,
    Block,
    Cancel,
    CommandContext,
    Context,
    Pi,
    SessionBeforeSwitch,
    SessionStart,
    ToolCall,
)


def say(ctx: Context, what: str, value: Any) -> None:
    told = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    ctx.ui.notify(f"{what}: {'nothing' if value is None else told}")


def made(*args: Any) -> Any:
    raise AssertionError("nobody draws here")


async def late(ctx: CommandContext) -> None:
    say(ctx, "late select", await ctx.ui.select("Late?", ["a"], seconds=0.06))
    say(ctx, "late confirm", await ctx.ui.confirm("Late?", "m", seconds=0.061))
    say(ctx, "late input", await ctx.ui.input("Late?", seconds=0.062))


async def dismissed(ctx: CommandContext) -> None:
    try:
        async with asyncio.timeout(0.06):
            await ctx.ui.select("Dismissed", ["a"])
    except TimeoutError:
        say(ctx, "dismissed", True)


async def two(ctx: CommandContext) -> None:
    both = await asyncio.gather(ctx.ui.input("First"), ctx.ui.input("Second"))
    say(ctx, "two", both)


async def tell(ctx: CommandContext) -> None:
    ui = ctx.ui
    ui.notify("plain")
    ui.notify("careful", "warning")
    ui.notify("broken", "error")
    ui.set_widget("list", None)
    ui.set_widget("empty", [])
    ui.set_widget_component("made", made)
    ui.set_status("state", "")
    ui.set_title("")
    ui.set_editor_text("text")
    ui.paste_to_editor("pasted")
    ui.set_working_message("m")
    ui.set_working_visible(False)
    ui.set_working_indicator(["x"])
    ui.set_hidden_thinking_label("l")
    ui.set_footer(made)
    ui.set_header(made)
    ui.set_editor_component(made)
    ui.add_completion(made)
    ui.on_terminal_input(made)()
    ui.set_tools_expanded(True)


async def know(ctx: CommandContext) -> None:
    ui = ctx.ui
    custom = await ui.custom(made, overlay=True)
    refused = ui.set_theme("dark")
    known = [ctx.mode, ctx.has_ui, custom is None, ui.get_editor_text()]
    known += [ui.get_editor_component() is None, ui.tools_expanded, len(ui.themes())]
    say(ctx, "know", [*known, ui.get_theme("dark") is None, refused is None])


async def select(ctx: CommandContext) -> None:
    say(ctx, "select", await ctx.ui.select("Which?", ["a", "b", "ü\u2028"]))


async def none(ctx: CommandContext) -> None:
    say(ctx, "none", await ctx.ui.select("Of nothing", []))


async def confirm(ctx: CommandContext) -> None:
    say(ctx, "confirm", await ctx.ui.confirm("Sure?", "It goes."))


async def input_(ctx: CommandContext) -> None:
    say(ctx, "input", await ctx.ui.input("Name?", "type"))


async def bare(ctx: CommandContext) -> None:
    say(ctx, "bare", await ctx.ui.input("Name?"))


async def editor(ctx: CommandContext) -> None:
    say(ctx, "editor", await ctx.ui.editor("Text", "one\ntwo"))


async def blank(ctx: CommandContext) -> None:
    say(ctx, "blank", await ctx.ui.editor("Text"))


COMMANDS: list[Callable[[CommandContext], Awaitable[None]]] = [
    select, none, confirm, input_, bare, editor, blank, late, dismissed, two, tell, know
]  # fmt: skip


def extend(pi: Pi) -> None:
    @pi.on("session_start")
    def start(event: SessionStart, ctx: Context) -> None:
        ctx.ui.set_title(f"asking {event.reason}")
        ctx.ui.set_status("state", "ready")
        ctx.ui.set_widget("list", ["one", "two"])
        ctx.ui.set_widget("low", ["below"], "belowEditor")

    @pi.on("agent_start")
    def begin(event: AgentStart, ctx: Context) -> None:
        ctx.ui.set_status("state", "runs")

    @pi.on("agent_end")
    def end(event: AgentEnd, ctx: Context) -> None:
        ctx.ui.set_status("state", None)

    @pi.on("tool_call")
    async def call(event: ToolCall, ctx: Context) -> Block | None:
        answer = await ctx.ui.select(f"Run {event.tool_name}?", ["Yes", "No"])
        return None if answer == "Yes" else Block("not now")

    @pi.on("session_before_switch")
    async def leave(event: SessionBeforeSwitch, ctx: Context) -> Cancel | None:
        return None if await ctx.ui.confirm("Leave?", "All is kept.") else Cancel()

    for run in COMMANDS:
        register(pi, run)


def register(pi: Pi, run: Callable[[CommandContext], Awaitable[None]]) -> None:
    name = run.__name__.rstrip("_")

    @pi.command(name, name)
    async def command(args: str, ctx: CommandContext) -> None:
        await run(ctx)
