"""Times whole commands from process start to exit, in turns, with the kernel's own accounting."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")

__all__ = ["Figure", "Job", "in_turns"]


@dataclass(frozen=True)
class Figure:
    """Of the counted runs. Seconds from start to exit (or to the mark), bytes of peak memory."""

    seconds: tuple[float, ...]
    peak: tuple[int, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def memory(self) -> float:
        return statistics.median(self.peak) if self.peak else 0.0


@dataclass
class Job:
    """A command to time.

    prepare: runs before each run, not timed. mark: when given, the time that counts is from the
    start to the moment this function names (monotonic seconds), asked after the run.
    """

    command: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    prepare: Callable[[], None] = field(default=lambda: None)
    mark: Callable[[], float] | None = None
    code: int = 0

    def once(self) -> tuple[float, int]:
        """Seconds and peak bytes of one run. Raises RuntimeError for another exit code."""
        self.prepare()
        with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
            launcher = [sys.executable, "-S", "-E", str(LAUNCHER), report.name]
            done = subprocess.run(
                [*launcher, *self.command],
                cwd=self.cwd,
                env=self.env,
                stderr=subprocess.PIPE,
                check=True,
            )
            seen = json.load(report)
        if seen["code"] != self.code:
            said = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{self.command}: exit {seen['code']}: {said}")
        until = seen["ended"] if self.mark is None else self.mark()
        return until - seen["began"], seen["peak"]


def in_turns(jobs: Sequence[Job], runs: int = 7, warmup: int = 1) -> list[Figure]:
    """Run the jobs A B A B …, so that a drift of the machine meets all of them alike."""
    seen: list[list[tuple[float, int]]] = [[] for _ in jobs]
    for turn in range(warmup + runs):
        for job, results in zip(jobs, seen, strict=True):
            result = job.once()
            if turn >= warmup:
                results.append(result)
    return [Figure(tuple(s for s, _ in results), tuple(m for _, m in results)) for results in seen]
