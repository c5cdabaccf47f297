"""Which session files there are, told by one stat each."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Stamp", "Survey", "survey"]

_SIGNED = (1 << 63) - 1
"""SQLite keeps 64 bits with a sign; some file systems number files with all 64."""


class Stamp(NamedTuple):
    """By which a file that has not changed is known. mtime: nanoseconds."""

    size: int
    mtime: int
    inode: int


@dataclass(frozen=True, slots=True)
class Survey:
    """files: by path, as the system spells it. unread: folders nobody could look into, and why."""

    root: bytes
    files: dict[bytes, Stamp]
    unread: dict[bytes, str]

    def covers(self, path: bytes) -> bool:
        """Whether a file that is not in `files` is known to be gone."""
        folder = os.path.dirname(path)
        return (folder == self.root or os.path.dirname(folder) == self.root) and not (
            folder in self.unread or self.root in self.unread
        )


def survey(root: Path) -> Survey:
    """The sessions in `root` and in the folders directly below it. A missing root holds none."""
    start = os.fsencode(os.path.abspath(root))
    found = Survey(start, {}, {})
    for folder in _scan(start, found):
        _scan(folder, found)
    return found


def _scan(folder: bytes, found: Survey) -> list[bytes]:
    """Note the session files of a folder; the folders in it."""
    below: list[bytes] = []
    try:
        with os.scandir(folder) as items:
            for item in items:
                try:
                    if item.name.endswith(b".jsonl"):
                        seen = item.stat()
                        stamp = Stamp(seen.st_size, seen.st_mtime_ns, seen.st_ino & _SIGNED)
                        found.files[item.path] = stamp
                    elif item.is_dir():
                        below.append(item.path)
                except FileNotFoundError:
                    pass  # deleted meanwhile, or a link to nowhere
                except OSError as error:
                    found.unread[item.path] = error.strerror or str(error)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        found.unread[folder] = error.strerror or str(error)
    return below
