"""Compiled functions beside their twins and beside what else does the job.

A Case says how; the bench_*.py files run it under pytest-benchmark, whole.py puts the ratio to the
twin into its table. The answer is checked before the clock counts.
"""

import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.table import Row

__all__ = ["Case", "rows"]

Run = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One job. others: by name, what else could do it; their answers may have another form.

    size: bytes it goes through, 0 where that says nothing. held: whether the budget counts here.
    """

    what: str
    compiled: Run
    twin: Run
    others: dict[str, Run] = field(default_factory=dict)
    size: int = 0
    held: bool = True

    def runs(self) -> dict[str, Run]:
        return {"compiled": self.compiled, "twin": self.twin, **self.others}

    def check(self) -> None:
        """Raises AssertionError where the twins differ."""
        assert self.compiled() == self.twin(), self.what


def _seconds(run: Run, least: float = 0.02, turns: int = 7) -> float:
    """The best of several turns, each long enough to be measured."""
    timer = timeit.Timer(run)
    number = 1
    while timer.timeit(number) < least:
        number *= 2
    return min(timer.repeat(turns, number)) / number


def rows(cases: list[Case]) -> Iterator[Row]:
    for case in cases:
        case.check()
        ours, twin = _seconds(case.compiled), _seconds(case.twin)
        rate = f"{case.size / ours / 1e9:.1f} GB/s" if case.size else ""
        yield Row(
            f"{case.what}, beside its twin",
            _shown(ours),
            _shown(twin),
            ours / twin,
            0.2 if case.held else None,
            rate,
        )


def _shown(seconds: float) -> str:
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
