"""The pure twin of walk.pyx: walks a tree in order, never entering what is ignored."""

import os
import threading
from collections.abc import Iterator

from pi._speedups._automaton import Automaton
from pi._speedups._ignore import Rules
from pi._speedups.pattern.places import levels_above, read_exclude, read_rules
from pi._speedups.pattern.program import Program

__all__ = ["Walker"]

_FILE, _FOLDER, _LINK, _OTHER = range(1, 5)
_MOST_ERRORS = 1000


class _Level:
    """One folder's rules; its path is the first `base` bytes of what is below it."""

    __slots__ = ("base", "exclude", "git", "ignore", "repository")

    def __init__(
        self, base: int, ignore: bytes, git: bytes, exclude: bytes, repository: bool
    ) -> None:
        self.base = base
        self.ignore = Rules(ignore) if ignore else None
        self.git = Rules(git) if git else None
        self.exclude = Rules(exclude) if exclude else None
        self.repository = repository


class Walker:
    """Entries of a tree, in order. `next` may be called from several threads.

    root: an absolute path. ignore_names: ignore files that always count, the weakest first.
    use_git: .gitignore and .git/info/exclude count too, but with require_git only inside a
    repository; `everywhere` is the text of the user's global excludes file.

    files_only: nothing but ordinary files comes out. select: a glob that what comes out must
    match, by its name or with select_path by its absolute path. only: a glob on the path below
    the root that overrules every ignore file: what matches stays and no other file does, or with
    only_excludes what matches is ignored; with only_folders it is about folders alone.

    Kinds: 1 a file, 2 a folder, 3 a symbolic link, 4 anything else.
    `errors`: (path below the root, errno) of folders that could not be read.
    """

    def __init__(
        self,
        root: bytes,
        *,
        ignore_names: tuple[bytes, ...] = (b".ignore",),
        use_git: bool = True,
        require_git: bool = True,
        everywhere: bytes = b"",
        files_only: bool = False,
        select: Program | None = None,
        select_path: bool = False,
        only: Program | None = None,
        only_excludes: bool = False,
        only_folders: bool = False,
    ) -> None:
        if b"\0" in root:
            raise ValueError("a path holds no zero byte")
        self.root = root if root.endswith(b"/") else root + b"/"
        self.errors: list[tuple[bytes, int]] = []
        self._ignore_names = ignore_names
        self._use_git = use_git
        self._require_git = require_git
        self._everywhere = Rules(everywhere)
        self._files_only = files_only
        self._select = None if select is None else Automaton(select)
        self._select_path = select_path
        self._only = None if only is None else Automaton(only)
        self._only_excludes = only_excludes
        self._only_folders = only_folders
        self._levels = [_Level(*level) for level in levels_above(self.root, ignore_names, use_git)]
        self._lock = threading.Lock()
        self._stopped = False
        self._entries = self._walk()

    def next(self, count: int) -> list[tuple[bytes, int]]:
        """Up to `count` more entries, (path below the root, kind); an empty list at the end."""
        if count < 1:
            raise ValueError("at least one entry must be asked for")
        out = []
        with self._lock:
            for entry in self._entries:
                out.append(entry)
                if len(out) == count:
                    break
        return out

    def stop(self) -> None:
        """Makes every call of `next` end soon; for another thread."""
        self._stopped = True

    def _walk(self) -> Iterator[tuple[bytes, int]]:
        root_size = len(self.root)
        stack = [self._read(self.root)]
        while stack and not self._stopped:
            entries, prefix, has_level = stack[-1]
            if not entries:
                stack.pop()
                if has_level:
                    self._levels.pop()
                continue
            name, kind = entries.pop()
            path = prefix + name
            if self._decide(path, kind == _FOLDER):
                continue
            wanted = kind == _FILE or not self._files_only
            if wanted and self._select is not None:
                wanted = self._select.matches(path if self._select_path else name)
            if wanted:
                yield path[root_size:], kind
            if kind == _FOLDER:
                stack.append(self._read(path + b"/"))

    def _read(self, folder: bytes) -> tuple[list[tuple[bytes, int]], bytes, bool]:
        """A folder's entries, the last first; its path; whether it has rules of its own."""
        entries = []
        try:
            with os.scandir(folder) as items:
                for item in items:
                    entries.append((item.name, _kind(item)))
        except OSError as error:
            if len(self.errors) < _MOST_ERRORS:
                self.errors.append((folder[len(self.root) :], error.errno or 0))
            if not entries:
                return [], folder, False
        entries.sort(reverse=True)
        names = {name for name, _ in entries}
        repository = self._use_git and b".git" in names
        git = self._use_git and b".gitignore" in names
        if not (repository or git or names.intersection(self._ignore_names)):
            return entries, folder, False
        self._levels.append(
            _Level(
                len(folder),
                read_rules(folder, self._ignore_names),
                read_rules(folder, (b".gitignore",)) if git else b"",
                read_exclude(folder) if repository else b"",
                repository,
            )
        )
        return entries, folder, True

    def _decide(self, path: bytes, folder: bool) -> bool:
        """Whether the entry is ignored."""
        if self._only is not None:
            asked = folder or not self._only_folders
            if asked and self._only.matches(path[len(self.root) :]):
                return self._only_excludes
            if not self._only_excludes and not folder:
                return True
        git = self._use_git and (
            not self._require_git or any(level.repository for level in self._levels)
        )
        by_git = by_exclude = 0
        in_repository = False
        base = len(self.root)
        for level in reversed(self._levels):
            if level.ignore is not None:
                said = level.ignore.check(path[level.base :], folder)
                if said:
                    return said > 0
            if git and not in_repository:
                if by_git == 0 and level.git is not None:
                    by_git = level.git.check(path[level.base :], folder)
                if by_exclude == 0 and level.exclude is not None:
                    by_exclude = level.exclude.check(path[level.base :], folder)
                if level.repository:  # a nested repository is not governed by the one around it
                    in_repository = True
                    base = level.base
        if by_git or by_exclude:
            return (by_git or by_exclude) > 0
        return git and len(self._everywhere) > 0 and self._everywhere.check(path[base:], folder) > 0


def _kind(item: "os.DirEntry[bytes]") -> int:
    try:
        if item.is_symlink():
            return _LINK
        if item.is_dir(follow_symlinks=False):
            return _FOLDER
        return _FILE if item.is_file(follow_symlinks=False) else _OTHER
    except OSError:
        return _OTHER
