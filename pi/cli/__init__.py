"""Command line: arguments to options, options to a mode."""

import os
import sys

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Run `pi` with these arguments; the exit code."""
    # A plain list, because importing collections.abc for its name would load all of collections.
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        _open_standard_streams()
    if argv in (["--version"], ["-v"]):
        from pi._version import __version__  # noqa: PLC0415  (nothing else is imported for it)

        try:
            print(__version__, flush=True)  # noqa: T201  (the one thing it does)
        except OSError:
            pass  # the long way fails likewise, and knows how to say so
        else:
            return 0
    import gc  # noqa: PLC0415  (after the fast path)

    # Starting makes many objects that stay, some 60,000 up to the first request; looking through
    # them costs a tenth of it.
    gc.set_threshold(100_000, 20, 50)
    from pi.cli.run import run  # noqa: PLC0415  (after the fast path)
    from pi.config.environment import mark_process  # noqa: PLC0415  (as above)

    mark_process()
    return run(argv)


def _open_standard_streams() -> None:
    """Put the null device where 0, 1 or 2 was closed by whoever started this process.

    The next file opened would get that number, and with it what is meant for stdout or stderr.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:  # a lower number was taken from it since
                os.dup2(null, number)
                os.close(null)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
