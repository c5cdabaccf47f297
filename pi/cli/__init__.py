"""Command line: arguments to options, options to a mode."""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Run `pi` with these arguments; the exit code."""
    raise NotImplementedError(argv)
