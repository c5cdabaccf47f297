"""The settings one can change from inside: what they are, and which values they may take.

Names and values are settings.json's; what a file may hold at all is checked when it is written
(pi.config.settings_write). Source: docs/settings.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["SETTINGS", "Setting", "shown_value", "value_at"]

YES_NO = (True, False)
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Setting:
    """path: in the file. values: to go through, the default among them. everywhere: it cannot be
    set for a project. names: of values, where they do not speak for themselves."""

    path: tuple[str, ...]
    label: str
    about: str
    default: Any
    values: Sequence[Any] = YES_NO
    group: str = ""
    everywhere: bool = False
    names: Mapping[Any, str] | None = None

    @property
    def key(self) -> str:
        return ".".join(self.path)


def value_at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What a file has there, None for nothing."""
    value: Any = document
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def shown_value(setting: Setting, value: Any) -> str:
    for known, name in (setting.names or {}).items():
        if known == value and isinstance(known, bool) == isinstance(value, bool):
            return name
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


_DELIVERY = ("one-at-a-time", "all")
_MINUTES = {
    30 * _SECOND: "30 s",
    60 * _SECOND: "1 min",
    120 * _SECOND: "2 min",
    300 * _SECOND: "5 min",
    0: "none",
    "disabled": "none",
}


def _grouped(group: str, *settings: Setting) -> tuple[Setting, ...]:
    return tuple(
        Setting(s.path, s.label, s.about, s.default, s.values, group, s.everywhere, s.names)
        for s in settings
    )


