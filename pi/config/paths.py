"""Where things live: the agent directory, the project's `.pi`, and the files in both.

Nothing is created or read here. Source: docs/configuration.md.
"""

import os
from pathlib import Path
from typing import NamedTuple

from pi.config.environment import Environment
from pi.errors import ConfigError

__all__ = ["Paths", "expand_home", "find_paths"]


class Paths(NamedTuple):
    """agent: user folder, `~/.pi/agent` by default. cwd: the working folder. All absolute."""

    agent: Path
    cwd: Path
    home: Path

    @property
    def settings(self) -> Path:
        return self.agent / "settings.json"

    @property
    def models(self) -> Path:
        return self.agent / "models.json"

    @property
    def models_store(self) -> Path:
        return self.agent / "models-store.json"

    @property
    def auth(self) -> Path:
        return self.agent / "auth.json"

    @property
    def trust(self) -> Path:
        return self.agent / "trust.json"

    @property
    def sessions(self) -> Path:
        """The default session storage."""
        return self.agent / "sessions"

    @property
    def session_index(self) -> Path:
        return self.agent / "session-index.sqlite"

    @property
    def keybindings(self) -> Path:
        return self.agent / "keybindings.json"

    @property
    def project(self) -> Path:
        return self.cwd / ".pi"

    @property
    def project_settings(self) -> Path:
        return self.project / "settings.json"

    def session_storage(
        self, *, flag: str | None, variable: str | None, setting: str | None
    ) -> Path | None:
        """The session folder somebody chose, None for the default.

        `--session-dir` wins over PI_CODING_AGENT_SESSION_DIR, which wins over `sessionDir`.
        Relative paths start at the working folder.
        """
        chosen = flag or variable or setting
        return self.absolute(chosen) if chosen else None

    def absolute(self, path: str) -> Path:
        """`path` with `~` expanded, from the working folder, without resolving links."""
        return Path(os.path.normpath(self.cwd / expand_home(path, self.home)))


def find_paths(environment: Environment, cwd: Path | None = None) -> Paths:
    """The folders of this run. `cwd`: the process's own when absent; ConfigError if it is gone."""
    try:
        here = Path(os.path.abspath(cwd)) if cwd is not None else Path.cwd()
    except FileNotFoundError:
        raise ConfigError(
            "the working folder is gone: it was removed or moved", hint="Change to one that exists."
        ) from None
    agent = here / expand_home(environment.agent_dir or "~/.pi/agent", environment.home)
    return Paths(agent=Path(os.path.normpath(agent)), cwd=here, home=environment.home)


def expand_home(path: str, home: Path) -> Path:
    """`~` and `~/…` under `home`; another user's `~name` is left alone."""
    if path == "~":
        return home
    if path.startswith(("~/", "~\\")):
        return home / path[2:]
    return Path(path)
