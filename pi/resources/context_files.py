"""Context files: standing instructions in the agent folder, the working folder and its parents.

Source: docs/configuration.md, "Context files". They need no project trust.

A git worktree inside the repository it belongs to holds a copy of that repository's own file; then
the repository's is left out, or the model would be told everything twice.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pi.resources.textfile import TextFile, read_text_file

__all__ = ["NAMES", "ContextFiles", "load_context_files"]

NAMES = ("AGENTS.override.md", "AGENTS.md", "AGENTS.MD", "CLAUDE.md", "CLAUDE.MD")
"""The first of these that can be read speaks for its folder, and for that folder only."""


class ContextFiles(NamedTuple):
    """files: the agent folder's, then from the file system's root down to the working folder.

    diagnostics: one line for stderr for each file that could not be read, or not as UTF-8.
    """

    files: tuple[TextFile, ...] = ()
    diagnostics: tuple[str, ...] = ()


def load_context_files(cwd: Path, agent_dir: Path) -> ContextFiles:
    """What applies to a run in `cwd`. Both paths are absolute."""
    files: list[TextFile] = []
    diagnostics: list[str] = []
    names: dict[Path, str] = {}
    for folder in _folders(cwd, agent_dir):
        for name in NAMES:
            try:
                found = read_text_file(folder / name)
            except OSError as error:
                diagnostics.append(f"{folder / name} cannot be read: {error.strerror or error}")
                continue
            if found is None:
                continue
            names[folder] = name
            if found.diagnostic:
                diagnostics.append(found.diagnostic)
            files.append(found)
            break
    nested = _nested_worktree(cwd)
    if nested is not None:
        worktree, repository = nested
        own = names.get(worktree)
        files = [
            file
            for file in files
            if file.path.name != own or os.path.realpath(file.path.parent) != repository
        ]
    return ContextFiles(tuple(files), tuple(diagnostics))


def _folders(cwd: Path, agent_dir: Path) -> Iterator[Path]:
    """Most general first; the agent folder only once when the run is inside it."""
    yield agent_dir
    for folder in (*reversed(cwd.parents), cwd):
        if folder != agent_dir:
            yield folder


def _nested_worktree(cwd: Path) -> tuple[Path, str] | None:
    """The worktree that `cwd` is in, and the real path of the repository around it it is of.

    None where there is no such worktree: a repository of its own, one beside it, a submodule.
    """
    for folder in (cwd, *cwd.parents):
        link = folder / ".git"
        if os.path.isdir(link):
            return None
        if os.path.isfile(link):
            break
    else:
        return None
    try:
        pointer = read_text_file(link)
        if pointer is None or not pointer.text.startswith("gitdir:"):
            return None
        git = folder / pointer.text.removeprefix("gitdir:").strip()
        named = read_text_file(git / "commondir")
        if named is None:
            return None
        common = git / named.text.strip()
    except (OSError, ValueError):
        return None
    common_path = os.path.realpath(common)
    repository = os.path.dirname(common_path)
    around = os.path.realpath(folder).startswith(f"{repository.rstrip(os.sep)}{os.sep}")
    its_own = os.path.realpath(os.path.join(repository, ".git")) == common_path
    return (folder, repository) if around and its_own else None
