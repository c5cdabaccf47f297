"""Compares a table of results with an earlier one: what got slower, what misses its budget now.

    python -m benchmarks.against EARLIER.md [benchmarks/RESULTS.md]

Ratios only, since machines differ. Exit code 1 when a budget that was met is missed.
"""

import sys
from pathlib import Path

__all__ = ["changes", "read_rows"]

SLOWER = 1.25
"""A ratio that grew by more than this factor is told; less is noise."""


def read_rows(text: str) -> dict[str, tuple[float | None, str]]:
    """Row name → (ratio, "yes", "NO" or ""); None where there was no anchor."""
    rows: dict[str, tuple[float | None, str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|") or len(cells) < 6 or cells[0] in ("what", "---"):
            continue
        rows[cells[0]] = (float(cells[3]) if cells[3] else None, cells[5])
    return rows


def changes(earlier: str, now: str) -> tuple[list[str], bool]:
    """A line for each row that got worse; whether a budget is newly missed."""
    before, lines, missed = read_rows(earlier), [], False
    for name, (ratio, met) in read_rows(now).items():
        old_ratio, old_met = before.get(name, (None, ""))
        if met == "NO" and old_met != "NO":
            missed = True
            lines.append(f"{name}: misses its budget ({ratio:g})")
        elif ratio is not None and old_ratio is not None and ratio > old_ratio * SLOWER:
            lines.append(f"{name}: {old_ratio:g} → {ratio:g}")
    return lines, missed


def main() -> int:
    earlier = Path(sys.argv[1]).read_text()
    now = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).with_name("RESULTS.md"))
    lines, missed = changes(earlier, now.read_text())
    print("\n".join(lines) or "Nothing got slower.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
