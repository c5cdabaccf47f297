"""A model that follows a script, at the provider seam, and a session around it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pi.agent.retry import RetryPolicy
from pi.agent.session import AgentSession
from pi.agent.toolset import ToolSet
from pi.config.settings_types import Compaction
from pi.providers.base import Context
from pi.session.store import SessionStore
from pi.tools.base import Tool, ToolContext, ToolResult, text_block
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import AssistantMessage, ThinkingLevel, empty_usage, now_ms, text_of
from pi.wire.model import Model

MODEL = Model(id="m1", provider="script", api="script", base_url="", reasoning=True)
Reply = Callable[[AssistantMessage], AsyncIterator[AssistantEvent]]


def blank() -> AssistantMessage:
    return {
        "role": "assistant",
        "content": [],
        "api": MODEL.api,
        "provider": MODEL.provider,
        "model": MODEL.id,
        "usage": empty_usage(),
        "stopReason": "pending",
        "timestamp": now_ms(),
    }


def says(
    text: str = "", *calls: dict[str, Any], stop: str | None = None, tokens: int = 0, out: int = 0
) -> Reply:
    """A reply of one text and tool calls ({"name":…, "arguments":…, "id":…}).

    tokens, out: what it reports of the request and of itself.
    """

    async def stream(message: AssistantMessage) -> AsyncIterator[AssistantEvent]:
        yield {"type": "start", "partial": message}
        content = message["content"]
        if text:
            content.append({"type": "text", "text": text})
            yield {"type": "text_start", "contentIndex": 0}
            yield {"type": "text_delta", "contentIndex": 0, "delta": text}
            yield {"type": "text_end", "contentIndex": 0, "content": text}
        for call in calls:
            content.append({"type": "toolCall", **call})  # type: ignore[typeddict-item]
        message["usage"].update(input=tokens, output=out, totalTokens=tokens + out)
        message["stopReason"] = stop or ("toolUse" if calls else "stop")  # type: ignore[typeddict-item]
        yield {"type": "done", "reason": message["stopReason"], "message": message}

    return stream


def fails(failure: Exception, text: str | None = None) -> Reply:
    """An error: before anything came, or after `text`."""

    async def stream(message: AssistantMessage) -> AsyncIterator[AssistantEvent]:
        if text is not None:
            yield {"type": "start", "partial": message}
            message["content"].append({"type": "text", "text": text})
        message["stopReason"] = "error"
        message["errorMessage"] = str(failure)
        yield {"type": "error", "reason": "error", "error": message, "failure": failure}

    return stream


def stalls(text: str) -> Reply:
    """Says `text`, then nothing more."""

    async def stream(message: AssistantMessage) -> AsyncIterator[AssistantEvent]:
        yield {"type": "start", "partial": message}
        message["content"].append({"type": "text", "text": text})
        yield {"type": "text_start", "contentIndex": 0}
        yield {"type": "text_delta", "contentIndex": 0, "delta": text}
        await asyncio.Event().wait()

    return stream


class Echo:
    """Answers with its `text`; `wait` makes it report and then stall."""

    name = "echo"
    description = "Say it back"
    parameters: dict[str, Any] = {  # noqa: RUF012
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string"}, "wait": {"type": "number"}},
    }
    snippet = "say it back"
    rules: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.cancelled = 0

    async def run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        if args["text"] == "fault":
            raise ZeroDivisionError("a fault in the tool")
        if "wait" in args:
            context.update(ToolResult([text_block("so far")]))
            try:
                await asyncio.sleep(args["wait"])
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return ToolResult([text_block(args["text"])])


class Conversation:
    """A session on a scripted model.

    contexts: what the model was shown, request by request. summary_prompts: the texts of requests
    for summaries, which are in `contexts` as well. outside: events that are part of no run.
    """

    def __init__(
        self,
        replies: Sequence[Reply],
        store: SessionStore,
        tools: Sequence[Tool] = (),
        retry: RetryPolicy | None = None,
        sections: dict[str, str] | None = None,
        cwd: Path = Path("/"),
        compaction: Compaction | None = None,
        model: Model = MODEL,
    ) -> None:
        self.contexts: list[list[Any]] = []
        self.summary_prompts: list[str] = []
        self.outside: list[AgentEvent] = []
        self._replies = list(replies)

        def request(
            model: Model, context: Context, thinking: ThinkingLevel
        ) -> AsyncIterator[AssistantEvent]:
            self.contexts.append(list(context.messages))
            return self._replies.pop(0)(blank())

        def one_off(
            model: Model, context: Context, thinking: ThinkingLevel
        ) -> AsyncIterator[AssistantEvent]:
            self.summary_prompts.append(text_of(context.messages[-1]["content"]))  # type: ignore[typeddict-item]
            return request(model, context, thinking)

        self.session = AgentSession(
            store,
            model=model,
            thinking="medium",
            tools=ToolSet(tools, sections or {"preamble": "Be good."}),
            request=request,
            tool_context=lambda call_id, update: ToolContext(call_id, cwd, {}, update),
            one_off=one_off,
            retry=retry or RetryPolicy(base_delay=0.001),
            compaction=compaction,
            on_event=self.outside.append,
        )

    def entries(self, kind: str) -> list[Any]:
        """The stored entries of one type."""
        return [entry for entry in self.session.store.entries() if entry["type"] == kind]

    async def say(self, text: str) -> list[AgentEvent]:
        return [event async for event in self.session.prompt([{"type": "text", "text": text}])]


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore.in_memory(str(tmp_path))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines, each in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
