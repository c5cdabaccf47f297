"""Show what pi's own tools are called with, and their output only when it is asked for.

Ctrl+O shows all of it, as ever; `/minimal` switches this off and on.
"""

from collections.abc import Callable
from typing import Any

from pi.extensions import CommandContext, Drawing, Pi, Rendering

COUNTED = {"grep": "lines", "find": "files", "ls": "entries"}
QUIET = ("read", "bash", "edit", "write", *COUNTED)


def extend(pi: Pi) -> None:
    on = True

    @pi.command("minimal", "Show less of tools, or as much as usual")
    def switch(arguments: str, ctx: CommandContext) -> None:
        nonlocal on
        on = not on
        ctx.ui.redraw()
        ctx.ui.notify(f"Minimal mode is {'on' if on else 'off'}")

    @pi.tool_renderer
    def minimal(name: str, following: Callable[[], Rendering | None]) -> Rendering | None:
        usual = following()
        if not on or name not in QUIET or usual is None or usual.render_result is None:
            return usual
        whole = usual.render_result

        def result(result: dict[str, Any], drawing: Drawing, theme: Any) -> Any:
            if drawing.expanded or drawing.is_error:
                return whole(result, drawing, theme)
            if name in COUNTED and not drawing.partial:
                text = "".join(block.get("text", "") for block in result["content"])
                count = len([line for line in text.splitlines() if line.strip()])
                return theme.fg("muted", f"→ {count} {COUNTED[name]}")
            return None

        return Rendering(usual.render_call, result)
