"""One table of results: what was measured, beside what, and whether the budget holds."""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Row", "machine", "render", "write"]


@dataclass(frozen=True)
class Row:
    """ours, anchor: with unit. ratio: ours to anchor, None where there is no anchor.

    limit: the largest ratio (or value) that meets the budget, None for a row without one.
    """

    what: str
    ours: str
    anchor: str
    ratio: float | None
    limit: float | None
    note: str = ""

    @property
    def met(self) -> str:
        if self.ratio is None:
            return "no anchor"
        if self.limit is None:
            return ""
        return "yes" if self.ratio <= self.limit else "NO"

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        limit = "" if self.limit is None else f"≤ {self.limit:g}"
        return (self.what, self.ours, self.anchor, ratio, limit, self.met, self.note)


HEAD = ("what", "ours", "beside", "ratio", "budget", "met", "note")


def render(rows: Iterable[Row]) -> str:
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def machine(versions: Sequence[str]) -> str:
    """Where and with what the figures were taken."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else platform.machine()
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {model}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.release()}, Python {sys.version.split()[0]}",
        *versions,
    ]
    return "\n".join(f"- {line}" for line in lines)


def write(path: Path, rows: Sequence[Row], versions: Sequence[str]) -> None:
    path.write_text(
        "# Results\n\n"
        "Written by `make bench`; medians of runs taken in turns, each row in one go. Ratios below "
        "1 mean that `pi` took less.\n"
        "A row without its anchor on the machine says so.\n\n"
        f"{machine(versions)}\n\n{render(rows)}"
    )
