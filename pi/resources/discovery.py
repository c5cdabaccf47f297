"""Where resources are looked for, and which of two with one name counts: the first.

Order: what `-e` brought; entries of the project's settings, its `.pi` folder and the `.agents`
folders from the working folder up to the repository's root; entries of the person's settings, the
agent folder, `~/.agents`; packages, the project's first; what the command line names by path.
Source: docs/settings.md, docs/skills.md, docs/configuration.md.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pi.config.paths import Paths, expand_home
from pi.config.settings_types import Resource, Settings
from pi.config.trust import shared_folders
from pi.resources.builtin import is_builtin
from pi.resources.files import agent_skills, conventional, files_in
from pi.resources.filters import Filter, is_pattern
from pi.resources.found import KINDS, Found, Kind, Origin

__all__ = ["find_resources", "real_path"]


def find_resources(
    paths: Paths, settings: Settings, packages: dict[Kind, list[Found]]
) -> dict[Kind, list[Found]]:
    """Each file once, at its best place, those that are filtered out included.

    settings: without the project's, where that is not trusted. packages: what they brought.
    """
    found: dict[Kind, list[Found]] = {}
    for kind in KINDS:
        entries: Sequence[Resource] = getattr(settings, kind)
        listed: list[Found] = []
        for scope in ("project", "user"):
            if scope == "project" and not settings.trusted:
                continue
            mine = [entry.value for entry in entries if entry.scope == scope]
            if kind == "extensions":
                mine = [entry for entry in mine if not is_builtin(entry)]
            listed += _named(kind, mine, scope, paths)
            listed += _conventional(kind, mine, scope, paths)
        found[kind] = list(_distinct(listed, packages[kind]))
    return found


def _shared_skill_folders(paths: Paths) -> Iterator[Path]:
    """`.agents/skills` of the working folder and those above it, up to the repository's root."""
    here = Path(os.path.realpath(paths.cwd))
    root = next((folder for folder in (here, *here.parents) if _holds_git(folder)), None)
    for folder in shared_folders(paths):
        if root is None or folder.is_relative_to(root):
            yield folder


def real_path(path: Path) -> str:
    """What makes two paths the same file."""
    return os.path.normcase(os.path.realpath(path))


def _named(
    kind: Kind, entries: Sequence[str], scope: Literal["user", "project"], paths: Paths
) -> Iterator[Found]:
    """What the entries of one settings file name."""
    base = paths.agent if scope == "user" else paths.project
    files: list[Path] = []
    for entry in entries:
        if is_pattern(entry):
            continue
        path = Path(os.path.normpath(base / expand_home(entry.strip(), paths.home)))
        if os.path.isdir(path):
            files += files_in(kind, path)
        elif os.path.isfile(path):
            files.append(path)
    wanted = set(files)
    patterns = [entry for entry in entries if is_pattern(entry)]
    if patterns:
        wanted = Filter(patterns, base, paths.home).choose(files)
    origin = Origin("local", scope)
    for file in files:
        yield Found(file, origin, file in wanted)


def _conventional(
    kind: Kind, entries: Sequence[str], scope: Literal["user", "project"], paths: Paths
) -> Iterator[Found]:
    """What lies in the folders made for it, but for what the entries exclude."""
    base = paths.agent if scope == "user" else paths.project
    folders = [(base / kind, base)]
    if kind == "skills":
        if scope == "user":
            folders.append((paths.home / ".agents" / "skills", paths.home / ".agents"))
        else:
            folders += [(folder, folder.parent) for folder in _shared_skill_folders(paths)]
    for folder, relative_to in folders:
        if not os.path.isdir(folder):
            continue
        shared = relative_to != base
        files = agent_skills(folder) if shared else conventional(kind, folder)
        origin = Origin("auto", scope, base=relative_to)
        changes = Filter(entries, relative_to, paths.home)
        for file in files:
            yield Found(file, origin, changes.allows(file) if entries else True)


def _distinct(listed: Sequence[Found], packaged: Sequence[Found]) -> Iterator[Found]:
    """A file that a package brings is the package's, even where settings name it, too."""
    owned = {item.path for item in packaged}
    seen: set[str] = set()
    for item in (*(item for item in listed if item.path not in owned), *packaged):
        key = real_path(item.path)
        if key not in seen:
            seen.add(key)
            yield item


def _holds_git(folder: Path) -> bool:
    return os.path.exists(folder / ".git")
