"""Nothing acknowledged is lost, wherever a process dies and whatever the disk refuses.

PI_FAULT_SECONDS is how long to try points (12); each run takes others.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SECONDS = float(os.environ.get("PI_FAULT_SECONDS", "12"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process for each point")

# A journal that does not close a torn line before it writes on.
CARELESS = """
from pi.session.journal import Journal
def forget(self, name, value):
    object.__setattr__(self, name, False if name == "_torn" else value)
Journal.__setattr__ = forget
"""


def driver(*arguments: str, before: str = "") -> dict[str, Any]:
    code = f"{before}\nfrom tests.session.faults.__main__ import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS + 300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(SECONDS + 330)
def test_nothing_acknowledged_is_lost() -> None:
    seed = time.time_ns() % 1_000_000
    found = driver(str(SECONDS), str(seed))
    assert found["calls"] > 60
    assert found["points"] >= 10
    # To run a failed point again: python -m tests.session.faults 60 0 NUMBER HOW
    assert found["failed"] == {}, f"seed {seed}"


@pytest.mark.timeout(330)
def test_a_loss_would_be_found() -> None:
    """Within the first calls: of the session itself."""
    assert driver("0", "0", "0", "halfway", before=CARELESS)["failed"]
