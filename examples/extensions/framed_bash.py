"""Draw bash in a frame of its own: with a sign that turns while it runs, and its last rows."""

import asyncio
from collections.abc import Callable
from typing import Any

from pi.extensions import Drawing, Pi, Rendering

SIGNS = "◐◓◑◒"
ROWS = 3


def extend(pi: Pi) -> None:
    @pi.tool_renderer
    def framed(name: str, following: Callable[[], Any]) -> Any:
        if name != "bash":
            return following()
        return Rendering(draw_call, draw_result, own_shell=True)


def draw_call(args: dict[str, Any], drawing: Drawing, theme: Any) -> list[str]:
    state = drawing.state
    if drawing.partial:
        turn = state.get("turn", 0)
        sign = theme.fg("warning", SIGNS[turn % len(SIGNS)])
        later(drawing)
    elif drawing.is_error:
        sign = theme.fg("error", "✗")
    else:
        sign = theme.fg("success", "✓")
    took = drawing.duration_ms
    time = "" if took is None or took < 1000 else theme.fg("dim", f"  {took / 1000:.1f} s")
    command = str(args.get("command", "…")).splitlines() or [""]
    more = theme.fg("dim", f"  and {len(command) - 1} more lines") if len(command) > 1 else ""
    return [f"╭─ {sign} {theme.bold(command[0])}{more}{time}", *([] if done(drawing) else ["╰─"])]


def draw_result(result: dict[str, Any], drawing: Drawing, theme: Any) -> list[str]:
    text = "".join(block.get("text", "") for block in result["content"]).strip("\n")
    lines = text.splitlines()
    shown = lines if drawing.expanded else lines[-ROWS:]
    hidden = len(lines) - len(shown)
    hint = drawing.key_hint("app.tools.expand", "for all of it")
    above = [theme.fg("dim", f"│ … {hidden} earlier lines ") + hint] if hidden else []
    rows = [*above, *(f"│ {theme.fg('toolOutput', line)}" for line in shown)]
    return [*rows, "╰─"] if done(drawing) else []


def done(drawing: Drawing) -> bool:
    return not drawing.partial


def later(drawing: Drawing) -> None:
    """Draw the call again in a moment; each time it is drawn asks for the next."""
    state = drawing.state
    if not drawing.execution_started or "timer" in state:
        return

    def again() -> None:
        del state["timer"]
        state["turn"] = state.get("turn", 0) + 1
        drawing.invalidate()

    state["timer"] = asyncio.get_running_loop().call_later(0.2, again)
