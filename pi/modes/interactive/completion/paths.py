"""Completion of paths, folder by folder: by Tab, and behind `@` for what is outside the folder."""

import os
from pathlib import Path

from pi.modes.interactive.completion.base import Answer, Found, Item
from pi.modes.interactive.completion.tokens import token_before, written

__all__ = ["PathProvider"]

_MOST = 500
_OUTSIDE = ("/", "~/", "../")


class PathProvider:
    """folder: where relative paths start. home: what `~` stands for."""

    triggers = "@"

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self._home = home
        self._asked_at: int | None = None  # where a token starts that Tab was pressed on

    def complete(self, text: str, caret: int, *, asked: bool) -> Answer:
        token = token_before(text, caret)
        shell = text.lstrip().startswith("!")
        outside = token.at and token.path.startswith(_OUTSIDE) and not shell
        if not (asked or outside or token.start == self._asked_at):
            self._asked_at = None
            return None
        if asked:
            self._asked_at = token.start
        path = token.path
        if shell and path.startswith("!"):
            return None  # the command itself, without a blank behind its sign
        parent, slash, name = path.rpartition("/")
        entries = self._entries(parent + slash, name)
        items = []
        for entry, folder in entries:
            full = parent + slash + entry + "/" * folder
            last = written(full, token, shell=shell, done=True)
            if folder:
                on = written(full, token, shell=shell, done=False)
                items.append(Item(on, entry + "/", then="more", last=last))
            else:
                items.append(Item(last, entry))
        return Found(token.start, caret, items) if items else None

    def _entries(self, parent: str, name: str) -> list[tuple[str, bool]]:
        """Names in a folder that begin with `name`, and whether they are folders."""
        if parent == "~/" or parent.startswith("~/"):
            folder = self._home / parent[2:]
        else:
            folder = self.folder / parent
        wanted = name.lower()
        found = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.lower().startswith(wanted) and entry.name.isprintable():
                        found.append((entry.name, entry.is_dir()))
        except OSError:
            return []
        found.sort(key=lambda one: (one[0].startswith("."), not one[1], one[0].lower()))
        return found[:_MOST]
