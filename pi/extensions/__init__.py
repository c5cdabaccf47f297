"""Extensions in Python: what their authors import, and the loader.

An extension is a module with a function `extend(pi)`. Everything it may need is here:

    from pi.extensions import Block, Context, Pi, ToolCall

    def extend(pi: Pi) -> None:
        @pi.on("tool_call")
        def no_sudo(event: ToolCall) -> Block | None:
            ...

Names are resolved when they are first used, so that importing this costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pi.agent.hook_events import *  # noqa: F403
    from pi.extensions.api import Pi
    from pi.extensions.context import CommandContext, Context
    from pi.extensions.execution import ExecResult, StaleContext
    from pi.extensions.providers import OAuth
    from pi.extensions.tools import ToolFailure
    from pi.extensions.trusting import load_for
    from pi.tools.base import ToolContext, ToolResult
    from pi.tools.files import exclusive
    from pi.tools.truncate import head, tail

__all__ = [
    "CommandContext",
    "Context",
    "ExecResult",
    "OAuth",
    "Pi",
    "StaleContext",
    "ToolContext",
    "ToolFailure",
    "ToolResult",
    "exclusive",
    "head",
    "load_for",
    "tail",
]

_HOMES = {
    "CommandContext": "pi.extensions.context",
    "Context": "pi.extensions.context",
    "ExecResult": "pi.extensions.execution",
    "OAuth": "pi.extensions.providers",
    "Pi": "pi.extensions.api",
    "StaleContext": "pi.extensions.execution",
    "ToolContext": "pi.tools.base",
    "ToolFailure": "pi.extensions.tools",
    "ToolResult": "pi.tools.base",
    "exclusive": "pi.tools.files",
    "head": "pi.tools.truncate",
    "load_for": "pi.extensions.trusting",
    "tail": "pi.tools.truncate",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name, "pi.agent.hook_events")
    try:
        value = getattr(import_module(home), name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value