SETTINGS: tuple[Setting, ...] = (
    *_grouped(
        "Conversation",
        Setting(
            ("compaction", "enabled"),
            "Automatic compaction",
            "Summarize the older part of a conversation before it outgrows the model's context.",
            True,
        ),
        Setting(
            ("steeringMode",),
            "Steering messages",
            "What Enter sends while pi works: one message, then wait for the answer, or all.",
            "one-at-a-time",
            _DELIVERY,
        ),
        Setting(
            ("followUpMode",),
            "Follow-up messages",
            "What is to be sent once all work is done: one message at a time, or all together.",
            "one-at-a-time",
            _DELIVERY,
        ),
        Setting(
            ("hideThinkingBlock",),
            "Hide thinking",
            "Fold what the model thinks before it answers.",
            False,
        ),
        Setting(
            ("enableSkillCommands",),
            "Skills as commands",
            "Offer each skill as /skill:NAME.",
            True,
        ),
        Setting(
            ("retry", "enabled"),
            "Retry failed requests",
            "Ask again after an error that may pass, such as an overloaded server.",
            True,
        ),
        Setting(
            ("doubleEscapeAction",),
            "Escape twice",
            "What it does while the editor is empty.",
            "tree",
            ("tree", "fork", "none"),
        ),
        Setting(
            ("treeFilterMode",),
            "Filter of /tree",
            "What the session tree shows when it opens.",
            "default",
            ("default", "no-tools", "user-only", "labeled-only", "all"),
        ),
        Setting(
            ("branchSummary", "skipPrompt"),
            "Leave branches silently",
            "Do not ask for a summary when /tree leaves a branch.",
            False,
        ),
        Setting(
            ("sessionShareDestination",),
            "Where /share uploads",
            "auto takes Radius if you are signed in there, else a GitHub gist.",
            "auto",
            ("auto", "gist", "radius"),
        ),
    ),
    *_grouped(
        "Screen",
        Setting(
            ("tuiMode",),
            "Screen",
            "regular leaves the conversation to the terminal's own scrollback.",
            "regular",
            ("regular", "fullscreen"),
        ),
        Setting(
            ("fullscreenExitOutput",),
            "Left behind by fullscreen",
            "What stands in the terminal when pi ends in fullscreen mode.",
            "transcript",
            ("transcript", "resume-hint"),
        ),
        Setting(
            ("fullscreenScrollbar",),
            "Scrollbar in fullscreen",
            "When it is there.",
            "auto",
            ("auto", "always", "hidden"),
        ),
        Setting(
            ("fullscreenCopyOnSelect",),
            "Copy on select in fullscreen",
            "Take what is selected with the mouse to the clipboard at once.",
            True,
        ),
        Setting(
            ("fullscreenWheelScrollLines",),
            "Wheel in fullscreen",
            "Lines that a step of the mouse wheel scrolls; auto goes faster when it turns faster.",
            "auto",
            ("auto", 1, 2, 3, 5, 10),
        ),
        Setting(("outputPad",), "Margin", "Empty cells beside the conversation.", 1, (0, 1)),
        Setting(
            ("markdown", "mermaid"),
            "Mermaid diagrams",
            "Draw them: while they arrive, once they are complete, or not at all.",
            "streaming",
            ("streaming", "final", "off"),
        ),
        Setting(("terminal", "showImages"), "Images", "Draw images where the terminal can.", True),
        Setting(
            ("terminal", "imageWidthCells"),
            "Width of images",
            "In cells.",
            60,
            (40, 60, 80, 120),
        ),
        Setting(
            ("terminal", "clearOnShrink"),
            "Fill rows that become free",
            "Keep the editor at the bottom; in regular mode the scrollback then repeats some rows.",
            False,
        ),
        Setting(
            ("terminal", "showTerminalProgress"),
            "Progress in the terminal's tab",
            "Tell the terminal when pi works (OSC 9;4).",
            False,
        ),
        Setting(
            ("showCacheMissNotices",),
            "Notices about the cache",
            "Say when a prompt cache was missed, what it cost, and how a provider recovered.",
            False,
        ),
    ),
    *_grouped(
        "Editor",
        Setting(
            ("editorPaddingX",), "Margin of the editor", "Empty cells beside it.", 0, (0, 1, 2, 3)
        ),
        Setting(
            ("autocompleteMaxVisible",),
            "Suggestions shown",
            "How many at once.",
            5,
            (3, 5, 7, 10, 15, 20),
        ),
        Setting(
            ("showHardwareCursor",),
            "The terminal's own cursor",
            "Instead of one that is drawn.",
            False,
        ),
    ),
    *_grouped(
        "Models and network",
        Setting(
            ("images", "autoResize"),
            "Shrink large images",
            "To at most 2000 by 2000 pixels before a model gets them.",
            True,
        ),
        Setting(("images", "blockImages"), "Keep images back", "Send none to any model.", False),
        Setting(
            ("transport",),
            "Transport",
            "For providers that have several.",
            "auto",
            ("auto", "sse", "websocket", "websocket-cached"),
        ),
        Setting(
            ("httpIdleTimeoutMs",),
            "Patience with silent servers",
            "How long nothing may arrive. Local models may need more.",
            300 * _SECOND,
            (30 * _SECOND, 60 * _SECOND, 120 * _SECOND, 300 * _SECOND, 0),
            names=_MINUTES,
        ),
        Setting(
            ("cacheWarming",),
            "Keep prompt caches warm",
            "While pi works, and between two runs as long as that pays; or only while it works.",
            "idle",
            ("idle", "streaming", "off"),
            everywhere=True,
        ),
    ),
    *_grouped(
        "Start, trust, notices",
        Setting(
            ("quietStartup",),
            "Quiet start",
            "Show nothing at the start, or only the first lines (header).",
            False,
            (False, "header", True),
        ),
        Setting(
            ("collapseChangelog",), "Short changelog", "After an update, only the headlines.", False
        ),
        Setting(
            ("defaultProjectTrust",),
            "Project folders",
            "Whether to load the settings and extensions of a folder you have not decided about.",
            "ask",
            ("ask", "always", "never"),
            everywhere=True,
            names={"ask": "ask", "always": "always trust", "never": "never trust"},
        ),
        Setting(
            ("enableInstallTelemetry",),
            "Name pi to services",
            "Tell OpenRouter, NVIDIA and OpenCode which program asks. pi sends no telemetry.",
            True,
        ),
        Setting(
            ("warnings", "anthropicExtraUsage"),
            "Warn of extra usage",
            "When an Anthropic subscription may be billed beyond its plan.",
            True,
        ),
    ),
)
