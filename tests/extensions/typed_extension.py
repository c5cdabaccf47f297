"""An extension as somebody writes it who wants types checked; `make check` does."""

from collections.abc import Mapping
from typing import Any

from pi.extensions import (
    Context,
    Drawing,
    Pi,
    SessionStart,
    SessionTree,
    Theme,
    ToolContext,
    ToolResult,
)
from pi.extensions.ui import Box, Markdown, Rows, Text


def body(result: Mapping[str, Any], drawing: Drawing, theme: Theme) -> Box:
    return Box(drawing, Rows(Text("Listed"), Markdown(drawing, "**all**")), title="listing")


def extend(pi: Pi) -> None:
    @pi.on(SessionStart)
    @pi.on(SessionTree)
    def restore(event: SessionStart | SessionTree, ctx: Context) -> None:
        pi.append_entry("restored", {"by": event.name, "from": len(list(ctx.session.entries()))})

    @pi.tool(render_result=body)
    async def listing(path: str, *, call: ToolContext) -> ToolResult:
        """List a folder by another tool."""
        return await call.call_tool("ls", {"path": path})
