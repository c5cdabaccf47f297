"""Running the tool calls of one reply: together, with one result each, in the order asked."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pi.agent.abort import Abort, Aborted, is_cancelled
from pi.agent.checks import content_problem, json_problem, shown
from pi.agent.faults import is_fault, text_of_error
from pi.agent.nested import NestedCalls
from pi.agent.nested import Update as OnUpdate
from pi.errors import ToolError
from pi.tools.arguments import malformed_arguments, unknown_tool, validate
from pi.tools.base import (
    CallTool,
    Tool,
    ToolContext,
    ToolResult,
    Update,
    text_block,
    text_result,
)
from pi.wire.events import AgentEvent, ToolEnd
from pi.wire.messages import ToolCall, ToolResultMessage, now_ms

if TYPE_CHECKING:
    from pi.agent.hooks import Hooks

__all__ = ["Batch", "ToolRunner"]

MAX_UNREAD = 64
"""Reports of one call that wait for a slow reader; the newest takes the place of the one before."""

NewContext = Callable[[str, Update], ToolContext]


class _Outcome(NamedTuple):
    """How a call ended. is_error: the tool said so, or it failed."""

    result: ToolResult
    is_error: bool
    milliseconds: int | None = None


@dataclass(slots=True)
class Batch:
    """The results of one reply's calls, in their order. terminate: all say that this is the end."""

    results: list[ToolResultMessage] = field(default_factory=list)
    terminate: bool = False


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
    """The tools that are switched on, and how to make the context of a call.

    callable: those that other tools may call, as they are now; None for those that are on.
    """

    tools: Mapping[str, Tool]
    new_context: NewContext
    hooks: "Hooks | None" = None
    callable: Callable[[], Mapping[str, Tool]] | None = None

    async def skip(
        self, calls: Sequence[ToolCall], abort: Abort, batch: Batch
    ) -> AsyncGenerator[AgentEvent, None]:
        """Refuse calls of a reply that was cut off: their arguments may be incomplete."""
        for call in calls:
            yield _started(call)
            outcome = _skipped(call["name"])
            batch.results.append(_message(call, outcome))
            yield _ended(call, outcome)

    async def run(
        self, calls: Sequence[ToolCall], abort: Abort, batch: Batch
    ) -> AsyncGenerator[AgentEvent, None]:
        """Run the calls together; `batch` is filled in the calls' order."""
        queue: asyncio.Queue[tuple[str, Literal["reported", "ended"] | AgentEvent]] = (
            asyncio.Queue()
        )
        nested: dict[str, NestedCalls] = {}
        finished: dict[str, ToolResultMessage] = {}
        terminating: set[str] = set()

        def finish(key: str, call: ToolCall, outcome: _Outcome) -> ToolEnd:
            finished[key] = _message(call, outcome)
            if key in nested:
                nested[key].note(finished[key])
            if outcome.result.terminate:
                terminating.add(key)
            return _ended(call, outcome)

        ready: list[tuple[str, ToolCall, Tool, dict[str, Any]]] = []
        for position, call in enumerate(calls):
            yield _started(call)
            # Two calls may carry the same id; the position tells them apart.
            key = f"{position}:{call['id']}"
            try:
                tool, args = self._prepared(call, self.tools)
                if self.hooks is not None and self.hooks.wants("tool_call"):
                    blocked = await self._blocked(self.hooks, call, args, abort)
                    if blocked is not None:
                        yield finish(key, call, blocked)
                        continue
                ready.append((key, call, tool, args))
            except ToolError as error:
                yield finish(key, call, _failure(error))

        running: dict[str, _Running] = {}
        arguments = {key: args for key, _, _, args in ready}
        tasks: dict[str, asyncio.Task[_Outcome]] = {}
        turns = asyncio.Lock() if any(getattr(r[2], "sequential", False) for r in ready) else None
        for key, call, tool, args in ready:
            state = running[key] = _Running(call, time.monotonic())

            def report(told: ToolResult | str, key: str = key, state: _Running = state) -> None:
                if state.report(_partial(told)):
                    queue.put_nowait((key, "reported"))

            def tell(event: AgentEvent, key: str = key) -> None:
                queue.put_nowait((key, event))

            nested[key] = NestedCalls(call["id"], self._nested, tell)
            context = self.new_context(call["id"], report)
            context = context._replace(call_tool=nested[key].call, tools=self._reachable)
            task = tasks[key] = asyncio.create_task(self._run(tool, args, context, turns))
            task.add_done_callback(lambda _, key=key: queue.put_nowait((key, "ended")))  # type: ignore[misc]
        try:
            while running:
                key, news = await abort.wait(queue.get())
                if not isinstance(news, str):
                    yield news
                    continue
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
                yield finish(key, call, outcome)
        except Aborted:
            before = {key: state.latest for key, state in running.items()}
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            for key, state in running.items():
                task = tasks[key]
                if not task.cancelled():
                    outcome = task.result()
                else:
                    latest = state.latest
                    if latest is None or latest is before[key]:
                        outcome = _aborted(latest)
                    else:
                        outcome = _last_words(latest)
                    # What it printed until then is stored and sent like any other result.
                    name, call_id = state.call["name"], state.call["id"]
                    outcome = await self._review(name, arguments[key], call_id, outcome)
                yield finish(key, state.call, _timed(outcome, state.began))
        finally:
            await _stop(tasks.values())
        batch.results.extend(finished[f"{at}:{call['id']}"] for at, call in enumerate(calls))
        batch.terminate = len(terminating) == len(calls)

    def _callable(self) -> Mapping[str, Tool]:
        return self.tools if self.callable is None else self.callable()

    def _reachable(self) -> Sequence[Tool]:
        return tuple(self._callable().values())

    def _prepared(self, call: ToolCall, tools: Mapping[str, Tool]) -> tuple[Tool, dict[str, Any]]:
        """The tool and its checked arguments; raises ToolError."""
        tool = tools.get(call["name"])
        if tool is None:
            raise unknown_tool(call["name"])
        if reason := call.get("argumentsError"):
            raise malformed_arguments(call["name"], reason)
        try:
            return tool, validate(tool, call["arguments"])
        except ToolError:
            raise
        except BaseException as error:  # what an extension prepares arguments with, or its schema
            if not is_fault(error):
                raise
            text = f"{tool.name} failed to prepare its arguments: {text_of_error(error)}"
            raise ToolError(text) from error

    async def _blocked(
        self, hooks: "Hooks", call: ToolCall, args: dict[str, Any], abort: Abort
    ) -> _Outcome | None:
        """Ask those who extend pi; how a call ends that is not to be."""
        try:
            return await abort.wait(_asked(hooks, call, args, None))
        except Aborted:
            return _aborted(None)

    async def _nested(
        self,
        call: ToolCall,
        tell: Callable[[AgentEvent], None],
        call_tool: CallTool,
        on_update: OnUpdate | None,
    ) -> tuple[ToolResult, int]:
        """A call that another one makes; see nested.RunCall."""
        tell(_started(call))
        parent = call["id"].rpartition("/")[0]
        began = time.monotonic()

        def report(told: ToolResult | str) -> None:
            partial = _partial(told)
            if on_update is not None:
                on_update(partial)
            tell(
                {
                    "type": "tool_execution_update",
                    "toolCallId": call["id"],
                    "toolName": call["name"],
                    "args": call["arguments"],
                    "partialResult": _wire(partial),
                }
            )

        try:
            tool, args = self._prepared(call, self._callable())
            outcome = None
            if self.hooks is not None and self.hooks.wants("tool_call"):
                outcome = await _asked(self.hooks, call, args, parent)
            if outcome is None:
                context = self.new_context(call["id"], report)
                context = context._replace(call_tool=call_tool, tools=self._reachable)
                outcome = _timed(await self._run(tool, args, context, None, parent), began)
        except ToolError as error:
            outcome = _failure(error)
        except asyncio.CancelledError:
            tell(_ended(call, _timed(_aborted(None), began)))
            raise
        tell(_ended(call, outcome))
        result = replace(outcome.result, is_error=outcome.is_error)
        return result, outcome.milliseconds or 0

    async def _run(
        self,
        tool: Tool,
        args: dict[str, Any],
        context: ToolContext,
        turns: asyncio.Lock | None,
        parent: str | None = None,
    ) -> _Outcome:
        """One call. turns: held by the one that may run, where they may not run together.

        parent: the call that made this one, if one did.
        """
        if turns is None:
            outcome = await _run(tool, args, context)
        else:
            async with turns:
                outcome = await _run(tool, args, context)
        return await self._review(tool.name, args, context.call_id, outcome, parent)

    async def _review(
        self,
        name: str,
        args: dict[str, Any],
        call_id: str,
        outcome: _Outcome,
        parent: str | None = None,
    ) -> _Outcome:
        """The outcome as those who extend pi leave it."""
        if self.hooks is None or not self.hooks.wants("tool_result"):
            return outcome
        return await _reviewed(self.hooks, name, args, call_id, outcome, parent)


