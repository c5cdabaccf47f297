"""Mermaid diagrams as text, laid out by termaid in a thread: a large one takes it seconds.

A diagram that is there within an instant is drawn at once. Others are code until they are done, and
those who show them are told. What is too large, or cannot be read, stays code.
"""

import asyncio
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from queue import SimpleQueue
from typing import Literal

from pi.modes.interactive.cells import width
from pi.modes.interactive.palette import Theme

__all__ = ["Diagrams"]

log = logging.getLogger(__name__)

INSTANT = 0.03
"""Seconds that a frame waits for a diagram."""
REST = 9
"""A diagram that still arrives is drawn again after so many times as long as it took."""
LINES = 58
LINKS = 30
"""Larger ones stay code: with more lines, or more links in a graph, it takes many seconds."""
KEPT = 64
"""Diagrams that are kept as drawn."""

_KINDS = re.compile(
    r"(?:graph|flowchart|sequenceDiagram|classDiagram|stateDiagram|erDiagram|pie|mindmap|gitGraph"
    r"|timeline|gantt|journey|quadrantChart|xychart|kanban|block|architecture|packet|treemap)\b"
)
_GRAPHS = ("graph", "flowchart", "stateDiagram")
_LINK = re.compile(r"-->|---|-\.->|-\.-|==>|===|--[ox]|~~~|&")
_UNFINISHED = re.compile(r"(?:-->|---|-\.->|-\.-|==>|===|->>|[|&]) *$", re.MULTILINE)
_PIE_TITLE = re.compile(r"pie(?: +showData)?\s+title +(.+)")  # termaid leaves it out
_TOKENS = {
    "node": "borderMuted",
    "subgraph": "borderMuted",
    "edge": "accent",
    "arrow": "accent",
    "edge_label": "muted",
    "subgraph_label": "muted",
}
_SERIES = ("accent", "success", "warning", "error")

Line = list[tuple[str, str]]
"""Pieces of a row and their termaid styles."""


class Diagrams:
    """The diagrams of one text.

    mode: `markdown.mermaid`. complete: whether the block that is drawn next is; who draws sets it.
    ready: called in the loop when a diagram can be drawn that could not be yet.
    """

    def __init__(self, mode: Literal["final", "streaming"], ready: Callable[[], None]) -> None:
        self.complete = True
        self._mode = mode
        self._ready = ready
        self._waiting: list[_Work] = []
        self._sketch: list[Line] | None = None
        self._rest_until = 0.0

    @property
    def pending(self) -> bool:
        """Whether some are still to come."""
        return any(not work.done.is_set() for work in self._waiting)

    def rows(self, source: str, columns: int, theme: Theme) -> list[str] | None:
        """The rows of a diagram; None where it is to be drawn as code."""
        if self.complete:
            self._sketch = None
            lines = self._whole(source) if _drawable(source) else None
        elif self._mode == "streaming":
            # The last line may be a half.
            lines = self._arriving(source.rstrip("\n").rpartition("\n")[0])
        else:
            lines = None
        if not lines:
            return None
        rows = ["".join(_styled(text, style, theme) for text, style in line) for line in lines]
        return None if any(width(row) > columns for row in rows) else rows

    def _whole(self, source: str) -> list[Line] | None:
        work = _work(source)
        if not work.done.is_set():
            self._waiting.append(work)
            work.tell.append(_posted(self._ready))
        return work.lines

    def _arriving(self, source: str) -> list[Line] | None:
        """As it was drawn last, if it is too early for another."""
        started = time.monotonic()
        if started >= self._rest_until and not _busy() and _drawable(source):
            work = _work(source)
            if work.done.is_set():
                self._sketch = work.lines or self._sketch
            now = time.monotonic()
            self._rest_until = now + REST * (now - started)
        return self._sketch


class _Work:
    """A diagram to be drawn. tell: called, in any thread, when it is."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: list[Line] | None = None
        self.done = threading.Event()
        self.tell: list[Callable[[], None]] = []


_drawn: OrderedDict[str, _Work] = OrderedDict()
_queue: SimpleQueue[_Work] = SimpleQueue()
_worker: list[threading.Thread] = []


def _busy() -> bool:
    return any(not work.done.is_set() for work in _drawn.values())


def _work(source: str) -> _Work:
    """The diagram, drawn already if that takes an instant, and nothing else is being drawn."""
    work = _drawn.get(source)
    if work is not None:
        _drawn.move_to_end(source)
        return work
    if not _worker:
        _worker.append(threading.Thread(target=_draw_all, name="diagrams", daemon=True))
        _worker[0].start()
    at_once = not _busy()
    work = _drawn[source] = _Work(source)
    if len(_drawn) > KEPT:
        _drawn.popitem(last=False)
    _queue.put(work)
    if not _in_loop():
        work.done.wait()
    elif at_once:
        work.done.wait(INSTANT)
    return work


def _draw_all() -> None:
    while True:
        work = _queue.get()
        try:
            work.lines = _draw(work.source)
        except Exception as error:  # noqa: BLE001  (it stays code; the diagram may be any text)
            log.info("a diagram cannot be drawn: %s: %s", type(error).__name__, error)
        work.done.set()
        for tell in work.tell:
            tell()


def _draw(source: str) -> list[Line]:
    # The first diagram loads it: most conversations have none.
    from termaid import render_styled  # noqa: PLC0415

    document = render_styled(source, padding_x=2, padding_y=0)
    lines = [[(chunk["text"], chunk["style"]) for chunk in line] for line in document["lines"]]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        lines.pop()
    title = _PIE_TITLE.match(source.strip())
    if title and lines:
        lines[:0] = [[(title[1], "bold_label")], []]
    return lines


def _drawable(source: str) -> bool:
    """Whether it is a diagram of a size that can be drawn, and no line of it would be lost."""
    text = source.strip()
    if not _KINDS.match(text) or text.count("\n") > LINES or _UNFINISHED.search(text):
        return False
    return not text.startswith(_GRAPHS) or len(_LINK.findall(text)) <= LINKS


def _styled(text: str, style: str, theme: Theme) -> str:
    if style.startswith("section"):
        number = re.search(r"\d+", style)
        return theme.fg(_SERIES[int(number[0]) % len(_SERIES)] if number else "accent", text)
    if style == "bold_label":
        return theme.bold(text)
    if style == "italic_label":
        return theme.italic(text)
    if style.startswith(("class:", "nodestyle:")):
        style = "node"
    return theme.fg(_TOKENS[style], text) if style in _TOKENS else text


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _posted(call: Callable[[], None]) -> Callable[[], None]:
    """The call, made in the loop that runs now."""
    loop = asyncio.get_running_loop()

    def post() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(call)

    return post
