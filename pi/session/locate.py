"""Where sessions are, and which one a person means.

The files of a folder somebody works in lie together in one folder whose name is made of its path.
Finding one reads headers only, never a transcript, and takes no lock.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pi.errors import SessionError
from pi.session.reader import decode, lines_backward, read_header
from pi.session.source import FileSource

__all__ = [
    "Found",
    "SessionFile",
    "find_by_id",
    "find_session",
    "is_path",
    "list_sessions",
    "most_recent",
    "require_cwd",
    "session_folder",
    "started_in",
]


class SessionFile(NamedTuple):
    """A session as its header tells it. modified: the file's time, Unix seconds."""

    path: Path
    id: str
    cwd: str
    created: str
    modified: float
    parent: str | None = None


class Found(NamedTuple):
    """elsewhere: the folder it was started in when that is another project, else None."""

    path: Path
    elsewhere: str | None = None


def session_folder(root: Path, cwd: str) -> Path:
    """The folder below `root` for sessions of `cwd`: /a/b becomes --a-b--."""
    inner = cwd[1:] if cwd[:1] in ("/", "\\") else cwd
    for separator in "/\\:":
        inner = inner.replace(separator, "-")
    return root / f"--{inner}--"


def is_path(text: str) -> bool:
    """Whether what a person gave names a file rather than an id."""
    return "/" in text or "\\" in text or text.endswith(".jsonl")


def list_sessions(folder: Path, cwd: str | None = None) -> Iterator[SessionFile]:
    """Every readable session of a folder, in no order; with `cwd` only those started there.

    What is no session is passed over; so is what vanishes meanwhile.
    """
    try:
        paths = [Path(item.path) for item in os.scandir(folder) if item.name.endswith(".jsonl")]
    except OSError:
        return
    for path in paths:
        session = _read(path)
        if session is not None and (cwd is None or session.cwd == cwd):
            yield session


def most_recent(folder: Path, cwd: str | None = None) -> Path | None:
    """The session written to last, for --continue.

    cwd: give it when `folder` holds sessions of several projects.
    """
    try:
        items = [
            (item.stat().st_mtime_ns, item.name)
            for item in os.scandir(folder)
            if item.name.endswith(".jsonl")
        ]
    except OSError:
        return None
    for _, name in sorted(items, reverse=True):
        session = _read(folder / name)
        if session is not None and (cwd is None or session.cwd == cwd):
            return session.path
    return None


def find_by_id(folder: Path, session_id: str, cwd: str | None = None) -> Path | None:
    """The session with exactly this id, for --session-id. cwd: as for most_recent."""
    for session in _candidates(folder, session_id):
        if session.id == session_id and cwd in (None, session.cwd):
            return session.path
    return None


def find_session(text: str, cwd: str, folder: Path, root: Path | None) -> Found:
    """The session that a path, an id, or the beginning of an id means.

    folder: where the sessions of `cwd` are. root: the folder of all project folders, searched
    next; None when `folder` holds all there is. Of several the one last talked in is taken.
    Raises SessionError when there is none. A path need not exist.
    """
    if is_path(text):
        path = Path(os.path.expanduser(text))
        return Found(path if path.is_absolute() else Path(cwd) / path)
    near = _candidates(folder, text)
    if root is None:
        far = [session for session in near if session.cwd != cwd]
        near = [session for session in near if session.cwd == cwd]
    else:
        far = []
    if session := _pick(near, text):
        return Found(session.path)
    for other in _folders(root) if root is not None else ():
        if other != folder:
            far += _candidates(other, text)
    if session := _pick(far, text):
        return Found(session.path, session.cwd)
    raise SessionError(
        f"no session matches {text!r}", hint="Give a path, or an id or the beginning of one."
    )


def started_in(path: Path) -> str | None:
    """The folder that the session in a file says it was started in; None where none is told."""
    session = _read(path)
    return None if session is None else session.cwd or None


def require_cwd(cwd: str, path: Path) -> Path:
    """The folder a session runs in. Raises SessionError when it is gone."""
    folder = Path(cwd)
    if not folder.is_dir():
        raise SessionError(
            f"the folder {cwd} that session {path} was started in does not exist",
            hint="Fork the session into this folder with --fork, or make the folder again.",
        )
    return folder


def _read(path: Path) -> SessionFile | None:
    try:
        source = FileSource(path)
    except SessionError:
        return None
    try:
        header, _ = read_header(source)
        modified = path.stat().st_mtime
    except (SessionError, OSError):
        return None
    finally:
        source.close()
    parent = header.get("parentSession")
    cwd, created = header.get("cwd"), header.get("timestamp")
    return SessionFile(
        path=path,
        id=header["id"],
        cwd=cwd if isinstance(cwd, str) else "",
        created=created if isinstance(created, str) else "",
        modified=modified,
        parent=parent if isinstance(parent, str) else None,
    )


def _candidates(folder: Path, prefix: str) -> list[SessionFile]:
    """Sessions whose id begins with `prefix`; by file name where those say so, else by header."""
    try:
        names = [item.name for item in os.scandir(folder) if item.name.endswith(".jsonl")]
    except OSError:
        return []
    named = [name for name in names if name.partition("_")[2].startswith(prefix)]
    for chosen in (named, names):
        found = [
            session
            for name in chosen
            if (session := _read(folder / name)) is not None and session.id.startswith(prefix)
        ]
        if found:
            return found
    return []


def _folders(root: Path) -> list[Path]:
    try:
        return [Path(item.path) for item in os.scandir(root) if item.is_dir()]
    except OSError:
        return []


def _pick(sessions: list[SessionFile], text: str) -> SessionFile | None:
    """The one whose id is `text`, else the one with the latest message."""
    if len(sessions) < 2:
        return sessions[0] if sessions else None
    return max(sessions, key=lambda session: (session.id == text, _last_talked(session)))


def _last_talked(session: SessionFile) -> str:
    """Timestamp of the last message entry; of the header where there is none."""
    try:
        source = FileSource(session.path)
    except SessionError:
        return session.created
    try:
        for _, line in lines_backward(source, source.size):
            entry = decode(line) if b'"message"' in line else None
            message = None if entry is None else entry.get("message")
            if (
                entry is not None
                and isinstance(message, dict)
                and message.get("role") in ("user", "assistant")
                and isinstance(entry.get("timestamp"), str)
            ):
                return str(entry["timestamp"])
    finally:
        source.close()
    return session.created
