"""Which model a session has selected, and which one answers: two, where the selected is virtual."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

from pi.agent.abort import Abort
from pi.agent.activity import Activity
from pi.agent.compaction import Compactor
from pi.agent.loop import TurnLoop
from pi.agent.summary import SummaryError
from pi.agent.transcript import Transcript
from pi.errors import PiError
from pi.session.context import selected_model
from pi.session.store import SessionStore
from pi.wire.events import AgentEvent
from pi.wire.messages import AssistantMessage, ThinkingLevel
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.hooks import Hooks
    from pi.agent.routing import Asked, Router
    from pi.models.virtual import Routes

__all__ = ["Selecting"]


class Selecting:
    """The part of an AgentSession that has to do with them; see there for its attributes.

    model, thinking: as selected. failed: the answer that the next request is made in place of.
    """

    store: SessionStore
    transcript: Transcript
    compactor: Compactor
    hooks: "Hooks | None"
    on_event: Callable[[AgentEvent], None]
    _loop: TurnLoop | None
    _activity: Activity

    def __init__(self, model: Model, thinking: ThinkingLevel, routes: "Routes | None") -> None:
        self.model = model
        self.thinking = thinking
        self.failed: AssistantMessage | None = None
        self._routes = routes
        self._router: Router | None = None
        self._unsure: Literal["opened", "moved", ""] = "opened"

    def set_model(self, model: Model, *, source: Literal["set", "cycle"] = "set") -> None:
        """Use another model from the next request on; the thinking level becomes one it has."""
        before = self.model
        self.store.append_model_change(model.provider, model.id)
        self.renew_model(model)
        self.set_thinking(self.thinking)
        if self.hooks is not None and self.hooks.wants("model_select"):
            from pi.agent.hook_events import ModelSelect  # noqa: PLC0415  (loaded by the hooks)

            self.hooks.post(ModelSelect(model, before if before.id else None, source))

    def renew_model(self, model: Model) -> None:
        """The same model, of which other things are known now; nothing is recorded."""
        self.model = self.compactor.selected = model
        if self._loop is not None:
            self._loop.model = model

    def set_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level, or the nearest the model has, from the next request on."""
        level = self.model.clamp_thinking(level)
        if level != self.thinking:
            before, self.thinking = self.thinking, level
            self.store.append_thinking_level(level)
            if self._loop is not None:
                self._loop.thinking = level
            self.on_event({"type": "thinking_level_changed", "level": level})
            if self.hooks is not None and self.hooks.wants("thinking_level_select"):
                from pi.agent.hook_events import ThinkingLevelSelect  # noqa: PLC0415  (as above)

                self.hooks.post(ThinkingLevelSelect(level, before))
        return level

    # Virtual models

    @property
    def routed(self) -> "Asked | None":
        """With a virtual model, which one gave the latest answer, if there is one."""
        return self._routing.latest() if self.model.is_virtual and self._routes else None

    @property
    def limits(self) -> Model:
        """The model whose limits hold for the conversation."""
        routed = self.routed
        return self.model if routed is None else routed.model

    def limits_of(self, answer: AssistantMessage | None) -> Model:
        """The model whose limits held for an answer."""
        if answer is None or not self.model.is_virtual or self._routes is None:
            return self.model
        return self._routing.answered(answer) or self.limits

    async def for_summaries(self, abort: Abort) -> tuple[Model, ThinkingLevel]:
        """The model that makes summaries. Raises SummaryError, Aborted."""
        if not self.model.is_virtual or self._routes is None:
            return self.model, self.thinking
        try:
            return await abort.wait(self._routing.direct(self.model, self.thinking))
        except PiError as error:
            raise SummaryError(str(error)) from error

    def record_selection(self) -> None:
        """Write down what is selected where this branch of the session says something else.

        Answers name the models that gave them: a virtual one is only known from its own entry,
        which a move in the tree may have left on another branch.
        """
        unsure, self._unsure = self._unsure, ""
        routes = self._routes
        virtual = routes is not None and routes.any_virtual
        if unsure == "moved" or (unsure and virtual):
            context = self.store.build_context()
            if routes is not None and virtual:
                recorded = selected_model(self.store.history, context, routes.is_virtual)
                named = (self.model.provider, self.model.id)
                if (
                    recorded is not None
                    and recorded != named
                    and (self.model.is_virtual or routes.is_virtual(*recorded))
                ):
                    self.store.append_model_change(*named)
            level = context.thinking_level
            if level is not None and self.model.clamp_thinking(level) != self.thinking:  # type: ignore[arg-type]
                self.store.append_thinking_level(self.thinking)

    async def _route(self) -> AsyncGenerator[AgentEvent, None]:
        """Find out where the next request of the loop goes. Raises PiError, Aborted."""
        loop = self._loop
        if loop is None or self._routes is None:
            return
        failed, self.failed = self.failed, None
        routing = self._routing.dispatch(loop.model, loop.thinking, failed, self._activity.abort)
        async with aclosing(routing) as events:
            async for event in events:
                yield event
        if self._routing.asked is not None:
            loop.asked = self._routing.asked

    @property
    def _routing(self) -> "Router":
        if self._router is None:
            from pi.agent.routing import Router  # noqa: PLC0415  (few use virtual models)

            assert self._routes is not None, "asked for by who has some"
            self._router = Router(self._routes, self.transcript, self.compactor)
        return self._router
