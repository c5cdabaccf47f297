"""Requests to models as extensions see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pi.agent import hook_events as ev
from pi.agent.hooks import Hooks
from pi.wire.model import Model

__all__ = ["RequestWatch"]


@dataclass(frozen=True, slots=True)
class RequestWatch:
    """A `pi.providers.base.Watch` of one request."""

    hooks: Hooks
    model: Model

    async def headers(self, headers: dict[str, str]) -> dict[str, str]:
        return await self.hooks.headers(headers)

    async def payload(self, payload: Any) -> Any:
        return await self.hooks.payload(payload)

    async def response(self, status: int, headers: Mapping[str, str]) -> None:
        await self.hooks.notify(ev.AfterProviderResponse(status, headers))

    @property
    def wants_events(self) -> bool:
        return self.hooks.wants("provider_stream_event")

    async def event(self, data: Any) -> None:
        model = self.model
        event = ev.ProviderStreamEvent(model.provider, model.api, model.id, data)
        await self.hooks.notify(event)
