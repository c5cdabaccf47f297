"""Which of the files found are wanted: `!pattern`, `+path`, `-path` and plain patterns.

The lists come from settings and package manifests. Whatever their order: plain entries choose,
`!` takes away by pattern, `+` brings back an exact path, `-` takes an exact path away for good.
Source: docs/packages.md, docs/settings.md.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi.config.paths import expand_home

__all__ = ["Filter", "is_change", "is_pattern"]

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
            if not plain or self._matches(path, plain):
                if self.allows(path):
                    chosen.add(path)
            elif self._exact(path, "+") and not self._exact(path, "-"):
                chosen.add(path)
        return chosen

    def allows(self, path: Path) -> bool:
        """Whether it is wanted by the changes alone."""
        if self._exact(path, "-"):
            return False
        if self._exact(path, "+"):
            return True
        excluded = [entry[1:] for entry in self.entries if entry.startswith("!")]
        return not (excluded and self._matches(path, excluded))

    def decide(self, path: Path) -> bool | None:
        """What the last entry about it says; None where none is about it.

        For lists that go over another list and change nothing they do not name.
        """
        decision = None
        for entry in self.entries:
            exact = entry.startswith(("+", "-"))
            target = entry[1:] if is_change(entry) else entry
            if self._is(path, target) if exact else self._matches(path, [target]):
                decision = not entry.startswith(("-", "!"))
        return decision

    def _exact(self, path: Path, sign: str) -> bool:
        return any(self._is(path, entry[1:]) for entry in self.entries if entry.startswith(sign))

    def _is(self, path: Path, target: str) -> bool:
        wanted = self._expanded(target.removeprefix("./")).rstrip("/")
        return any(wanted in (name.relative, name.absolute) for name in self._names(path))

    def _matches(self, path: Path, patterns: Sequence[str]) -> bool:
        from wcmatch import glob  # noqa: PLC0415  (few lists hold patterns; it knows `**` and `{}`)

        flags = glob.GLOBSTAR | glob.BRACE | glob.EXTGLOB | glob.CASE
        wanted = [self._expanded(pattern) for pattern in patterns]
        return any(
            glob.globmatch(subject, pattern, flags=flags)
            for name in self._names(path)
            for subject in (name.relative, name.name, name.absolute)
            for pattern in wanted
        )

    def _names(self, path: Path) -> "list[_Names]":
        """A skill goes by its folder, too."""
        names = [_Names.of(path, self.base)]
        if path.name == _SKILL_FILE:
            names.append(_Names.of(path.parent, self.base))
        return names

    def _expanded(self, text: str) -> str:
        return expand_home(text, self.home).as_posix() if text.startswith("~") else text


@dataclass(frozen=True, slots=True)
class _Names:
    relative: str
    name: str
    absolute: str

    @classmethod
    def of(cls, path: Path, base: Path) -> "_Names":
        try:
            relative = os.path.relpath(path, base).replace(os.sep, "/")
        except ValueError:  # another drive
            relative = path.as_posix()
        return cls(relative, path.name, path.as_posix())
