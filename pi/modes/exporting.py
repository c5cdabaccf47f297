"""A page of the session that is open, with what its extensions draw."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pi.errors import SessionError
from pi.runtime.host import Host

if TYPE_CHECKING:
    from pi.session.export import Draw, Exported

__all__ = ["Keys", "export_session"]

Keys = Callable[[str], tuple[str, ...]]
"""The keys of an action, for extensions that name some in what they draw."""


async def export_session(
    host: Host, target: Path | None = None, keys: Keys = lambda action: ()
) -> "Exported":
    """Write the page; the branch that is open is shown first.

    target: pi-session-NAME.html in the folder unless given. Raises SessionError where there is
    nothing to export, or it cannot be written.
    """
    # Exports are rare, and bring a page's worth of code.
    from pi.session.export import default_name, export_file, export_page  # noqa: PLC0415

    store = host.store
    if store.leaf_id is None or (store.path is not None and not store.saved):
        raise SessionError("there is nothing to export yet", hint="Send a message first.")
    if target is None:
        target = host.paths.absolute(default_name(store.path or Path(store.id)))
    draw = _drawing(host, keys)
    if store.path is None:
        # Here and not in a thread: what is in memory may grow meanwhile.
        return export_page(store.history.source, target, leaf=store.leaf_id, draw=draw)
    return await asyncio.to_thread(export_file, store.path, target, draw, leaf=store.leaf_id)


def _drawing(host: Host, keys: Keys) -> "Draw | None":
    """What extensions draw in a page; None where there are none, or they draw nothing."""
    if host.additions is None:
        return None
    # With extensions only.
    from pi.modes.page_drawing import drawing_of_extensions  # noqa: PLC0415

    return drawing_of_extensions(host, keys)
