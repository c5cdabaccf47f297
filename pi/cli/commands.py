"""Commands with a parser of their own: click reads, this module turns its ways into ours."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from pi.errors import UsageError

__all__ = ["invoke", "say"]

_WIDTH = 100


def invoke(command: click.Command, name: str, arguments: Sequence[str], context: Any) -> int:
    """Run it, or show its help, a group's also without arguments. Gives its exit code.

    context: what the commands get from click.pass_obj. Raises UsageError for what click refuses.
    """
    if not arguments and isinstance(command, click.Group):
        arguments = ["--help"]
    try:
        code = command.main(
            list(arguments),
            prog_name=name,
            standalone_mode=False,
            obj=context,
            terminal_width=_WIDTH,
        )
    except click.UsageError as error:
        raise UsageError(
            _sentence(error), hint=f"{_path(error, name)} --help explains it"
        ) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    return code or 0


def say(text: str) -> int:
    """A line on stdout; 0, the exit code of a command that has said all."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0


def _sentence(error: click.UsageError) -> str:
    text = error.format_message().rstrip(".")
    return text[:1].lower() + text[1:]


def _path(error: click.UsageError, name: str) -> str:
    return error.ctx.command_path if error.ctx is not None else name
