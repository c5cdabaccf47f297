"""Installed packages brought up to date, each for itself: one that fails leaves the rest be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pi.errors import ConfigError
from pi.resources.packages import git, npm, pip
from pi.resources.packages.configured import Declaration, install_source
from pi.resources.packages.places import Places
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import GitSource, LocalSource, NpmSource, PipSource

__all__ = ["Update", "remove_source", "update_packages"]

_SHORT = 7
"""Digits of a commit that people recognise it by."""


@dataclass(frozen=True, slots=True)
class Update:
    """before, after: versions or commits, None for not installed. problem: why it failed."""

    package: Declaration
    before: str | None = None
    after: str | None = None
    problem: str | None = None

    @property
    def changed(self) -> bool:
        return self.problem is None and self.before != self.after


def update_packages(
    packages: Sequence[Declaration], places: Places, programs: Programs
) -> Iterator[Update]:
    """One after the other. A pinned version stays; a pinned ref of git is gone to."""
    for package in packages:
        try:
            before = _version(package, places, programs)
            if _needed(package, before, places, programs):
                install_source(package.source, package.scope, places, programs, latest=True)
            yield Update(package, before, _version(package, places, programs))
        except (PackageError, ConfigError, OSError) as error:
            yield Update(package, problem=str(error))


def remove_source(package: Declaration, places: Places, programs: Programs) -> None:
    """The files of a package; a local one's are its owner's. Raises PackageError, ConfigError."""
    source, scope = package.source, package.scope
    root, place = places.root(source, scope), places.installed(source, scope)
    match source:
        case NpmSource():
            npm.uninstall(source, root, programs)
        case GitSource() | PipSource():
            git.remove(root, place)
        case LocalSource():
            pass


def _version(package: Declaration, places: Places, programs: Programs) -> str | None:
    source, scope = package.source, package.scope
    match source:
        case NpmSource():
            return npm.installed_version(source, places.root(source, scope))
        case GitSource():
            commit = git.head(places.installed(source, scope), programs)
            return commit[:_SHORT] if commit else None
        case PipSource():
            return pip.installed_version(source, places.installed(source, scope))
        case LocalSource():
            return None


def _needed(package: Declaration, before: str | None, places: Places, programs: Programs) -> bool:
    source = package.source
    match source:
        case LocalSource():
            return False
        case GitSource():
            return True  # asking and fetching are one
        case NpmSource():
            if source.pinned or before is None:
                return not npm.is_current(source, places.root(source, package.scope))
            return npm.newer(npm.latest_version(source, programs), before)
        case PipSource():
            if source.pinned or before is None:
                return not pip.is_current(source, places.installed(source, package.scope))
            latest = pip.latest_version(source, programs)
            return latest is None or latest != before
