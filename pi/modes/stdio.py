"""Stdin and stdout are the mode's. Extensions, and programs they start, find nothing on stdin, and
what they write to stdout goes to stderr: a stray print() would make a record no client can read.
"""

import os
import sys

__all__ = ["show", "stdin", "stdout", "take"]

_kept: dict[int, int] = {}


def take() -> None:
    """From now on only who asks for the descriptors here reads and writes. A terminal stays."""
    try:
        sys.stdout.flush()
        if 1 not in _kept:
            _move(1, 2)
        if 0 not in _kept and not os.isatty(0):
            nothing = os.open(os.devnull, os.O_RDONLY)
            _move(0, nothing)
            os.close(nothing)
    except (OSError, ValueError, AttributeError):
        return  # there is none, or nowhere else to write to


def stdin() -> int:
    """The descriptor of stdin as pi was given it."""
    return _kept.get(0, 0)


def stdout() -> int:
    return _kept[1] if 1 in _kept else sys.stdout.fileno()


def show(text: str) -> None:
    """Write `text` to stdout as print() would."""
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    with open(stdout(), "w", encoding=encoding, errors=errors, closefd=False) as out:
        out.write(text)


def _move(descriptor: int, instead: int) -> None:
    ours = os.dup(descriptor)
    os.dup2(instead, descriptor)
    _kept[descriptor] = ours
