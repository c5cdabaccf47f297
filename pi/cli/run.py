"""One invocation: what it shows or runs, and how its errors end it."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pi._version import __version__
from pi.config.environment import Environment, read_environment
from pi.errors import PiError
from pi.modes.stderr import tell

if TYPE_CHECKING:
    from pi.cli.options import Options

__all__ = ["run"]

INTERRUPTED = 130

COMMANDS = (
    *("auth", "mcp", "sessions", "update"),
    *("install", "remove", "uninstall", "list", "config"),
)
"""First words that are commands of their own."""


def run(argv: Sequence[str]) -> int:
    """Parse and carry out; errors become one line on stderr and an exit code."""
    environment = read_environment()
    try:
        if argv and argv[0] in COMMANDS:
            return _command(argv, environment)
        from pi.cli.options import parse  # noqa: PLC0415  (not for a command of its own)

        options = parse(argv, stdin_is_tty=_is_tty(0), stdout_is_tty=_is_tty(1))
        return _carry_out(options, environment)
    except PiError as error:
        _tell(error, environment)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()  # its reader has what it wanted
        return 0
    except OSError as error:
        _discard_output()
        _tell(PiError(_described(error)), environment)
        return 1
    except Exception as error:  # noqa: BLE001  (a fault of ours is one line too, unless asked for more)
        fault = PiError(
            f"unexpected fault: {type(error).__name__}: {error}",
            hint="This is a bug in pi. PI_DEBUG=1 shows where it is.",
        )
        fault.__cause__ = error
        _tell(fault, environment)
        return 1


def _discard_output() -> None:
    """Let what a failed write left in stdout's buffer go nowhere: Python writes it at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _carry_out(options: "Options", environment: Environment) -> int:
    if options.show == "help":
        from pi.cli.help import help_text  # noqa: PLC0415  (only when asked for, both)
        from pi.cli.presence import may_have_extensions  # noqa: PLC0415

        if not may_have_extensions(environment, options.resources.extensions):
            return _show(help_text())
        from pi.cli.extending import extension_flags  # noqa: PLC0415  (for those who have any)

        return _show(help_text(extension_flags(options, environment)))
    if options.show == "version":
        return _show(_version(options.verbose))
    if options.export is not None:
        from pi.cli.export import export  # noqa: PLC0415  (only when asked for)

        return _show(export(options))
    if options.unknown is not None:
        from pi.cli.presence import may_have_extensions  # noqa: PLC0415  (for this error only)

        if not may_have_extensions(environment, options.resources.extensions):
            raise options.unknown
    # Everything below needs settings and models: not for the paths above.
    from pi.cli.diagnostics import set_up  # noqa: PLC0415
    from pi.cli.launch import list_models, run_prompts  # noqa: PLC0415

    set_up(environment.log, verbose=options.verbose, home=environment.home)
    if options.list_models is not None:
        return _show(list_models(options, environment))
    return run_prompts(options, environment)


def _command(argv: Sequence[str], environment: Environment) -> int:
    from pi.cli.diagnostics import set_up  # noqa: PLC0415  (see _carry_out)

    set_up(environment.log, verbose=False, home=environment.home)
    # Each brings its own parser: loaded when it is the one that was asked for.
    if argv[0] == "auth":
        from pi.cli.auth import run_auth  # noqa: PLC0415

        return run_auth(argv[1:], environment)
    if argv[0] == "mcp":
        from pi.cli.mcp import run_mcp  # noqa: PLC0415

        return run_mcp(argv[1:], environment)
    if argv[0] == "sessions":
        from pi.cli.sessions_command import run_sessions  # noqa: PLC0415

        return run_sessions(argv[1:], environment)
    if argv[0] == "config":
        from pi.cli.config import run_config  # noqa: PLC0415

        return run_config(argv[1:], environment)
    if argv[0] != "update":
        from pi.cli.packages import run_packages  # noqa: PLC0415

        return run_packages(argv, environment)
    from pi.cli.update import run_update  # noqa: PLC0415

    return run_update(argv[1:], environment)


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
    if text and not text.endswith("\n"):
        text += "\n"
    if (stdio := sys.modules.get("pi.modes.stdio")) is not None:
        stdio.show(text)  # extensions were loaded, and stdout kept from them
        return 0
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def _tell(error: PiError, environment: Environment) -> None:
    if environment.debug:
        traceback.print_exception(error)
    tell(f"Error: {error}")
    if error.hint:
        tell(error.hint)


def _described(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _is_tty(descriptor: int) -> bool:
    """A closed descriptor is no terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
