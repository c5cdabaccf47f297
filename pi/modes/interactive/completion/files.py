"""Completion of files: `@` and letters of a name anywhere below the folder."""

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pi.modes.interactive.completion.base import Answer, Found, Item
from pi.modes.interactive.completion.tokens import Token, token_before, written

if TYPE_CHECKING:
    from pi.modes.interactive.completion.file_index import FileIndex

__all__ = ["FileProvider"]

FRESH = 2.0
"""Seconds for which the list of files is taken for what is there."""
_ELSEWHERE = ("/", "~/", "../", "~\\", "..\\")


class FileProvider:
    """folder: below which files are looked for; may be set to another.

    home, config_home: where the user's global excludes file may be (see `global_excludes`). The
    list is made in a thread and kept; when it is old it is made anew while the old one answers.
    """

    triggers = "@"

    def __init__(
        self, folder: Path, *, home: Path | None = None, config_home: Path | None = None
    ) -> None:
        self.folder = folder
        self._home, self._config_home = home, config_home
        self._index: tuple[Path, FileIndex] | None = None
        self._made = 0.0
        self._walk: _Walk | None = None

    def warm(self) -> None:
        """Begin the list, so that the first `@` finds it."""
        if self._index is None or self._index[0] != self.folder:
            self._start()

    def close(self) -> None:
        """Stop a walk that is under way."""
        if self._walk is not None:
            self._walk.stopped = True
            self._walk = None

    def keep(self, index: "FileIndex") -> None:
        """Take this list for the folder's, as fresh."""
        self._index, self._made = (self.folder, index), time.monotonic()

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        token = token_before(text, caret)
        if not token.at or text.lstrip().startswith("!") or token.path.startswith(_ELSEWHERE):
            return None
        self._take()
        index = self._index
        if index is None or index[0] != self.folder:
            return self._when_there(token, caret)
        if time.monotonic() - self._made > FRESH:
            self._start()
        return _found(index[1], token, caret)

    async def _when_there(self, token: Token, caret: int) -> Found | None:
        walk = self._start()
        await walk.wait()
        self._take()
        return None if self._index is None else _found(self._index[1], token, caret)

    def _start(self) -> "_Walk":
        if self._walk is None or self._walk.folder != self.folder:
            self.close()
            self._walk = _Walk(self.folder, self._home, self._config_home)
        return self._walk

    def _take(self) -> None:
        """What a walk has brought."""
        if self._walk is not None and self._walk.index is not None:
            self._index, self._made = (self._walk.folder, self._walk.index), self._walk.began
            self._walk = None


class _Walk:
    """A walk in a thread of its own, which does not keep the program from ending."""

    def __init__(self, folder: Path, home: Path | None, config_home: Path | None) -> None:
        self.folder = folder
        self._home, self._config_home = home, config_home
        self.index: FileIndex | None = None
        self.began = time.monotonic()
        self.stopped = False
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        threading.Thread(target=self._run, name="file list", daemon=True).start()

    async def wait(self) -> None:
        await self._ended.wait()

    def _run(self) -> None:
        # Seams: the search core is loaded with the first list.
        from pi._speedups.pattern.places import global_excludes  # noqa: PLC0415
        from pi.modes.interactive.completion.file_index import FileIndex, walk  # noqa: PLC0415

        paths: list[str] = []
        try:
            everywhere = global_excludes(self._home, self._config_home) if self._home else b""
            paths = walk(self.folder, everywhere, lambda: self.stopped)
        finally:
            self.index = FileIndex(paths)
            with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
                self._loop.call_soon_threadsafe(self._ended.set)


def _found(index: "FileIndex", token: Token, caret: int) -> Found | None:
    items = [_item(path, token) for path in index.search(token.path)]
    return Found(token.start, caret, items) if items else None


def _item(path: str, token: Token) -> Item:
    bare = path.rstrip("/")
    folder = bare != path
    name = bare[bare.rfind("/") + 1 :] + "/" * folder
    last = written(path, token, shell=False, done=True)
    where = bare if "/" in bare else ""  # else the name says it all
    if not folder:
        return Item(last, name, where)
    return Item(written(path, token, shell=False, done=False), name, where, then="more", last=last)
