"""Lines for the person at the terminal, on stderr."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["diverted", "one_line", "tell"]

_elsewhere: list[Callable[[str], None]] = []
"""Who shows the lines instead of stderr; the last one does."""

# Compiled by `re` at their first use: most runs get by without.
_BREAKS = r"\s*[\n\v\f\r\x85\u2028\u2029]\s*"
# Control characters, and those that turn the direction of what follows: a file's name or a server's
# text must not be able to move the cursor, set a title or hide a part of the line.
_UNSEEN = "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"


def one_line(text: str) -> str:
    """`text` as one line that a terminal shows as it is: no line breaks, no escape sequences."""
    return re.sub(
        _UNSEEN, lambda found: f"\\x{ord(found[0]):02x}", re.sub(_BREAKS, " ", text.strip())
    )


def tell(text: str) -> None:
    """Write `text` as one line; without a stderr that takes it, do nothing."""
    if _elsewhere:
        _elsewhere[-1](text)
        return
    try:
        sys.stderr.write(f"{one_line(text)}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # Closed, full, or never there: no reason to stop the run, and nowhere left to say it.
        return


@contextmanager
def diverted(show: Callable[[str], None]) -> Iterator[None]:
    """While a program has the whole terminal, show the lines there, not across it."""
    _elsewhere.append(show)
    try:
        yield
    finally:
        _elsewhere.remove(show)
