"""When a conversation is compacted by itself, and what is done about an answer that did not fit.

An answer that failed because the context was full, or that was cut off before the model's own
limit, is taken out of the context, the rest is compacted, and the request is made once more.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from pi.agent.abort import Abort
from pi.agent.compaction import Compactor
from pi.agent.loop import TurnLoop
from pi.agent.tokens import overflows
from pi.agent.transcript import Transcript
from pi.errors import ContextOverflowError
from pi.providers.errors import is_overflow
from pi.wire.events import AgentEvent
from pi.wire.messages import AgentMessage, AssistantMessage, ThinkingLevel
from pi.wire.model import Model

__all__ = ["Recovery"]

_GIVEN_UP = {
    "refused": "The context is still too large for the model after compacting it once",
    "cut off": "The answer was cut off again after compacting the conversation once",
}


class Recovery:
    """Decides before and after each run. wants_retry: the last run is to be made once more."""

    def __init__(self, transcript: Transcript, compactor: Compactor) -> None:
        self._transcript = transcript
        self._compactor = compactor
        self._tried = False
        self.wants_retry = False

    async def before_prompt(
        self,
        model: Model,
        thinking: ThinkingLevel,
        abort: Abort,
        coming: Sequence[AgentMessage],
    ) -> AsyncGenerator[AgentEvent, None]:
        """Make room for a prompt; repair what an earlier process left too large."""
        transcript, compactor = self._transcript, self._compactor
        tried, self._tried = self._tried, False
        last = transcript.last_answer
        refused = (
            last is not None
            and last["stopReason"] == "error"
            and is_overflow(last.get("errorMessage", ""))
        )
        if compactor.enabled and refused and not tried:
            yield {"type": "entry_appended", "entry": transcript.omit_last()}
            compacting = compactor.run("overflow", model, thinking, abort, will_retry=True)
        elif compactor.is_due(model, list(coming)):
            compacting = compactor.run("threshold", model, thinking, abort)
        else:
            return
        async with aclosing(compacting) as events:
            async for event in events:
                yield event

    async def after_run(
        self,
        model: Model,
        thinking: ThinkingLevel,
        abort: Abort,
        loop: TurnLoop | None,
        answer: AssistantMessage | None,
    ) -> AsyncGenerator[AgentEvent, None]:
        """What follows agent_end: recovery, or compaction where the context has become large."""
        self.wants_retry = False
        compactor = self._compactor
        if not compactor.enabled or answer is None or abort.triggered:
            return
        trouble = _trouble(model, loop, answer)
        if trouble in ("refused", "cut off"):
            if self._tried:
                yield {
                    "type": "compaction_end",
                    "reason": "overflow",
                    "aborted": False,
                    "willRetry": False,
                    "errorMessage": _GIVEN_UP[trouble],
                }
                return
            self._tried = True
            yield {"type": "entry_appended", "entry": self._transcript.omit_last()}
            compacting = compactor.run("overflow", model, thinking, abort, will_retry=True)
        elif trouble == "cut silently":
            compacting = compactor.run("overflow", model, thinking, abort)
        elif answer["stopReason"] != "error" and compactor.is_due(model):
            compacting = compactor.run("threshold", model, thinking, abort)
        else:
            return
        async with aclosing(compacting) as events:
            async for event in events:
                yield event
        self.wants_retry = trouble in _GIVEN_UP and compactor.outcome == "done"


def _trouble(
    model: Model, loop: TurnLoop | None, answer: AssistantMessage
) -> Literal["refused", "cut off", "cut silently", ""]:
    """How an answer shows that the context was too large, if it does."""
    reason = answer["stopReason"]
    if reason == "error":
        failure = loop.failure if loop is not None else None
        return "refused" if isinstance(failure, ContextOverflowError) else ""
    if reason == "length":
        calls = any(block["type"] == "toolCall" for block in answer["content"])
        early = answer["usage"]["output"] < model.max_tokens
        return "cut off" if early and not calls else ""
    return "cut silently" if overflows(model, answer["usage"]) else ""
