"""Runs one command and reports what the kernel says of it; started fresh for each run.

A child forked from a large process begins with that process's peak memory on its account, so the
measuring process must be small. usage: launcher.py REPORT COMMAND ARG…
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    report, *command = sys.argv[1:]
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)
    with open(report, "w") as out:
        figures = {"code": process.returncode, "peak": usage.ru_maxrss * 1024}
        json.dump({**figures, "began": began, "ended": ended}, out)


if __name__ == "__main__":
    main()
