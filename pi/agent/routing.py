"""Requests of a session whose selected model is virtual: where each goes, and what is remembered.

Loaded with the first such request. What a router wants to remember is a custom entry on the branch,
`{"provider": …, "modelId": …, "state": …}`: it follows the tree and outlives compactions.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from pi.agent.abort import Abort
from pi.agent.compaction import Compactor
from pi.agent.transcript import Transcript
from pi.models.virtual import KEEP, Reason, RouteRequest, Routes
from pi.session.context import to_model_messages
from pi.wire.events import AgentEvent
from pi.wire.messages import AssistantMessage, ThinkingLevel
from pi.wire.model import Model

__all__ = ["STATE_ENTRY", "Asked", "Router"]

STATE_ENTRY = "pi.virtual-model-state"


class Asked(NamedTuple):
    """The model that a request goes to, and how hard it thinks."""

    model: Model
    thinking: ThinkingLevel


@dataclass(slots=True)
class Router:
    """Of one session. asked: where the newest request goes."""

    routes: Routes
    transcript: Transcript
    compactor: Compactor
    asked: Asked | None = field(default=None, init=False)
    _known: dict[tuple[str, str], tuple[str | None, Any]] = field(default_factory=dict, init=False)

    async def dispatch(
        self,
        model: Model,
        thinking: ThinkingLevel,
        failed: AssistantMessage | None,
        abort: Abort,
    ) -> AsyncGenerator[AgentEvent, None]:
        """Route one request of a run; `asked` says where to.

        What the router wants to keep is stored, and where the context is too large for the model
        that was chosen, it is compacted. failed: the answer that this request is made in place of.
        Raises PiError and Aborted.
        """
        transcript = self.transcript
        self.asked = None
        state = self._state(model)
        reason: Reason = "retry" if failed is not None else self._reason()
        request = RouteRequest(
            model, thinking, reason, to_model_messages(transcript.messages), state=deepcopy(state)
        )
        route = await abort.wait(self.routes.resolve(request, failed))
        kept = route.state
        # One that was made anew is kept although it says the same.
        anew = isinstance(kept, dict | list) and kept is not request.state
        if kept is not KEEP and (anew or kept != state):
            yield {"type": "entry_appended", "entry": self._keep(model, kept)}
        if self.compactor.is_due(route.model):
            compacting = self.compactor.run("threshold", route.model, route.thinking, abort)
            async with aclosing(compacting) as events:
                async for event in events:
                    yield event
        self.asked = Asked(route.model, route.thinking)

    async def direct(self, model: Model, thinking: ThinkingLevel) -> Asked:
        """Where a request goes that is no part of the conversation. Raises PiError."""
        messages = to_model_messages(self.transcript.messages)
        route = await self.routes.resolve(RouteRequest(model, thinking, "direct", messages))
        return Asked(route.model, route.thinking)

    def latest(self) -> Asked | None:
        """Which model gave the latest answer that did not fail, and how hard it thought."""
        for message in reversed(self.transcript.messages):
            if message["role"] != "assistant" or message["stopReason"] in ("error", "aborted"):
                continue
            model = self.answered(message)
            return None if model is None else Asked(model, message.get("thinkingLevel") or "off")
        return None

    def answered(self, message: AssistantMessage) -> Model | None:
        return self.routes.physical(message["provider"], message["model"])

    def _reason(self) -> Reason:
        for message in reversed(self.transcript.messages):
            if message["role"] == "assistant":
                break
            if message["role"] == "user":
                return "user"
        return "continuation"

    def _keep(self, model: Model, state: Any) -> Any:
        data = {"provider": model.provider, "modelId": model.id, "state": state}
        entry = self.transcript.store.append_custom(STATE_ENTRY, data)
        self._known[model.provider, model.id] = (entry["id"], deepcopy(state))
        return entry

    def _state(self, model: Model) -> Any:
        """What was kept last on this branch, None for nothing."""
        store = self.transcript.store
        known_at, known = self._known.get((model.provider, model.id), (None, None))
        state = None
        for entry_id, found in _stored(store.history, model, known_at):
            state = known if entry_id == known_at else found
            break
        self._known[model.provider, model.id] = (store.leaf_id, state)
        return state


def _stored(history: Any, model: Model, known_at: str | None) -> Iterator[tuple[str, Any]]:
    """Newest first: the entry from which on all is known, and states that were kept."""
    for step in history.up():
        if step.head.id == known_at:
            yield step.head.id, None
        elif step.head.type == "custom" and STATE_ENTRY.encode() in step.line:
            fields = cast("dict[str, Any]", history.decoded(step.line, step.start) or {})
            data = fields.get("data")
            if (
                fields.get("customType") == STATE_ENTRY
                and isinstance(data, dict)
                and (data.get("provider"), data.get("modelId")) == (model.provider, model.id)
            ):
                yield step.head.id, data.get("state")
