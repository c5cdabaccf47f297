"""`python -m pi`, and the console script."""

import sys


def main() -> int:
    """Run the command line; the exit code."""
    from pi.cli import main as run  # noqa: PLC0415  (the fast path imports only what it needs)

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
