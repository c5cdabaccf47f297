"""How the extensions of a session draw: what is asked of them, and what becomes of their answers.

Nothing they do may end a frame: what fails is reported once, and drawn by pi. Nothing that they
show may act on the terminal, since it may come from anywhere.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.agent.faults import is_fault
from pi.modes.interactive.cells import cut, wrap
from pi.modes.interactive.extension_parts import failure_of
from pi.modes.interactive.keys import Mouse
from pi.modes.interactive.sanitize import clean_drawn
from pi.modes.interactive.transcript.arguments import so_far
from pi.modes.interactive.transcript.drawings import DRAWINGS, drawing_of
from pi.modes.interactive.transcript.look import (
    Kept,
    Look,
    Renderers,
    Slot,
    ToolRenderer,
    ToolView,
    Transform,
)
from pi.runtime.looks import Drawing, MarkdownContext, Owned, Renderer, Rendering

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure
    from pi.runtime.additions import Additions

__all__ = ["ExtensionDrawing"]

MOST = 100_000
"""Rows that a component may have in the conversation."""


class ExtensionDrawing(Renderers):
    """See Renderers.

    look: what is drawn with. report: is told what fails. keys: the keys of an action.
    written_at: the time of an entry of the session, ISO 8601.
    """

    __slots__ = ("_additions", "_keys", "_look", "_report", "_told", "_written_at")

    def __init__(
        self,
        additions: "Additions",
        look: Look,
        report: "Callable[[HookFailure], None]",
        keys: Callable[[str], tuple[str, ...]],
        written_at: Callable[[str], str | None],
    ) -> None:
        self._additions = additions
        self._look = look
        self._report = report
        self._keys = keys
        self._written_at = written_at
        self._told: list[object] = []

    # Tools

    def tool(self, name: str) -> ToolRenderer | None:
        chosen = self._chosen(name, 0)
        if isinstance(chosen, Mapping):
            chosen = Rendering(**chosen)
        if chosen is None:
            return None
        added = self._additions.tools.get(name)
        owner = "" if added is None else added.owner
        call = self._slot(chosen.render_call, "call", name, owner)
        result = self._slot(chosen.render_result, "result", name, owner)
        if call is None and result is None and not chosen.own_shell:
            return None
        return ToolRenderer(call, result, chosen.own_shell)

    def _chosen(self, name: str, at: int) -> Any:
        """What the resolvers from one on say, then the tool itself, then pi."""
        resolvers = self._additions.tool_renderers
        if at < len(resolvers):
            resolver = resolvers[at]
            try:
                return resolver.function(name, lambda: self._chosen(name, at + 1))
            except BaseException as error:  # code of others, in the middle of a frame
                if not is_fault(error):
                    raise
                self._fault(resolver.function, f"tool renderer for {name}", error, resolver.owner)
                return self._chosen(name, at + 1)
        ours = Rendering(_Ours(self._look, name, "call"), _Ours(self._look, name, "result"))
        added = self._additions.tools.get(name)
        if added is None:
            return ours if name in DRAWINGS else None
        if name not in DRAWINGS:
            return Rendering(added.render_call, added.render_result, added.own_shell)
        return Rendering(
            added.render_call or ours.render_call,
            added.render_result or ours.render_result,
            added.own_shell,
        )

    def _slot(self, renderer: Renderer | None, slot: str, name: str, owner: str) -> Slot | None:
        if renderer is None or isinstance(renderer, _Ours):
            return None

        def draw(view: ToolView, width: int) -> list[str] | None:
            partial = view.state in ("writing", "waiting", "running")
            drawing = self._drawing(view.kept, slot, width)
            drawing.partial = partial
            drawing.tool_call_id = view.id
            drawing.args = view.args or so_far(view.written)
            drawing.args_complete = view.state != "writing"
            drawing.execution_started = view.started
            drawing.is_error = view.state == "failed"
            if not partial and view.elapsed is not None:
                drawing.duration_ms = round(view.elapsed * 1000)
            shown: Any = drawing.args
            if slot == "result":
                shown = {"content": view.content, "details": view.details}
            what = f"render_{slot} of {name}"
            return self._rows(renderer, shown, drawing, view.kept, slot, what, owner)

        return draw

    # Messages, entries, Markdown

    def message(self, message: Mapping[str, Any], kept: Kept, width: int) -> list[str] | None:
        return self._custom(self._additions.message_renderers, message, kept, width, "message")

    def entry(self, entry: Mapping[str, Any], kept: Kept, width: int) -> list[str] | None:
        kind = entry.get("customType")
        if kind not in self._additions.entry_renderers:
            return None
        rows = self._custom(self._additions.entry_renderers, entry, kept, width, "entry")
        if rows is None:
            rows = [cut(self._look.theme.fg("error", f"[{kind}] cannot be drawn"), width)]
        return rows

    def mouse(self, kept: Kept, slot: str, event: Mouse) -> bool:
        heard = getattr(kept.last.get(slot), "mouse", None)
        if heard is None:
            return False
        try:
            taken = bool(heard(event))
        except BaseException as error:  # code of others, at a click
            if not is_fault(error):
                raise
            self._fault(type(kept.last[slot]), f"mouse on a {slot}", error, "")
            return False
        kept.ask()  # what it shows may be something else now
        return taken

    def markdown(self, place: str, entry_id: str | None) -> Transform | None:
        if not any(place in each.places for each in self._additions.markdown):
            return None

        def transform(text: str, streaming: bool, width: int) -> str:
            when = None if entry_id is None else self._written_at(entry_id)
            context = MarkdownContext(place, streaming, width, entry_id, when)  # type: ignore[arg-type]
            for each in self._additions.markdown:
                if place not in each.places:
                    continue
                try:
                    changed = each.function(text, context)
                    if not isinstance(changed, str):
                        raise TypeError(f"it gave {type(changed).__name__}, not text")
                    text = changed
                except BaseException as error:  # as above
                    if not is_fault(error):
                        raise
                    self._fault(each.function, f"Markdown of {place}", error, each.owner)
            return text

        return transform

    def _custom(
        self,
        table: Mapping[str, list[Owned]],
        shown: Mapping[str, Any],
        kept: Kept,
        width: int,
        what: str,
    ) -> list[str] | None:
        kind = str(shown.get("customType", ""))
        drawers = table.get(kind)
        if not drawers:
            return None
        drawing = self._drawing(kept, what, width)
        first = drawers[0]
        return self._rows(
            first.function, shown, drawing, kept, what, f"{what} renderer for {kind}", first.owner
        )

    # What they share

    def _drawing(self, kept: Kept, slot: str, width: int) -> Drawing:
        look = self._look
        return Drawing(
            expanded=look.expanded if kept.expanded is None else kept.expanded,
            width=width,
            cwd=look.cwd or Path(),
            output_pad=look.pad,
            show_images=look.images is not None,
            state=kept.state,
            last=kept.last.get(slot),
            theme=look.theme,
            invalidate=kept.ask,
            key_text=self._key_text,
            key_hint=self._key_hint,
        )

    def _key_text(self, action: str) -> str:
        return "/".join(self._keys(action))

    def _key_hint(self, action: str, what: str) -> str:
        keys, theme = self._key_text(action), self._look.theme
        return theme.fg("dim", keys) + theme.fg("muted", f" {what}") if keys else ""

    def _rows(
        self,
        renderer: Renderer,
        shown: Any,
        drawing: Drawing,
        kept: Kept,
        slot: str,
        what: str,
        owner: str,
    ) -> list[str] | None:
        """The rows an extension draws; None where it fails, which is reported."""
        kept.busy = True
        try:
            made = renderer(shown, drawing, self._look.theme)
            if made is drawing.last and hasattr(made, "invalidate"):
                made.invalidate()  # the theme may be another one
            rows = _rows_of(made, drawing.width)
        except BaseException as error:  # as above
            if not is_fault(error):
                raise
            kept.last.pop(slot, None)
            self._fault(renderer, what, error, owner)
            return None
        finally:
            kept.busy = False
        kept.last[slot] = made
        return rows

    def _fault(self, function: object, what: str, error: BaseException, owner: str) -> None:
        """Report it, the first time, and after the frame: a report may be drawn, too."""
        if function in self._told:
            return
        self._told.append(function)
        failure = failure_of(what, error, owner)
        try:
            asyncio.get_running_loop().call_soon(self._report, failure)
        except RuntimeError:  # nothing is drawn while something else is written
            self._report(failure)


class _Ours:
    """How pi draws a part of a call of a built-in tool, for those who draw around that."""

    __slots__ = ("_look", "_name", "_slot")

    def __init__(self, look: Look, name: str, slot: str) -> None:
        self._look, self._name, self._slot = look, name, slot

    def __call__(self, shown: Any, drawing: Drawing, theme: Any) -> list[str]:
        look = copy(self._look)
        look.theme, look.expanded = theme, drawing.expanded
        view = ToolView(self._name, drawing.tool_call_id)
        view.args = drawing.args
        view.state = "running" if drawing.partial else "failed" if drawing.is_error else "done"
        if self._slot == "call":
            view.args = shown
            # What it has to say of the result, it says only with one.
            view.state = "running"
            return [drawing_of(self._name).title(view, look)]
        view.content, view.details = shown.get("content"), shown.get("details")
        return drawing_of(self._name).body(view, drawing.width, look)


def _rows_of(made: Any, width: int) -> list[str]:
    """What a renderer gave, as rows: text is wrapped, lines are cut."""
    if made is None:
        return []
    if inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise TypeError("a renderer cannot be a coroutine function")
    if isinstance(made, str):
        return [row for line in clean_drawn(made) for row in wrap(line, width)] if made else []
    lines = made
    if hasattr(made, "render"):
        if hasattr(made, "height"):
            made.height = MOST
        lines = made.render(width)
    return [cut(row, width) for line in lines for row in clean_drawn(str(line))]
