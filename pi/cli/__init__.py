"""Command line: arguments to options, options to a mode."""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Run `pi` with these arguments; the exit code."""
    if list(argv) in (["--version"], ["-v"]):
        from pi._version import __version__  # noqa: PLC0415  (nothing else is imported for it)

        print(__version__)  # noqa: T201  (the one thing it does)
        return 0
    import gc  # noqa: PLC0415  (after the fast path)

    # Starting makes many objects that stay; looking through them over and over costs a tenth of it.
    gc.set_threshold(50_000, 20, 50)
    from pi.cli.run import run  # noqa: PLC0415  (after the fast path)

    return run(argv)
