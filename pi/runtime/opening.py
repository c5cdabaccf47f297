"""From the session options to the session a run writes to."""

from pathlib import Path
from typing import NamedTuple

from pi.config.paths import Paths
from pi.errors import SessionError
from pi.runtime.options import RunOptions
from pi.session.fork import fork_session
from pi.session.locate import (
    find_by_id,
    find_session,
    most_recent,
    require_cwd,
    session_folder,
)
from pi.session.store import SessionStore

__all__ = ["Opened", "open_session"]


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
    path: Path | None = None
    if options.session is not None:
        found = find_session(options.session, cwd, folder, root)
        if found.elsewhere is not None:
            raise SessionError(
                f"session {options.session} belongs to another folder: {found.elsewhere}",
                hint="Run pi there, or copy the session into this folder with --fork.",
            )
        path = found.path
    elif options.continue_latest:
        path = most_recent(folder, only_here)
    elif options.session_id is not None:
        path = find_by_id(folder, options.session_id, only_here)
    if path is None:
        warnings = []
        if options.session_id is not None:
            # A mistyped id would otherwise look like a session that lost everything.
            warnings.append(f"this folder has no session {options.session_id!r}; a new one begins")
        store = SessionStore.create(cwd, folder, id=options.session_id)
        return Opened(store, paths.cwd, False, tuple(warnings))
    store = SessionStore.open(path, cwd=cwd)
    try:
        home = require_cwd(store.cwd, path) if store.cwd else paths.cwd
    except SessionError:
        store.close()
        raise
    return Opened(store, home, store.leaf_id is not None)
