"""What each key of settings.json may hold, by its dotted path."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pi.config.shapes import (
    BOOLEAN,
    STRING,
    Leaf,
    ListOf,
    MapOf,
    Record,
    Shape,
    choice,
    describe,
    number,
)
from pi.wire.messages import THINKING_LEVELS

__all__ = ["SHAPES", "problems_of"]

_MAX_SAFE = 2**53 - 1
_TOKENS = number(least=0, most=_MAX_SAFE, integer=True)
_COUNT = number(least=0, most=_MAX_SAFE, integer=True)
_DELAY = number(least=0)
_TIMEOUT = number(least=0, words=("disabled",))
_LEVEL = choice(*THINKING_LEVELS)
_STRINGS = ListOf(STRING)
_QUEUE = choice("all", "one-at-a-time")
_AUTO = choice(True, False, "auto")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value)


_PATH = Leaf("a string that can be a path", _is_path)
_PATHS = ListOf(_PATH)
_NOT_EMPTY = Leaf(
    "a list of one or more strings",
    lambda value: (
        isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    ),
)


class _Package(Shape):
    """A source, or an object that says what of it is wanted."""

    __slots__ = ()

    def problems(self, value: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict) and isinstance(value.get("source"), str):
            yield from _SELECTION.problems(value, where)
        elif not _is_path(value):
            expected = 'a string or an object with "source"'
            yield f"{where}: expected {expected}, found {describe(value)}"


_SELECTION = Record(
    {
        **dict.fromkeys(("extensions", "skills", "prompts", "themes"), _PATHS),
        "autoload": BOOLEAN,
    }
)

SHAPES: Mapping[str, Shape] = {
    "defaultProvider": STRING,
    "defaultModel": STRING,
    "defaultThinkingLevel": _LEVEL,
    "modelThinkingLevels": MapOf(_LEVEL),
    "thinkingBudgets.minimal": _TOKENS,
    "thinkingBudgets.low": _TOKENS,
    "thinkingBudgets.medium": _TOKENS,
    "thinkingBudgets.high": _TOKENS,
    "enabledModels": _STRINGS,
    "hideThinkingBlock": BOOLEAN,
    "showCacheMissNotices": BOOLEAN,
    "cacheWarming": choice("off", "streaming", "idle"),
    "steeringMode": _QUEUE,
    "followUpMode": _QUEUE,
    "externalEditor": STRING,
    "doubleEscapeAction": choice("tree", "fork", "none"),
    "treeFilterMode": choice("default", "no-tools", "user-only", "labeled-only", "all"),
    "defaultProjectTrust": choice("ask", "always", "never"),
    "defaultTools": _STRINGS,
    "codemode.mode": choice("on", "only"),
    "codemode.inlineBudget": number(least=0),
    "sessionDir": _PATH,
    "sessionShareDestination": choice("auto", "gist", "radius"),
    "compaction.enabled": BOOLEAN,
    "compaction.reserveTokens": _TOKENS,
    "compaction.keepRecentTokens": _TOKENS,
    "compaction.modelOverrides": MapOf(
        Record({"reserveTokens": _TOKENS, "keepRecentTokens": _TOKENS})
    ),
    "branchSummary.reserveTokens": _TOKENS,
    "branchSummary.skipPrompt": BOOLEAN,
    "theme": STRING,
    "quietStartup": choice(True, False, "header"),
    "tuiMode": choice("regular", "fullscreen"),
    "fullscreenExitOutput": choice("transcript", "resume-hint"),
    "fullscreenScrollbar": choice("auto", "always", "hidden"),
    "fullscreenCopyOnSelect": BOOLEAN,
    "fullscreenWheelScrollLines": number(least=1, most=100, words=("auto",)),
    "editorPaddingX": number(least=0, most=3),
    "outputPad": choice(0, 1),
    "autocompleteMaxVisible": number(least=3, most=20),
    "showHardwareCursor": BOOLEAN,
    "terminal.showImages": BOOLEAN,
    "terminal.imageWidthCells": number(least=1),
    "terminal.clearOnShrink": BOOLEAN,
    "terminal.showTerminalProgress": BOOLEAN,
    "terminal.hyperlinks": _AUTO,
    "terminal.images": choice("kitty", "iterm2", "auto", False),
    "terminal.trueColor": _AUTO,
    "images.autoResize": BOOLEAN,
    "images.blockImages": BOOLEAN,
    "markdown.codeBlockIndent": STRING,
    "markdown.mermaid": choice("off", "final", "streaming"),
    "transport": choice("auto", "sse", "websocket", "websocket-cached"),
    "httpProxy": STRING,
    "httpIdleTimeoutMs": _TIMEOUT,
    "websocketConnectTimeoutMs": _TIMEOUT,
    "retry.enabled": BOOLEAN,
    "retry.maxRetries": _COUNT,
    "retry.baseDelayMs": _DELAY,
    "retry.maxAgentDelayMs": _DELAY,
    "retry.provider.timeoutMs": _TIMEOUT,
    "retry.provider.maxRetries": _COUNT,
    "retry.provider.maxRetryDelayMs": _DELAY,
    "shellPath": _PATH,
    "shellCommandPrefix": STRING,
    "npmCommand": _NOT_EMPTY,
    "selfUpdateCommand": _NOT_EMPTY,
    "packages": ListOf(_Package()),
    "extensions": _PATHS,
    "skills": _PATHS,
    "prompts": _PATHS,
    "themes": _PATHS,
    "enableSkillCommands": BOOLEAN,
    "collapseChangelog": BOOLEAN,
    "enableInstallTelemetry": BOOLEAN,
    "enableAnalytics": BOOLEAN,
    "warnings.anthropicExtraUsage": BOOLEAN,
}

_SECTIONS = frozenset(
    ".".join(parts[:length])
    for parts in (name.split(".") for name in SHAPES)
    for length in range(1, len(parts))
)


def problems_of(where: str, value: Any) -> list[str] | None:
    """What is wrong with the value at a dotted path; None for an object to be looked into."""
    if where in _SECTIONS:
        if isinstance(value, dict):
            return None
        return [f"{where}: expected an object, found {describe(value)}"]
    shape = SHAPES.get(where)
    return [] if shape is None else list(shape.problems(value, where))
