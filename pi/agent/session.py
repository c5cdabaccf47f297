"""The agent session: a conversation that is stored as it happens.

It announces the prompt, runs the turn loop, writes every finished message to the session file
before anyone sees its `message_end`, and tries again after failures that may pass.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from pi.agent.abort import Abort, Aborted
from pi.agent.loop import TurnLoop
from pi.agent.retry import RetryPolicy
from pi.agent.toolcalls import NewContext, ToolRunner
from pi.providers.base import Context
from pi.session.context import to_model_messages
from pi.session.store import SessionStore
from pi.tools.base import Tool, declaration
from pi.wire.entries import ContextEditEntry
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    ThinkingLevel,
    UserContent,
    UserMessage,
    now_ms,
)
from pi.wire.model import Model
from pi.wire.system import replay_system, system_change

__all__ = ["AgentSession", "Request"]

log = logging.getLogger(__name__)

Request = Callable[[Model, Context, ThinkingLevel], AsyncGenerator[AssistantEvent, None]]
"""Starts one model request: resolves key and headers, picks the API's stream."""


class AgentSession:
    """One conversation on one session store.

    sections: the system prompt by section name. tools: those that are switched on, in order.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        model: Model,
        thinking: ThinkingLevel,
        sections: Mapping[str, str],
        tools: Sequence[Tool],
        request: Request,
        tool_context: NewContext,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.store = store
        self.model = model
        self.thinking = thinking
        self._sections = sections
        self._tools = tools
        self._request = request
        self._runner = ToolRunner({tool.name: tool for tool in tools}, tool_context)
        self._retry = retry or RetryPolicy()
        self._messages: list[AgentMessage] = list(store.build_context().messages)
        self._abort = Abort()
        self._last: AssistantMessage | None = None
        self._last_entry = ""

    @property
    def last_reply(self) -> AssistantMessage | None:
        """The newest assistant message of this process's runs, failed ones included."""
        return self._last

    def abort(self) -> None:
        """End the run under way: running tools are stopped, what came so far is kept."""
        self._abort.trigger()

    async def prompt(self, content: Sequence[UserContent]) -> AsyncGenerator[AgentEvent, None]:
        """Run one prompt to the end of all work it causes; the last event is agent_settled.

        Raises SessionError when the session file cannot be written.
        """
        self._abort = abort = Abort()
        announced = self._announcement(content)
        retries = 0
        while True:
            produced: list[AgentMessage] = []
            loop = TurnLoop(self.model, self.thinking, self._runner, self._open_stream, abort)
            async with aclosing(self._run(loop, announced, produced)) as events:
                async for event in events:
                    yield event
                    if retries and event["type"] == "message_end" and self._succeeded():
                        yield {"type": "auto_retry_end", "success": True, "attempt": retries}
                        retries = 0
            announced = []
            again = not abort.triggered and self._retry.allows(loop.failure, retries)
            yield {"type": "agent_end", "messages": produced, "willRetry": again}
            error = self._last.get("errorMessage", "") if self._last is not None else ""
            if not again:
                if retries:
                    yield {
                        "type": "auto_retry_end",
                        "success": False,
                        "attempt": retries,
                        "finalError": error,
                    }
                break
            retries += 1
            delay = self._retry.delay(loop.failure, retries)
            log.info("retry %d of %d in %.1f s: %s", retries, self._retry.max_retries, delay, error)
            yield {
                "type": "auto_retry_start",
                "attempt": retries,
                "maxAttempts": self._retry.max_retries,
                "delayMs": round(delay * 1000),
                "errorMessage": error,
            }
            yield {"type": "entry_appended", "entry": self._omit_last()}
            try:
                await abort.wait(asyncio.sleep(delay))
            except Aborted:
                yield {
                    "type": "auto_retry_end",
                    "success": False,
                    "attempt": retries,
                    "finalError": "Aborted while waiting to retry",
                }
                break
        yield {"type": "agent_settled", "aborted": abort.triggered}

    async def _run(
        self, loop: TurnLoop, announced: Sequence[AgentMessage], produced: list[AgentMessage]
    ) -> AsyncGenerator[AgentEvent, None]:
        """One low-level run, its finished messages stored; agent_end is left to the caller."""
        yield {"type": "agent_start"}
        yield {"type": "turn_start"}
        for message in announced:
            yield {"type": "message_start", "message": message}
            self._store(message, produced)
            yield {"type": "message_end", "message": message}
        async with aclosing(loop.run()) as events:
            async for event in events:
                if event["type"] == "message_end":
                    self._store(event["message"], produced)
                yield event

    def _announcement(self, content: Sequence[UserContent]) -> list[AgentMessage]:
        """The prompt, after a system message if prompt or tools are not what the session has."""
        user: UserMessage = {"role": "user", "content": list(content), "timestamp": now_ms()}
        tools = [declaration(tool) for tool in self._tools]
        patch = system_change(replay_system(self._messages), self._sections, tools)
        return [user] if patch is None else [patch, user]

    def _open_stream(self) -> AsyncGenerator[AssistantEvent, None]:
        context = Context(to_model_messages(self._messages))
        return self._request(self.model, context, self.thinking)

    def _store(self, message: AgentMessage, produced: list[AgentMessage]) -> None:
        entry = self.store.append_message(message)
        self._messages.append(message)
        produced.append(message)
        if message["role"] == "assistant":
            self._last, self._last_entry = message, entry["id"]

    def _succeeded(self) -> bool:
        """Whether the message just stored is a reply that did not fail."""
        return self._messages[-1] is self._last and self._last["stopReason"] not in (
            "error",
            "aborted",
        )

    def _omit_last(self) -> ContextEditEntry:
        """Take the failed reply out of the model's context; it stays in the history."""
        self._messages.pop()
        return self.store.append_context_edit(self._last_entry, None)
