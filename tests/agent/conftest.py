"""A model that follows a script, at the provider seam, and a session around it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pi.agent.retry import RetryPolicy
from pi.agent.session import AgentSession
from pi.providers.base import Context
from pi.session.store import SessionStore
from pi.tools.base import Tool, ToolContext, ToolResult, text_block
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import AssistantMessage, ThinkingLevel, empty_usage, now_ms
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


def says(text: str = "", *calls: dict[str, Any], stop: str | None = None) -> Reply:
    """A reply of one text and tool calls ({"name":…, "arguments":…, "id":…})."""

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
    """A session on a scripted model; `contexts` is what the model was shown, request by request."""

    def __init__(
        self,
        replies: Sequence[Reply],
        store: SessionStore,
        tools: Sequence[Tool] = (),
        retry: RetryPolicy | None = None,
        sections: dict[str, str] | None = None,
        cwd: Path = Path("/"),
    ) -> None:
        self.contexts: list[list[Any]] = []
        self._replies = list(replies)

        def request(
            model: Model, context: Context, thinking: ThinkingLevel
        ) -> AsyncIterator[AssistantEvent]:
            self.contexts.append(list(context.messages))
            return self._replies.pop(0)(blank())

        self.session = AgentSession(
            store,
            model=MODEL,
            thinking="medium",
            sections=sections or {"preamble": "Be good."},
            tools=tools,
            request=request,
            tool_context=lambda call_id, update: ToolContext(call_id, cwd, {}, update),
            retry=retry or RetryPolicy(base_delay=0.001),
        )

    async def say(self, text: str) -> list[AgentEvent]:
        return [event async for event in self.session.prompt([{"type": "text", "text": text}])]


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore.in_memory(str(tmp_path))
