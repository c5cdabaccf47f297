"""The built-in tools by name. A tool's module is imported when it is asked for, not before."""

from importlib import import_module

from pi.errors import UsageError
from pi.tools.base import Tool

__all__ = ["BUILTIN", "load"]

BUILTIN: tuple[str, ...] = ("read", "bash", "edit", "write", "grep", "find", "ls")
"""Every built-in tool, in the order they are declared to a model."""


def load(name: str) -> Tool:
    """The built-in tool of that name. Raises UsageError for any other."""
    if name not in BUILTIN:
        raise UsageError(f'no built-in tool "{name}"', hint=f"known: {', '.join(BUILTIN)}")
    tool: Tool = import_module(f"pi.tools.{name}").TOOL
    return tool
