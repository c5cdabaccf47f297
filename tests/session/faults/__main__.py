"""Runs the scenario once for each point at which it can be hit, in a process of its own each time.

usage: python -m tests.session.faults SECONDS SEED [NUMBER HOW]

Prints one JSON object: points, the number of runs; calls, how many calls there are to hit; failed,
what went wrong where. A third and fourth argument run one point alone, or with the number 0 all
points of that kind, in order. Linux and macOS.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.session.faults.injector import HOW, Fault, Injector
from tests.session.faults.scenario import Report, inspect, prepare, work

MEMORY = Path("/dev/shm")
PLACE = MEMORY if os.access(MEMORY, os.W_OK) else None
"""Where sessions are written: in memory where that can be, since nothing waits for a disk there."""

LEAST = 10
"""Points, however slow the machine."""

LONGEST = 60
"""Seconds of one run: whoever hangs is killed."""


def in_child(do: Callable[[Report], None]) -> tuple[int, list[dict[str, Any]]]:
    """Run it in a fork; the exit status as of waitpid, and what it reported until then."""
    reading, writing = os.pipe()
    really_write = os.write
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            signal.alarm(LONGEST)

            def report(what: dict[str, Any]) -> None:
                really_write(writing, json.dumps(what).encode() + b"\n")

            try:
                do(report)
                code = 0
            except BaseException:  # noqa: BLE001  (whatever it is, the parent is told)
                report({"fault": traceback.format_exc()})
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as told:
        lines = told.read().splitlines()
    return os.waitpid(child, 0)[1], [json.loads(line) for line in lines]


def one(fault: Fault) -> tuple[int, list[str]]:
    """How many calls there were, and what went wrong with one point."""
    root = Path(tempfile.mkdtemp(prefix="pi-faults-", dir=PLACE))
    try:
        prepare(root)

        def suffer(report: Report) -> None:
            injector = Injector(fault)
            injector.install()
            work(root, report, injector.make_room)
            report({"calls": injector.calls})

        status, told = in_child(suffer)
        problems = [item["fault"] for item in told if "fault" in item]
        calls = next((item["calls"] for item in told if "calls" in item), 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not calls and not problems and not killed:
            problems.append(f"it ended with status {status}")

        def look(report: Report) -> None:
            report({"problems": inspect(root, told, killed=killed)})

        status, found = in_child(look)
        for item in found:
            problems += item.get("problems", [item.get("fault")])
        if not found:
            problems.append(f"the look at it ended with status {status}")
        return calls, problems
    finally:
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2])
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pi-faults-", dir=PLACE) as root:
        # Here too, so that everything is loaded once and not in each fork.
        prepare(Path(root))
        told: list[dict[str, Any]] = []
        work(Path(root), told.append, lambda: None)
        inspect(Path(root), told, killed=False)
    calls, problems = one(Fault(0))
    failed = {"undisturbed": problems} if problems else {}
    points = [Fault(at, how) for at in range(1, calls + 1) for how in HOW]
    if len(sys.argv) > 3:
        number, how = int(sys.argv[3]), sys.argv[4]
        points = [point for point in points if point.how == how and number in (0, point.at)]
    else:
        random.Random(seed).shuffle(points)
    done = 0
    for fault in points:
        if done >= LEAST and time.monotonic() - began > seconds:
            break
        _, problems = one(fault)
        done += 1
        if problems:
            failed[f"{fault.at} {fault.how}"] = problems
    print(json.dumps({"points": done, "of": len(points), "calls": calls, "failed": failed}))


if __name__ == "__main__":
    main()
