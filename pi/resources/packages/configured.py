"""The packages that settings declare, and the resources they bring.

A project's declaration replaces the person's own of the same package; with `autoload: false` it
only changes what that one brings. Source: docs/packages.md.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.config.settings_types import Settings
from pi.errors import ConfigError
from pi.resources.files import extension_entries
from pi.resources.found import KINDS, Found, Kind, Origin, Scope
from pi.resources.packages.contents import package_contents, python_contents
from pi.resources.packages.places import Places
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import (
    GitSource,
    LocalSource,
    NpmSource,
    PipSource,
    Source,
    identity,
    parse_source,
)

__all__ = [
    "Declaration",
    "Declared",
    "collect_declared",
    "collect_temporary",
    "declarations",
    "effective",
    "install_source",
    "is_installed",
    "missing",
]

log = logging.getLogger(__name__)

_failed: dict[tuple[str, Scope], Exception] = {}
"""By source and scope, what `missing` could not install and nobody has reported yet."""
_ASKING = 10.0
"""Seconds for the question whether there is something newer, at a start that waits for it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """text: the source as written. selection: the object form, None for a plain source."""

    text: str
    source: Source
    scope: Scope
    selection: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """Declarations that make sense, and what is to be said of those that do not."""

    packages: tuple[Declaration, ...]
    problems: tuple[str, ...] = ()


def declarations(settings: Settings) -> Declared:
    """All of them, the person's first."""
    found, problems = [], []
    for entry in settings.packages:
        selection = entry.value if isinstance(entry.value, dict) else None
        text = entry.value if selection is None else selection["source"]
        try:
            found.append(Declaration(text, parse_source(text), entry.scope, selection))
        except ConfigError as error:
            problems.append(f"packages: {error}")
    return Declared(tuple(found), tuple(problems))


def effective(
    packages: Sequence[Declaration], places: Places
) -> list[tuple[Declaration, Declaration]]:
    """Those that count, projects' first, each with the declaration that says where it is."""
    names = [_identity(package, places) for package in packages]
    mine: dict[str, Declaration] = {}
    project: dict[str, Declaration] = {}
    for name, package in zip(names, packages, strict=True):
        if package.scope == "project":
            project[name] = package
        else:
            mine.setdefault(name, package)
    result = []
    for name, package in project.items():
        changes_only = package.selection is not None and package.selection.get("autoload") is False
        base = mine.get(name) if changes_only else None
        if not changes_only:
            mine.pop(name, None)
        result.append((package, base or package))
    return [*result, *((package, package) for package in mine.values())]


def collect_declared(
    paths: Paths, settings: Settings, environment: Environment, *, offline: bool
) -> tuple[dict[Kind, list[Found]], list[str]]:
    """The resources of the packages in settings, and a line for each package that is left out.

    What is not installed yet is installed, unless offline.
    """
    declared = declarations(settings)
    places = Places(paths)
    programs = Programs(environment.variables, settings.npm_command)
    packages = effective(declared.packages, places)
    found, problems = _collect(packages, places, programs, offline)
    return found, [*declared.problems, *problems]


def collect_temporary(
    sources: Sequence[str],
    paths: Paths,
    settings: Settings,
    environment: Environment,
    *,
    offline: bool,
) -> tuple[dict[Kind, list[Found]], list[str]]:
    """The same for what `-e` names. What an earlier run left is brought up to date."""
    named: list[tuple[Declaration, Declaration]] = []
    wrong: list[str] = []
    for text in sources:
        try:
            package = Declaration(text, parse_source(text), "temporary")
        except ConfigError as error:
            wrong.append(f"-e: {error}")
        else:
            named.append((package, package))
    programs = Programs(environment.variables, settings.npm_command)
    places = Places(paths)
    found, problems = _collect(named, places, programs, offline)
    for kind in ("extensions", "skills"):
        # What the npm package calls them; it names the package of the other two kinds only.
        found[kind] = [item._replace(origin=Origin("cli", "temporary")) for item in found[kind]]
    return found, [*wrong, *problems]


