"""Put the output of commands into a prompt: `What changed in !{git log -1 --stat}?`"""

import re

from pi.extensions import Context, InputEvent, Pi, Transform, tail

COMMAND = re.compile(r"!\{([^{}]+)\}")


def extend(pi: Pi) -> None:
    @pi.on("input")
    async def expand(event: InputEvent, ctx: Context) -> Transform | None:
        parts: list[str] = []
        end = 0
        for found in COMMAND.finditer(event.text):
            done = await pi.exec("bash", "-c", found[1], seconds=30)
            if not done.ok and ctx.has_ui:
                ctx.ui.notify(f"{found[1]} ended with {done.code}", "warning")
            parts += [event.text[end : found.start()], tail(done.stdout).content.rstrip()]
            end = found.end()
        return Transform("".join(parts) + event.text[end:]) if parts else None
