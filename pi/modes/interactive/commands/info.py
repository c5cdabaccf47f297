"""Commands that show something, and the one that leaves."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pi.errors import PiError
from pi.modes.interactive.app import App
from pi.modes.interactive.cache_notices import cache_section
from pi.modes.interactive.cells import plain
from pi.modes.interactive.pickers.screens import (
    ChangelogScreen,
    HotkeysScreen,
    Section,
    SessionInfoScreen,
)
from pi.resources.changelog import read_changelog, sections
from pi.resources.system_prompt import changelog_file
from pi.wire.jsonio import dump_line

if TYPE_CHECKING:
    from pi.session.statistics import Spent

__all__ = ["changelog", "debug", "hotkeys", "leave", "session"]


async def changelog(app: App, arguments: str) -> None:
    file = changelog_file()
    if file is None:
        raise PiError("this installation has no changelog")
    text = await asyncio.to_thread(read_changelog, file)
    # The end is what one sees of it.
    newest_last = "\n\n".join(section.text for section in reversed(sections(text)))
    app.show(ChangelogScreen(app.transcript.look, newest_last))


async def hotkeys(app: App, arguments: str) -> None:
    app.show(HotkeysScreen(app.theme, app.keymap))


async def session(app: App, arguments: str) -> None:
    # In this thread: the session is not for others, and nobody waits long for it.
    host = app.host
    model = "" if host.model is None else host.model.reference
    from pi.session.statistics import measure  # noqa: PLC0415  (for those who ask)

    counted = measure(host.store.history)
    app.show(
        SessionInfoScreen(
            app.theme,
            host.session.statistics(counted),
            name=host.store.name,
            model=model,
            more=[cache_section(host), *_by_model(counted.spent, model)],
        )
    )


def _by_model(spent: Mapping[str, "Spent"], selected: str) -> list[Section]:
    """Who was paid, unless it was the selected model alone."""
    if not any(each.cost for each in spent.values()) or set(spent) == {selected}:
        return []
    rows = [
        (named or "Tools, summaries", f"${each.cost:,.4f}, {each.tokens:,} tokens")
        for named, each in sorted(spent.items(), key=lambda item: -item[1].cost)
    ]
    return [("Cost by model", rows)]


async def debug(app: App, arguments: str) -> None:
    """Everything one needs to see why a screen looks as it does. It may hold secrets."""
    columns, rows = app.desk.screen.size
    frame = app.frame()
    lines = [f"pi debug log, {columns} × {rows} cells", ""]
    for component in (*frame.transcript, *frame.bottom):
        lines += (plain(row) for row in component.render(columns))
    text = "\n".join([*lines, "", "Messages:", ""]).encode("utf-8", "replace")
    messages = [dump_line(message) for message in app.host.session.transcript.messages]
    path = app.host.paths.agent / "pi-debug.log"
    await asyncio.to_thread(_write_private, path, b"".join((text, *messages)))
    app.say(f"Wrote {path}. Read it before you send it on.")


def _write_private(path: Path, data: bytes) -> None:
    """What was said to a model is nobody else's to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


async def leave(app: App, arguments: str) -> None:
    app.quit()
