"""The screen: a stream of 28,000 deltas drawn, with nothing before it and after a long session.

python -m pytest benchmarks/bench_screen.py -o addopts=
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from benchmarks.streaming import PER_FRAME
from benchmarks.table import Row

DELTAS = 28_000
MESSAGES = 6_000
MEMORY = 120_000_000
FRAME = 1 / 30

MODES = ("regular", "fullscreen")


@cache
def run(mode: str, messages: int) -> dict[str, Any]:
    """In a fresh process: its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.streaming", str(DELTAS), str(messages), mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def rows() -> Iterator[Row]:
    """What a frame costs of the 33 ms it has, and what is in memory in the end."""
    for mode in MODES:
        for messages in (0, MESSAGES):
            seen = run(mode, messages)
            each = seen["seconds"] / seen["frames"]
            after = f" after {messages:,} messages" if messages else ""
            what = f"{DELTAS:,} deltas drawn at 120 × 40, {mode}{after}"
            note = f"{seen['seconds']:.2f} s CPU, slowest frame {seen['worst'] * 1e3:.0f} ms"
            yield Row(f"{what}: a frame", f"{each * 1e3:.2f} ms", "33 ms", each / FRAME, 0.1, note)
            yield Row(
                f"{what}: memory",
                f"{seen['peak'] / 1e6:.0f} MB",
                "120 MB",
                seen["peak"] / MEMORY,
                1.0,
                "peak",
            )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("messages", [0, MESSAGES])
def test_stream(benchmark: Any, mode: str, messages: int) -> None:
    seen = run(mode, messages)
    assert seen["frames"] == DELTAS // PER_FRAME
    benchmark.extra_info.update(seen)
    benchmark.pedantic(run.__wrapped__, (mode, messages), rounds=1)
