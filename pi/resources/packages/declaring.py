"""Declarations of packages in settings: added, replaced, taken out. Nothing is installed here."""

import os
from collections.abc import Mapping
from typing import Any

from pi.config.paths import Paths
from pi.config.settings_write import Scope, change_setting
from pi.errors import ConfigError
from pi.resources.packages.places import Places
from pi.resources.packages.source import LocalSource, Source, identity, local_path, parse_source

__all__ = ["declare", "source_of", "withdraw", "written"]


def declare(paths: Paths, scope: Scope, text: str) -> None:
    """Add a source as typed, or put it in the place of another version of the same package.

    What settings choose of the package stays. Raises ConfigError.
    """
    source = written(paths, scope, text)
    wanted = identity(parse_source(text), paths.cwd, paths.home)

    def changed(present: Any) -> Any:
        entries = list(present) if isinstance(present, list) else []
        for index, entry in enumerate(entries):
            if _identity(paths, scope, entry) == wanted:
                if source_of(entry) == source:
                    return present
                entries[index] = {**entry, "source": source} if isinstance(entry, dict) else source
                return entries
        return [*entries, source]

    change_setting(paths, scope, "packages", changed)


def withdraw(paths: Paths, scope: Scope, text: str) -> bool:
    """Take out every declaration of the package; whether there was any. Raises ConfigError."""
    wanted = identity(parse_source(text), paths.cwd, paths.home)
    found = False

    def changed(present: Any) -> Any:
        nonlocal found
        entries = present if isinstance(present, list) else []
        left = [entry for entry in entries if _identity(paths, scope, entry) != wanted]
        found = len(left) < len(entries)
        return left if found else present

    change_setting(paths, scope, "packages", changed)
    return found


def written(paths: Paths, scope: Scope, text: str) -> str:
    """A source as settings hold it: paths relative to the folder of the settings file."""
    source = parse_source(text)
    if not isinstance(source, LocalSource):
        return text.strip()
    place = local_path(source, paths.cwd, paths.home)
    try:
        return os.path.relpath(place, Places(paths).base(scope))
    except ValueError:  # another drive
        return str(place)


def source_of(entry: Any) -> str | None:
    """The source in an entry of `packages`, in either of its forms."""
    value = entry.get("source") if isinstance(entry, Mapping) else entry
    return value if isinstance(value, str) else None


def _identity(paths: Paths, scope: Scope, entry: Any) -> str | None:
    text = source_of(entry)
    if text is None:
        return None
    try:
        source: Source = parse_source(text)
    except ConfigError:
        return None
    return identity(source, Places(paths).base(scope), paths.home)
