"""The last lines of the screen: where one is, what it has cost, which model answers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pi.config.documents import read_regular
from pi.modes.interactive.cells import cut, width
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.sanitize import clean_line
from pi.modes.interactive.view import Lines
from pi.wire.messages import Usage

__all__ = ["Footer", "Spent", "branch_of"]

_NEARLY_FULL, _FILLING = 90.0, 70.0
"""Percent of the context window from which its figure is an error's, a warning's colour."""


@dataclass(slots=True)
class Spent:
    """Tokens and US dollars of the whole session."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: float = 0.0

    def add(self, usage: Usage) -> None:
        self.input += int(usage["input"])
        self.output += int(usage["output"])
        self.cache_read += int(usage["cacheRead"])
        self.cache_write += int(usage["cacheWrite"])
        self.cost += usage["cost"]["total"]


@dataclass(slots=True)
class Footer:
    """What it shows is set from outside, then `invalidate` is called.

    context: percent of the window, None where nobody knows, window: tokens.
    subscription: answers are part of a plan, their prices only tell what they would cost.
    statuses: of extensions, by key.
    """

    theme: Theme
    cwd: Path
    home: Path
    branch: str | None = None
    name: str | None = None
    spent: Spent = field(default_factory=Spent)
    context: float | None = None
    window: int = 0
    auto_compaction: bool = True
    model: str = ""
    provider: str = ""
    show_provider: bool = False
    thinking: str | None = None
    routed: tuple[str, str] | None = None
    subscription: bool = False
    statuses: Mapping[str, str] = field(default_factory=dict)
    _drawn: tuple[int, list[str]] | None = None

    def invalidate(self) -> None:
        self._drawn = None

    def render(self, width: int) -> Lines:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._rows(width))
        return self._drawn[1]

    def _rows(self, columns: int) -> list[str]:
        rows = [self.theme.fg("dim", cut(self._place(columns), columns))]
        rows.append(self._figures(columns))
        if self.statuses:
            line = " ".join(clean_line(self.statuses[key]) for key in sorted(self.statuses))
            rows.append(cut(self.theme.fg("dim", line), columns))
        return rows

    def _place(self, columns: int) -> str:
        tail = "".join(
            (
                f" ({clean_line(self.branch)})" if self.branch else "",
                f" • {clean_line(self.name)}" if self.name else "",
            )
        )
        folder = clean_line(_short(self.cwd, self.home))
        room = columns - width(tail)
        if width(folder) > room > 10:
            # The end of a path says more than its beginning.
            while width(folder) > room - 1:
                folder = folder[1:]
            folder = f"…{folder}"
        return f"{folder}{tail}"

    def _figures(self, columns: int) -> str:
        theme, spent = self.theme, self.spent
        parts = [
            f"{sign}{amount(count)}"
            for sign, count in (
                ("↑", spent.input),
                ("↓", spent.output),
                ("R", spent.cache_read),
                ("W", spent.cache_write),
            )
            if count
        ]
        if spent.cost or self.subscription:
            parts.append(f"${spent.cost:.3f}{' (sub)' if self.subscription else ''}")
        left = theme.fg("dim", " ".join(parts))
        if self.window:
            left += " " if parts else ""
            left += self._context()
        model = clean_line(self.model) or "no model"
        if self.show_provider and self.provider:
            model = f"({clean_line(self.provider)}) {model}"
        right = f"{model} • {self.thinking}" if self.thinking else model
        if self.routed is not None:
            right += f" → {clean_line(self.routed[0])} • {self.routed[1]}"
        taken = width(left)
        room = columns - taken - 2
        if room < width(right):
            right = cut(right, max(room, 0))
        if not right:
            return cut(left, columns)
        gap = columns - taken - width(right)
        return f"{left}{' ' * gap}{theme.fg('dim', right)}"

    def _context(self) -> str:
        share = "?" if self.context is None else f"{self.context:.1f}%"
        text = f"{share}/{amount(self.window)}{' (auto)' if self.auto_compaction else ''}"
        full = self.context or 0.0
        token = "error" if full > _NEARLY_FULL else "warning" if full > _FILLING else "dim"
        return self.theme.fg(token, text)


def amount(count: int) -> str:
    """A number of tokens in a few characters: 950, 1.2k, 38k, 1.2M."""
    if count < 1_000:
        return str(count)
    if count < 10_000:
        return f"{count / 1_000:.1f}k"
    if count < 1_000_000:
        return f"{round(count / 1_000)}k"
    if count < 10_000_000:
        return f"{count / 1_000_000:.1f}M"
    return f"{round(count / 1_000_000)}M"


def branch_of(folder: Path) -> str | None:
    """The git branch that is checked out where a folder lies; "detached" for none.

    Read from the repository's own files: a process for it would be the slowest part of a frame.
    """
    for place in (folder, *folder.parents):
        dotgit = place / ".git"
        try:
            if dotgit.is_file():  # a worktree or a submodule
                pointer = read_regular(dotgit).decode(errors="replace").strip()
                dotgit = place / pointer.removeprefix("gitdir:").strip()
            head = read_regular(dotgit / "HEAD").decode(errors="replace").strip()
        except (OSError, ValueError):  # ValueError: a NUL in what .git says
            continue
        if head.startswith("ref: refs/heads/"):
            return head.removeprefix("ref: refs/heads/")
        return "detached"
    return None


def _short(folder: Path, home: Path) -> str:
    if folder == home:
        return "~"
    try:
        return os.path.join("~", folder.relative_to(home))
    except ValueError:
        return str(folder)
