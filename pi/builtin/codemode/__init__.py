"""The tool `codemode`: a script in JavaScript that calls the other tools.

Source: docs/codemode.md.
"""

from importlib.util import find_spec
from typing import Any

from pi.builtin.codemode.texts import DESCRIPTION, GRAMMAR, GUIDELINE, SNIPPET
from pi.extensions import Context, Drawing, Loadout, LoadoutChange, Pi, ToolContext, ToolResult

__all__ = ["extend"]

NAME = "codemode"


def extend(pi: Pi) -> None:
    def prepare(loadout: Loadout) -> LoadoutChange:
        from pi.builtin.codemode.presenting import present  # noqa: PLC0415  (while it is on)

        settings = pi.settings.codemode
        return present(loadout, DESCRIPTION, settings.mode, settings.inline_budget)

    def draw_call(args: Any, drawing: Drawing, theme: Any) -> list[str]:
        from pi.builtin.codemode.drawing import draw_script  # noqa: PLC0415  (on a terminal)

        return draw_script(args, drawing, theme)

    def draw_body(result: Any, drawing: Drawing, theme: Any) -> list[str]:
        from pi.builtin.codemode.drawing import draw_result  # noqa: PLC0415  (on a terminal)

        return draw_result(result, drawing, theme)

    @pi.tool(
        name=NAME,
        label="Codemode",
        description=DESCRIPTION,
        parameters={
            "type": "object",
            "required": ["code"],
            "properties": {"code": {"type": "string", "description": "The script itself"}},
        },
        sampling={"type": "grammar", "variants": {"openai_lark": GRAMMAR}},
        snippet=SNIPPET,
        guidelines=[GUIDELINE],
        active=False,
        exposure="model-only",
        # Whoever switches it on for the tools it reaches is not to, where it cannot run.
        reaches_tools=_reached if find_spec("_quickjs") is not None else None,
        prepare_loadout=prepare,
        render_call=draw_call,
        render_result=draw_body,
    )
    async def codemode(args: dict[str, Any], ctx: Context, call: ToolContext) -> ToolResult:
        from pi.builtin.codemode.running import run_script  # noqa: PLC0415  (when one runs)

        return await run_script(pi, ctx, call, args["code"])


def _reached(arguments: Any) -> Any:
    """Which tools a script may call, told by its words."""
    import re  # noqa: PLC0415  (for a call only)

    code = arguments.get("code") if isinstance(arguments, dict) else None
    words = re.findall(r"[\w$-]+", code) if isinstance(code, str) else []
    lists = {"ALL_TOOLS", "searchTools", "describeTool", "describeNamespace"}
    if lists & set(words) or re.search(r"\btools\s*(\[|[^\s.\[\w$])", code or ""):
        return "all"
    return list(dict.fromkeys(words))
