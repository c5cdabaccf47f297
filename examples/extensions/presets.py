"""Model, thinking, tools and advice by one name: `/preset review`, or `pi --preset review`.

`presets.json` in ~/.pi/agent, and in .pi of a trusted project, which goes over it:

    {"review": {"model": "anthropic/claude-opus-5-5", "thinking": "high",
                "tools": ["read", "grep", "find", "ls"], "advice": "Find faults. Change nothing."}}

What a preset does not name stays as it is. The choice is kept with the session.
"""

import json
from pathlib import Path
from typing import Any

from pi.extensions import BeforeAgentStart, CommandContext, Context, Pi, Start

ENTRY = "preset"


def read(folder: Path) -> dict[str, Any]:
    path = folder / "presets.json"
    return json.loads(path.read_text()) if path.exists() else {}


def extend(pi: Pi) -> None:
    wanted = pi.flag("preset", "Begin with this preset", kind="string")
    chosen: dict[str, Any] = {}
    usual: list[str] = []

    def presets(ctx: Context) -> dict[str, Any]:
        project = read(ctx.project_dir) if ctx.project_trusted else {}
        return {**read(ctx.agent_dir), **project}

    def use(name: str, ctx: Context) -> bool:
        """Switch to it; False, with a notice, where that cannot be done whole."""
        preset = presets(ctx).get(name)
        if preset is None:
            ctx.ui.notify(f"There is no preset {name!r}", "error")
            return False
        if "model" in preset:
            model = ctx.models.find(preset["model"])
            if model is None or not pi.set_model(model):
                ctx.ui.notify(f"{preset['model']} cannot be used", "error")
                return False
        if "thinking" in preset:
            pi.set_thinking_level(preset["thinking"])
        pi.set_active_tools(preset.get("tools", usual))
        chosen.clear()
        chosen.update(preset)
        ctx.ui.set_status("preset", f"preset {name}")
        return True

    def keep(name: str) -> None:
        pi.append_entry(ENTRY, {"name": name, "usual": usual})

    @pi.on("session_start")
    def start(event: Any, ctx: Context) -> None:
        kept = ctx.session.kept(ENTRY)
        # The session may go on with the tools of a preset.
        usual[:] = kept[0]["usual"] if kept else pi.active_tools
        name = wanted() or (kept[-1]["name"] if kept else None)
        if name and use(str(name), ctx) and (not kept or kept[-1]["name"] != name):
            keep(str(name))

    @pi.on("before_agent_start")
    def advise(event: BeforeAgentStart) -> Start | None:
        advice = chosen.get("advice")
        return Start(system_prompt=f"{event.system_prompt}\n\n{advice}") if advice else None

    @pi.command("preset", "Switch to a preset")
    async def preset(name: str, ctx: CommandContext) -> None:
        names = sorted(presets(ctx))
        if not names:
            ctx.ui.notify("There are no presets yet: see the head of presets.py", "warning")
            return
        if not name:
            answer = await ctx.ui.select("Which preset?", names)
            if answer is None:
                return
            name = answer
        if use(name, ctx):
            keep(name)
