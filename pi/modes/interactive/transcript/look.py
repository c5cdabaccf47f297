"""What all parts of the transcript are drawn with, and the part they share: drawing once."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Component, Lines
from pi.wire.messages import CustomMessage

__all__ = [
    "Block",
    "Look",
    "Renderers",
    "ToolRenderer",
    "ToolState",
    "ToolView",
    "drawn_by",
    "home_path",
]

_log = logging.getLogger(__name__)

ToolState = Literal["writing", "waiting", "running", "done", "failed", "stopped"]
"""writing: its arguments arrive. stopped: there will be no result."""


class ToolRenderer(NamedTuple):
    """How an extension draws a tool: its call, its result, or both; None for our own drawing.

    Each is called with the call's view, whether it is expanded, and the theme.
    """

    call: "Callable[[ToolView, bool, Theme], Component] | None" = None
    result: "Callable[[ToolView, bool, Theme], Component] | None" = None


# The following are on the way to the first frame, and a dataclass takes milliseconds to make.


class ToolView:
    """A tool call as a renderer sees it.

    args: what is known of them; {} while they arrive, then `written` has the JSON text so far.
    content, details: of the result, or of the latest partial one; None before.
    elapsed: seconds it has run, where known.
    """

    __slots__ = ("args", "content", "details", "elapsed", "name", "state", "written")

    def __init__(self, name: str) -> None:
        self.name = name
        self.args: Mapping[str, Any] = {}
        self.written = ""
        self.state: ToolState = "writing"
        self.content: list[Any] | None = None
        self.details: Any = None
        self.elapsed: float | None = None


class Renderers:
    """Where extensions put how they draw.

    tool: by a tool's name, None for our own drawing. messages, entries: by custom type; they get
    the message or entry, whether it is expanded, and the theme.
    """

    __slots__ = ("entries", "messages", "tool")

    def __init__(
        self,
        tool: Callable[[str], ToolRenderer | None] = lambda name: None,
        messages: dict[str, Callable[[CustomMessage, bool, Theme], Component]] | None = None,
        entries: dict[str, Callable[[Mapping[str, Any], bool, Theme], Component]] | None = None,
    ) -> None:
        self.tool = tool
        self.messages = {} if messages is None else messages
        self.entries = {} if entries is None else entries


class Look:
    """Settings and state that change how the transcript looks; one object for all its parts.

    pad: columns at both sides (`outputPad`). code_indent: `markdown.codeBlockIndent`. links:
    whether the terminal has hyperlinks. images: the terminal's protocol, None where images are not
    to be shown; image_columns: their width (`terminal.imageWidthCells`); cell: a cell's size in
    pixels. cwd, home: folders, for shorter paths. expand_key, thinking_key: what is to be pressed
    to see more. thinking_label: what stands for thinking that is folded, "" for the usual words.
    """

    def __init__(
        self,
        theme: Theme,
        *,
        expanded: bool = False,
        thinking_hidden: bool = False,
        pad: int = 1,
        code_indent: str = "  ",
        links: bool = True,
        images: Literal["kitty", "iterm2"] | None = None,
        image_columns: int = 60,
        cell: tuple[int, int] = (9, 18),
        cwd: Path | None = None,
        home: Path | None = None,
        expand_key: str = "ctrl+o",
        thinking_key: str = "ctrl+t",
        thinking_label: str = "",
        renderers: Renderers | None = None,
    ) -> None:
        self.theme = theme
        self.expanded, self.thinking_hidden = expanded, thinking_hidden
        self.pad, self.code_indent, self.links = pad, code_indent, links
        self.images: Literal["kitty", "iterm2"] | None = images
        self.image_columns, self.cell = image_columns, cell
        self.cwd, self.home = cwd, home
        self.expand_key, self.thinking_key = expand_key, thinking_key
        self.thinking_label = thinking_label
        self.renderers = Renderers() if renderers is None else renderers


class Block:
    """A component that draws itself once for a width.

    settled_rows: how many of its rows will stay as they are; None when all of them will.
    """

    settled_rows: int | None = None

    def __init__(self, look: Look) -> None:
        self.look = look
        self._drawn: Lines | None = None
        self._width = 0

    def render(self, width: int) -> Lines:
        if self._drawn is None or width != self._width:
            self._drawn, self._width = self.draw(width), width
        return self._drawn

    def draw(self, width: int) -> Lines:
        raise NotImplementedError

    def invalidate(self) -> None:
        self._drawn = None


def home_path(path: str, look: Look) -> str:
    """A path as short as it can be said: from the working folder, or from home."""
    for folder, short in ((look.cwd, ""), (look.home, "~/")):
        if folder is not None and path.startswith(f"{folder}/"):
            return short + path[len(str(folder)) + 1 :]
    return path


def drawn_by(make: Callable[[], Component], width: int, look: Look) -> list[str]:
    """The rows of a component that an extension makes, or a row that says that it failed."""
    try:
        return list(make().render(width))
    except Exception as error:  # noqa: BLE001  (code of others, in the middle of a frame)
        _log.warning("an extension's renderer failed", exc_info=True)
        return [look.theme.fg("error", f"[renderer failed: {type(error).__name__}]")]
