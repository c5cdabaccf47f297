"""A resource file that was found, and where it comes from."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = ["KINDS", "Found", "Kind", "Origin", "Scope"]

Kind = Literal["extensions", "skills", "prompts", "themes"]
KINDS: tuple[Kind, ...] = ("extensions", "skills", "prompts", "themes")
"""The kinds of resources, by their keys in settings and manifests."""

Scope = Literal["user", "project", "temporary"]


class Origin(NamedTuple):
    """source: "local" for an entry of settings or of the command line, "auto" for a conventional
    folder, "cli" for what `-e` brought, else the package's source as it is configured.

    scope: "temporary" is for this run only. package: whether it belongs to one. base: the folder
    that patterns and paths are relative to. changelog: the package's, if it has one.
    """

    source: str
    scope: Scope
    package: bool = False
    base: Path | None = None
    changelog: Path | None = None

    def describe(self, path: Path) -> dict[str, Any]:
        """The `sourceInfo` of docs/rpc-commands.md."""
        info: dict[str, Any] = {
            "path": str(path),
            "source": self.source,
            "scope": self.scope,
            "origin": "package" if self.package else "top-level",
        }
        if self.base is not None:
            info["baseDir"] = str(self.base)
        if self.changelog is not None:
            info["changelogPath"] = str(self.changelog)
        return info


class Found(NamedTuple):
    """enabled: False where a filter keeps it out; `pi config` lists those too.

    For an extension in Python, site: a folder of packages that only it needs, entry: the
    "module:attribute" in there that a package names as its extension.
    """

    path: Path
    origin: Origin
    enabled: bool = True
    site: Path | None = None
    entry: str | None = None
