"""Extensions: what twenty of them add to a start, and what a hook costs that nobody needs.

python -m pytest benchmarks/bench_extensions.py -o addopts=
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure import Job, in_turns
from benchmarks.table import Row
from pi.agent import hook_events as ev
from pi.agent.hooks import HookFailure, Hooks

EXAMPLES = Path(__file__).parents[1] / "examples" / "extensions"
PI = (str(Path(sys.executable).with_name("pi")),)
START = 0.150
"""Seconds that twenty extensions may add."""
HOOK = 10e-6
"""Seconds that a handler may cost that has nothing to do."""
CALLS = 28_000


@cache
def started(pi: Sequence[str] = PI) -> tuple[float, float]:
    """Seconds of a run on the demo provider without and with twenty extensions."""
    with tempfile.TemporaryDirectory() as root:
        jobs = []
        for count in (0, 20):
            home = Path(root) / f"home{count}"
            folder = home / ".pi" / "agent" / "extensions"
            folder.mkdir(parents=True)
            examples = [path for path in sorted(EXAMPLES.iterdir()) if path.suffix in ("", ".py")]
            for path in examples[:count]:
                copy = shutil.copytree if path.is_dir() else shutil.copy
                copy(path, folder / path.name)
            env = {**os.environ, "HOME": str(home), "PI_OFFLINE": "1"}
            options = ("--provider", "demo", "--no-session", "-p", "hello")
            jobs.append(Job([*pi, *options], cwd=home, env=env))
        without, with_them = in_turns(jobs, 9, 2)
    return without.median, with_them.median


def hooked(handler: Any, event: str) -> float:
    """Seconds for each of 28,000 updates that the agent tells of."""
    failures: list[HookFailure] = []
    hooks = Hooks(failures.append)
    if handler is not None:
        hooks.on(event, handler, owner="bench")
    message: Any = {"role": "assistant", "content": []}
    delta: Any = {"type": "text_delta", "contentIndex": 0, "delta": "word "}
    update: Any = {"type": "message_update", "usage": {}, "assistantMessageEvent": delta}

    async def run() -> float:
        await hooks.observe({"type": "message_start", "message": message})
        began = time.perf_counter()
        for _ in range(CALLS):
            await hooks.observe(update)
        return (time.perf_counter() - began) / CALLS

    seconds = min(asyncio.run(run()) for _ in range(3))
    assert not failures
    return seconds


async def _awaited(event: ev.Event) -> None:
    """A coroutine with nothing to do."""


HANDLERS = {
    "nobody listens to it": (lambda event: None, "turn_start"),
    "a function": (lambda event: None, "message_update"),
    "a coroutine": (_awaited, "message_update"),
}


def rows(pi: Sequence[str] = PI) -> Iterator[Row]:
    without, with_them = started(tuple(pi))
    added = with_them - without
    yield Row(
        "20 extensions, added to a start",
        f"{added * 1e3:.0f} ms",
        "150 ms",
        added / START,
        1.0,
        f"{without * 1e3:.0f} ms without",
    )
    for name, (handler, event) in HANDLERS.items():
        seconds = hooked(handler, event)
        yield Row(
            f"a delta with extensions, {name}",
            f"{seconds * 1e6:.2f} µs",
            "10 µs",
            seconds / HOOK,
            1.0,
            f"{seconds * CALLS * 1e3:.0f} ms for {CALLS:,}",
        )


def test_start(benchmark: Any) -> None:
    without, with_them = started()
    benchmark.extra_info.update(without=without, added=with_them - without)
    assert with_them > 0
    benchmark.pedantic(lambda: None, rounds=1)


@pytest.mark.parametrize("name", HANDLERS)
def test_hook(benchmark: Any, name: str) -> None:
    benchmark.extra_info["seconds"] = hooked(*HANDLERS[name])
    benchmark.pedantic(lambda: None, rounds=1)
