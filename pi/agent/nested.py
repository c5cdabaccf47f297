"""Calls that one tool makes to others: told as events, recorded with the result of the first.

Source: docs/extensions.md, Calling Other Tools; docs/message-types.md, nestedCalls.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pi.agent.tokens import add_usage
from pi.tools.base import CallTool, ToolResult
from pi.wire.events import AgentEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import ToolCall, ToolResultMessage, Usage, text_of

__all__ = ["NestedCalls", "RunCall", "Update"]

MOST = 256
"""Calls that are recorded for one result."""
EACH = 8 << 10
"""Bytes of arguments that are recorded for a call."""
TOGETHER = 32 << 10
"""The same for one result."""
ERROR = 500
"""Characters of an error that are recorded."""

Tell = Callable[[AgentEvent], None]
Update = Callable[[ToolResult], None]
RunCall = Callable[[ToolCall, Tell, CallTool, Update | None], Awaitable[tuple[ToolResult, int]]]
"""Runs a call to its result and the milliseconds it took, telling events; failures are results.

Cancelled, it tells the end of the call and raises CancelledError.
"""


@dataclass(slots=True)
class _Record:
    """What is kept of all calls, at every depth, that one result comes from."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    room: int = TOGETHER
    complete: bool = True

    def begin(self, call: ToolCall) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": call["id"], "name": call["name"], "status": "unfinished"}
        if len(self.calls) == MOST:
            self.complete = False
            return entry
        self.calls.append(entry)
        try:
            size = len(dumps(call["arguments"]))
        except (TypeError, ValueError):
            self.complete = False
            return entry
        if size > min(EACH, self.room):
            entry["argumentsBytes"] = size
            self.complete = False
        else:
            self.room -= size
            entry["arguments"] = call["arguments"]
        return entry


class NestedCalls:
    """The calls that the call `parent` makes. run: how to run one. tell: gets their events."""

    def __init__(
        self, parent: str, run: RunCall, tell: Tell, record: _Record | None = None
    ) -> None:
        self._parent = parent
        self._run = run
        self._tell_parent = tell
        self._record = record or _Record()
        self._count = 0

    async def call(
        self, name: str, args: dict[str, Any], *, on_update: Update | None = None
    ) -> ToolResult:
        """See ToolContext.call_tool."""
        self._count += 1
        call_id = f"{self._parent}/{self._count}"
        call: ToolCall = {"type": "toolCall", "id": call_id, "name": name, "arguments": args}
        entry = self._record.begin(call)
        inner = NestedCalls(call_id, self._run, self._tell_parent, self._record)
        try:
            result, milliseconds = await self._run(call, self._tell, inner.call, on_update)
        except asyncio.CancelledError:
            entry |= {"status": "error", "error": "Aborted"}
            raise
        entry["status"] = "error" if result.is_error else "ok"
        entry["durationMs"] = milliseconds
        if result.is_error:
            entry["error"] = text_of([*result.content])[:ERROR]
        if result.usage is not None:
            self._record.usages.append(result.usage)
        return result

    def note(self, message: ToolResultMessage) -> None:
        """Record them with the result of the call that made them."""
        record = self._record
        if not record.calls:
            return
        for usage in record.usages:
            before = message.get("usage")
            message["usage"] = usage if before is None else add_usage(before, usage)
        calls = [dict(entry) for entry in record.calls]  # what still runs may end later
        unfinished = any(entry["status"] == "unfinished" for entry in calls)
        message["nestedCalls"] = {"calls": calls, "complete": record.complete and not unfinished}

    def _tell(self, event: AgentEvent) -> None:
        fields: Any = {**event, "parentToolCallId": self._parent}
        self._tell_parent(fields)
