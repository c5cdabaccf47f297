"""A session copied into a new file, which says where it came from."""

import os
from pathlib import Path

from pi.errors import SessionError
from pi.session.journal import Journal
from pi.session.migrate import migrated_lines, version_of
from pi.session.reader import SPACE, lines_forward, read_header, skim
from pi.session.source import FileSource, MemorySource, Source
from pi.session.store import SessionStore, new_header, session_file_name
from pi.wire.entries import SESSION_VERSION
from pi.wire.jsonio import dump_line

__all__ = ["fork_session"]

BATCH = 1 << 20


def fork_session(path: Path, cwd: str, folder: Path, *, id: str | None = None) -> SessionStore:
    """Copy every entry of a session, all branches, into a new one in `folder`, and open that.

    Lines are copied as they are, ids included; damaged ones are left behind. The source is only
    read, and may be open elsewhere. Raises SessionError, and leaves no file, when that fails.
    """
    original = FileSource(path)
    try:
        header, _ = read_header(original)
        source: Source = original
        if version_of(header) < SESSION_VERSION:
            source = MemorySource(b"".join(migrated_lines(original)))
        fresh = new_header(cwd, session_id=id, parent=os.path.abspath(path))
        target = folder / session_file_name(fresh)
        half = target.with_name(f".{target.name}.{os.getpid()}.new")
        journal = Journal.create(half, dump_line(fresh))
        try:
            _copy(source, journal)
            journal.close()
            os.replace(half, target)
        except BaseException as error:
            journal.close()
            half.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise SessionError(f"cannot write session {target}: {error.strerror}") from error
            raise
    finally:
        original.close()
    return SessionStore.open(target)


def _copy(source: Source, journal: Journal) -> None:
    batch: list[bytes] = []
    size = 0
    for _, line in lines_forward(source, 0, source.size):
        if skim(line) is None:
            continue
        batch += (line.strip(SPACE), b"\n")
        size += len(line)
        if size >= BATCH:
            journal.append(b"".join(batch))
            batch.clear()
            size = 0
    if batch:
        journal.append(b"".join(batch))
