"""Which of the files found are wanted: `!pattern`, `+path`, `-path` and plain patterns.

The lists come from settings and package manifests. Whatever their order: plain entries choose,
`!` takes away by pattern, `+` brings back an exact path, `-` takes an exact path away for good.
Source: docs/packages.md, docs/settings.md.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pi.config.paths import expand_home
from pi.resources.patterns import Matcher, TooMuchError, compile_pattern

__all__ = ["Filter", "is_change", "is_pattern"]

log = logging.getLogger(__name__)

_SKILL_FILE = "SKILL.md"


def is_change(entry: str) -> bool:
    """Whether it changes what others chose."""
    return entry.startswith(("!", "+", "-"))


def is_pattern(entry: str) -> bool:
    """Whether it is about files that something else finds, and names none to look into."""
    return is_change(entry) or "*" in entry or "?" in entry


@dataclass(frozen=True, slots=True)
class Filter:
    """entries: of one list. base: the folder they are relative to. home: for `~`."""

    entries: Sequence[str]
    base: Path
    home: Path

    def choose(self, paths: Iterable[Path]) -> set[Path]:
        """Those that are wanted: all, unless a plain entry chooses."""
        plain = [entry for entry in self.entries if not is_change(entry)]
        chosen = set()
        for path in paths:
            if not plain or self._matches(_names(path, self.base), plain):
                if self.allows(path):
                    chosen.add(path)
            elif self._decided_exactly(_names(path, self.base)):
                chosen.add(path)
        return chosen

    def allows(self, path: Path) -> bool:
        """Whether it is wanted by the changes alone."""
        names = _names(path, self.base)
        exactly = self._decided_exactly(names)
        if exactly is not None:
            return exactly
        excluded = [entry[1:] for entry in self.entries if entry.startswith("!")]
        return not (excluded and self._matches(names, excluded))

    def decide(self, path: Path) -> bool | None:
        """What the last entry about it says; None where none is about it.

        For lists that go over another list and change nothing they do not name.
        """
        names = _names(path, self.base)
        decision = None
        for entry in self.entries:
            exact = entry.startswith(("+", "-"))
            target = entry[1:] if is_change(entry) else entry
            if self._is(names, target) if exact else self._matches(names, [target]):
                decision = not entry.startswith(("-", "!"))
        return decision

    def _decided_exactly(self, names: "Sequence[_Names]") -> bool | None:
        """By `-path`, or else by `+path`; None where neither is about it."""
        for sign, wanted in (("-", False), ("+", True)):
            if any(self._is(names, entry[1:]) for entry in self.entries if entry.startswith(sign)):
                return wanted
        return None

    def _is(self, names: "Sequence[_Names]", target: str) -> bool:
        wanted = self._expanded(target.removeprefix("./")).rstrip("/")
        return any(wanted in (name.relative, name.absolute) for name in names)

    def _matches(self, names: "Sequence[_Names]", patterns: Sequence[str]) -> bool:
        matchers = [_compiled(self._expanded(pattern)) for pattern in patterns]
        return any(
            matches is not None and matches(subject)
            for name in names
            for subject in name
            for matches in matchers
        )

    def _expanded(self, text: str) -> str:
        return expand_home(text, self.home).as_posix() if text.startswith("~") else text


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Matcher | None:
    """What matches names; None for a pattern that stands for too many."""
    try:
        return compile_pattern(pattern)
    except TooMuchError:
        log.warning("the pattern %s stands for too many names, and is passed over", pattern[:80])
        return None


class _Names(NamedTuple):
    relative: str
    name: str
    absolute: str


def _names(path: Path, base: Path) -> list[_Names]:
    """A skill goes by its folder, too."""
    try:
        relative = os.path.relpath(path, base).replace(os.sep, "/")
    except ValueError:  # another drive
        relative = path.as_posix()
    names = [_Names(relative, path.name, path.as_posix())]
    if path.name == _SKILL_FILE:
        folder = path.parent
        names.append(_Names(os.path.dirname(relative) or ".", folder.name, folder.as_posix()))
    return names