def missing(
    paths: Paths, settings: Settings, sources: Sequence[str], environment: Environment
) -> Callable[[], None] | None:
    """What installs the packages that settings and `-e` name and that are not there; None for none.

    For who can tell a person better what takes so long than whoever collects them next. That one
    reports what fails, and does not try it again.
    """
    places = Places(paths)
    wanted = [where for _, where in effective(declarations(settings).packages, places)]
    for text in sources:
        with contextlib.suppress(ConfigError):  # told where they are collected
            wanted.append(Declaration(text, parse_source(text), "temporary"))
    absent = [
        where
        for where in wanted
        if not isinstance(where.source, LocalSource)
        and not is_installed(where.source, where.scope, places)
    ]
    if not absent:
        return None
    programs = Programs(environment.variables, settings.npm_command)

    def install() -> None:
        for where in absent:
            try:
                _install(where, places, programs)
            except (PackageError, ConfigError, OSError) as error:
                _failed[where.text, where.scope] = error

    return install


def is_installed(source: Source, scope: Scope, places: Places) -> bool:
    """Whether it is there, whole, and in a version that the source allows."""
    place = places.installed(source, scope)
    match source:
        case NpmSource():
            from pi.resources.packages import npm  # noqa: PLC0415  (each only for its own packages)

            return npm.is_current(source, places.root(source, scope))
        case PipSource():
            from pi.resources.packages import pip  # noqa: PLC0415  (as above)

            return pip.is_current(source, place)
        case _:
            return os.path.exists(place)


def install_source(
    source: Source, scope: Scope, places: Places, programs: Programs, *, latest: bool = False
) -> None:
    """Put it in its place. latest: the newest the source allows, where a version is there already.

    Raises PackageError, ConfigError.
    """
    root, place = places.root(source, scope), places.installed(source, scope)
    match source:
        case NpmSource():
            from pi.resources.packages import npm  # noqa: PLC0415  (each only for its own packages)

            npm.install(source, root, programs, latest=latest)
        case GitSource():
            from pi.resources.packages import git  # noqa: PLC0415  (as above)

            git.update(source, root, place, programs)
        case PipSource():
            from pi.resources.packages import pip  # noqa: PLC0415  (as above)

            pip.install(source, root, place, programs, latest=latest)
        case LocalSource():
            if not os.path.exists(place):
                raise PackageError(f"there is nothing at {place}")


def _collect(
    packages: Sequence[tuple[Declaration, Declaration]],
    places: Places,
    programs: Programs,
    offline: bool,
) -> tuple[dict[Kind, list[Found]], list[str]]:
    found: dict[Kind, list[Found]] = {kind: [] for kind in KINDS}
    problems: list[str] = []
    for package, where in packages:
        try:
            contents = _contents(package, where, places, programs, offline)
        except (PackageError, ConfigError, OSError) as error:
            problems.append(_failure(package, error))
            continue
        if not isinstance(where.source, LocalSource):
            outside = _leave_out_what_is_outside(contents, where, places)
            if outside:
                names = ", ".join(outside)
                problems.append(f"package {package.text}: left out, as not in it: {names}")
        for kind, items in contents.items():
            found[kind] += items
        if any(item.enabled for item in contents.get("extensions", ())):
            from pi.resources.packages.hosts import host_problem  # noqa: PLC0415  (few have any)

            problem = host_problem(where.source, places.installed(where.source, where.scope))
            if problem is not None:
                problems.append(f"package {package.text}: {problem}")
    return found, problems


