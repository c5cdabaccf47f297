"""Commands that take the conversation elsewhere: to the clipboard, a file, a gist."""

import asyncio
from pathlib import Path

from pi.errors import PiError, SessionError
from pi.modes.exporting import export_session
from pi.modes.interactive.app import App
from pi.modes.interactive.copying import copy_to_clipboard
from pi.session.store import SessionStore
from pi.wire.messages import text_of

__all__ = ["copy", "export", "last_answer", "share"]


async def copy(app: App, arguments: str) -> None:
    text = last_answer(app)
    if text is None:
        raise PiError("there is no answer to copy yet")
    await copy_to_clipboard(app, text, "the last answer")


def last_answer(app: App) -> str | None:
    """The text of the newest answer that has any."""
    for message in reversed(app.host.session.transcript.messages):
        if message["role"] == "assistant" and (text := text_of(message["content"]).strip()):
            return text
    return None


async def export(app: App, arguments: str) -> None:
    wanted = arguments.strip("\"'")
    target = app.host.paths.absolute(wanted) if wanted else None
    if target is not None and target.suffix == ".jsonl":
        from pi.session.copy import write_copy  # noqa: PLC0415  (written rarely)

        path = _saved(app.host.store)
        await asyncio.to_thread(write_copy, path, target, replace=True)
    else:
        done = await export_session(app.host, target, app.keymap.keys_of)
        target = done.path
        if done.damaged:
            app.say(f"{done.damaged} damaged lines are not in the page.", "warning")
    app.say(f"Exported to {target}")


async def share(app: App, arguments: str) -> None:
    from pi.modes.interactive.sharing import share as make_gist  # noqa: PLC0415  (as above)

    if app.host.services.settings.session_share_destination == "radius":
        # Who wants it there and nowhere else must not find it on GitHub.
        raise PiError(
            "sharing through Radius is not there yet",
            hint='Set sessionShareDestination to "gist" to share through GitHub.',
        )
    with app.working("Making a gist"):
        address = await make_gist(app.host, app.keymap.keys_of)
    app.say(f"Shared as {address}")


def _saved(store: SessionStore) -> Path:
    """The session's file. Raises SessionError where there is none."""
    if store.path is None or not store.saved:
        raise SessionError("there is no session file yet", hint="Say something first.")
    return store.path
