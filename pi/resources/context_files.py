"""Context files: standing instructions in the agent folder, the working folder and its parents.

Source: docs/configuration.md, "Context files". They need no project trust.
"""

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
    for folder in _folders(cwd, agent_dir):
        for name in NAMES:
            try:
                found = read_text_file(folder / name)
            except OSError as error:
                diagnostics.append(f"{folder / name} cannot be read: {error.strerror or error}")
                continue
            if found is None:
                continue
            if found.diagnostic:
                diagnostics.append(found.diagnostic)
            # An empty file has nothing to say, but it still keeps the names after it silent.
            if found.text.strip():
                files.append(found)
            break
    return ContextFiles(tuple(files), tuple(diagnostics))


def _folders(cwd: Path, agent_dir: Path) -> Iterator[Path]:
    """Most general first; the agent folder only once when the run is inside it."""
    yield agent_dir
    for folder in (*reversed(cwd.parents), cwd):
        if folder != agent_dir:
            yield folder
