"""A footer and a header of your own: /footer and /header switch them on and off."""

from collections.abc import Callable
from typing import Any

from pi.extensions import CommandContext, Pi
from pi.extensions.ui import Part, cut, width


class Footer(Part):
    """What the session has cost, the model, the branch, and what other extensions say."""

    def __init__(self, ctx: CommandContext, theme: Any, data: Any) -> None:
        self.ctx, self.theme, self.data = ctx, theme, data

    def render(self, columns: int) -> list[str]:
        data = self.data
        left = f"↑{data.spent.input} ↓{data.spent.output} ${data.spent.cost:.3f}"
        left = " · ".join([left, *data.statuses.values()])
        branch = f" ({data.branch})" if data.branch else ""
        right = f"{data.model or 'no model'}{branch}"
        space = " " * max(1, columns - width(left) - width(right))
        return [self.theme.fg("dim", cut(left + space + right, columns))]


class Header(Part):
    def __init__(self, theme: Any) -> None:
        self.theme = theme

    def render(self, columns: int) -> list[str]:
        text = self.theme.style(" What shall we build today? ", fg="accent", bold=True)
        line = "═" * max(0, (columns - width(text)) // 2)
        return [
            "",
            cut(f"{self.theme.fg('border', line)}{text}{self.theme.fg('border', line)}", columns),
        ]


def extend(pi: Pi) -> None:
    on = {"footer": False, "header": False}

    def toggle(what: str, put: Callable[[Any], None], factory: Callable[..., Part]) -> None:
        on[what] = not on[what]
        put(factory if on[what] else None)

    @pi.command("footer", "Another footer, or the usual one")
    def footer(args: str, ctx: CommandContext) -> None:
        toggle(
            "footer",
            ctx.ui.set_footer,
            lambda screen, theme, keys, data: Footer(ctx, theme, data),
        )

    @pi.command("header", "Another header, or the usual one")
    def header(args: str, ctx: CommandContext) -> None:
        toggle("header", ctx.ui.set_header, lambda screen, theme, keys: Header(theme))