def _contents(
    package: Declaration, where: Declaration, places: Places, programs: Programs, offline: bool
) -> dict[Kind, list[Found]]:
    source, scope, home = where.source, where.scope, places.paths.home
    place = places.installed(source, scope)
    if isinstance(source, LocalSource):
        return _local(package, place, home)
    if not is_installed(source, scope, places):
        if offline:
            raise PackageError("it is not installed, and pi is offline")
        failed = _failed.pop((where.text, scope), None)
        if failed is not None:
            raise failed
        _install(where, places, programs)
    elif scope == "temporary" and not offline:
        _refresh(source, scope, places, programs)
    origin = Origin(package.text, package.scope, package=True, base=place)
    if isinstance(source, PipSource):
        return python_contents(place, source.name, origin, package.selection, home)
    within = _own_folder(where, places)
    return package_contents(place, origin, package.selection, home, within=within)


def _install(where: Declaration, places: Places, programs: Programs) -> None:
    if where.scope == "temporary":
        _private_cache(places)
    # It may take long, and nothing else is to be seen meanwhile.
    log.warning("installing package %s", where.text)
    install_source(where.source, where.scope, places, programs)


def _leave_out_what_is_outside(
    contents: dict[Kind, list[Found]], where: Declaration, places: Places
) -> list[str]:
    """Links and paths may lead anywhere; what was fetched is to offer what was fetched with it.

    Gives the files that are not taken.
    """
    within = os.path.realpath(_own_folder(where, places)) + os.sep
    outside = []
    for kind, items in contents.items():
        inside = []
        for item in items:
            if os.path.realpath(item.path).startswith(within):
                inside.append(item)
            else:
                outside.append(str(item.path))
        contents[kind] = inside
    return outside


def _own_folder(where: Declaration, places: Places) -> Path:
    """What a package may offer lies in it: npm's may offer what they depend on."""
    if isinstance(where.source, NpmSource):
        return places.root(where.source, where.scope)
    return places.installed(where.source, where.scope)


def _private_cache(places: Places) -> None:
    """Others of this machine have no business in what runs with the person's rights."""
    places.cache.mkdir(parents=True, exist_ok=True)
    places.cache.chmod(0o700)


def _local(package: Declaration, place: Path, home: Path) -> dict[Kind, list[Found]]:
    """A file is an extension; so is a folder with nothing but one.

    What -e names counts as one in any case: pi does not start without it.
    """
    if package.scope != "temporary" and not os.path.lexists(place):
        return {}
    base = place if os.path.isdir(place) else place.parent
    # What -e names is relative to a folder that nothing else tells of.
    source = str(place) if package.scope == "temporary" else package.text
    origin = Origin(source, package.scope, package=True, base=base)
    if not os.path.isdir(place):
        return {"extensions": [Found(place, origin)]}
    contents = package_contents(place, origin, package.selection, home)
    if package.selection is None and not any(contents.values()):
        entries = extension_entries(place)
        if not entries and package.scope != "temporary":
            raise PackageError(f"there is no resource of pi in {place}")
        entries = entries or [place]
        contents["extensions"] = [Found(path, origin) for path in entries]
    return contents


def _refresh(source: Source, scope: Scope, places: Places, programs: Programs) -> None:
    """Bring what an earlier run left up to date; no matter if that cannot be done now."""
    from pi.resources.packages.checking import has_newer  # noqa: PLC0415  (as above)

    if source.pinned and not isinstance(source, GitSource):
        return  # a ref of git may be a branch
    asking = replace(programs, limit=_ASKING)
    with contextlib.suppress(PackageError, OSError):
        if has_newer(source, scope, places, asking):
            install_source(source, scope, places, programs, latest=True)


def _identity(package: Declaration, places: Places) -> str:
    return identity(package.source, places.base(package.scope), places.paths.home)


def _failure(package: Declaration, error: Exception) -> str:
    hint = ""
    if package.scope != "temporary" and isinstance(error, PackageError):
        local = " --local" if package.scope == "project" else ""
        hint = f"; to do without it: pi remove {package.text}{local}"
    return f"package {package.text} is left out: {error}{hint}"
