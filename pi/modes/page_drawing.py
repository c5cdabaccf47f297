"""What a session's page shows as extensions draw it, and not as the page does by itself."""

import threading
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from pi.modes.interactive.extension_drawing import ExtensionDrawing
from pi.modes.interactive.system_theme import TerminalColors, system_theme
from pi.modes.interactive.transcript.look import Kept, Look, Slot, ToolView
from pi.runtime.host import Host
from pi.session.export import Draw, Drawn

__all__ = ["drawing_of_extensions"]

WIDTH = 100
"""Cells of a row."""

OURS = frozenset({"bash", "read", "write", "edit", "ls"})
"""Tools that a page always draws itself."""


def drawing_of_extensions(host: Host, keys: Callable[[str], tuple[str, ...]]) -> Draw | None:
    """What the extensions of the open session draw; None where they draw nothing of their own.

    It may be used in a thread: they are asked in this one. keys: of an action.
    """
    additions = host.additions
    if additions is None or not (
        additions.tool_renderers
        or additions.entry_renderers
        or any(tool.render_call or tool.render_result for tool in additions.tools.values())
    ):
        return None
    # In the page's own sixteen colours, which suit it by day and by night.
    theme = system_theme(TerminalColors(), "16", "dark")
    look = Look(theme, cwd=host.paths.cwd, home=host.paths.home, links=True)

    def written_at(entry_id: str) -> str | None:
        return None  # no Markdown is changed here

    drawing = ExtensionDrawing(additions, look, additions.hooks.report, keys, written_at)
    return _PageDrawing(drawing, look, frozenset(additions.entry_renderers))


class _PageDrawing:
    """A Draw. kinds: of custom entries that are drawn."""

    def __init__(self, drawing: ExtensionDrawing, look: Look, kinds: frozenset[str]) -> None:
        self._drawing = drawing
        self._look = look
        self._kinds = kinds
        self._calls: dict[str, ToolView] = {}  # without a result, by call id
        self._loop = get_running_loop()
        self._thread = threading.get_ident()

    def __call__(self, entry: Mapping[str, Any], shown: dict[str, Any]) -> None:
        draw = self._drawer(entry)
        if draw is None:
            return
        if threading.get_ident() == self._thread:
            draw(shown)
            return
        done: Future[None] = Future()

        def run() -> None:
            try:
                done.set_result(draw(shown))
            except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        done.result()

    def _drawer(self, entry: Mapping[str, Any]) -> Callable[[dict[str, Any]], None] | None:
        """What draws an entry, if anybody may."""
        if entry.get("type") == "custom":
            return self._entry if entry.get("customType") in self._kinds else None
        message = entry.get("message")
        if not isinstance(message, dict):
            return None
        role = message.get("role")
        if role == "toolResult":
            return self._result if _name(message, "toolName") else None
        blocks = message.get("content")
        if role == "assistant" and isinstance(blocks, list):
            return self._answer if any(map(_is_call, blocks)) else None
        return None

    def _answer(self, shown: dict[str, Any]) -> None:
        message = shown["message"]
        message["content"] = [
            self._call(block) if _is_call(block) else block for block in message["content"]
        ]

    def _call(self, block: dict[str, Any]) -> dict[str, Any]:
        name, call_id = str(block["name"]), str(block.get("id", ""))
        own = self._drawing.tool(name)
        if own is None:
            return block
        view = self._calls[call_id] = ToolView(name, call_id)
        args = block.get("arguments")
        view.args = args if isinstance(args, dict) else {}
        view.state, view.started = "done", True  # in a page nothing goes on
        rows = None if own.call is None else own.call(view, WIDTH)
        return block if rows is None else {**block, "drawn": {"rows": rows}}

    def _result(self, shown: dict[str, Any]) -> None:
        message = shown["message"]
        name, call_id = str(message["toolName"]), str(message.get("toolCallId", ""))
        view = self._calls.pop(call_id, None) or ToolView(name, call_id)
        own = self._drawing.tool(name)
        content = message.get("content")
        if own is None or own.result is None or not isinstance(content, list):
            return
        view.content, view.details = content, message.get("details")
        view.state, view.started = "failed" if message.get("isError") else "done", True
        took = message.get("durationMs")
        view.elapsed = took / 1000 if isinstance(took, int | float) else None
        drawn = self._both(own.result, view)
        if drawn is not None:
            message["drawn"] = drawn

    def _entry(self, shown: dict[str, Any]) -> None:
        kept = Kept()
        slot: Slot = lambda view, width: self._drawing.entry(shown, kept, width)  # noqa: E731
        drawn = self._both(slot, ToolView(""))
        if drawn is not None and drawn["rows"]:
            shown["drawn"] = drawn

    def _both(self, slot: Slot, view: ToolView) -> Drawn | None:
        """Folded, if that makes a difference, and expanded."""
        self._look.expanded = False
        folded = slot(view, WIDTH)
        self._look.expanded = True
        rows = slot(view, WIDTH)
        if folded is None or rows is None:
            return None
        folded, rows = _trimmed(folded), _trimmed(rows)
        return {"rows": rows} if folded == rows or not folded else {"rows": rows, "folded": folded}


def _is_call(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "toolCall" and _name(block, "name")


def _name(holder: Mapping[str, Any], key: str) -> bool:
    """Whether there is the name of a tool that the page does not draw itself."""
    name = holder.get(key)
    return isinstance(name, str) and name not in OURS


def _trimmed(rows: list[str]) -> list[str]:
    """Without blank rows at both ends."""
    start, end = 0, len(rows)
    while start < end and not rows[start].strip():
        start += 1
    while end > start and not rows[end - 1].strip():
        end -= 1
    return rows[start:end]
