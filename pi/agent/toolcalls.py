"""Running the tool calls of one reply: together, with one result each, in the order asked."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pi.agent.abort import Abort, Aborted
from pi.errors import ToolError
from pi.tools.arguments import malformed_arguments, unknown_tool, validate
from pi.tools.base import Tool, ToolContext, ToolResult, text_block
from pi.wire.events import AgentEvent, ToolEnd
from pi.wire.messages import ToolCall, ToolResultMessage, now_ms

__all__ = ["ToolRunner"]

MAX_UNREAD = 64
"""Reports of one call that wait for a slow reader; the newest takes the place of the one before."""

NewContext = Callable[[str, Callable[[ToolResult], None]], ToolContext]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a call ended. is_error: the tool said so, or it failed."""

    result: ToolResult
    is_error: bool
    milliseconds: int | None = None


@dataclass(slots=True)
class _Running:
    """One call under way. `latest` is what it last reported, kept for when it is aborted.

    unread: what it reported and nobody has asked for yet, the oldest first.
    """

    call: ToolCall
    began: float
    latest: ToolResult | None = None
    unread: deque[ToolResult] = field(default_factory=deque)

    def report(self, partial: ToolResult) -> bool:
        """Take a report; whether it is one more, and not in the place of the last one."""
        self.latest = partial
        more = len(self.unread) < MAX_UNREAD
        if not more:
            self.unread.pop()
        self.unread.append(partial)
        return more


@dataclass(frozen=True, slots=True)
class ToolRunner:
    """The tools that are switched on, and how to make the context of a call."""

    tools: Mapping[str, Tool]
    new_context: NewContext

    async def skip(
        self, calls: Sequence[ToolCall], abort: Abort, results: list[ToolResultMessage]
    ) -> AsyncGenerator[AgentEvent, None]:
        """Refuse calls of a reply that was cut off: their arguments may be incomplete."""
        for call in calls:
            yield _started(call)
            outcome = _skipped(call["name"])
            results.append(_message(call, outcome))
            yield _ended(call, outcome)

    async def run(
        self, calls: Sequence[ToolCall], abort: Abort, results: list[ToolResultMessage]
    ) -> AsyncGenerator[AgentEvent, None]:
        """Run the calls together; `results` is filled in the calls' order."""
        queue: asyncio.Queue[tuple[str, Literal["reported", "ended"]]] = asyncio.Queue()
        finished: dict[str, ToolResultMessage] = {}
        ready: list[tuple[str, ToolCall, Tool, dict[str, Any]]] = []
        for position, call in enumerate(calls):
            yield _started(call)
            # Two calls may carry the same id; the position tells them apart.
            key = f"{position}:{call['id']}"
            try:
                ready.append((key, call, *self._prepared(call)))
            except ToolError as error:
                outcome = _failure(error)
                finished[key] = _message(call, outcome)
                yield _ended(call, outcome)

        running: dict[str, _Running] = {}
        tasks: dict[str, asyncio.Task[_Outcome]] = {}
        for key, call, tool, args in ready:
            state = running[key] = _Running(call, time.monotonic())

            def report(partial: ToolResult, key: str = key, state: _Running = state) -> None:
                if state.report(partial):
                    queue.put_nowait((key, "reported"))

            context = self.new_context(call["id"], report)
            task = tasks[key] = asyncio.create_task(_run(tool, args, context))
            task.add_done_callback(lambda _, key=key: queue.put_nowait((key, "ended")))  # type: ignore[misc]
        try:
            while running:
                key, news = await abort.wait(queue.get())
                if key not in running:
                    continue
                call = running[key].call
                if news == "reported":
                    partial = running[key].unread.popleft()
                    yield {
                        "type": "tool_execution_update",
                        "toolCallId": call["id"],
                        "toolName": call["name"],
                        "args": call["arguments"],
                        "partialResult": _wire(partial),
                    }
                    continue
                outcome = _timed(tasks[key].result(), running.pop(key).began)
                finished[key] = _message(call, outcome)
                yield _ended(call, outcome)
        except Aborted:
            before = {key: state.latest for key, state in running.items()}
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            for key, state in running.items():
                task = tasks[key]
                if not task.cancelled():
                    outcome = task.result()
                elif state.latest is not None and state.latest is not before[key]:
                    outcome = _last_words(state.latest)
                else:
                    outcome = _aborted(state.latest)
                outcome = _timed(outcome, state.began)
                finished[key] = _message(state.call, outcome)
                yield _ended(state.call, outcome)
        finally:
            await _stop(tasks.values())
        results.extend(finished[f"{at}:{call['id']}"] for at, call in enumerate(calls))

    def _prepared(self, call: ToolCall) -> tuple[Tool, dict[str, Any]]:
        """The tool and its checked arguments; raises ToolError."""
        tool = self.tools.get(call["name"])
        if tool is None:
            raise unknown_tool(call["name"])
        if reason := call.get("argumentsError"):
            raise malformed_arguments(call["name"], reason)
        return tool, validate(tool, call["arguments"])


