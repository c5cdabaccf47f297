"""Tools by project: `.pi/tools.json` says which are on there, `{"on": ["grep"], "off": ["bash"]}`.

Only of a project that is trusted, and only in a session that begins: what was on in one that is
resumed stays.
"""

import json

from pi.extensions import Context, Pi, SessionStart


def extend(pi: Pi) -> None:
    @pi.on(SessionStart)
    def load(event: SessionStart, ctx: Context) -> None:
        file = ctx.project_dir / "tools.json"
        if pi.restored_tools or not ctx.project_trusted or not file.is_file():
            return
        chosen = json.loads(file.read_text())
        on, off = chosen.get("on", []), chosen.get("off", [])
        known = {tool["name"] for tool in pi.all_tools()}
        if unknown := [name for name in (*on, *off) if name not in known]:
            ctx.ui.notify(f"{file}: there is no {', '.join(unknown)}", "warning")
        pi.set_active_tools([name for name in (*pi.active_tools, *on) if name not in off])
