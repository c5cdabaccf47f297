"""Extensions in Python: what their authors import.

An extension is a module with a function `extend(pi)`. Everything it may need is here:

    from pi.extensions import Block, Context, Pi, ToolCall

    def extend(pi: Pi) -> None:
        @pi.on("tool_call")
        def no_sudo(event: ToolCall) -> Block | None:
            ...

Names are resolved when they are first used, so that importing this costs nothing; `__init__.pyi`
tells type checkers and editors what they are. Events and answers are in `pi.agent.hook_events`.
"""

from importlib import import_module

_NAMES = {
    "pi.auth.oauth.base": ("SignInCancelled", "SignInRefused"),
    "pi.extensions.api": ("Pi",),
    "pi.extensions.context": ("CommandContext", "Context", "FreshContext"),
    "pi.extensions.execution": ("ExecResult", "StaleContext"),
    "pi.extensions.models": ("ProviderAuth", "ProviderInfo"),
    "pi.extensions.refreshing": ("ModelRefresh",),
    "pi.extensions.session_view": ("SessionFacts", "SessionView", "TreeNode"),
    "pi.extensions.signing": ("OAuth", "SignIn"),
    "pi.extensions.tools": ("ToolFailure",),
    "pi.extensions.trusting": ("load_for",),
    "pi.models.virtual": ("Route", "RouteRequest"),
    "pi.runtime.looks": ("Drawing", "MarkdownContext", "Rendering", "Theme"),
    "pi.runtime.ui": ("UI",),
    "pi.tools.base": ("ToolContext", "ToolResult", "image_block", "text_block", "text_result"),
    "pi.tools.exposure": ("Loadout", "LoadoutChange", "Namespace"),
    "pi.tools.files": ("exclusive",),
    "pi.tools.truncate": ("Truncation", "head", "tail"),
    "pi.wire.entries": ("SessionEntry",),
    "pi.wire.messages": (
        "AgentMessage",
        "AssistantMessage",
        "CustomMessage",
        "ImageContent",
        "SystemMessage",
        "TextContent",
        "ThinkingLevel",
        "ToolResultMessage",
        "Usage",
        "UserContent",
        "UserMessage",
    ),
    "pi.wire.model": ("Model",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}
_EVENTS = "pi.agent.hook_events"


def __getattr__(name: str) -> object:
    if name == "__all__":  # what `import *` asks for
        return __dir__()
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(import_module(_HOMES.get(name, _EVENTS)), name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOMES, *import_module(_EVENTS).__all__})
