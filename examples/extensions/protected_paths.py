"""Keep the model from writing to some paths; reading them stays possible.

Patterns are fnmatch patterns of paths from the project's folder. A project adds its own, one a
line, in `.pi/protected`, once it is trusted.
"""

from fnmatch import fnmatch
from pathlib import Path

from pi.extensions import Block, Context, Pi, ToolCall

PROTECTED = (".env", ".env.*", "*/.env", ".git/*", "node_modules/*", "*/node_modules/*")


def patterns(ctx: Context) -> list[str]:
    file = ctx.project_dir / "protected"
    if not ctx.project_trusted or not file.is_file():
        return list(PROTECTED)
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [*PROTECTED, *(line for line in lines if line and not line.startswith("#"))]


def extend(pi: Pi) -> None:
    @pi.on("tool_call")
    def protect(event: ToolCall, ctx: Context) -> Block | None:
        if event.tool_name not in ("write", "edit"):
            return None
        # Resolved, so that neither `..` nor a link leads around it.
        target = (ctx.cwd / Path(event.input["path"].removeprefix("@")).expanduser()).resolve()
        try:
            shown = target.relative_to(ctx.cwd.resolve()).as_posix()
        except ValueError:
            return None  # outside of the project: not this extension's matter
        for pattern in patterns(ctx):
            if fnmatch(shown, pattern):
                if ctx.has_ui:
                    ctx.ui.notify(f"Kept from changing {shown}", "warning")
                return Block(f"{shown} is protected ({pattern}). Do not try to change it.")
        return None
