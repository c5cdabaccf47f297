"""Packages from a Python index: each in a folder of its own, with all it depends on.

Two packages may need two versions of a third, and neither may disturb what pi runs on.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pi.resources.manifest import read_dependencies
from pi.resources.packages.contents import SITE
from pi.resources.packages.distributions import version_of
from pi.resources.packages.hosts import PYTHON
from pi.resources.packages.programs import PackageError, Programs, find_program
from pi.resources.packages.source import PipSource, distribution_name
from pi.resources.packages.staging import own_root, staged
from pi.resources.packages.versions import allows
from pi.wire import jsonio

__all__ = [
    "install",
    "install_dependencies",
    "installed_version",
    "is_current",
    "latest_version",
    "newest_release",
]

_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")


def installed_version(source: PipSource, place: Path) -> str | None:
    return version_of(place, source.name) if os.path.isdir(place) else None


def is_current(source: PipSource, place: Path) -> bool:
    """Whether it is there in a version that the source allows."""
    version = installed_version(source, place)
    return version is not None and allows(source.limits, version)


def install(
    source: PipSource, root: Path, place: Path, programs: Programs, *, latest: bool = False
) -> None:
    """The newest that the source allows. latest: even if there is one. Raises PackageError."""

    def build(folder: Path) -> None:
        _pip([source.spec], folder, programs)
        if installed_version(source, folder) is None:
            raise PackageError(f"pip installed {source.spec}, but not as {source.name}")

    with own_root(root):
        if latest or not is_current(source, place):
            staged(place, build)


def latest_version(source: PipSource, programs: Programs) -> str | None:
    """The newest version that the source allows; None where only installing would tell.

    Raises PackageError.
    """
    if not _has_pip():
        return None
    asking = ("--dry-run", "--ignore-installed", "--no-deps", "--report", "-")
    answer = programs.read([*_install(), *asking, "--", source.spec])
    try:
        report = jsonio.loads(answer)
        return str(report["install"][0]["metadata"]["version"])
    except (ValueError, LookupError, TypeError):
        return None


def newest_release(name: str, programs: Programs) -> str | None:
    """The newest version of a distribution at the person's index, prereleases left out.

    None where the index has none. Raises PackageError.
    """
    if _has_pip():
        quiet = ("--disable-pip-version-check", "--no-input", "--no-color")
        said = programs.read([sys.executable, "-m", "pip", "index", "versions", *quiet, "--", name])
        match = re.search(r"\(([^()\s]+)\)", said.partition("\n")[0])
    else:
        plain = ("--quiet", "--no-deps", "--no-header", "--no-annotate")
        command = [_uv(programs), "pip", "compile", *plain, "--python", sys.executable, "-"]
        said = programs.read(command, given=f"{name}\n".encode())
        match = re.search(r"^[^#\s]+==(\S+)", said, re.MULTILINE)
    return None if match is None else match[1]


def install_dependencies(root: Path, programs: Programs) -> None:
    """What the pyproject.toml of a package asks for, if pi is spoken to in it."""
    _, listed = read_dependencies(root)
    # pi itself is here already.
    needed = [item for item in listed if distribution_name(item) not in ("", PYTHON)]
    if needed:
        _pip(needed, root / SITE, programs)


def _pip(specs: Sequence[str], target: Path, programs: Programs) -> None:
    where = ("--target", str(target))
    if _has_pip():
        command = [*_install(), *where, "--", *specs]
    else:
        python = ("--python", sys.executable)
        command = [_uv(programs), "pip", "install", "--quiet", *python, *where, "--", *specs]
    programs.run(command)


def _install() -> list[str]:
    """The command; whatever a pip.conf says of another place is taken back: pip refuses two."""
    elsewhere = ("--no-user", "--prefix=", "--root=")
    return [sys.executable, "-P", "-m", "pip", "install", *_QUIET, *elsewhere]


def _uv(programs: Programs) -> str:
    """An environment made by uv has no pip."""
    uv = find_program("uv", programs.variables)
    if uv is None:
        raise PackageError(
            "there is neither pip in pi's Python nor uv",
            hint=f"Install pip with: {sys.executable} -m ensurepip",
        )
    return uv


def _has_pip() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415  (for packages from an index only)

    return find_spec("pip") is not None
