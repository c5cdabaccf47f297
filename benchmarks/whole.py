"""Whole programs: each row of the budgets, `pi` beside the reference, in one run.

    make bench                                       without anchors for the rows that need them
    PI_REFERENCE="command" make bench                with them

The reference's command comes from PI_REFERENCE. Writes benchmarks/RESULTS.md.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    bench_editor,
    bench_extensions,
    bench_jsonl,
    bench_screen,
    bench_search,
    bench_sse,
    micro,
)
from benchmarks.data import sse_stream, write_session, write_sessions
from benchmarks.measure import Figure, Job, in_turns
from benchmarks.table import Row, render, write
from benchmarks.terminal import TerminalProgram
from tests.scripted_provider import Request, ScriptedProvider

PI = [str(Path(sys.executable).with_name("pi"))]
REFERENCE = shlex.split(os.environ.get("PI_REFERENCE", ""))
RESULTS = Path(__file__).with_name("RESULTS.md")
MB = 1_000_000
ANSWER = {"blocks": [{"text": "done"}]}


class Bench:
    """A home, a project and a scripted server that notes when a request arrives."""

    def __init__(self, root: Path, server: ScriptedProvider) -> None:
        self.home, self.project = root / "home", root / "project"
        self.project.mkdir(parents=True)
        agent = self.home / ".pi" / "agent"
        agent.mkdir(parents=True)
        self.sessions = agent / "sessions"
        provider = {
            "baseUrl": server.base_url("anthropic-messages"),
            "api": "anthropic-messages",
            "apiKey": "k",
            "models": [{"id": "m1", "contextWindow": 1_000_000}],
        }
        (agent / "models.json").write_text(json.dumps({"providers": {"mock": provider}}))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PI_OFFLINE": "1"}

    def job(self, command: list[str], *arguments: str, **options: object) -> Job:
        full = [*command, "--provider", "mock", "--model", "m1", *arguments]
        return Job(full, cwd=self.project, env=self.env, **options)  # type: ignore[arg-type]


def seconds(figure: Figure) -> str:
    return f"{figure.median * 1000:.0f} ms" if figure.median < 10 else f"{figure.median:.1f} s"


def compared(what: str, ours: Figure, anchor: Figure | None, limit: float | None) -> Row:
    if anchor is None:
        return Row(what, seconds(ours), "PI_REFERENCE not set", None, limit)
    return Row(what, seconds(ours), seconds(anchor), ours.median / anchor.median, limit)


def memory(what: str, ours: Figure, anchor: Figure | None, limit_mb: float) -> Row:
    beside = "" if anchor is None else f"{anchor.memory / MB:.0f} MB"
    return Row(
        what, f"{ours.memory / MB:.0f} MB", beside, ours.memory / MB, limit_mb, "ratio in MB"
    )


def beside_reference(
    bench: Bench, runs: int, make: Callable[[list[str]], Job]
) -> tuple[Figure, Figure | None]:
    jobs = [make(PI)] + ([make(REFERENCE)] if REFERENCE else [])
    figures = in_turns(jobs, runs)
    return figures[0], figures[1] if REFERENCE else None


def version(bench: Bench) -> Iterator[Row]:
    jobs = [Job([*PI, "--version"], env=bench.env), Job([sys.executable, "-c", "pass"])]
    if REFERENCE:
        jobs.append(Job([*REFERENCE, "--version"], env=bench.env))
    ours, bare, *reference = in_turns(jobs, 15)
    yield compared("`pi --version`", ours, reference[0] if reference else None, 0.12)
    row = compared("`pi --version` beside `python -c pass`", ours, bare, 2.5)
    yield row


def first_request(bench: Bench, arrived: list[float]) -> Iterator[Row]:
    ours, anchor = beside_reference(
        bench,
        9,
        lambda command: bench.job(
            command,
            *("--no-session", "-p", "hi"),
            prepare=arrived.clear,
            mark=lambda: arrived[0],
        ),
    )
    yield compared("`pi -p`: first request on the wire", ours, anchor, 0.55)
    yield memory("the same: peak memory", ours, anchor, 60)


def big_session(bench: Bench, entries: int, big: bool) -> Iterator[Row]:
    folder = bench.sessions / ("--" + str(bench.project).strip("/").replace("/", "-") + "--")
    path = folder / f"2026-01-01T00-00-00-000Z_00000000-0000-7000-8000-{entries:012x}.jsonl"
    size = write_session(path, entries, bench.project)
    name = f"{size / MB:,.0f} MB session ({entries // 1000} k entries)"

    def restore() -> None:
        os.truncate(path, size)

    def make(command: list[str]) -> Job:
        return bench.job(command, "--session", str(path), "-p", "and now?", prepare=restore)

    if big:
        ours, empty = in_turns([make(PI), bench.job(PI, "--no-session", "-p", "hi")], 9)
        ratio = ours.median / empty.median
        yield Row(f"continue a {name}", seconds(ours), seconds(empty), ratio, 1.2, "no history")
        yield memory("the same: peak memory", ours, None, 100)
        yield from tree_index(path, size)
    else:
        ours, anchor = beside_reference(bench, 5, make)
        yield compared(f"continue a {name}", ours, anchor, 0.2)
        yield memory("the same: peak memory", ours, anchor, 80)
    path.unlink()


INDEX = """
import os, sys, time
from pathlib import Path
from pi.session.history import History
from pi.session.source import FileSource
history = History(FileSource(Path(sys.argv[1])))

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident() if os.path.exists("/proc/self/statm") else None
began = time.monotonic()
entries = len(history.index())
taken = time.monotonic() - began
print(taken, -1 if before is None else resident() - before)
"""


def tree_index(path: Path, size: int) -> Iterator[Row]:
    """The full index of a file in the page cache, in a process of its own; best of five."""
    command = [sys.executable, "-c", INDEX, str(path)]
    done = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(5)]
    figures = [tuple(map(float, run.stdout.split())) for run in done]
    taken, more = min(figures)
    rate = size / taken / 1e9
    kept = f"; {more / MB:.0f} MB kept in memory" if more >= 0 else ""
    note = f"budget: 2 GB/s or more{kept}"
    yield Row("full tree index of it", f"{rate:.1f} GB/s", "2 GB/s", 2 / rate, 1.0, note)


def session_list(bench: Bench) -> Iterator[Row]:
    """2,000 sessions. The reference shows its list in a terminal only, so there is no anchor."""
    size, words = write_sessions(bench.sessions, 2_000, 700 * MB)
    frequent, rare = words[0], words[5_000]
    name = f"2,000 sessions, {size / MB:,.0f} MB"

    def forget() -> None:
        for path in bench.home.glob(".pi/agent/session-index*"):
            path.unlink()

    def job(*arguments: str, prepare: Callable[[], None] = lambda: None) -> Job:
        command = [*PI, "sessions", *arguments]
        return Job(command, cwd=bench.project, env=bench.env, prepare=prepare)

    (cold,) = in_turns([job("list", "--all", prepare=forget)], 3)
    yield Row(f"list {name}: no index", seconds(cold), "", cold.median, 3, "ratio in s")
    # The first search puts the texts in; what is timed comes after it.
    job("search", "anything").once()
    kinds = {
        "list them: warm index": ("list", "--all"),
        "search them: a rare word": ("search", rare),
        "search them: a word in most messages": ("search", frequent),
    }
    figures = in_turns([job(*arguments) for arguments in kinds.values()], 7)
    for (what, _), figure, limit in zip(kinds.items(), figures, (0.3, 0.1, None), strict=True):
        yield Row(what, seconds(figure), "", figure.median, limit, "ratio in s")


def deltas(bench: Bench) -> Iterator[Row]:
    for mode, arguments in (("text", []), ("`--mode json`", ["--mode", "json"])):
        ours, anchor = beside_reference(
            bench,
            5,
            lambda command, arguments=arguments: bench.job(  # type: ignore[misc]
                command, "--no-session", *arguments, "-p", "stream"
            ),
        )
        yield compared(f"28,000 streamed deltas, {mode}", ours, anchor, 0.7)


GREEK = "αβγδεζηθικλμνξοπρστυφχψω" * 2
STREAM = "the quick brown fox jumps over the lazy dog. "


def sit_down(bench: Bench, command: list[str], *arguments: str) -> TerminalProgram:
    full = [*command, "--provider", "mock", "--model", "m1", *arguments]
    return TerminalProgram(full, cwd=bench.project, env=bench.env)


def ready(bench: Bench, runs: int, *arguments: str) -> tuple[Figure, Figure | None]:
    """From the start until a key that is typed is shown."""
    commands = [PI] + ([REFERENCE] if REFERENCE else [])
    seen: list[list[float]] = [[] for _ in commands]
    for turn in range(runs + 1):
        for command, figures in zip(commands, seen, strict=True):
            with sit_down(bench, command, *arguments) as program:
                took = program.ready()
                if turn:
                    figures.append(took)
                program.end()
    ours, *reference = (Figure(tuple(figures)) for figures in seen)
    return ours, reference[0] if reference else None


def interactive(bench: Bench) -> Iterator[Row]:
    yield compared("interactive: prompt ready", *ready(bench, 7), 0.6)
    folder = bench.sessions / ("--" + str(bench.project).strip("/").replace("/", "-") + "--")
    path = folder / "2026-01-01T00-00-00-000Z_00000000-0000-7000-8000-000000000001.jsonl"
    size = write_session(path, 30_000, bench.project)
    name = f"interactive: prompt ready, {size / MB:,.0f} MB session"
    yield compared(name, *ready(bench, 5, "--session", str(path)), 0.25)
    path.unlink()
    yield from typing(bench)
    yield from streaming(bench)


def typing(bench: Bench) -> Iterator[Row]:
    """One key after another while 500 deltas a second arrive."""
    waits = []
    with sit_down(bench, PI, "--no-session") as program:
        program.ready()
        program.send(b"\x15slowly\r")
        program.wait_for(b"quick brown", 20)
        for letter in GREEK:
            for _ in range(4):
                program.read(0.02)
            at = len(program.shown)
            began = time.monotonic()
            program.send(letter.encode())
            waits.append(program.wait_for(letter.encode(), 5, since=at) - began)
        program.end()
    late = sorted(waits)[int(len(waits) * 0.95) - 1] * 1000
    note = "ratio in ms; 95th percentile"
    yield Row("interactive: key to screen in a stream", f"{late:.1f} ms", "", late, 30, note)


def streaming(bench: Bench) -> Iterator[Row]:
    """A stream of 28,000 deltas as fast as it is taken: processor time, memory after it."""
    spent, kept = [], 0.0
    for command in [PI] + ([REFERENCE] if REFERENCE else []):
        with sit_down(bench, command, "--no-session") as program:
            program.ready()
            time.sleep(1)  # the reference takes keys before it takes prompts
            program.send(b"\x15stream\r")
            program.wait_for("↓".encode(), 120)
            while program.read(1.0) and time.monotonic() - program.quiet_since < 1.5:
                pass
            kept = kept or program.memory() / MB
            spent.append(program.end().cpu)
    what = "interactive: 28,000 streamed deltas, processor time of the run"
    beside = f"{spent[1]:.2f} s" if len(spent) > 1 else "PI_REFERENCE not set"
    ratio = spent[0] / spent[1] if len(spent) > 1 else None
    yield Row(what, f"{spent[0]:.2f} s", beside, ratio, 1.0)
    yield Row("the same: memory after it", f"{kept:.0f} MB", "", kept, 120, "ratio in MB")


def versions() -> list[str]:
    said = [f"pi: {_first_line([*PI, '--version', '--verbose'])}"]
    if REFERENCE:
        said.append(f"reference: {_first_line([*REFERENCE, '--version'])}")
    return said


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def main() -> None:
    arrived: list[float] = []
    stream = {"raw": sse_stream(28_000)}

    def answer(request: Request) -> dict[str, object]:
        arrived.append(time.monotonic())
        asked = json.dumps(request.body["messages"][-1])
        if "slowly" in asked:
            return {"blocks": [{"text": STREAM * 600, "piece": 6}], "delay": 0.002}
        return stream if '"stream"' in asked else ANSWER

    rows: list[Row] = []

    def add(more: Iterator[Row]) -> None:
        for row in more:
            rows.append(row)
            print(render([row]).splitlines()[-1], flush=True)

    with tempfile.TemporaryDirectory() as root, ScriptedProvider([answer]) as server:
        bench = Bench(Path(root), server)
        add(version(bench))
        add(first_request(bench, arrived))
        add(big_session(bench, 30_000, big=False))
        add(big_session(bench, 300_000, big=True))
        add(session_list(bench))
        add(deltas(bench))
        add(interactive(bench))
        add(bench_search.trees(Path(root), 50_000, 5))
        add(bench_search.twins(Path(root), 5))
        add(bench_editor.rows(Path(root)))
    add(bench_screen.rows())
    add(bench_extensions.rows(PI))
    add(micro.rows([*bench_jsonl.cases(), *bench_sse.cases()]))
    write(RESULTS, rows, versions())
    print(f"\n{RESULTS}")


if __name__ == "__main__":
    main()
