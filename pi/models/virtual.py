"""Virtual models: what a person selects, while another model answers each request.

A router gives for every request the model that is to answer it and how hard that one thinks. The
selection stays what it is; answers name the model that gave them.
Source: docs/virtual-models.md.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from pi.wire.messages import THINKING_LEVELS, AgentMessage, AssistantMessage, ThinkingLevel
from pi.wire.model import VIRTUAL_API, Model

__all__ = [
    "KEEP",
    "Dispatched",
    "Reason",
    "Resolved",
    "Route",
    "RouteFunction",
    "RouteRequest",
    "Routes",
    "VirtualModel",
]

Reason = Literal["user", "continuation", "retry", "direct"]
"""user: the first request after something the person wrote. continuation: any other of a run.
retry: instead of one that failed. direct: outside of a run, such as for a summary."""


class _Keep:
    def __repr__(self) -> str:
        return "KEEP"


KEEP: Any = _Keep()


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An earlier request: which model answered, and how hard it thought (None: not known).

    message: the answer, of a failed request only.
    """

    model: Model
    thinking: ThinkingLevel | None = None
    message: AssistantMessage | None = None


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """What a router is asked. model, thinking: as selected.

    messages: of this request, system messages among them; roles as a provider gets them.
    previous: of the latest answer in `messages` that did not fail. failed: for a retry, the request
    that failed, None where routing itself did. state: what the router last returned on this branch
    of the session, None for nothing; there is none for a direct request.
    """

    model: Model
    thinking: ThinkingLevel
    reason: Reason
    messages: Sequence[AgentMessage] = ()
    previous: Dispatched | None = None
    failed: Dispatched | None = None
    state: Any = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. model: or its name, "provider/id".

    thinking: becomes the nearest level that the model has; None, as of an earlier request that does
    not tell, is as little as can be. state: to be kept on this branch of the
    session, as JSON; KEEP leaves what is there.
    """

    model: Model | str
    thinking: ThinkingLevel | None = "off"
    state: Any = KEEP


class Resolved(NamedTuple):
    """A route that was checked."""

    model: Model
    thinking: ThinkingLevel
    state: Any


RouteFunction = Callable[[RouteRequest], Route | Awaitable[Route]]


class Routes(Protocol):
    """Where requests for virtual models go, as far as a session has to know."""

    @property
    def any_virtual(self) -> bool:
        """Whether there are virtual models at all."""
        ...

    def is_virtual(self, provider: str, model_id: str) -> bool: ...

    def physical(self, provider: str, model_id: str) -> Model | None:
        """A model that is no virtual one."""
        ...

    async def resolve(
        self, request: RouteRequest, failed: AssistantMessage | None = None
    ) -> Resolved:
        """Ask the router. Its route's model is there and can be used, the level is the model's.

        `previous` and `failed` of the request are filled in here. Raises PiError.
        """
        ...


@dataclass(frozen=True, slots=True)
class VirtualModel:
    """One entry of the catalogue. provider: any, also one that has models of its own.

    context_window, max_tokens: shown before the first answer, 0 for unknown.
    input: what may be sent to it; a model without images gets a text in their place.
    """

    provider: str
    id: str
    route: RouteFunction = field(repr=False)
    name: str = ""
    thinking_levels: Sequence[ThinkingLevel] = ("off",)
    context_window: int = 0
    max_tokens: int = 0
    input: Sequence[Literal["text", "image"]] = ("text", "image")

    def __post_init__(self) -> None:
        unknown = [level for level in self.thinking_levels if level not in THINKING_LEVELS]
        if unknown:
            raise ValueError(f"virtual model {self.provider}/{self.id}: no such level: {unknown}")

    def model(self) -> Model:
        """As it is listed and selected."""
        levels: Mapping[str, str | None] = {
            level: level if level in self.thinking_levels else None for level in THINKING_LEVELS
        }
        return Model(
            id=self.id,
            provider=self.provider,
            api=VIRTUAL_API,
            base_url="",
            name=self.name or self.id,
            reasoning=any(level != "off" for level in self.thinking_levels),
            thinking_level_map=levels,
            input=tuple(self.input),
            context_window=self.context_window,
            max_tokens=self.max_tokens,
        )
