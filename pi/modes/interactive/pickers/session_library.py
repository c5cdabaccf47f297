"""The sessions on this machine, read and searched by a thread, so that no key waits for a disk."""

import logging
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pi.errors import PiError, SessionError
from pi.modes.interactive.pickers.session_query import SessionQuery
from pi.session.index.catalog import Hit, Listed, SessionIndex, listed
from pi.session.index.texts import query_of
from pi.session.store import SessionStore

__all__ = ["Found", "Listing", "SessionLibrary", "delete_session", "rename_session"]

log = logging.getLogger(__name__)

AT_ONCE = 40
"""Sessions that are read before the rest, where many have to be."""

TRASH_TIME = 15.0
"""Seconds a `trash` command may take."""


@dataclass(frozen=True, slots=True)
class Listing:
    """sessions: the last used first. complete: there are no others. notices: for the person."""

    sessions: list[Listed]
    complete: bool
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What texts were found in. hits: with an excerpt, best first; paths: without one."""

    query: str
    hits: Mapping[Path, Hit] = field(default_factory=dict)
    paths: frozenset[Path] = frozenset()
    problem: str = ""


class _Closed(Exception):
    """Ends indexing when nobody waits for it any more."""


class SessionLibrary:
    """file: the index. root: where the sessions are. post: has something called on the loop.

    Of several searches that wait, the last one counts. Close it: its thread ends soon after.
    """

    def __init__(self, file: Path, root: Path, post: Callable[[Callable[[], None]], None]) -> None:
        self._file = file
        self._root = root
        self._post = post
        self._jobs: queue.SimpleQueue[Callable[[SessionIndex], None] | None] = queue.SimpleQueue()
        self._closed = False
        self._search = 0
        self._thread = threading.Thread(target=self._work, name="pi-sessions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        self._jobs.put(None)

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended."""
        self._thread.join(timeout)

    def list(self, then: Callable[[Listing], None]) -> None:
        """Called once, or first with a part where much has to be read."""

        def job(index: SessionIndex) -> None:
            known: list[Listed] = []
            try:
                known, unread = index.peek(self._root)
                if len(unread) > AT_ONCE:
                    first = [one for path in unread[:AT_ONCE] if (one := _read(path)) is not None]
                    part = sorted([*first, *known], key=lambda one: -one.used)
                    self._give(lambda: then(Listing(part, False)))
                whole = Listing(index.sessions(self._root), True, index.notices)
            except PiError as error:
                whole = Listing(known, True, [str(error)])
            self._give(lambda: then(whole))

        self._jobs.put(job)

    def search(
        self,
        query: SessionQuery,
        then: Callable[[Found], None],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """In all that was said. An earlier search that was not begun is forgotten.

        progress: told the percentage of what has to be read before it can be searched.
        """
        self._search += 1
        number = self._search

        def read(done: int, total: int) -> None:
            if self._closed:
                raise _Closed
            if total:
                self._give(lambda: progress(100 * done // total))

        def job(index: SessionIndex) -> None:
            if number != self._search:
                return
            try:
                if query.pattern is not None:
                    paths = index.matching(self._root, query.pattern, read)
                    found = Found(query.text, paths=frozenset(paths))
                elif query_of(query.text):
                    hits = index.search(self._root, query.text, limit=None, progress=read)
                    found = Found(query.text, {hit.session.path: hit for hit in hits})
                else:
                    found = Found(query.text)
            except PiError as error:
                found = Found(query.text, problem=str(error))
            self._give(lambda: then(found))

        self._jobs.put(job)

    def run(self, work: Callable[[], str], then: Callable[[str, bool], None]) -> None:
        """Do something that takes its time; then(what came of it, whether it worked)."""

        def job(_: SessionIndex) -> None:
            try:
                text, worked = work(), True
            except PiError as error:
                text, worked = str(error), False
            self._give(lambda: then(text, worked))

        self._jobs.put(job)

    def _give(self, call: Callable[[], None]) -> None:
        if not self._closed:
            self._post(call)

    def _work(self) -> None:
        with SessionIndex(self._file) as index:
            while (job := self._jobs.get()) is not None and not self._closed:
                try:
                    job(index)
                except _Closed:
                    return
                except Exception:
                    log.exception("the session library fails")


def _read(path: Path) -> Listed | None:
    try:
        return listed(path)
    except SessionError:
        return None


def rename_session(path: Path, name: str) -> None:
    """Name a session that is not open here; an empty name takes it away. Raises SessionError."""
    with SessionStore.open(path) as store:
        store.append_session_info(name)


def delete_session(path: Path) -> str:
    """To the trash where there is a `trash` command, else for good; says which.

    Raises SessionError.
    """
    trash = shutil.which("trash")
    if trash is not None:
        # Where it fails, the file is still there: then as if there were no such command.
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                [trash, str(path.absolute())],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TRASH_TIME,
                check=True,
            )
        if not os.path.lexists(path):
            return "Moved to the trash."
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SessionError(f"cannot delete {path}: {error.strerror}") from error
    return "Deleted."
