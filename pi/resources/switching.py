"""Single resources switched on and off, as entries of settings: `+path` and `-path`.

The entries are those the reference's own picker writes, so that both programs agree on them.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pi.config.documents import read_document
from pi.config.paths import Paths
from pi.config.settings_write import Scope, change_setting, settings_file
from pi.errors import ConfigError
from pi.resources.found import KINDS, Found, Kind
from pi.resources.packages.declaring import source_of
from pi.resources.packages.places import Places
from pi.resources.packages.source import LocalSource, local_path, parse_source

__all__ = ["said", "switch"]


def switch(paths: Paths, kind: Kind, item: Found, scope: Scope, enabled: bool | None) -> None:
    """Let settings of a scope enable or disable a file; None leaves it to the person's own again.

    A project may say so of a file of the person's, for itself; not the other way round. Raises
    ConfigError.
    """
    if item.origin.source == "builtin":
        change_setting(paths, scope, kind, _builtin_change(item, enabled))
    elif item.origin.package:
        change_setting(paths, scope, "packages", _package_change(paths, kind, item, scope, enabled))
    else:
        change_setting(paths, scope, kind, _list_change(paths, item, scope, enabled))


def said(paths: Paths, kind: Kind, item: Found, scope: Scope) -> bool | None:
    """What the settings of a scope say of this very file; None where they say nothing.

    Raises ConfigError for a file that cannot be understood.
    """
    document: Mapping[str, Any] = read_document(settings_file(paths, scope)) or {}
    if not item.origin.package:
        return _last_word(document.get(kind), _names(paths, item, scope))
    entries = document.get("packages")
    entries = entries if isinstance(entries, list) else []
    index = _entry_of(paths, item, entries, scope)
    entry = None if index is None else entries[index]
    if not isinstance(entry, dict):
        return None
    return _last_word(entry.get(kind), {_pattern(item)})


def _last_word(entries: Any, names: set[str]) -> bool | None:
    words = [
        entry.startswith("+")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, str) and entry.startswith(("+", "-")) and entry[1:] in names
    ]
    # An exclusion counts wherever it stands.
    return all(words) if words else None


def _names(paths: Paths, item: Found, scope: Scope) -> set[str]:
    """What settings of a scope may call a file that belongs to no package."""
    if item.origin.source == "builtin":
        return {str(item.path)}
    own = Places(paths).base(scope)
    relative = _relative(item.path, item.origin.base or own)
    return {relative, str(item.path), _relative(item.path, own)}


def _pattern(item: Found) -> str:
    """What settings call a file of a package."""
    return _relative(item.path, item.origin.base or item.path.parent)


def _builtin_change(item: Found, enabled: bool | None) -> Callable[[Any], Any]:
    name = str(item.path)

    def changed(present: Any) -> Any:
        entries = [entry for entry in present or [] if isinstance(entry, str)]
        kept = [entry for entry in entries if entry.lstrip("+-!") != name]
        if enabled is not None:
            kept.append(f"{'+' if enabled else '-'}{name}")
        return present if kept == present else kept or None

    return changed


def _list_change(
    paths: Paths, item: Found, scope: Scope, enabled: bool | None
) -> Callable[[Any], Any]:
    own = Places(paths).base(scope)
    inherited = item.origin.scope != scope
    names = _names(paths, item, scope)
    pattern = str(item.path) if inherited else _relative(item.path, item.origin.base or own)

    def changed(present: Any) -> Any:
        entries = [entry for entry in present or [] if isinstance(entry, str)]
        kept = [entry for entry in entries if not (_is_change(entry) and entry[1:] in names)]
        if inherited:
            # The project names the person's file, to have something to change.
            kept = [entry for entry in kept if entry != pattern]
            kept += [] if enabled is None else [pattern]
        if enabled is not None:
            kept.append(f"{'+' if enabled else '-'}{pattern}")
        return present if kept == present else kept or None

    return changed


def _package_change(
    paths: Paths, kind: Kind, item: Found, scope: Scope, enabled: bool | None
) -> Callable[[Any], Any]:
    source, inherited = item.origin.source, item.origin.scope != scope
    pattern = _pattern(item)

    def changed(present: Any) -> Any:
        entries = list(present) if isinstance(present, list) else []
        index = _entry_of(paths, item, entries, scope)
        if index is None:
            if enabled is None or not inherited:
                return present
            wanted = _place(paths, source, item.origin.scope)
            text = source if wanted is None else _relative(wanted, Places(paths).base(scope))
            entries.append({"source": text, "autoload": False})
            index = len(entries) - 1
        entry = entries[index]
        table = dict(entry) if isinstance(entry, dict) else {"source": entry}
        kept = [
            text
            for text in table.get(kind, [])
            if (text[1:] if _is_change(text) else text) != pattern
        ]
        if enabled is not None:
            kept.append(f"{'+' if enabled else '-'}{pattern}")
        if kept:
            table[kind] = kept
        else:
            table.pop(kind, None)
        if any(name in table for name in KINDS):
            entries[index] = table
        elif table.get("autoload") is False:
            del entries[index]
        else:
            entries[index] = table["source"]
        return present if entries == present else entries

    return changed


def _entry_of(paths: Paths, item: Found, entries: Sequence[Any], scope: Scope) -> int | None:
    """Which of a scope's `packages` is the one that brings the file."""
    source = item.origin.source
    wanted = _place(paths, source, item.origin.scope)
    for index, entry in enumerate(entries):
        text = source_of(entry)
        if text is not None and (
            text == source or _place(paths, text, scope) == wanted is not None
        ):
            return index
    return None


def _place(paths: Paths, text: str, scope: str) -> Path | None:
    """Where a local package lies; None for the others, which go by their source."""
    try:
        source = parse_source(text)
    except ConfigError:
        return None
    if not isinstance(source, LocalSource):
        return None
    base = paths.project if scope == "project" else paths.agent
    return local_path(source, base, paths.home)


def _relative(path: Path, base: Path) -> str:
    try:
        return os.path.relpath(path, base)
    except ValueError:  # another drive
        return str(path)


def _is_change(entry: str) -> bool:
    return entry.startswith(("!", "+", "-"))
