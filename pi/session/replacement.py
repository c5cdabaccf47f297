"""A session file that takes another's place in one step, or leaves nothing behind."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from pi.errors import SessionError

__all__ = ["replacement"]

ABANDONED = 24 * 3600
"""Seconds after which a file that is still half written belongs to a process that was killed."""


@contextlib.contextmanager
def replacement(target: Path, failure: str) -> Iterator[Path]:
    """Where to write the new file, beside the target; whoever has written it moves it there.

    What fails on the way removes it again, and what a killed process left is removed a day later.
    An OSError becomes a SessionError: `failure`, and why.
    """
    half = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        _sweep(target.parent)
        half.unlink(missing_ok=True)
        yield half
    except BaseException as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SessionError(f"{failure}: {error.strerror}") from error
        raise


def _sweep(folder: Path) -> None:
    """Remove halves nobody writes any more. Told by age: the writer may be on another host."""
    for half in folder.glob(".*.jsonl.*.new"):
        with contextlib.suppress(OSError):  # somebody else removed it, or it is not ours to remove
            if time.time() - half.stat().st_mtime > ABANDONED:
                half.unlink()
