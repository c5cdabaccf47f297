"""Asking routers: which model answers a request that is made with a virtual one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import isawaitable
from typing import TYPE_CHECKING

from pi.errors import PiError
from pi.runtime.services import Services
from pi.wire.messages import THINKING_LEVELS, AgentMessage, AssistantMessage, ThinkingLevel
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.models.virtual import Dispatched, Resolved, RouteRequest

__all__ = ["HostRoutes"]


class HostRoutes:
    """pi.models.virtual.Routes for what is registered. reach: asked anew, after a reload too."""

    def __init__(self, reach: Callable[[], Services]) -> None:
        self._reach = reach

    @property
    def any_virtual(self) -> bool:
        return self._reach().registry.has_virtual

    def is_virtual(self, provider: str, model_id: str) -> bool:
        return self._reach().registry.virtual(provider, model_id) is not None

    def physical(self, provider: str, model_id: str) -> Model | None:
        return self._reach().registry.physical(provider, model_id)

    async def resolve(
        self, request: "RouteRequest", failed: AssistantMessage | None = None
    ) -> "Resolved":
        from pi.models.virtual import Resolved, Route  # noqa: PLC0415  (loaded with the first virtual model)

        services, name = self._reach(), request.model.reference
        virtual = services.registry.virtual(request.model.provider, request.model.id)
        if virtual is None:
            raise PiError(f"the virtual model {name} is not registered any more")
        latest = _latest_answer(request.messages)
        asked = replace(request, previous=self._sent(latest), failed=self._sent(failed, told=True))
        try:
            route = virtual.route(asked)
            if isawaitable(route):
                route = await route
        except PiError:
            raise
        except Exception as error:
            # Its text may be that of a failure which passes, such as of a request of its own.
            from pi.providers.errors import failure_of  # noqa: PLC0415  (for failures only)

            raise failure_of(f"{type(error).__name__}: {error}") from error
        if not isinstance(route, Route):
            raise PiError(f"the virtual model {name} was routed to no Route, but to {route!r:.80}")
        wanted = route.model.reference if isinstance(route.model, Model) else str(route.model)
        provider, _, model_id = wanted.partition("/")
        target = self.physical(provider, model_id)
        if target is None:
            raise PiError(f"the virtual model {name} was routed to {wanted}, which is no model")
        if not services.can_use(target.provider):
            raise PiError(
                f"the virtual model {name} was routed to {target.reference}, "
                "which there is no key for"
            )
        # An unknown level thinks as little as can be.
        level: ThinkingLevel = route.thinking if route.thinking in THINKING_LEVELS else "off"
        return Resolved(target, target.clamp_thinking(level), route.state)

    def _sent(self, answer: AssistantMessage | None, *, told: bool = False) -> "Dispatched | None":
        """The request that an answer belongs to; None where its model is not there any more."""
        from pi.models.virtual import Dispatched  # noqa: PLC0415  (as above)

        model = answer and self.physical(answer["provider"], answer["model"])
        if not answer or model is None:
            return None
        return Dispatched(model, answer.get("thinkingLevel"), answer if told else None)


def _latest_answer(messages: Sequence[AgentMessage]) -> AssistantMessage | None:
    for message in reversed(messages):
        if message["role"] == "assistant" and message["stopReason"] not in ("error", "aborted"):
            answer: AssistantMessage = message
            return answer
    return None
