"""The turn loop: ask the model, run the tools it calls, ask again, until all is answered.

It writes nothing and retries nothing: it yields events, and its caller (session.py) stores messages
and decides what a failure means. Each tool call gets exactly one result, in the order asked.
"""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from pi.agent.abort import Abort, Aborted
from pi.agent.queues import MessageQueues
from pi.agent.toolcalls import Batch, ToolRunner
from pi.errors import PiError
from pi.wire.events import AgentEvent, AssistantEvent
from pi.wire.messages import (
    AgentMessage,
    AssistantMessage,
    StopReason,
    ThinkingLevel,
    ToolCall,
    empty_usage,
    now_ms,
)
from pi.wire.model import Model

__all__ = ["ABORTED_TEXT", "TurnLoop"]

ABORTED_TEXT = "The request was aborted"


@dataclass(slots=True)
class TurnLoop:
    """One low-level run. model and thinking may be changed between requests.

    open_stream: starts the request for the context as it is now; what it raises as PiError (a key
        that cannot be resolved, an unknown format) fails the turn like an error of the wire.
    queues: what the person says meanwhile; heard before the first request and after each turn.
    before_turn: events of what is to be done between two turns, such as compaction.
    patch: system messages for what changed in prompt or tools since the last request.
    route: for a virtual model, says in `asked` where the next request goes; raises PiError.
    failure: after the run, what ended it, if it was an error.
    asked: the model that answers the request under way, and how hard it thinks.
    go_on: set by who handles a turn_end, to have one more request although all is answered.
    """

    model: Model
    thinking: ThinkingLevel
    tools: ToolRunner
    open_stream: Callable[[], AsyncGenerator[AssistantEvent, None]]
    abort: Abort
    queues: MessageQueues
    before_turn: Callable[[], AsyncGenerator[AgentEvent, None]]
    patch: Callable[[], Sequence[AgentMessage]] = tuple
    route: Callable[[], AsyncGenerator[AgentEvent, None]] | None = None
    failure: Exception | None = None
    go_on: bool = False
    asked: tuple[Model, ThinkingLevel] = field(init=False)

    async def run(self, *, at_end: bool = False) -> AsyncGenerator[AgentEvent, None]:
        """Turns until the model is done; the caller has announced the prompt's messages.

        at_end: all is answered already, only what is in the queues asks for a turn.
        Every message_end is to be in the context before the next event is asked for.
        The first `turn_start` is the caller's too: it precedes the prompt's messages.
        """
        while True:
            for changed in self.patch():
                yield {"type": "message_start", "message": changed}
                yield {"type": "message_end", "message": changed}
            for said in self.queues.take(at_end=at_end):
                yield self.queues.state()
                yield {"type": "message_start", "message": said}
                yield {"type": "message_end", "message": said}
            message: AssistantMessage | None = None
            async with aclosing(self._ask()) as events:
                async for event in events:
                    if event["type"] == "message_end":
                        message = cast("AssistantMessage", event["message"])
                    yield event
            assert message is not None, "every request ends in a message"
            batch = Batch()
            calls = tool_calls(message)
            if calls:
                run = self.tools.skip if message["stopReason"] == "length" else self.tools.run
                async with aclosing(run(calls, self.abort, batch)) as events:
                    async for event in events:
                        yield event
            for result in batch.results:
                yield {"type": "message_start", "message": result}
                yield {"type": "message_end", "message": result}
            self.go_on = False
            yield {"type": "turn_end", "message": message, "toolResults": batch.results}
            if message["stopReason"] in ("error", "aborted"):
                return
            at_end = not calls or batch.terminate
            if at_end and not self.go_on and not self.queues.waiting(at_end=True):
                return
            async with aclosing(self.before_turn()) as events:
                async for event in events:
                    yield event
            yield {"type": "turn_start"}

    async def _ask(self) -> AsyncGenerator[AgentEvent, None]:
        """One request: message_start, updates, message_end."""
        began = time.monotonic()
        self.asked = self.model, self.thinking
        partial: AssistantMessage | None = None
        final: AssistantMessage | None = None
        self.failure = None
        stream: AsyncGenerator[AssistantEvent, None] | None = None
        try:
            if self.abort.triggered:
                raise Aborted
            if self.model.is_virtual and self.route is not None:
                async with aclosing(self.route()) as routing:
                    async for told in routing:
                        yield told
                began = time.monotonic()
            stream = self.open_stream()
            wait, following = self.abort.wait, stream.__anext__
            while True:
                event = await wait(following())
                if event["type"] == "start":
                    partial = event["partial"]
                    yield {"type": "message_start", "message": partial}
                elif event["type"] == "done":
                    final = event["message"]
                    break
                elif event["type"] == "error":
                    final = event["error"]
                    self.failure = event.get("failure")
                    break
                else:
                    assert partial is not None, "a stream begins with start or error"
                    yield {
                        "type": "message_update",
                        "usage": partial["usage"],
                        "assistantMessageEvent": event,
                    }
        except Aborted:
            final = self._ended(await _closed(stream, partial), "aborted", ABORTED_TEXT)
        except StopAsyncIteration:
            text = "The provider's stream ended without a result"
            final = self._ended(partial, "error", text)
        except PiError as error:
            self.failure = error
            final = self._ended(await _closed(stream, partial), "error", error.told)
        finally:
            await _closed(stream, partial)
        if self.asked[0].is_virtual:  # nobody was asked
            final["content"] = [{"type": "text", "text": ""}]
        else:
            final["durationMs"] = round((time.monotonic() - began) * 1000)
            final["thinkingLevel"] = self.asked[1]
        if partial is None:
            yield {"type": "message_start", "message": final}
        yield {"type": "message_end", "message": final}

    def _ended(
        self, partial: AssistantMessage | None, reason: StopReason, text: str
    ) -> AssistantMessage:
        """The message so far, closed as failed."""
        if partial is None:
            model = self.asked[0]
            partial = {
                "role": "assistant",
                "content": [],
                "api": model.api,
                "provider": model.provider,
                "model": model.id,
                "usage": empty_usage(),
                "stopReason": "pending",
                "timestamp": now_ms(),
            }
        partial["stopReason"] = reason
        partial["errorMessage"] = text
        return partial


async def _closed(
    stream: AsyncGenerator[AssistantEvent, None] | None, partial: AssistantMessage | None
) -> AssistantMessage | None:
    """Close the stream; the partial message is complete as far as it came only after that."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
    return partial


def tool_calls(message: AssistantMessage) -> list[ToolCall]:
    """The calls to act on: none of a reply that failed or was aborted."""
    if message["stopReason"] in ("error", "aborted"):
        return []
    return [block for block in message["content"] if block["type"] == "toolCall"]
