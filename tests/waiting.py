"""Waiting for what happens in another process, and for its end."""

import os
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["eventually", "gone", "is_alive"]

PATIENCE = 30.0
"""Seconds; a machine that is busy needs some."""


def eventually(holds: Callable[[], object]) -> bool:
    """Whether it comes to hold while one waits for it."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """One that only waits to be reaped is not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not os.path.isdir("/proc")
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(*pids: int) -> bool:
    """Whether they all end."""
    return eventually(lambda: not any(map(is_alive, pids)))
