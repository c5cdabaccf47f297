"""Where ignore rules come from, apart from the folders a walk passes through.

Files that cannot be read count as absent, as they do for git.
"""

import contextlib
import os
from pathlib import Path

__all__ = ["global_excludes", "levels_above", "read_exclude", "read_rules"]

_MOST = 16 << 20
"""Bytes of one file."""

# A folder's rules: the length of its path with the slash, the text of its .ignore files, of its
# .gitignore, of its repository's exclude file, and whether a repository starts there.
Level = tuple[int, bytes, bytes, bytes, bool]


def read_rules(folder: bytes, names: tuple[bytes, ...]) -> bytes:
    """The text of the ignore files of these names, one after the other."""
    texts = []
    for name in names:
        path = os.path.join(folder, name)
        # A repository may hold a pipe, or a link to a device, that never ends.
        if os.path.isfile(path):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                texts.append(file.read(_MOST))
    return b"\n".join(texts)


def read_exclude(folder: bytes) -> bytes:
    """The text of `.git/info/exclude`, also where `.git` is a file that names the folder."""
    git = os.path.join(folder, b".git")
    if os.path.isfile(git):
        pointer = read_rules(folder, (b".git",))
        if not pointer.startswith(b"gitdir:"):
            return b""
        git = os.path.join(folder, pointer[7:].strip())
        common = read_rules(git, (b"commondir",)).strip()
        if common:
            git = os.path.join(git, common)
    return read_rules(os.path.join(git, b"info"), (b"exclude",))


def levels_above(root: bytes, ignore_names: tuple[bytes, ...], use_git: bool) -> list[Level]:
    """The rules of every folder above `root`, which ends in a slash, the outermost first."""
    levels: list[Level] = []
    at = root.find(b"/") if os.path.isabs(root) else -1
    while 0 <= at < len(root) - 1:
        folder = root[: at + 1]
        ignore = read_rules(folder, ignore_names)
        git = read_rules(folder, (b".gitignore",)) if use_git else b""
        repository = use_git and os.path.lexists(folder + b".git")
        exclude = read_exclude(folder) if repository else b""
        if ignore or git or exclude or repository:
            levels.append((at + 1, ignore, git, exclude, repository))
        at = root.find(b"/", at + 1)
    return levels


def global_excludes(home: Path, config_home: Path | None = None) -> bytes:
    """The text of the excludes file that git applies in every repository of this user.

    config_home: the value of XDG_CONFIG_HOME, by default `.config` in the home folder.
    """
    config_home = config_home or home / ".config"
    chosen: str | None = None
    for file in (config_home / "git" / "config", home / ".gitconfig"):
        with contextlib.suppress(OSError):
            chosen = _excludes_setting(file.read_text("utf-8", "replace")) or chosen
    if chosen is None:
        path = config_home / "git" / "ignore"
    elif chosen.startswith("~/"):
        path = home / chosen[2:]
    else:
        path = home / chosen
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def _excludes_setting(config: str) -> str | None:
    """`excludesFile` of the section `core` of a git configuration."""
    section = ""
    found = None
    for line in config.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line[1:].partition("]")[0].strip().lower()
            continue
        name, equals, value = line.partition("=")
        if section == "core" and equals and name.strip().lower() == "excludesfile":
            found = value.strip().strip('"')
    return found or None
