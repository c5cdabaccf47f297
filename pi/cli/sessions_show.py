"""One session read whole, for `pi sessions show`."""

from pathlib import Path

from pi.cli.sessions_output import Shown
from pi.session.history import History
from pi.session.index.catalog import listed
from pi.session.migrate import version_of
from pi.session.source import FileSource, MemorySource, Source
from pi.session.statistics import measure
from pi.session.store import damage_notice

__all__ = ["read_session"]


def read_session(path: Path) -> Shown:
    """Reads only: an old version is brought up to date in memory. Raises SessionError."""
    session = listed(path)
    source = FileSource(path)
    try:
        current: Source = source
        history = History(source)
        version = version_of(history.header)
        if version < 2:
            from pi.session.migrate import migrated_lines  # noqa: PLC0415  (files of old)

            current = MemorySource(b"".join(migrated_lines(source)))
            history = History(current)
        counted = measure(history)
        damage = history.damage()
        notices = () if damage is None else (damage_notice(str(path), damage),)
        return Shown(session, version, history.leaf, counted, notices)
    finally:
        source.close()
