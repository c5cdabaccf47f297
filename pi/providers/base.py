"""The provider seam: one async generator an API, fed with plain data.

A module of this package owns one wire format and exports `stream`. It never raises for what goes
wrong on the wire: failure is the stream's last event, so that a session can keep it. Only
cancellation (asyncio.CancelledError) passes through, after the connection is closed.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from pi.providers.http import HttpClient
from pi.wire.events import AssistantEvent
from pi.wire.messages import AgentMessage, ThinkingLevel
from pi.wire.model import Model

__all__ = [
    "CacheRetention",
    "Context",
    "Sign",
    "StreamFunction",
    "StreamOptions",
    "Transport",
    "Watch",
]

CacheRetention = Literal["none", "short", "long"]
Transport = Literal["auto", "sse", "websocket", "websocket-cached"]


class Sign(Protocol):
    """Signs a request, where a header that stays the same is not enough."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, /
    ) -> Mapping[str, str]:
        """The headers to send, those given among them. May block: not for the event loop's thread.

        Raises AuthError.
        """
        ...


class Context(NamedTuple):
    """What the model is to see, oldest first: roles system, user, assistant and toolResult only.

    The leading system message declares prompt sections and tools, later ones patch both; an API
    without system messages inside a conversation folds them (see prompt.py).
    """

    messages: Sequence[AgentMessage]


class Watch(Protocol):
    """Somebody who looks at requests, and may change them, on their way to the wire."""

    async def headers(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers to send. Names are in lower case."""
        ...

    async def payload(self, payload: Any) -> Any:
        """The body to send."""
        ...

    async def response(self, status: int, headers: Mapping[str, str]) -> None:
        """The server accepted the request or refused it; its body was not read yet."""
        ...

    @property
    def wants_events(self) -> bool: ...

    async def event(self, data: Any) -> None:
        """What the server sent, decoded from JSON where it is JSON."""
        ...


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How to ask. Times are seconds.

    api_key: resolved, or None for a server that needs none.
    headers: resolved; they win over the API's own.
    sign: what signs each request, for the APIs that are not content with a key.
    thinking: already clamped to the model.
    thinking_budgets: tokens by level, over the API's defaults.
    continues: whether it may go on from the request before, and be gone on from (message threads).
    deployment: the service's own name for the model, where it is not the model's id.
    transport: for APIs that have more than one.
    timeout: for the headers of an answer; None for the client's idle time-out alone.
    websocket_timeout: for opening a WebSocket; None for no limit.
    max_retries: of one request inside the provider, before the agent's own retries.
    max_retry_delay: a longer server-requested wait is an error; None for no limit.
    watch: sees what is sent and received.
    """

    http: HttpClient
    api_key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sign: Sign | None = None
    thinking: ThinkingLevel = "off"
    thinking_budgets: Mapping[str, int] = field(default_factory=dict)
    max_tokens: int | None = None
    session_id: str | None = None
    cache_retention: CacheRetention = "short"
    continues: bool = True
    deployment: str | None = None
    transport: Transport = "auto"
    timeout: float | None = None
    websocket_timeout: float | None = 15.0
    max_retries: int = 0
    max_retry_delay: float | None = 60.0
    watch: Watch | None = None


class StreamFunction(Protocol):
    def __call__(
        self, model: Model, context: Context, options: StreamOptions, /
    ) -> AsyncGenerator[AssistantEvent, None]:
        """Yield `start` once the server accepts the request, blocks, then one `done` or `error`.

        A request that is refused yields `error` alone. After an early `aclose` or a cancellation
        the `partial` of `start` holds everything that had arrived.
        """
        ...
