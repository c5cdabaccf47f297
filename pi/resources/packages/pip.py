"""Packages from a Python index: each in a folder of its own, with all it depends on.

Two packages may need two versions of a third, and neither may disturb what pi runs on.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pi.resources.packages.contents import SITE
from pi.resources.packages.programs import PackageError, Programs, find_program
from pi.resources.packages.source import PipSource
from pi.resources.packages.staging import own_root, staged
from pi.wire import jsonio

__all__ = [
    "install",
    "install_dependencies",
    "installed_version",
    "is_current",
    "latest_version",
]

_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")


def installed_version(source: PipSource, place: Path) -> str | None:
    if not os.path.isdir(place):
        return None
    from importlib import metadata  # noqa: PLC0415  (for packages from an index only)

    found = next(iter(metadata.distributions(name=source.name, path=[str(place)])), None)
    return None if found is None else found.version


def is_current(source: PipSource, place: Path) -> bool:
    """Whether it is there in the version that is pinned, if one is."""
    version = installed_version(source, place)
    if version is None:
        return False
    return not source.pinned or source.limits.lstrip("= ") == version


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
    answer = programs.read(
        [sys.executable, "-m", "pip", "install", *_QUIET, *asking, "--", source.spec]
    )
    try:
        report = jsonio.loads(answer)
        return str(report["install"][0]["metadata"]["version"])
    except (ValueError, LookupError, TypeError):
        return None


def install_dependencies(root: Path, programs: Programs) -> None:
    """What the pyproject.toml of a package asks for, if pi is spoken to in it."""
    if os.path.isfile(root / "pyproject.toml"):
        needed = _dependencies(root)
        if needed:
            _pip(needed, root / SITE, programs)


def _dependencies(root: Path) -> list[str]:
    import tomllib  # noqa: PLC0415  (for packages that have such a file)

    try:
        value: Any = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (ValueError, OSError, RecursionError):
        return []
    tool, project = value.get("tool"), value.get("project")
    if not isinstance(tool, dict) or "pi" not in tool or not isinstance(project, dict):
        return []
    listed = project.get("dependencies")
    if not isinstance(listed, list):
        return []
    # pi itself is here already.
    return [
        item
        for item in listed
        if isinstance(item, str) and not item.startswith("-") and not item.startswith("pi-coding")
    ]


def _pip(specs: Sequence[str], target: Path, programs: Programs) -> None:
    where = ("--target", str(target))
    if _has_pip():
        command = [sys.executable, "-m", "pip", "install", *_QUIET, *where, "--", *specs]
    else:
        # An environment made by uv has no pip.
        uv = find_program("uv", programs.variables)
        if uv is None:
            raise PackageError(
                "there is neither pip in pi's Python nor uv",
                hint=f"Install pip with: {sys.executable} -m ensurepip",
            )
        python = ("--python", sys.executable)
        command = [uv, "pip", "install", "--quiet", *python, *where, "--", *specs]
    programs.run(command)


def _has_pip() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415  (for packages from an index only)

    return find_spec("pip") is not None
