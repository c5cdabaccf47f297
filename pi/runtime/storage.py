"""Where sessions are kept, for those who look for one: all of them, and a folder's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.errors import SessionError

if TYPE_CHECKING:
    from pi.session.index.catalog import Listed, SessionIndex

__all__ = ["Storage"]


class Storage:
    """chosen: the storage that somebody named, None for the default.

    No dataclass: every start would pay for making it.
    """

    def __init__(self, paths: Paths, chosen: Path | None) -> None:
        self.paths, self.chosen = paths, chosen

    @classmethod
    def find(cls, environment: Environment, flag: str | None, cwd: Path | None = None) -> "Storage":
        """cwd: the working folder, the process's own unless given."""
        return cls.of(find_paths(environment, cwd), environment, flag)

    @classmethod
    def of(cls, paths: Paths, environment: Environment, flag: str | None) -> "Storage":
        """flag: as for --session-dir.

        `sessionDir` is the one project setting that counts before trust is known.
        """
        setting = read_settings(paths).resolve(trusted=False).session_dir
        chosen = paths.session_storage(flag=flag, variable=environment.session_dir, setting=setting)
        return cls(paths, chosen)

    @property
    def root(self) -> Path:
        return self.paths.sessions if self.chosen is None else self.chosen

    @property
    def folder(self) -> Path:
        """Where the sessions of this working folder are."""
        from pi.session.locate import session_folder  # noqa: PLC0415  (a search has no use for it)

        return session_folder(self.root, str(self.paths.cwd)) if self.chosen is None else self.root

    def is_here(self, session: "Listed") -> bool:
        """As --continue sees it: by folder, or by header where all lie together."""
        if self.chosen is None:
            return session.path.parent == self.folder
        return session.summary.cwd == str(self.paths.cwd)

    def session(self, text: str) -> Path:
        """The file that a path, an id or the beginning of one means. Raises SessionError."""
        from pi.session.locate import find_session  # noqa: PLC0415  (as above)

        root = self.paths.sessions if self.chosen is None else None
        found = find_session(text, str(self.paths.cwd), self.folder, root)
        if not found.path.is_file():
            raise SessionError(f"there is no session file {found.path}")
        return found.path

    def index(self) -> "SessionIndex":
        from pi.session.index.catalog import SessionIndex  # noqa: PLC0415  (brings SQLite)

        return SessionIndex(self.paths.session_index)
