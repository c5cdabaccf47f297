"""A tool call, from its first argument to its result; and a command of the person's own (`!`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from pi.modes.interactive.cells import cut, wrap
from pi.modes.interactive.cells import width as cells
from pi.modes.interactive.images import image_rows, placeholder
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.sanitize import clean
from pi.modes.interactive.transcript.drawings import drawing_of, tail_rows
from pi.modes.interactive.transcript.look import (
    Block,
    Kept,
    Look,
    ToolRenderer,
    ToolState,
    ToolView,
)
from pi.wire.messages import BashExecutionMessage

__all__ = ["ShellBlock", "ToolBlock", "image_lines"]

# The sign that says a state without colour, its colour, and what is behind the title.
_SIGNS: Mapping[ToolState, tuple[str, str, str]] = {
    "writing": ("○", "muted", "toolPendingBg"),
    "waiting": ("○", "muted", "toolPendingBg"),
    "running": ("●", "warning", "toolPendingBg"),
    "done": ("✓", "success", "toolSuccessBg"),
    "failed": ("✗", "error", "toolErrorBg"),
    "stopped": ("■", "muted", "toolPendingBg"),
}
_OURS = ToolRenderer()
_TITLE_ROWS = 3
_SHELL_ROWS = 20
_SOON = 2.0
"""Seconds after which it is worth saying how long something takes."""


class ToolBlock(Block):
    """One call. Its state is said by a sign and its colour."""

    foldable = True

    def __init__(self, look: Look, name: str, call_id: str = "") -> None:
        super().__init__(look)
        self.view = ToolView(name, call_id, Kept(self.redraw))
        self.settled_rows = 0
        self._pieces: list[str] = []
        self._started: float | None = None
        self._before: ToolBlock | None = None
        self._after: ToolBlock | None = None
        self._own: tuple[int, list[str]] | None = None
        self._called = 0  # rows of the call, above those of the result
        self._lefts = 0, 0  # cells before what is drawn of either

    def write(self, piece: str) -> None:
        """A piece of the arguments' JSON text."""
        self._pieces.append(piece)
        self.invalidate()

    def call(self, args: Any) -> None:
        """The arguments are complete."""
        self.view.args = args if isinstance(args, dict) else {}
        self.view.written = ""
        self._pieces = []
        if self.view.state == "writing":
            self.view.state = "waiting"
        self.invalidate()

    def start(self, args: Any, now: float) -> None:
        """It runs, since `now`, in seconds of any clock."""
        self.call(args)
        self.view.state, self.view.started, self._started = "running", True, now
        self.invalidate()

    def update(self, result: Mapping[str, Any]) -> None:
        """What a partial result says so far."""
        self.view.content, self.view.details = result.get("content"), result.get("details")
        self.invalidate()

    def finish(
        self, result: Mapping[str, Any], failed: bool, duration_ms: int | None = None
    ) -> None:
        """The result. It can come twice: as the end of the run, and as a message."""
        self.update(result)
        self.view.state, self.view.started = "failed" if failed else "done", True
        if duration_ms is not None:
            self.view.elapsed = duration_ms / 1000
        self._settle()

    def stop(self) -> None:
        """There will be no result."""
        if self.settled_rows is not None:
            self.view.state = "stopped"
            self._settle()

    def tick(self, now: float) -> bool:
        """Time has passed: whether that is to be seen."""
        if self.view.state != "running" or self._started is None:
            return False
        before, self.view.elapsed = self.view.elapsed, now - self._started
        if self.view.elapsed < _SOON or int(before or 0) == int(self.view.elapsed):
            return False
        self.invalidate()
        return True

    def _settle(self) -> None:
        self.settled_rows, self._started = None, None
        self.invalidate()

    def follow(self, before: "ToolBlock") -> None:
        """Another call stands directly above: where both are one row, none is between them."""
        self._before, before._after = before, self

    def fold(self, expanded: bool | None) -> None:
        self.view.kept.expanded = expanded
        super().fold(expanded)

    def mouse(self, event: Mouse) -> bool:
        """For the components that an extension gave for a part of it."""
        if self._own is None or self._drawn is None:
            return False
        y = event.y - (len(self._drawn) - len(self._own[1]))
        left, inner = self._lefts
        slot, x = ("call", left) if y < self._called else ("result", inner)
        y -= 0 if slot == "call" else self._called
        place = event._replace(x=event.x - x, y=y)
        return self.look.renderers.mouse(self.view.kept, slot, place)

    def invalidate(self) -> None:
        super().invalidate()
        self._own = None
        if self._after is not None:
            self._after._drawn = None

    def draw(self, width: int) -> list[str]:
        rows = self._rows(width)
        if not rows or (
            len(rows) == 1 and self._before is not None and len(self._before._rows(width)) == 1
        ):
            return rows
        return ["", *rows]

    def _rows(self, width: int) -> list[str]:
        """All but the blank row above, which depends on what stands there."""
        if self._own is None or self._own[0] != width:
            if self._pieces:
                self.view.written += "".join(self._pieces)
                self._pieces.clear()
            own = self.look.renderers.tool(self.view.name) or _OURS
            rows = self._bare(own, width) if own.own_shell else None
            if rows is None:
                left = " " * self.look.pad
                rows = self._title(own, width)  # first: the slots may share what they know
                self._called = len(rows)
                rows += [left + row if row else row for row in self._body(own, width)]
            self._own = width, rows
        return self._own[1]

    def _bare(self, own: ToolRenderer, width: int) -> list[str] | None:
        """What an extension draws with a shell of its own; None where that fails."""
        view = self.view
        rows: list[str] = []
        self._lefts = 0, 0
        for slot in (own.call, own.result if view.content is not None else None):
            drawn = [] if slot is None else slot(view, width)
            if drawn is None:
                return None
            if slot is own.call:
                self._called = len(drawn)
            rows += drawn
        return rows + image_lines(view.content, width, self.look)

    def _title(self, own: ToolRenderer, width: int) -> list[str]:
        """What is called, behind the sign of its state."""
        look, view = self._seen, self.view
        sign, color, behind = _SIGNS[view.state]
        sign = look.theme.fg(color, sign)
        room = max(4, width - 2 * look.pad)
        drawn = None if own.call is None else own.call(view, room - 2)
        if drawn is None:
            text = f"{sign} {drawing_of(view.name).title(view, look)}"
            rows = _title_rows(text, self._time(), room, look)
        else:
            rows = [f"{sign if at == 0 else ' '} {row}" for at, row in enumerate(drawn)]
        left = " " * look.pad
        if look.theme.has_background(behind):
            return [look.theme.bar(behind, left + row, width) for row in rows]
        return [left + row for row in rows]

    def _body(self, own: ToolRenderer, width: int) -> list[str]:
        """The rows below the title, which are still to be indented."""
        look, view = self._seen, self.view
        room = max(4, width - 2 * look.pad)
        indent = "  " if room > 20 else ""
        self._lefts = look.pad + 2, look.pad + len(indent)
        inner = room - len(indent)
        rows: list[str] | None = None
        if own.result is not None:
            rows = [] if view.content is None else own.result(view, inner)
        if rows is None:
            rows = drawing_of(view.name).body(view, inner, look)
        rows = rows + image_lines(view.content, inner, look)
        if room < 40:
            rows = [cut(row, inner) for row in rows]  # the notes among them
        return [indent + row if row else row for row in rows]

    def _time(self) -> str:
        elapsed = self.view.elapsed
        if elapsed is None or elapsed < _SOON:
            return ""
        return duration(elapsed)


