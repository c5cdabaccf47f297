"""Providers of extensions: an address, models, a stream function, a way to sign in."""

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pi.agent.checks import messages_problem, shown
from pi.agent.faults import is_fault
from pi.auth.oauth import add_flow, remove_flow
from pi.errors import PiError, ProviderError
from pi.extensions.errors import fault_in
from pi.extensions.signing import ExtensionFlow, OAuth
from pi.models.custom import ProviderConfig, provider_config
from pi.models.shapes import MODELS_FILE
from pi.providers.base import Context, StreamOptions
from pi.wire.events import AssistantEvent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.extensions.refreshing import ModelRefresh
    from pi.providers.base import StreamFunction
    from pi.providers.operations import Operation
    from pi.runtime.services import Services

__all__ = ["Registration", "offer", "register", "unregister"]

RefreshModels = Callable[["ModelRefresh"], Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """What an extension says of a provider; None leaves what is there.

    models: as in models.json; they are all that the provider has then. stream: for requests to its
    models, whatever their api. operations: for those that are not for chat, by api.
    refresh_models: see pi.extensions.refreshing.
    """

    name: str
    display_name: str | None = None
    base_url: str | None = None
    api: str | None = None
    api_key: str | None = None
    auth_header: bool = False
    headers: Mapping[str, str] | None = None
    compat: Mapping[str, Any] | None = None
    models: Sequence[Mapping[str, Any]] | None = None
    stream: "StreamFunction | None" = None
    oauth: OAuth | None = None
    refresh_models: RefreshModels | None = None
    operations: "Mapping[str, Operation] | None" = None

    def config(self) -> ProviderConfig:
        """As a provider of models.json. Raises ValueError naming what is wrong."""
        for model in self.models or ():
            if not isinstance(model, Mapping):
                raise ValueError(f"providers.{self.name}.models: a dict each, not {shown(model)}")
        record: dict[str, Any] = {
            "name": self.display_name,
            "baseUrl": self.base_url,
            "api": self.api,
            "apiKey": self.api_key,
            "headers": self.headers and dict(self.headers),
            "compat": self.compat and dict(self.compat),
            "models": self.models and [dict(model) for model in self.models],
        }
        record = {key: value for key, value in record.items() if value is not None}
        if self.auth_header:
            record["authHeader"] = True
        if self.stream is not None:
            record.setdefault("api", f"extension:{self.name}")
            record.setdefault("baseUrl", "extension:")
        problem = next(MODELS_FILE.problems({"providers": {self.name: record}}, ""), None)
        if problem is not None:
            raise ValueError(problem)
        for number, model in enumerate(record.get("models", ())):
            for key in ("api", "baseUrl") if model.get("type", "chat") == "chat" else ("api",):
                if not (record.get(key) or model.get(key)):
                    raise ValueError(f"providers.{self.name}.models[{number}].{key}: missing")
        return provider_config(self.name, record)


def register(services: "Services", registration: Registration) -> None:
    """From now on. Raises ValueError for what cannot be."""
    if not isinstance(registration.oauth, OAuth | None):
        raise TypeError(f"oauth is an OAuth(…), not {shown(registration.oauth)}")
    for key in ("stream", "refresh_models"):
        if not (getattr(registration, key) is None or callable(getattr(registration, key))):
            raise TypeError(f"{key} is a function, not {shown(getattr(registration, key))}")
    name, config = registration.name, offer(services, registration)
    if registration.stream is not None:
        services.streams[name] = _guarded(name, registration.stream)
        services.registry.support(config.api or "")
    for api, run in (registration.operations or {}).items():
        services.operations[name, api] = run
    if registration.oauth is not None:
        add_flow(name, ExtensionFlow(name, registration.oauth))


def offer(services: "Services", registration: Registration) -> ProviderConfig:
    """List its models, in place of those it had. Raises ValueError."""
    config = registration.config()
    services.registry.register(registration.name, config, models=registration.models is not None)
    return config


def _guarded(name: str, stream: "StreamFunction") -> "StreamFunction":
    """The stream, whose faults are a failed answer like any other and do not end the run."""

    async def guarded(
        model: Model, context: Context, options: StreamOptions
    ) -> AsyncGenerator[AssistantEvent, None]:
        try:
            answer: Any = stream(model, context, options)
            if not hasattr(answer, "__aiter__") or not hasattr(answer, "aclose"):
                if inspect.iscoroutine(answer):
                    answer.close()
                kind = type(answer).__name__
                raise TypeError(f"stream is an async generator function, and gave a {kind}")
            async with aclosing(answer) as events:
                async for event in events:
                    if (problem := _event_problem(event)) is not None:
                        raise TypeError(problem)
                    yield event
        except PiError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            raise ProviderError(f"the provider {name} failed: {fault_in(stream, error)}") from error

    return guarded


_NEEDED: Mapping[str, str] = {"start": "partial", "done": "message", "error": "error"}
"""What the run takes from events of a stream; each is a message."""


def _event_problem(event: Any) -> str | None:
    kind = event.get("type") if isinstance(event, dict) else None
    if not isinstance(kind, str):
        return f"stream yields events, not {shown(event)}"
    if kind not in _NEEDED:
        return None
    problem = messages_problem([event.get(_NEEDED[kind])])
    return None if problem is None else f"a {kind} event needs {_NEEDED[kind]}: {problem}"


def unregister(services: "Services", name: str) -> None:
    """What was there before holds again. Nothing for one that was not registered."""
    services.registry.unregister(name)
    services.streams.pop(name, None)
    for key in [key for key in services.operations if key[0] == name]:
        del services.operations[key]
    remove_flow(name)
