"""What is written of a Python package that was installed into a folder: version, files and so on.

Others wrote it. Python's own reader assumes that they did it well, and raises whatever comes up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pi.resources.packages.programs import PackageError

__all__ = ["entry_points", "requirements", "top_folders", "version_of"]


def version_of(site: Path, name: str) -> str | None:
    """None for a package that is not there, or of which nothing can be told."""
    try:
        with _reading(name):
            found = _distribution(site, name)
            version = None if found is None else found.version
    except PackageError:
        return None
    return version if isinstance(version, str) else None


def top_folders(site: Path, name: str) -> Sequence[Path]:
    """The folders in `site` that hold files of the package, in order. Raises PackageError."""
    with _reading(name):
        found = _distribution(site, name)
        files = (found.files or ()) if found is not None else ()
        tops = {file.parts[0] for file in files if len(file.parts) > 1 and not file.is_absolute()}
    return [
        site / top
        for top in sorted(tops)
        if top != ".." and not top.endswith((".dist-info", ".data")) and (site / top).is_dir()
    ]


def entry_points(site: Path, name: str, group: str) -> Sequence[tuple[str, str]]:
    """The module and the whole value of each, "module:attribute". Raises PackageError."""
    with _reading(name):
        found = _distribution(site, name)
        if found is None:
            return []
        return [(entry.module, entry.value) for entry in found.entry_points.select(group=group)]


def requirements(site: Path, name: str) -> Sequence[str]:
    """What it depends on, in the indexes' own form. Raises PackageError."""
    with _reading(name):
        found = _distribution(site, name)
        return [str(text) for text in (found.requires if found is not None else None) or ()]


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  (AttributeError, csv.Error, UnicodeDecodeError, …)
        raise PackageError(
            f"what is written of {name} where it is installed makes no sense: "
            f"{type(error).__name__}: {error}"
        ) from None


def _distribution(site: Path, name: str) -> Any:
    from importlib import metadata  # noqa: PLC0415  (for packages from an index only)

    return next(iter(metadata.distributions(name=name, path=[str(site)])), None)
