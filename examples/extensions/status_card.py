"""Cards in the conversation that stay with the session and that the model never sees.

`/status-card TEXT` puts one there. It is drawn again when the session is resumed, and in its page.
"""

import time
from typing import Any

from pi.extensions import Drawing, Pi


def extend(pi: Pi) -> None:
    @pi.command("status-card", "Put a card into the conversation")
    def put(text: str) -> None:
        pi.append_entry("status-card", {"text": text or "All is well", "at": time.time()})

    @pi.entry_renderer("status-card")
    def draw(entry: dict[str, Any], drawing: Drawing, theme: Any) -> list[str]:
        data = entry["data"]
        margin = " " * drawing.output_pad
        lines = ["", f"{theme.fg('accent', '[status]')} {data['text']}"]
        if drawing.expanded:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(data["at"]))
            lines.append(theme.fg("dim", f"put there on {when}"))
        else:
            lines[-1] += " " + drawing.key_hint("app.tools.expand", "for more")
        return [theme.bar("customMessageBg", margin + line, drawing.width) for line in [*lines, ""]]