async def _run(tool: Tool, args: dict[str, Any], context: ToolContext) -> _Outcome:
    """A tool's failure of any kind is a result: it must not end the run."""
    try:
        result = await tool.run(args, context)
    except asyncio.CancelledError:
        if is_cancelled():
            raise
        # Nobody wanted it to end: what it waited for was cancelled.
        return _failure(ToolError(f"{tool.name} failed: what it waited for was cancelled"))
    except ToolError as error:
        return _failure(error)
    except BaseException as error:  # a fault in a tool is told to the model, with its type
        if not is_fault(error):
            raise
        return _failure(ToolError(f"{tool.name} failed: {text_of_error(error)}"))
    problem = _result_problem(result)
    if problem is not None:
        return _failure(ToolError(f"{tool.name} failed: its result is of no use: {problem}"))
    return _Outcome(result, result.is_error)


def _partial(told: ToolResult | str) -> ToolResult:
    """What a tool tells meanwhile. Raises TypeError, there."""
    partial = text_result(told) if isinstance(told, str) else told
    problem = _result_problem(partial)
    if problem is not None:
        raise TypeError(f"update takes text or a ToolResult: {problem}")
    return partial


def _result_problem(result: Any) -> str | None:
    """Why it is none. What cannot be stored would end the run: a tool may come from anywhere."""
    if not isinstance(result, ToolResult):
        return f"it is no ToolResult, but {result!r:.60}"
    for name in ("is_error", "terminate"):
        if not isinstance(getattr(result, name), bool):
            return f"{name} is True or False, not {shown(getattr(result, name))}"
    if not isinstance(result.usage, dict | None):
        return f"usage is a dict, not {shown(result.usage)}"
    return content_problem(result.content) or json_problem(
        (result.details, result.structured, result.usage)
    )


