"""Which session: the picker over the index, wherever it is opened from."""

import os
from pathlib import Path

from pi.config.paths import Paths
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.pickers.session_library import SessionLibrary, rename_session
from pi.modes.interactive.pickers.sessions import SessionPicker
from pi.runtime.host import Host

__all__ = ["pick_session"]


async def pick_session(desk: Desk, paths: Paths, host: Host | None = None) -> Path | None:
    """The file of the session that was chosen. host: has a session open already."""
    current = host.store.path if host is not None and host.store.saved else None

    def rename(path: Path, wanted: str) -> None:
        if host is not None and current is not None and _same(path, current):
            host.session.set_name(wanted)  # open here: nobody else may write to it
        else:
            rename_session(path, wanted)

    cwd = str(paths.cwd)
    return await desk.ask(
        SessionPicker,
        SessionLibrary(paths.session_index, paths.sessions, desk.stage.post),
        is_here=lambda session: session.summary.cwd == cwd,
        home=paths.home,
        current=current,
        rename=rename,
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
