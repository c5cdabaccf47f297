"""From the session options to the session a run writes to."""

from pathlib import Path
from typing import NamedTuple

from pi.config.paths import Paths
from pi.errors import SessionError
from pi.models.selection import Selection
from pi.runtime.options import RunOptions
from pi.session.context import SessionContext
from pi.session.fork import fork_session
from pi.session.locate import (
    Found,
    find_by_id,
    find_session,
    most_recent,
    require_cwd,
    session_folder,
)
from pi.session.store import SessionStore

__all__ = ["FirstEntries", "Opened", "find_named", "open_session"]


class Opened(NamedTuple):
    """cwd: the folder to work in, the session's own. resumed: there was a conversation before."""

    store: SessionStore
    cwd: Path
    resumed: bool
    warnings: tuple[str, ...] = ()


def open_session(options: RunOptions, paths: Paths, chosen: Path | None) -> Opened:
    """Find, fork, open or begin the session. chosen: the storage folder somebody named, if any.

    Raises SessionError.
    """
    cwd = str(paths.cwd)
    root = paths.sessions if chosen is None else None
    folder = session_folder(paths.sessions, cwd) if chosen is None else chosen
    only_here = None if chosen is None else cwd
    if options.no_session:
        return Opened(SessionStore.in_memory(cwd, id=options.session_id), paths.cwd, False)
    if options.fork is not None:
        found = find_session(options.fork, cwd, folder, root)
        if not found.path.exists():
            raise SessionError(f"cannot fork {found.path}: there is no such file")
        if options.session_id and find_by_id(folder, options.session_id, only_here):
            raise SessionError(f"there is a session with the id {options.session_id} already")
        store = fork_session(found.path, cwd, folder, id=options.session_id)
        return Opened(store, paths.cwd, True)
    named = find_named(options, paths, chosen)
    if named is not None and named.elsewhere is not None:
        raise SessionError(
            f"session {options.session} belongs to another folder: {named.elsewhere}",
            hint="Run pi there, or copy the session into this folder with --fork.",
        )
    path = None if named is None else named.path
    if path is None:
        warnings = []
        if options.session_id is not None:
            # A mistyped id would otherwise look like a session that lost everything.
            warnings.append(f"this folder has no session {options.session_id!r}; a new one begins")
        store = SessionStore.create(cwd, folder, id=options.session_id)
        return Opened(store, paths.cwd, False, tuple(warnings))
    store = SessionStore.open(path, cwd=cwd)
    try:
        home = paths.cwd
        if store.cwd and not (options.stay and not Path(store.cwd).is_dir()):
            home = require_cwd(store.cwd, path)
    except SessionError:
        store.close()
        raise
    return Opened(store, home, store.leaf_id is not None)


def find_named(options: RunOptions, paths: Paths, chosen: Path | None) -> Found | None:
    """The file of the session that is to be gone on with; None for a new one.

    Raises SessionError where --session names none.
    """
    cwd = str(paths.cwd)
    folder = session_folder(paths.sessions, cwd) if chosen is None else chosen
    only_here = None if chosen is None else cwd
    if options.no_session or options.fork is not None:
        return None
    if options.session is not None:
        root = paths.sessions if chosen is None else None
        return find_session(options.session, cwd, folder, root)
    path: Path | None = None
    if options.continue_latest:
        path = most_recent(folder, only_here)
    elif options.session_id is not None:
        path = find_by_id(folder, options.session_id, only_here)
    return None if path is None else Found(path)


class FirstEntries:
    """The entries before the first message: name, model, thinking level.

    A resumed session is not written to before something happens in it. level_asked: whether the
    level was, rather than come from settings.
    """

    def __init__(
        self, opened: Opened, context: SessionContext, chosen: Selection, level_asked: bool
    ) -> None:
        self._opened = opened
        self._context = context
        self._chosen = chosen
        self._level_asked = level_asked
        self._written = False

    def write(self, name: str | None) -> bool:
        """Write them, if they are not yet; whether they were not. name: of the session."""
        if self._written:
            return False
        store, chosen = self._opened.store, self._chosen
        if name is not None:
            store.append_session_info(name)
        before = self._context.thinking_level
        if not self._opened.resumed:
            if chosen.model is not None:  # else told when one is chosen
                store.append_model_change(chosen.model.provider, chosen.model.id)
            store.append_thinking_level(chosen.thinking)
        elif before is None or (self._level_asked and chosen.thinking != before):
            store.append_thinking_level(chosen.thinking)
        self._written = True
        return True
