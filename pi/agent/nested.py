"""Calls that one tool makes to others: told as events, recorded with the result of the first.

Source: docs/extensions.md, Calling Other Tools; docs/message-types.md, nestedCalls.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pi.agent.tokens import add_usage
from pi.tools.base import CallTool, ToolResult
from pi.wire.events import AgentEvent
from pi.wire.jsonio import dumps
from pi.wire.messages import ToolCall, ToolResultMessage, Usage

__all__ = ["NestedCalls", "RunCall"]

MOST = 256
"""Calls that are recorded for one result."""
EACH = 8 << 10
"""Bytes of arguments that are recorded for a call."""
TOGETHER = 32 << 10
"""The same for one result."""

Tell = Callable[[AgentEvent], None]
RunCall = Callable[[ToolCall, Tell, CallTool], Awaitable[tuple[ToolResult, int | None]]]
"""Runs a call to its result and the milliseconds it took, telling events; failures are results."""


class NestedCalls:
    """The calls that the call `parent` makes. run: how to run one. tell: gets their events."""

    def __init__(self, parent: str, run: RunCall, tell: Tell) -> None:
        self._parent = parent
        self._run = run
        self._tell_parent = tell
        self._records: list[dict[str, Any]] = []
        self._usages: list[Usage] = []
        self._bytes = 0
        self._complete = True

    async def call(self, name: str, args: dict[str, Any]) -> ToolResult:
        """See ToolContext.call_tool."""
        call_id = f"{self._parent}/{len(self._records) + 1}"
        call: ToolCall = {"type": "toolCall", "id": call_id, "name": name, "arguments": args}
        record: dict[str, Any] = {"id": call_id, "name": name, "status": "unfinished"}
        self._records.append(record)
        self._note_arguments(record, args)
        inner = NestedCalls(call_id, self._run, self._tell_parent)
        result, milliseconds = await self._run(call, self._tell, inner.call)
        record["status"] = "error" if result.is_error else "ok"
        if milliseconds is not None:
            record["durationMs"] = milliseconds
        self._usages += inner._usages
        if result.usage is not None:
            self._usages.append(result.usage)
        return result

    def note(self, message: ToolResultMessage) -> None:
        """Record them with the result of the call that made them."""
        if not self._records:
            return
        kept = self._records[:MOST]
        complete = self._complete and len(kept) == len(self._records)
        message["nestedCalls"] = {"calls": kept, "complete": complete}
        for usage in self._usages:
            before = message.get("usage")
            message["usage"] = usage if before is None else add_usage(before, usage)

    def _tell(self, event: AgentEvent) -> None:
        fields: Any = {**event, "parentToolCallId": self._parent}
        self._tell_parent(fields)

    def _note_arguments(self, record: dict[str, Any], args: dict[str, Any]) -> None:
        """Small ones are kept, of others their size."""
        try:
            size = len(dumps(args))
        except (TypeError, ValueError):
            self._complete = False
            return
        if size > EACH or self._bytes + size > TOGETHER:
            record["argumentsBytes"] = size
            self._complete = False
        else:
            self._bytes += size
            record["arguments"] = args
