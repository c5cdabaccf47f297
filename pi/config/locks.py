"""Locks and writes that other programs on the same `~/.pi` respect.

The protocol is that of npm's proper-lockfile: holding FILE means owning the folder FILE.lock, whose
modification time is kept fresh; a folder not refreshed for a while belongs to a dead process and
may be taken over. Python's lock libraries speak other protocols.

Where the system has flock, a lock of pi's own is also known by its sticky bit, and held by a flock
that ends with the process: a dead owner is then known long before its lock is stale. The other
program sees a folder like any other.
"""

import contextlib
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl

from pi.config.documents import parse_document, read_regular
from pi.errors import ConfigError

__all__ = ["STALE_AFTER", "folder_lock", "update_file", "update_json", "write_atomically"]

STALE_AFTER = 30.0
"""Seconds without a refresh after which a lock counts as left behind."""

# The other side may give a lock up after as little as 10 s.
_REFRESH_EVERY = 3.0
_DEAD_AFTER = 2 * _REFRESH_EVERY + 1.0
"""Seconds without a refresh after which a flock that nobody holds tells that the owner has died.
Not at once: some file systems that machines share know of the locks of one machine only."""
_POLL = 0.05


@contextlib.contextmanager
def folder_lock(
    path: Path, *, wait: float = 35.0, stale: float = STALE_AFTER
) -> Iterator[Callable[[], bool]]:
    """Hold `path` against other programs; gives a function that says whether it still is held.

    wait, stale: seconds. Raises ConfigError when it stays taken.
    """
    folder = Path(f"{os.path.realpath(path)}.lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot lock {path}: {error.strerror or error}") from None
    _acquire(folder, path, wait, stale)
    mine = _Heartbeat(folder)
    mine.start()
    try:
        yield mine.held
    finally:
        mine.stop()


def update_json(
    path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], *, mode: int | None = 0o600
) -> dict[str, Any]:
    """Replace the object in `path` by what `change` makes of it, under its lock.

    Key order and unknown keys are the caller's to keep: `change` gets the whole object ({} when
    there is no file); when it gives that very object back, nothing is written. mode: of the new
    file, None for the old one's. Raises ConfigError, leaving the file as it was, when its present
    content cannot be understood.
    """
    result: dict[str, Any] = {}

    def edited(data: bytes) -> bytes | None:
        nonlocal result
        present = parse_document(data, path) or {}
        result = change(present)
        return None if result is present else _pretty(result)

    update_file(path, edited, mode=mode)
    return result


def update_file(
    path: Path, change: Callable[[bytes], bytes | None], *, mode: int | None = 0o600
) -> None:
    """Replace the bytes in `path` by what `change` makes of them, under its lock.

    change: gets b"" where there is no file; None writes nothing. A link is followed, not replaced.
    mode: as in write_atomically. Raises ConfigError, and what `change` raises; the file is then as
    it was.
    """
    target = Path(os.path.realpath(path))
    with folder_lock(path) as held:
        try:
            data = read_regular(target)
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
        changed = change(data)
        if changed is None:
            return
        if not held():
            raise ConfigError(f"{path} was locked by another program meanwhile; nothing written")
        write_atomically(target, changed, mode=mode)


def write_atomically(path: Path, data: bytes, *, mode: int | None = 0o600) -> None:
    """`path` holds either its old content or all of `data`, even after a crash.

    mode: None keeps the present one, or leaves a new file to the umask. Raises ConfigError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident():x}.tmp")
    if mode is None:
        with contextlib.suppress(OSError):
            mode = path.stat().st_mode & 0o777
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            handle = os.open(temporary, flags, 0o666 if mode is None else mode)
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from None


def _pretty(value: dict[str, Any]) -> bytes:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JavaScript writes as an escape
        return json.dumps(value, indent=2).encode()


def _acquire(folder: Path, path: Path, wait: float, stale: float) -> None:
    began = time.monotonic()
    seen, since = -1.0, began
    while True:
        try:
            folder.mkdir()
            return
        except FileExistsError:
            pass
        except OSError as error:
            raise ConfigError(f"cannot lock {path}: {error.strerror or error}") from None
        try:
            touched = folder.lstat().st_mtime
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigError(f"cannot lock {path}: {error.strerror or error}") from None
        now = time.monotonic()
        if touched != seen:
            seen, since = touched, now
        # The second way is for a clock that was set back: it makes the time of a dead lock a future
        # one, but nobody changes it.
        quiet = max(time.time() - touched, now - since)
        if quiet > stale:
            # Two waiters may get here, and the slower one remove the faster one's new lock: that
            # is why a holder looks once more before it writes.
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError as error:
                raise ConfigError(
                    f"cannot lock {path}: {folder} cannot be removed: {error.strerror or error}",
                    hint="If no pi is running, remove it.",
                ) from None
            continue
        if quiet > _DEAD_AFTER and _remove_if_dead(folder):
            continue
        if now - began >= wait:
            raise ConfigError(
                f"{path} is locked by another program",
                hint=f"If none is running, remove the folder {folder}.",
            )
        time.sleep(_POLL)


def _mark(folder: Path) -> int | None:
    """The descriptor of a flock on our new folder, which says that there is one; None for none."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | stat.S_ISVTX)
    except OSError:  # a file system without either
        os.close(descriptor)
        return None
    return descriptor


def _remove_if_dead(folder: Path) -> bool:
    """Remove the lock of a pi that has ended without doing so; whether that was done."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not status.st_mode & stat.S_ISVTX:
            return False  # the other program's
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who comes here has the lock of this very folder; it may be gone, and another in its place.
        if not os.path.samestat(status, folder.lstat()):
            return False
        folder.rmdir()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


class _Heartbeat:
    """Keeps a lock folder fresh, and removes it only while it is still ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._touching = threading.Lock()
        self._flock = _mark(folder)
        self._thread = threading.Thread(target=self._beat, name="pi-lock", daemon=True)
        self._stamp = self._mtime()

    def start(self) -> None:
        self._thread.start()

    def held(self) -> bool:
        with self._touching:
            return self._stamp is not None and self._mtime() == self._stamp

    def stop(self) -> None:
        self._done.set()
        self._thread.join()
        if self.held():
            with contextlib.suppress(OSError):
                self._folder.rmdir()
        if self._flock is not None:
            os.close(self._flock)

    def _beat(self) -> None:
        while not self._done.wait(_REFRESH_EVERY):
            if not self.held():
                return  # taken over: we were stopped for too long, and it is another's now
            with self._touching, contextlib.suppress(OSError):
                os.utime(self._folder)
                self._stamp = self._mtime()

    def _mtime(self) -> int | None:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return None
