"""Commands that move within a session, or to another one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pi.agent.compaction import CompactionError
from pi.config.paths import find_paths
from pi.errors import PiError, SessionError
from pi.modes.interactive.app import App
from pi.modes.interactive.choosing import pick_session
from pi.modes.interactive.copying import copy_to_clipboard
from pi.modes.interactive.elsewhere import edited_outside
from pi.modes.interactive.lobby import Lobby
from pi.modes.interactive.pickers.dialogs import ConfirmDialog
from pi.modes.interactive.pickers.forks import ForkPicker
from pi.modes.interactive.pickers.tree import TreePicker
from pi.session.fork import fork_points
from pi.session.locate import started_in

__all__ = [
    "clone",
    "compact",
    "fork",
    "import_session",
    "name",
    "new",
    "open_path",
    "resume",
    "tree",
]


async def new(app: App, arguments: str) -> None:
    if await app.host.new_session():
        app.say("A new session.")


async def name(app: App, arguments: str) -> None:
    store = app.host.store
    if arguments:
        app.host.session.set_name(arguments)
        app.say(f"Named: {store.name}")
    elif store.name:
        app.say(f"This session is named: {store.name}")
    else:
        app.say("This session has no name. Give it one with /name <name>")


async def compact(app: App, arguments: str) -> None:
    # What kept it from coming about is told by its last event.
    with suppress(CompactionError):
        await app.host.compact(arguments or None)


async def clone(app: App, arguments: str) -> None:
    if await app.host.clone():
        app.say("You go on in a copy; the session before is as it was.")


async def fork(app: App, arguments: str) -> None:
    points = fork_points(app.host.store)
    if not points:
        raise SessionError("there is no message to fork before yet")
    entry_id = await app.ask(ForkPicker, points)
    if entry_id is None:
        return
    text = await app.host.fork(entry_id)
    if text is not None:
        # What was written meanwhile stays.
        app.editor.text = "\n\n".join(part for part in (text, app.editor.text) if part)
        app.say("A new session, with what came before that message.")


async def tree(app: App, arguments: str) -> None:
    """Go on from another entry, with a summary of what is left if that is wanted."""
    host = app.host
    settings = host.services.settings
    store = host.store
    if store.leaf_id is None:
        raise SessionError("there is nothing in this session yet")
    chosen = await app.ask(
        TreePicker,
        store,
        set_label=lambda entry_id, label: _label(app, entry_id, label),
        copy=lambda text: app.begin(copy_to_clipboard(app, text)),
        view=settings.tree_filter_mode,
        ask=not settings.branch_summary.skip_prompt,
        external=lambda text, then: app.begin(_edited(app, text, then)),
    )
    if chosen is None:
        return
    with app.working(
        "Summarising the branch" if chosen.summary else "Moving", hint="app.interrupt"
    ):
        moved = await host.session.navigate(
            chosen.entry_id, summarise=chosen.summary, instructions=chosen.instructions
        )
    if moved.cancelled:
        app.say("Stopped; everything is as it was.", "warning")
        return
    app.show_again()
    if moved.text is not None and app.editor.is_empty:
        app.editor.text = moved.text


async def _edited(app: App, text: str, then: Callable[[str | None], None]) -> None:
    then(await edited_outside(app, text))


def _label(app: App, entry_id: str, label: str | None) -> None:
    app.host.store.append_label(entry_id, label)


async def import_session(app: App, arguments: str) -> None:
    path = arguments.strip("\"'")
    if not path:
        raise PiError("/import needs the path of a session file")
    source = app.host.paths.absolute(path)
    if not source.is_file():
        raise SessionError(f"there is no file {source}")
    sure = await app.ask(
        ConfirmDialog, "Import a session", f"Leave this session for a copy of {source}?"
    )
    if sure:
        await app.host.import_session(source)


async def resume(app: App, arguments: str) -> None:
    path = await pick_session(app.desk, app.host.paths, app.host)
    if path is not None:
        await open_path(app, path)


async def open_path(app: App, path: Path) -> None:
    """Open a session; where its folder is gone, or not trusted yet, ask first."""
    host = app.host
    lobby = Lobby(app.desk, host.services.environment)
    options = await lobby.folder(host.services.options, host.paths, path)
    if options is None:
        return
    cwd = host.paths.cwd if options.stay else Path(started_in(path) or host.paths.cwd)
    options = await lobby.trust(options, find_paths(host.services.environment, cwd))
    host.services = replace(host.services, options=replace(options, stay=False))
    await host.switch(path, cwd=cwd)
