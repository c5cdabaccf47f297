"""Extensions' questions to the person, as a client shows them. Source: docs/rpc-extension-ui.md.

A dialog is a request on stdout, answered by a record with the same id on stdin; everything else is
told and not answered. Nobody waits for a client that never answers longer than the dialog allows,
or than the program runs.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pi.runtime.ui import UI, Mode, Notice, Placement

if TYPE_CHECKING:
    from pi.agent.hooks import HookFailure

__all__ = ["Dialogs"]

Record = dict[str, Any]


class Dialogs(UI):
    """send: writes one record. Dialogs that are open when it is closed end without an answer."""

    mode: Mode = "rpc"
    has_ui: ClassVar[bool] = True

    def __init__(self, send: Callable[[Record], None]) -> None:
        self._send = send
        self._open: dict[str, asyncio.Future[Record | None]] = {}
        self._closed = False
        self._silent = False

    async def select(
        self, title: str, options: Sequence[str], *, seconds: float | None = None
    ) -> str | None:
        return _text(await self._ask("select", {"title": title, "options": list(options)}, seconds))

    async def confirm(self, title: str, message: str, *, seconds: float | None = None) -> bool:
        answer = await self._ask("confirm", {"title": title, "message": message}, seconds)
        return answer is not None and answer.get("confirmed") is True

    async def input(
        self, title: str, placeholder: str | None = None, *, seconds: float | None = None
    ) -> str | None:
        fields = {"title": title, "placeholder": placeholder}
        return _text(await self._ask("input", fields, seconds))

    async def editor(self, title: str, prefill: str | None = None) -> str | None:
        return _text(await self._ask("editor", {"title": title, "prefill": prefill}, None))

    def notify(self, message: str, kind: Notice = "info") -> None:
        self._tell("notify", {"message": message, "notifyType": kind})

    def report(self, failure: "HookFailure") -> None:
        if not self._silent:
            about = {"extensionPath": failure.owner, "event": failure.event, "error": failure.text}
            if failure.place is not None:
                about["place"] = failure.place
            self._send({"type": "extension_error", **about})

    def set_status(self, key: str, text: str | None) -> None:
        self._tell("setStatus", {"statusKey": key, "statusText": text})

    def set_widget(
        self,
        key: str,
        lines: Sequence[str] | None,
        placement: Placement | None = None,
    ) -> None:
        fields = {
            "widgetKey": key,
            "widgetLines": None if lines is None else list(lines),
            "widgetPlacement": placement,
        }
        self._tell("setWidget", fields)

    def set_title(self, title: str) -> None:
        self._tell("setTitle", {"title": title})

    def set_editor_text(self, text: str) -> None:
        self._tell("set_editor_text", {"text": text})

    def answer(self, record: Record) -> None:
        """Take an `extension_ui_response`. One that nobody waits for is ignored."""
        key = record.get("id")
        waiting = self._open.get(key) if isinstance(key, str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(None if record.get("cancelled") is True else record)

    def close(self) -> None:
        """End what is open, and whatever is asked from now on."""
        self._closed = self._silent = True
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)

    def say_last(self, send: Callable[[Record], None]) -> None:
        """Let extensions be heard once more, and ask nothing: their session is about to end."""
        self._send, self._silent = send, False

    async def _ask(self, method: str, fields: Record, seconds: float | None) -> Record | None:
        if self._closed:
            return None
        key = str(uuid.uuid4())
        waiting: asyncio.Future[Record | None] = asyncio.get_running_loop().create_future()
        self._open[key] = waiting
        if seconds is not None:
            fields = {**fields, "timeout": round(seconds * 1000)}
        self._request(key, method, fields)
        try:
            async with asyncio.timeout(seconds):
                return await waiting
        except TimeoutError:
            return None
        finally:
            del self._open[key]

    def _tell(self, method: str, fields: Record) -> None:
        if not self._silent:
            self._request(str(uuid.uuid4()), method, fields)

    def _request(self, key: str, method: str, fields: Record) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        self._send({"type": "extension_ui_request", "id": key, "method": method, **given})


def _text(answer: Record | None) -> str | None:
    value = None if answer is None else answer.get("value")
    return value if isinstance(value, str) else None
