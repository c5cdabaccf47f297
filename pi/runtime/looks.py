"""What those who draw for an extension are given, and what they may give back."""

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

__all__ = [
    "BY_DEFAULT",
    "Drawing",
    "MarkdownContext",
    "MarkdownPlace",
    "Owned",
    "Renderer",
    "Rendering",
    "Theme",
    "add_owned",
]

Renderer = Callable[..., Any]
"""(what is drawn, Drawing, theme) → text, lines, or a `pi.modes.interactive.view.Component`."""

MarkdownPlace = Literal["user", "assistant", "assistant-thinking", "custom", "summary", "changelog"]

BY_DEFAULT: tuple[MarkdownPlace, ...] = ("user", "assistant", "assistant-thinking")
"""Where a transformer of Markdown is asked that names no places."""


class Theme(Protocol):
    """Styles text: docs/themes.md has the tokens. Without a terminal, it leaves text as it is.

    colors: by token, as themes write them.
    """

    @property
    def appearance(self) -> Literal["dark", "light"]: ...
    @property
    def colors(self) -> Mapping[str, Any]: ...
    def fg(self, token: str, text: str) -> str: ...
    def bg(self, token: str, text: str) -> str: ...
    def bold(self, text: str) -> str: ...
    def italic(self, text: str) -> str: ...
    def underline(self, text: str) -> str: ...
    def strikethrough(self, text: str) -> str: ...
    def style(
        self,
        text: str,
        *,
        fg: str = "",
        bg: str = "",
        bold: bool = False,
        italic: bool = False,
        underline: bool = False,
        strike: bool = False,
        inverse: bool = False,
    ) -> str:
        """Several at once. fg, bg: tokens, or colours as themes write them."""
        ...


def _nothing() -> None:
    pass


def _no_key(action: str, what: str = "") -> str:
    return ""


@dataclass(slots=True)
class Drawing:
    """What a renderer is told besides what it draws. Fields of tools are empty for others.

    expanded: whether details are wanted. width: cells there are. output_pad: columns at both sides
    (`outputPad`), for those who draw their own shell.
    args: of the call, as far as they are known; args_complete: whether that is all of them.
    execution_started: whether it runs, or has run. partial: whether a result is still to come, or
    more of it. duration_ms: how long it ran, once it has ended.
    state: kept between the renderers of one call, or for one message or entry.
    last: what this renderer gave the last time, None at first; it may be changed and given again.
    invalidate: have this drawn again, soon; from pi's own thread, and not while it is drawn.
    theme: the one that is on, so that a Drawing does for the screen that parts of pi.extensions.ui
    are made with.
    key_text, key_hint: the person's keys for an action, "ctrl+o", and a styled hint, "ctrl+o to
    expand"; "" for what has no key.
    """

    expanded: bool = False
    partial: bool = False
    width: int = 80
    cwd: Path = Path()
    output_pad: int = 1
    show_images: bool = False
    tool_call_id: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    args_complete: bool = True
    execution_started: bool = True
    is_error: bool = False
    duration_ms: int | None = None
    state: dict[str, Any] = field(default_factory=dict)
    last: Any = None
    theme: Any = None
    invalidate: Callable[[], None] = _nothing
    key_text: Callable[[str], str] = _no_key
    key_hint: Callable[[str, str], str] = _no_key


@dataclass(frozen=True, slots=True)
class Rendering:
    """How calls of a tool are drawn; a slot that is None is drawn by pi. See AddedTool."""

    render_call: Renderer | None = None
    render_result: Renderer | None = None
    own_shell: bool = False


@dataclass(frozen=True, slots=True)
class MarkdownContext:
    """Where a text that is transformed is drawn.

    is_streaming: whether more of it is to come. available_width: cells it will have.
    message_id, timestamp: of the entry of the session it was read from, None for what is new.
    """

    message_type: MarkdownPlace
    is_streaming: bool
    available_width: int
    message_id: str | None = None
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """A function of an extension. rank: the extension's place in load order.

    places: of a transformer of Markdown, where it is asked.
    """

    owner: str
    rank: int
    function: Callable[..., Any]
    places: tuple[MarkdownPlace, ...] = ()


def add_owned(into: list[Owned], new: Owned, *, one_each: bool = True) -> None:
    """Put it in load order. one_each: it takes the place of the same extension's earlier one."""
    if one_each:
        into[:] = [each for each in into if each.owner != new.owner]
    insort(into, new, key=lambda each: each.rank)
