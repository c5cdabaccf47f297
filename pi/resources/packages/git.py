"""Packages from git: each a clone of its own, replaced as a whole when there is something new."""

import contextlib
import os
import re
from pathlib import Path

from pi.resources.packages.npm import dependencies_command
from pi.resources.packages.pip import install_dependencies
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import GitSource
from pi.resources.packages.staging import discard, own_root, staged

__all__ = ["head", "install", "remove", "update"]

_COMMIT = r"[0-9a-f]{7,64}"


def head(place: Path, programs: Programs) -> str | None:
    """The commit that is checked out; None where there is no clone."""
    if not os.path.exists(place / ".git"):
        return None
    try:
        return programs.read(["git", "rev-parse", "HEAD"], cwd=place)
    except PackageError:
        return None


def install(source: GitSource, root: Path, place: Path, programs: Programs) -> None:
    """Clone it to `place`. Raises PackageError."""

    def build(folder: Path) -> None:
        programs.run(["git", "clone", "--quiet", "--", source.repo, str(folder)])
        if source.ref is not None:
            programs.run(["git", "checkout", "--quiet", source.ref], cwd=folder)
        _prepare(folder, programs)

    with own_root(root):
        if not os.path.exists(place / ".git"):  # another pi may have seen to it meanwhile
            staged(place, build)


def update(source: GitSource, root: Path, place: Path, programs: Programs) -> None:
    """Bring the clone to what the source names now, if it is not there. Raises PackageError."""
    before = head(place, programs)
    if before is None:
        install(source, root, place, programs)
        return
    with own_root(root):
        wanted = _fetch(source, place, programs)
        if wanted == before:
            return

        def build(folder: Path) -> None:
            # From the clone that is there: its objects are linked, not copied.
            programs.read(
                ["git", "clone", "--quiet", "--no-checkout", "--", str(place), str(folder)]
            )
            programs.read(["git", "remote", "set-url", "origin", source.repo], cwd=folder)
            programs.read(["git", "reset", "--quiet", "--hard", wanted], cwd=folder)
            _prepare(folder, programs)

        staged(place, build)


def remove(root: Path, place: Path) -> None:
    """Its clone, and the folders above that are empty then."""
    if not os.path.exists(place):
        return
    with own_root(root):
        discard(place)
        for folder in place.parents:
            if folder == root:
                break
            with contextlib.suppress(OSError):
                folder.rmdir()


def _fetch(source: GitSource, place: Path, programs: Programs) -> str:
    """The commit the source names at its origin, made sure to be here."""

    def git(*arguments: str) -> str:
        return programs.read(["git", *arguments], cwd=place)

    if source.ref is not None:
        if re.fullmatch(_COMMIT, source.ref):
            # What a hash names never changes.
            with contextlib.suppress(PackageError):
                return git("rev-parse", "--verify", "--quiet", f"{source.ref}^{{commit}}")
        git("fetch", "--quiet", "origin", source.ref)
        return git("rev-parse", "FETCH_HEAD^{commit}")
    answer = git("ls-remote", "--symref", "origin", "HEAD")
    branch = re.search(r"^ref: refs/heads/(\S+)\s+HEAD$", answer, re.MULTILINE)
    with contextlib.suppress(PackageError):
        upstream = git("rev-parse", "--abbrev-ref", "@{upstream}")
        if upstream.startswith("origin/"):
            branch = re.fullmatch(r"origin/(.+)", upstream)
    name = branch[1] if branch else "HEAD"
    git("fetch", "--quiet", "--no-tags", "origin", name)
    return git("rev-parse", "FETCH_HEAD^{commit}")


def _prepare(folder: Path, programs: Programs) -> None:
    """What its resources need to run."""
    if os.path.isfile(folder / "package.json"):
        programs.run(dependencies_command(programs.npm), cwd=folder)
    install_dependencies(folder, programs)
