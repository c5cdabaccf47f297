"""Where packages lie once they are installed.

npm and git as the reference has them, so that both programs find the same installation. A Python
package has a folder to itself, with all it depends on.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from pi.config.paths import Paths
from pi.errors import ConfigError
from pi.resources.found import Scope
from pi.resources.packages.source import (
    GitSource,
    LocalSource,
    NpmSource,
    PipSource,
    Source,
    local_path,
)

__all__ = ["Places"]


@dataclass(frozen=True, slots=True)
class Places:
    paths: Paths

    def base(self, scope: Scope) -> Path:
        """What relative local paths of a scope start from."""
        match scope:
            case "user":
                return self.paths.agent
            case "project":
                return self.paths.project
            case "temporary":
                return self.paths.cwd

    @property
    def cache(self) -> Path:
        """Where packages of single runs are kept."""
        return self.paths.agent / "tmp" / "extensions"

    def root(self, source: Source, scope: Scope) -> Path:
        """The folder that packages of this kind share; for npm, that of its package.json."""
        match source:
            case NpmSource():
                kind = "npm"
            case GitSource():
                kind = "git"
            case PipSource():
                kind = "pip"
            case LocalSource():
                return self.base(scope)
        if scope != "temporary":
            return self.base(scope) / kind
        # What is here for a run only is kept, to be quicker the next time.
        cache = self.cache
        if isinstance(source, GitSource):
            at = f"@{source.ref}" if source.ref else ""
            kind = f"git-{source.host}"
            return cache / kind / _digest(f"{kind}-{source.path}{at}")
        return cache / kind / _digest(f"{kind}-")

    def installed(self, source: Source, scope: Scope) -> Path:
        """The package's own folder, whether it is there or not. Raises ConfigError."""
        root = self.root(source, scope)
        match source:
            case NpmSource():
                path = root / "node_modules" / source.name
            case GitSource():
                path = root / source.path
                if scope != "temporary":
                    path = root / source.host / source.path
            case PipSource():
                path = root / source.name
            case LocalSource():
                return local_path(source, root, self.paths.home)
        if not os.path.normpath(path).startswith(f"{os.path.normpath(root)}{os.sep}"):
            raise ConfigError(f"{path} is outside of {root}; refused")
        return path


def _digest(text: str) -> str:
    import hashlib  # noqa: PLC0415  (for packages of one run only)

    return hashlib.sha256(text.encode()).hexdigest()[:8]
