"""Which files a search leaves out: .gitignore and its relatives, as git reads them.

A rule is asked about one path at a time, a folder before what is in it: a folder that is left out
is never entered, so nothing in it can be taken back. (pathspec's patterns also match everything
below a match, which would hide the inside of a folder that was asked for by name.)
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pi.tools.search.glob import GlobError, translate

__all__ = ["IgnoreStack", "Rule", "Rules", "parse_rule"]

_UNESCAPED_END = re.compile(r"(?<!\\)((?:\\\\)*)[ \t]+$")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line. ignore: False takes back. folders_only: it ended in a slash."""

    pattern: re.Pattern[str]
    ignore: bool
    folders_only: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one file, for paths below `folder`; `prefix` is that folder with a slash."""

    prefix: str
    rules: tuple[Rule, ...]

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether `path` is left out; None if nothing is said. The last rule that matches wins."""
        relative = path[len(self.prefix) :]
        for rule in reversed(self.rules):
            if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(relative):
                return rule.ignore
        return None


@dataclass(frozen=True, slots=True)
class IgnoreStack:
    """The rules that govern one folder.

    kinds: for each kind of file, strongest first, the rules from this folder outwards.
    git_kind: the position of .gitignore among them. in_repository: a .git was seen on the way.
    shared: rules of the repository and of the user, asked last.
    """

    names: tuple[str, ...]
    git_needs_repository: bool
    kinds: tuple[tuple[Rules, ...], ...]
    in_repository: bool
    exclude: tuple[Rules, ...] = ()
    shared: tuple[Rules, ...] = field(default=())

    @classmethod
    def outermost(
        cls,
        folder: Path,
        names: Sequence[str],
        *,
        git_needs_repository: bool,
        env: Mapping[str, str],
    ) -> "IgnoreStack":
        """The rules for what is in `folder`, those of its parents included.

        names: ignore files, strongest first; ".gitignore" is one of them and is git's: outside a
        repository it counts only if git_needs_repository is False.
        """
        stack = cls(
            tuple(names),
            git_needs_repository,
            tuple(() for _ in names),
            False,
            shared=_user_rules(env),
        )
        for parent in [*reversed(folder.parents), folder]:
            stack = stack.enter(str(parent))
        return stack

    def enter(self, folder: str, entries: Iterable[str] | None = None) -> "IgnoreStack":
        """The rules inside a folder of this one. entries: the names in it, if they are known."""
        present = None if entries is None else set(entries)

        def read(name: str) -> Rules | None:
            if present is not None and name not in present:
                return None
            return _read_rules(os.path.join(folder, name), folder)

        own = [read(name) for name in self.names]
        if present is None:
            is_root = os.path.lexists(os.path.join(folder, ".git"))
        else:
            is_root = ".git" in present
        if not is_root and not any(own):
            return self
        kinds = []
        for name, rules, outer in zip(self.names, own, self.kinds, strict=True):
            # A repository is not governed by the one it lies in.
            inherited = () if is_root and name == ".gitignore" else outer
            kinds.append((rules, *inherited) if rules else inherited)
        exclude = self.exclude
        if is_root:
            info = _read_rules(os.path.join(folder, ".git", "info", "exclude"), folder)
            exclude = (info,) if info else ()
        return IgnoreStack(
            self.names,
            self.git_needs_repository,
            tuple(kinds),
            self.in_repository or is_root,
            exclude,
            self.shared,
        )

    def ignored(self, path: str, is_folder: bool) -> bool:
        """Whether the absolute `path` in this folder is left out."""
        git_counts = self.in_repository or not self.git_needs_repository
        for name, kind in zip(self.names, self.kinds, strict=True):
            if name == ".gitignore" and not git_counts:
                continue
            for rules in kind:
                verdict = rules.verdict(path, is_folder)
                if verdict is not None:
                    return verdict
        if git_counts:
            for rules in (*self.exclude, *self.shared):
                verdict = rules.verdict(path, is_folder)
                if verdict is not None:
                    return verdict
        return False


@lru_cache(maxsize=4096)
def parse_rule(line: str) -> Rule | None:
    """One line of an ignore file; None for a blank, a comment, or what git would not accept."""
    line = line.rstrip("\r\n")
    line = _UNESCAPED_END.sub(r"\1", line)
    if not line or line.startswith("#"):
        return None
    ignore = not line.startswith("!")
    if not ignore:
        line = line[1:]
    folders_only = line.endswith("/")
    if folders_only:
        line = line[:-1]
    anchored = "/" in line
    line = line.removeprefix("/")
    if not line:
        return None
    if not anchored:
        line = f"**/{line}"
    try:
        return Rule(re.compile(translate(line, braces=False)), ignore, folders_only)
    except (GlobError, re.error):
        return None


def _read_rules(path: str, folder: str) -> Rules | None:
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            rules = tuple(rule for rule in map(parse_rule, file) if rule)
    except OSError:
        return None
    if not rules:
        return None
    slashed = folder.replace(os.sep, "/")
    return Rules(slashed if slashed.endswith("/") else f"{slashed}/", rules)


def _user_rules(env: Mapping[str, str]) -> tuple[Rules, ...]:
    """The user's own ignore file, where git would look for it. Its paths may lie anywhere."""
    home = env.get("HOME") or os.path.expanduser("~")
    path = _configured(os.path.join(home, ".gitconfig"), home)
    if path is None:
        config = env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        path = os.path.join(config, "git", "ignore")
    rules = _read_rules(path, os.sep)
    return (rules,) if rules else ()


def _configured(path: str, home: str) -> str | None:
    try:
        text = Path(path).read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    found = re.search(r"^\s*excludesfile\s*=\s*\"?([^\"\n]+?)\"?\s*$", text, re.M | re.I)
    if found is None:
        return None
    value = found.group(1)
    return home + value[1:] if value.startswith("~/") else value
