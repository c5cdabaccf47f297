"""For which installed packages there is something newer. Nothing is changed to find out.

Pinned ones are as they are wanted: nobody asks about them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi.resources.found import Scope
from pi.resources.packages.configured import Declaration, effective
from pi.resources.packages.places import Places
from pi.resources.packages.programs import Programs
from pi.resources.packages.source import GitSource, LocalSource, NpmSource, PipSource, Source

__all__ = ["Checkable", "checkable", "has_newer"]


@dataclass(frozen=True, slots=True)
class Checkable:
    """name: short, without what came before it. place: where it is installed."""

    package: Declaration
    name: str
    place: Path

    def changed_at(self) -> float:
        """When it was installed or updated last, in seconds since 1970; 0 if it is not there."""
        source = self.package.source
        mark = self.place
        if isinstance(source, NpmSource):
            mark = mark / "package.json"
        elif isinstance(source, GitSource):
            mark = mark / ".git" / "index"
        try:
            stat = os.stat(mark)
        except OSError:
            return 0.0
        # npm gives files the times of the archive they come from.
        return max(stat.st_mtime, stat.st_ctime)


def checkable(packages: Sequence[Declaration], places: Places) -> Iterator[Checkable]:
    """Those of the packages in settings that are worth a question."""
    for _, where in effective(packages, places):
        source = where.source
        if isinstance(source, LocalSource) or source.pinned:
            continue
        name = f"{source.host}/{source.path}" if isinstance(source, GitSource) else source.name
        place = places.installed(source, where.scope)
        if os.path.exists(place):
            yield Checkable(where, name, place)


def has_newer(source: Source, scope: Scope, places: Places, programs: Programs) -> bool:
    """Of an installed package. Raises PackageError where nobody could be asked."""
    place = places.installed(source, scope)
    match source:
        case NpmSource():
            from pi.resources.packages import npm  # noqa: PLC0415  (each only for its own packages)

            present = npm.installed_version(source, places.root(source, scope))
            return present is not None and npm.newer(npm.latest_version(source, programs), present)
        case GitSource():
            from pi.resources.packages import git  # noqa: PLC0415  (as above)

            newest = git.newest(source, place, programs)
            return newest is not None and newest != git.head(place, programs)
        case PipSource():
            from pi.resources.packages import pip  # noqa: PLC0415  (as above)

            present = pip.installed_version(source, place)
            latest = pip.latest_version(source, programs)
            return None not in (present, latest) and present != latest
        case LocalSource():
            return False
