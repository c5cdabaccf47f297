"""What all parts of the transcript are drawn with, and the part they share: drawing once."""

from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.palette import Theme
from pi.modes.interactive.view import Lines

__all__ = [
    "Block",
    "Kept",
    "Look",
    "Renderers",
    "Slot",
    "ToolRenderer",
    "ToolState",
    "ToolView",
    "Transform",
    "home_path",
]

ToolState = Literal["writing", "waiting", "running", "done", "failed", "stopped"]
"""writing: its arguments arrive. stopped: there will be no result."""

Slot = Callable[["ToolView", int], "list[str] | None"]
"""(call, cells) → rows; None where that failed, and we are to draw."""

Transform = Callable[[str, bool, int], str]
"""(Markdown, whether more is to come, cells) → the Markdown to draw."""


def _nothing() -> None:
    pass


# The following are on the way to the first frame, and a dataclass takes milliseconds to make.


class ToolRenderer(NamedTuple):
    """How an extension draws a tool: its call, its result, or both; None for our own drawing.

    own_shell: the rows are all there is, without our sign, margin and background.
    """

    call: Slot | None = None
    result: Slot | None = None
    own_shell: bool = False


class Kept:
    """What an extension keeps with a component it draws.

    state: its own. last: what it gave last, by slot. busy: it is drawing, and `ask` does nothing.
    expanded: of this one alone, None for what counts for all.
    """

    __slots__ = ("_redraw", "busy", "expanded", "last", "state")

    def __init__(self, redraw: Callable[[], None] = _nothing) -> None:
        self.state: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.busy = False
        self.expanded: bool | None = None
        self._redraw = redraw

    def ask(self) -> None:
        """Have the component drawn again."""
        if not self.busy:
            self._redraw()


class ToolView:
    """A tool call as a renderer sees it.

    args: what is known of them; {} while they arrive, then `written` has the JSON text so far.
    content, details: of the result, or of the latest partial one; None before.
    elapsed: seconds it has run, where known. started: whether it ran at all.
    """

    __slots__ = (
        *("args", "content", "details", "elapsed", "id", "kept", "name"),
        *("started", "state", "written"),
    )

    def __init__(self, name: str, call_id: str = "", kept: Kept | None = None) -> None:
        self.name = name
        self.id = call_id
        self.kept = Kept() if kept is None else kept
        self.args: Mapping[str, Any] = {}
        self.written = ""
        self.state: ToolState = "writing"
        self.started = False
        self.content: list[Any] | None = None
        self.details: Any = None
        self.elapsed: float | None = None


class Renderers:
    """How things are drawn by somebody else; these are nobody.

    What gives rows gives None where nobody draws, or failed: then we do.
    """

    __slots__ = ()

    def tool(self, name: str) -> ToolRenderer | None:
        return None

    def message(self, message: Mapping[str, Any], kept: Kept, width: int) -> list[str] | None:
        """A custom message."""
        return None

    def entry(self, entry: Mapping[str, Any], kept: Kept, width: int) -> list[str] | None:
        """A custom entry."""
        return None

    def mouse(self, kept: Kept, slot: str, event: Mouse) -> bool:
        """What the mouse does on rows that were drawn for a slot; whether somebody takes it."""
        return False

    def markdown(self, place: str, entry_id: str | None) -> Transform | None:
        """Who changes Markdown that is drawn at a place. entry_id: where it was read from."""
        return None


class Look:
    """Settings and state that change how the transcript looks; one object for all its parts.

    pad: columns at both sides (`outputPad`). code_indent: `markdown.codeBlockIndent`. links:
    whether the terminal has hyperlinks. images: the terminal's protocol, None where images are not
    to be shown; image_columns: their width (`terminal.imageWidthCells`); cell: a cell's size in
    pixels. cwd, home: folders, for shorter paths. expand_key, thinking_key: what is to be pressed
    to see more. thinking_label: what stands for thinking that is folded, "" for the usual words.
    diagrams: `markdown.mermaid`. refresh: called when a component has changed by itself.
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
        diagrams: Literal["off", "final", "streaming"] = "off",
        renderers: Renderers | None = None,
        refresh: Callable[[], None] = _nothing,
    ) -> None:
        self.theme = theme
        self.expanded, self.thinking_hidden = expanded, thinking_hidden
        self.pad, self.code_indent, self.links = pad, code_indent, links
        self.images: Literal["kitty", "iterm2"] | None = images
        self.image_columns, self.cell = image_columns, cell
        self.cwd, self.home = cwd, home
        self.expand_key, self.thinking_key = expand_key, thinking_key
        self.thinking_label = thinking_label
        self.diagrams: Literal["off", "final", "streaming"] = diagrams
        self.renderers = Renderers() if renderers is None else renderers
        self.refresh = refresh


class Block:
    """A component that draws itself once for a width.

    settled_rows: how many of its rows will stay as they are; None when all of them will.
    foldable: whether a click shows more of it, or less.
    """

    settled_rows: int | None = None
    foldable = False

    def __init__(self, look: Look) -> None:
        self.look = look
        self._expanded: bool | None = None
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

    @property
    def expanded(self) -> bool:
        """Whether all of it is shown: as for all parts, unless it was asked for here."""
        return self.look.expanded if self._expanded is None else self._expanded

    @property
    def _seen(self) -> Look:
        """What it is drawn with, for those who ask that whether all is shown."""
        if self._expanded is None:
            return self.look
        look = copy(self.look)
        look.expanded = self._expanded
        return look

    def fold(self, expanded: bool | None) -> None:
        """Show all of this one, or little; None for what counts for all."""
        self._expanded = expanded
        self.invalidate()

    def redraw(self) -> None:
        """Somebody who draws it has something else to show."""
        self.invalidate()
        self.look.refresh()


def home_path(path: str, look: Look) -> str:
    """A path as short as it can be said: from the working folder, or from home."""
    for folder, short in ((look.cwd, ""), (look.home, "~/")):
        if folder is not None and path.startswith(f"{folder}/"):
            return short + path[len(str(folder)) + 1 :]
    return path
