"""A session file that takes another's place in one step, or leaves nothing behind."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pi.errors import SessionError

__all__ = ["replacement"]


@contextlib.contextmanager
def replacement(target: Path, failure: str) -> Iterator[Path]:
    """Where to write the new file, beside the target; whoever has written it moves it there.

    What fails on the way removes it again. An OSError becomes a SessionError: `failure`, and why.
    """
    half = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        half.unlink(missing_ok=True)
        yield half
    except BaseException as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SessionError(f"{failure}: {error.strerror}") from error
        raise