async def _asked(
    hooks: "Hooks", call: ToolCall, args: dict[str, Any], parent: str | None
) -> _Outcome | None:
    """Ask those who extend pi; how a call ends that is not to be."""
    # Loaded by the hooks by now.
    from pi.agent import hook_events as ev  # noqa: PLC0415

    event = ev.ToolCall(call["name"], call["id"], args, parent)
    answer = await hooks.tool_call(event)
    if answer is None:
        if event.input is not args:  # another dict in its place, rather than this one changed
            given = dict(event.input)
            args.clear()
            args.update(given)
        return None
    text = answer.reason or f"This call of {call['name']} was blocked"
    return _Outcome(
        ToolResult([text_block(text)], details={}, terminate=answer.terminate), is_error=True
    )


async def _reviewed(
    hooks: "Hooks",
    name: str,
    args: dict[str, Any],
    call_id: str,
    outcome: _Outcome,
    parent: str | None,
) -> _Outcome:
    """The outcome as those who extend pi leave it."""
    # Loaded by the hooks by now.
    from pi.agent import hook_events as ev  # noqa: PLC0415

    result = outcome.result
    event = ev.ToolResultEvent(
        tool_name=name,
        tool_call_id=call_id,
        input=args,
        content=[*result.content],
        details=result.details,
        structured_content=result.structured,
        is_error=outcome.is_error,
        usage=result.usage,
        parent_tool_call_id=parent,
    )
    if not await hooks.tool_result(event):
        return outcome
    changed = replace(
        result,
        content=event.content,
        details=event.details,
        structured=event.structured_content,
        usage=event.usage,
        is_error=event.is_error,
    )
    return _Outcome(changed, event.is_error)


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
    said = ToolResult(latest.content, details=details, usage=latest.usage)
    return _Outcome(said, is_error=True)


def _aborted(latest: ToolResult | None) -> _Outcome:
    """For a tool that just ended: what it reported before, and that it is not all."""
    said = [block for block in latest.content if block["type"] == "text"] if latest else []
    text = "".join(block["text"] for block in said)
    return _failure(ToolError(f"{text}\n\nAborted" if text else "Aborted"))


def _timed(outcome: _Outcome, began: float) -> _Outcome:
    return outcome._replace(milliseconds=round((time.monotonic() - began) * 1000))


def _wire(result: ToolResult) -> dict[str, Any]:
    """A result as events carry it."""
    wire: dict[str, Any] = {"content": [*result.content]}
    if result.details is not None:
        wire["details"] = result.details
    if result.structured is not None:
        wire["structuredContent"] = result.structured
    if result.usage is not None:
        wire["usage"] = result.usage
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
        "content": [*outcome.result.content],
        "isError": outcome.is_error,
        "timestamp": now_ms(),
    }
    if outcome.result.details is not None:
        message["details"] = outcome.result.details
    if outcome.result.usage is not None:
        message["usage"] = outcome.result.usage
    if outcome.milliseconds is not None:
        message["durationMs"] = outcome.milliseconds
    return message
