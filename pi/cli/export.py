"""`pi --export FILE [OUT]`: a session file as an HTML page."""

import os
import sys
from pathlib import Path

from pi.cli.options import Options
from pi.errors import SessionError, UsageError
from pi.session.export import default_name, export_file

__all__ = ["export"]


def export(options: Options) -> str:
    """Write the page; the line for stdout that says where it is.

    What is wrong on the way goes to stderr.
    """
    if not options.export:
        raise UsageError("--export needs a session file")
    path = Path(os.path.expanduser(options.export))
    if not path.exists():
        raise SessionError(
            f"cannot export {path}: there is no such file",
            hint="--export takes the path of a session file.",
        )
    wanted, *ignored = options.messages or ("",)
    target = Path(os.path.expanduser(wanted)) if wanted else Path(default_name(path))
    for warning in options.warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    if ignored or options.files:
        sys.stderr.write("Warning: --export takes one file and one page; the rest is ignored\n")
    done = export_file(path, target)
    if done.damaged:
        lines = "line is" if done.damaged == 1 else "lines are"
        sys.stderr.write(f"Warning: {done.damaged} {lines} damaged and not in the page\n")
    if not target.is_file():  # a pipe, or stdout itself: the page is all that goes there
        return ""
    return f"Exported to: {target}\n"