async def _run(tool: Tool, args: dict[str, Any], context: ToolContext) -> _Outcome:
    """A tool's failure of any kind is a result: it must not end the run."""
    try:
        result = await tool.run(args, context)
    except ToolError as error:
        return _failure(error)
    except Exception as error:  # noqa: BLE001  (a fault in a tool is told to the model, with its type)
        return _failure(ToolError(f"{tool.name} failed: {type(error).__name__}: {error}"))
    return _Outcome(result, result.is_error)


async def _stop(tasks: Any) -> None:
    """Leave no tool behind when the consumer of the events goes away."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.gather(*pending, return_exceptions=True)


def _failure(error: ToolError) -> _Outcome:
    return _Outcome(ToolResult([text_block(str(error))], details=error.details), is_error=True)


def _skipped(name: str) -> _Outcome:
    """For a call that was not run because its reply was cut off."""
    return _failure(
        ToolError(
            f"{name} was not run: the reply reached the output token limit, so the arguments of "
            "this call may be incomplete. Call it again with complete arguments."
        )
    )


def _last_words(latest: ToolResult) -> _Outcome:
    """What a cancelled tool reported when it was told to end: it says itself that it was."""
    details = {} if latest.details is None else latest.details
    return _Outcome(ToolResult(latest.content, details=details), is_error=True)


def _aborted(latest: ToolResult | None) -> _Outcome:
    """For a tool that just ended: what it reported before, and that it is not all."""
    said = [block for block in latest.content if block["type"] == "text"] if latest else []
    text = "".join(block["text"] for block in said)
    return _failure(ToolError(f"{text}\n\nAborted" if text else "Aborted"))


def _timed(outcome: _Outcome, began: float) -> _Outcome:
    return replace(outcome, milliseconds=round((time.monotonic() - began) * 1000))


def _wire(result: ToolResult) -> dict[str, Any]:
    """A result as events carry it."""
    wire: dict[str, Any] = {"content": result.content}
    if result.details is not None:
        wire["details"] = result.details
    if result.structured is not None:
        wire["structuredContent"] = result.structured
    if result.is_error:
        wire["isError"] = True
    return wire


def _started(call: ToolCall) -> AgentEvent:
    return {
        "type": "tool_execution_start",
        "toolCallId": call["id"],
        "toolName": call["name"],
        "args": call["arguments"],
    }


def _ended(call: ToolCall, outcome: _Outcome) -> ToolEnd:
    event: ToolEnd = {
        "type": "tool_execution_end",
        "toolCallId": call["id"],
        "toolName": call["name"],
        "result": _wire(outcome.result),
        "isError": outcome.is_error,
    }
    if outcome.milliseconds is not None:
        event["durationMs"] = outcome.milliseconds
    return event


def _message(call: ToolCall, outcome: _Outcome) -> ToolResultMessage:
    message: ToolResultMessage = {
        "role": "toolResult",
        "toolCallId": call["id"],
        "toolName": call["name"],
        "content": outcome.result.content,
        "isError": outcome.is_error,
        "timestamp": now_ms(),
    }
    if outcome.result.details is not None:
        message["details"] = outcome.result.details
    if outcome.milliseconds is not None:
        message["durationMs"] = outcome.milliseconds
    return message
