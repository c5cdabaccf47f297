"""One invocation: what it shows or runs, and how its errors end it."""

import os
import sys
import traceback
from collections.abc import Sequence

from pi._version import __version__
from pi.cli.options import Options, parse
from pi.config.environment import Environment, read_environment
from pi.errors import PiError

__all__ = ["run"]

INTERRUPTED = 130


def run(argv: Sequence[str]) -> int:
    """Parse and carry out; errors become one line on stderr and an exit code."""
    environment = read_environment()
    try:
        options = parse(argv, stdin_is_tty=_is_tty(0), stdout_is_tty=_is_tty(1))
        return _carry_out(options, environment)
    except PiError as error:
        _tell(error, environment)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has what it wanted; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        _tell(PiError(_described(error)), environment)
        return 1


def _carry_out(options: Options, environment: Environment) -> int:
    if options.show == "help":
        from pi.cli.help import help_text  # noqa: PLC0415  (only when asked for)

        return _show(help_text())
    if options.show == "version":
        return _show(_version(options.verbose))
    if options.export is not None:
        from pi.cli.export import export  # noqa: PLC0415  (only when asked for)

        return _show(export(options))
    # Everything below needs settings and models: not for the paths above.
    from pi.cli.launch import list_models, run_prompts  # noqa: PLC0415

    if options.list_models is not None:
        return _show(list_models(options, environment))
    return run_prompts(options, environment)


def _version(verbose: bool) -> str:
    if not verbose:
        return __version__
    from pi._speedups import COMPILED  # noqa: PLC0415  (importing it loads what it reports on)

    return "\n".join(
        (
            f"{__version__}",
            f"modules: {'compiled' if COMPILED else 'pure Python'}",
            f"python: {sys.version.split()[0]} on {sys.platform}",
        )
    )


def _show(text: str) -> int:
    sys.stdout.write(text if not text or text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
    return 0


def _tell(error: PiError, environment: Environment) -> None:
    if environment.debug:
        traceback.print_exception(error)
    sys.stderr.write(f"Error: {error}\n")
    if error.hint:
        sys.stderr.write(f"{error.hint}\n")


def _described(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _is_tty(descriptor: int) -> bool:
    """A closed descriptor is no terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
