"""The resources in a package: what its manifest or its folders offer, and what settings take of it.

Source: docs/packages.md. A package is a folder; a Python package from an index is the folder it was
installed into, where each of its import packages may hold resources.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.resources.changelog import changelog_of
from pi.resources.files import SUFFIXES, files_in
from pi.resources.filters import Filter, is_change
from pi.resources.found import KINDS, Found, Kind, Origin
from pi.resources.manifest import Manifest, read_manifest
from pi.resources.packages.distributions import entry_points, top_folders
from pi.resources.packages.programs import PackageError
from pi.resources.patterns import TooMuchError, find_names, leads_out

__all__ = ["SITE", "package_contents", "python_contents"]

log = logging.getLogger(__name__)

SITE = ".pi-site"
"""The folder in a package for the Python packages it depends on."""

Selection = Mapping[str, Any]
"""The object form of an entry of `packages` in settings."""


def package_contents(
    root: Path,
    origin: Origin,
    selection: Selection | None,
    home: Path,
    *,
    within: Path | None = None,
) -> dict[Kind, list[Found]]:
    """selection: None takes all it offers. within: patterns look nowhere else, None for anywhere.

    Raises PackageError for patterns without end.
    """
    manifest = read_manifest(root)
    origin = origin._replace(changelog=changelog_of(root, manifest))
    package = _Package(root, origin, manifest, home, within)
    if selection is None:
        return {kind: list(package.offered(kind)) for kind in KINDS}
    return {kind: list(package.selected(kind, selection)) for kind in KINDS}


def python_contents(
    site: Path, name: str, origin: Origin, selection: Selection | None, home: Path
) -> dict[Kind, list[Found]]:
    """Of the distribution `name` in `site`: its import packages' resources, its entry points.

    Raises PackageError.
    """
    found: dict[Kind, list[Found]] = {kind: [] for kind in KINDS}
    changelogs = []
    for root in top_folders(site, name):
        changelogs.append(changelog_of(root, read_manifest(root)))
        contents = package_contents(root, origin, selection, home, within=site)
        for kind, items in contents.items():
            found[kind] += [_with_site(item, site) for item in items]
    origin = origin._replace(changelog=next(filter(None, changelogs), None))
    chosen = None if selection is None else selection.get("extensions")
    for path, entry in _entry_points(site, name):
        wanted = chosen is None or bool(
            chosen and path in Filter(chosen, site, home).choose([path])
        )
        found["extensions"].append(Found(path, origin, wanted, site=site, entry=entry))
    return found


@dataclass(frozen=True, slots=True)
class _Package:
    root: Path
    origin: Origin
    manifest: Manifest | None
    home: Path
    within: Path | None

    def offered(self, kind: Kind) -> Iterator[Found]:
        """A manifest that lists resources of any kind lists all there are."""
        if self.manifest is not None and self.manifest.resources:
            paths = self._listed(kind)
        else:
            paths = self._conventional(kind)
        yield from self._found((path, True) for path in paths)

    def selected(self, kind: Kind, selection: Selection) -> Iterator[Found]:
        entries = selection.get(kind)
        paths = self._listed(kind) or self._conventional(kind)
        if self.manifest is not None and kind in self.manifest.resources:
            paths = self._listed(kind)
        if selection.get("autoload") is False:
            wanted = Filter(entries or (), self.root, self.home)
            decided = ((path, wanted.decide(path)) for path in paths)
            yield from self._found((path, bool(on)) for path, on in decided if on is not None)
        elif entries is None:
            yield from self._found((path, True) for path in paths)
        else:
            chosen: set[Path] = set()
            if entries:
                chosen = Filter(entries, self.root, self.home).choose(paths)
            yield from self._found((path, path in chosen) for path in paths)

    def _found(self, paths: Iterator[tuple[Path, bool]]) -> Iterator[Found]:
        site = self.root / SITE
        own = site if os.path.isdir(site) else None
        for path, enabled in paths:
            yield Found(path, self.origin, enabled, site=own)

    def _listed(self, kind: Kind) -> list[Path]:
        """What the manifest lists, its own changes applied."""
        entries = () if self.manifest is None else self.manifest.resources.get(kind, ())
        paths: list[Path] = []
        for entry in entries:
            if is_change(entry):
                continue
            for path in self._named(entry):
                if os.path.isfile(path):
                    paths += [path] if path.name.endswith(SUFFIXES[kind]) else []
                elif os.path.isdir(path):
                    paths += files_in(kind, path)
        changes = Filter([entry for entry in entries if is_change(entry)], self.root, self.home)
        return [path for path in dict.fromkeys(paths) if changes.allows(path)]

    def _named(self, entry: str) -> Sequence[Path]:
        if "*" not in entry and "?" not in entry:
            return [Path(os.path.normpath(self.root / entry))]
        try:
            if self.within is not None and leads_out(entry, self.root, self.within):
                log.warning("package %s: left out, as not in it: %s", self.origin.source, entry)
                return []
            names = find_names(entry, self.root)
        except TooMuchError:
            raise PackageError(f"{entry[:80]}: too much to look into") from None
        paths = sorted(os.path.normpath(self.root / name) for name in names)
        return [Path(path) for path in paths if self._is_plain(path)]

    def _is_plain(self, path: str) -> bool:
        """Patterns find nothing hidden, and nothing behind a link to a folder."""
        parts = os.path.relpath(path, self.root).split(os.sep)
        if any(part.startswith(".") and part != ".." for part in parts):
            return False
        above = self.root
        for part in parts[:-1]:
            above /= part
            if part != ".." and os.path.islink(above):
                return False
        return True

    def _conventional(self, kind: Kind) -> list[Path]:
        folder = self.root / kind
        return files_in(kind, folder) if os.path.isdir(folder) else []


def _with_site(item: Found, site: Path) -> Found:
    return Found(item.path, item.origin, item.enabled, site=site, entry=item.entry)


def _entry_points(site: Path, name: str) -> list[tuple[Path, str]]:
    """File or folder of the module, and "module:attribute", of its `pi.extensions`."""
    found = []
    for module, value in entry_points(site, name, "pi.extensions"):
        base = site.joinpath(*module.split("."))
        path = base if os.path.isdir(base) else base.with_suffix(".py")
        if os.path.exists(path):
            found.append((path, value))
    return sorted(found)
