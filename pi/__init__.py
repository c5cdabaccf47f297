"""pi: a coding agent for the terminal, and for programs: docs/sdk.md.

    import pi

    async with pi.new_session(model="anthropic/claude-sonnet-4-5") as session:
        async for event in session.prompt("What does this project do?"):
            ...

The names below are the whole interface. Each is imported when it is first used, so that
`import pi` costs next to nothing; `__init__.pyi` tells type checkers what they are.
"""

from pi._version import __version__

_HOMES = {
    "AuthError": "pi.errors",
    "BusyError": "pi.agent.session",
    "Call": "pi.sdk.providers",
    "Choices": "pi.sdk.opening",
    "ConfigError": "pi.errors",
    "Event": "pi.wire.events:AgentEvent",
    "Message": "pi.wire.messages:AgentMessage",
    "Model": "pi.wire.model",
    "ModelError": "pi.errors",
    "PiError": "pi.errors",
    "Place": "pi.sdk.finding",
    "Provider": "pi.sdk.providers",
    "ProviderError": "pi.errors",
    "Reply": "pi.sdk.runs",
    "ReplyError": "pi.sdk.runs",
    "Route": "pi.models.virtual",
    "RouteRequest": "pi.models.virtual",
    "Run": "pi.sdk.runs",
    "Session": "pi.sdk.session",
    "SessionError": "pi.errors",
    "SessionInfo": "pi.sdk.finding",
    "Tool": "pi.tools.base",
    "ToolContext": "pi.tools.base",
    "ToolError": "pi.errors",
    "ToolResult": "pi.tools.base",
    "VirtualModel": "pi.models.virtual",
    "continue_session": "pi.sdk.opening",
    "fork_session": "pi.sdk.opening",
    "image": "pi.sdk.images",
    "list_sessions": "pi.sdk.finding",
    "new_session": "pi.sdk.opening",
    "open_session": "pi.sdk.opening",
    "search_sessions": "pi.sdk.finding",
    "tool": "pi.sdk.tools",
}
"""Where each name is: its module, and its name there if it is another."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pi' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  (not for `import pi`)

    module, _, other = home.partition(":")
    value: object = getattr(import_module(module), other or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
