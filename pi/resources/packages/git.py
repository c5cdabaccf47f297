"""Packages from git: each a clone of its own, replaced as a whole when there is something new."""

import contextlib
import os
import re
from pathlib import Path

from pi.resources.manifest import read_dependencies
from pi.resources.packages.npm import dependencies_command
from pi.resources.packages.pip import install_dependencies
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import GitSource
from pi.resources.packages.staging import discard, own_root, staged

__all__ = ["head", "install", "newest", "remove", "update"]

_CLONE = ("git", "clone", "--quiet", "--origin", "origin")
"""Under the name that is used here, whatever git's configuration would call it."""
_COMMIT = r"(?i:[0-9a-f]{7,64})"


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
        programs.run([*_CLONE, "--", source.repo, str(folder)])
        if source.ref is not None:
            # With what follows it is no name of a file.
            programs.run(["git", "checkout", "--quiet", source.ref, "--"], cwd=folder)
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
        mark = _mark(place)
        if wanted == before and not mark.exists() and _has_dependencies(place):
            return

        def build(folder: Path) -> None:
            # From the clone that is there: its objects are linked, not copied.
            programs.read([*_CLONE, "--no-checkout", "--", str(place), str(folder)])
            programs.read(["git", "remote", "set-url", "origin", source.repo], cwd=folder)
            programs.read(["git", "reset", "--quiet", "--hard", wanted], cwd=folder)
            _prepare(folder, programs)

        staged(place, build)
        mark.unlink(missing_ok=True)


def remove(root: Path, place: Path) -> None:
    """Its clone, and the folders above that are empty then."""
    if not os.path.exists(place):
        return
    with own_root(root):
        discard(place)
        _mark(place).unlink(missing_ok=True)
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
            # What a hash names never changes; it may be here already.
            with contextlib.suppress(PackageError):
                return _commit(source.ref, place, programs)
        git("fetch", "--quiet", "origin", source.ref)
        return git("rev-parse", "FETCH_HEAD^{commit}")
    name = _followed(place, programs)
    if name is None:
        answer = git("ls-remote", "--symref", "origin", "HEAD")
        branch = re.search(r"^ref: refs/heads/(\S+)\s+HEAD$", answer, re.MULTILINE)
        name = branch[1] if branch else "HEAD"
    git("fetch", "--quiet", "--no-tags", "origin", name)
    return git("rev-parse", "FETCH_HEAD^{commit}")


def _followed(place: Path, programs: Programs) -> str | None:
    """The branch at the origin that the one here comes from."""
    with contextlib.suppress(PackageError):
        upstream = programs.read(["git", "rev-parse", "--abbrev-ref", "@{upstream}"], cwd=place)
        if upstream.startswith("origin/"):
            return upstream.removeprefix("origin/")
    return None


def newest(source: GitSource, place: Path, programs: Programs) -> str | None:
    """The commit that the clone would be brought to; nothing is fetched. None where it is unknown.

    Raises PackageError.
    """
    if source.ref is None:
        branch = _followed(place, programs)
        names = ["HEAD" if branch is None else f"refs/heads/{branch}"]
    elif re.fullmatch(_COMMIT, source.ref):
        with contextlib.suppress(PackageError):  # what a hash names never changes
            return _commit(source.ref, place, programs)
        return None
    else:
        # An annotated tag, then what it is of; git takes a tag before a branch.
        names = [f"refs/tags/{source.ref}^{{}}", f"refs/tags/{source.ref}"]
        names += [f"refs/heads/{source.ref}", source.ref]
    answer = programs.read(["git", "ls-remote", "origin", *names], cwd=place)
    known = {
        name: commit for commit, _, name in (line.partition("\t") for line in answer.splitlines())
    }
    return next((known[name] for name in names if name in known), None)


def _commit(ref: str, place: Path, programs: Programs) -> str:
    command = ["git", "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
    return programs.read(command, cwd=place)


def _mark(place: Path) -> Path:
    """What the npm package leaves beside a clone whose update it did not finish."""
    return place.with_name(f".{place.name}.pi-update-incomplete")


def _has_dependencies(place: Path) -> bool:
    """Whether what its package.json asks for is there."""
    needed, _ = read_dependencies(place)
    return all(os.path.exists(place / "node_modules" / name) for name in needed)


def _prepare(folder: Path, programs: Programs) -> None:
    """What its resources need to run."""
    if os.path.isfile(folder / "package.json"):
        programs.run(dependencies_command(programs.npm), cwd=folder)
    install_dependencies(folder, programs)