class ShellBlock(Block):
    """A command that the person ran. excluded: the model does not get to see it (`!!`)."""

    foldable = True

    def __init__(self, look: Look, command: str, *, excluded: bool = False) -> None:
        super().__init__(look)
        self.command, self.excluded = command, excluded
        self.settled_rows = 0
        self._output: list[str] = []
        self._message: BashExecutionMessage | None = None

    @classmethod
    def of(cls, look: Look, message: BashExecutionMessage) -> "ShellBlock":
        block = cls(look, message["command"], excluded=message.get("excludeFromContext", False))
        block.finish(message)
        return block

    def output(self, text: str) -> None:
        """More output."""
        self._output.append(text)
        self.invalidate()

    def finish(self, message: BashExecutionMessage) -> None:
        self._message, self.settled_rows = message, None
        self._output = [message["output"]]
        self.invalidate()

    def draw(self, width: int) -> list[str]:
        look, theme, message = self._seen, self.look.theme, self._message
        left = " " * look.pad
        room = max(4, width - 2 * look.pad)
        if len(self._output) > 1:
            self._output = ["".join(self._output)]
        color = "muted" if self.excluded else "bashMode"
        first, *rest = clean(self.command).split("\n")
        prompt = "!!" if self.excluded else "!"
        title = f"{theme.fg(color, prompt)} {theme.style(first, fg=color, bold=True)}"
        rows = [cut(title, room), *(cut(theme.fg(color, f"  {line}"), room) for line in rest)]
        output = self._output[0].rstrip("\n") if self._output else ""
        body = tail_rows(output, room - 2, look, _SHELL_ROWS)
        if message is None:
            body.append(theme.fg("muted", "running …"))
        else:
            body += self._ending(message)
        rows += [f"  {row}" if row else row for row in body]
        return ["", *(left + row if row else row for row in rows)]

    def _ending(self, message: BashExecutionMessage) -> list[str]:
        theme = self.look.theme
        rows: list[str] = []
        code = message.get("exitCode")
        if message["cancelled"]:
            rows.append(theme.fg("warning", "cancelled"))
        elif code:
            rows.append(theme.fg("error", f"exit code {code}"))
        if message["truncated"] and (path := message.get("fullOutputPath")):
            rows.append(theme.fg("dim", f"cut; all of it is in {clean(path)}"))
        return rows


def duration(seconds: float) -> str:
    """3 s, 2 min 5 s, 1 h 3 min: the two largest units."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def image_lines(content: Sequence[Any] | None, columns: int, look: Look) -> list[str]:
    """The images among the blocks of a message."""
    rows: list[str] = []
    for block in content or ():
        if not isinstance(block, dict) or block.get("type") != "image":
            continue
        data, kind = str(block.get("data", "")), str(block.get("mimeType", "image"))
        drawn = None
        if look.images is not None:
            drawn = image_rows(data, look.images, min(columns, look.image_columns), look.cell)
        rows += drawn or [look.theme.fg("muted", placeholder(data, clean(kind)))]
    return rows


def _title_rows(title: str, time: str, room: int, look: Look) -> list[str]:
    """The title, in at most three rows, and the time behind it."""
    title += look.theme.fg("dim", f"  {time}") if time else ""
    rows = wrap(title, room if cells(title) <= room else room - 2)
    if len(rows) > _TITLE_ROWS:
        rows[_TITLE_ROWS - 1 :] = [cut(rows[_TITLE_ROWS - 1] + "…", room - 2)]
    return [rows[0], *(f"  {row}" for row in rows[1:])]
