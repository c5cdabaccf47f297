"""Providers of extensions: an address, models, a stream function, a way to sign in."""

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.auth.oauth import add_flow, remove_flow
from pi.auth.oauth.base import Entry, Method, Person, Surroundings
from pi.errors import PiError, ProviderError
from pi.extensions.errors import place_of
from pi.models.custom import ProviderConfig, provider_config
from pi.models.shapes import MODELS_FILE
from pi.providers.base import Context, StreamOptions
from pi.wire.events import AssistantEvent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.providers.base import StreamFunction
    from pi.runtime.services import Services

__all__ = ["OAuth", "Registration", "register", "unregister"]


@dataclass(frozen=True, slots=True)
class OAuth:
    """How to sign in to a provider. Both functions may block: they run in a thread.

    name: the provider's, for people. sign_in: with a person at hand (`show_address`, `ask`,
    `choose`, `say`); gives {"access": …, "refresh": …, "expires": Unix ms}, more keys are kept.
    renew: the same with a fresh access token.
    """

    name: str
    sign_in: Callable[[Person], Mapping[str, Any]]
    renew: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Flow:
    """An OAuth as pi.auth takes it."""

    oauth: OAuth
    methods: tuple[Method, ...] = ("browser",)

    @property
    def name(self) -> str:
        return self.oauth.name

    def sign_in(self, person: Person, around: Surroundings, method: Method) -> Entry:
        return {**self.oauth.sign_in(person), "type": "oauth"}

    def renew(self, entry: Entry, around: Surroundings) -> Entry:
        return {**entry, **self.oauth.renew(entry), "type": "oauth"}


@dataclass(frozen=True, slots=True)
class Registration:
    """What an extension says of a provider; None leaves what is there.

    models: as in models.json; they are all that the provider has then. stream: for requests to its
    models, whatever their api.
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

    def config(self) -> ProviderConfig:
        """As a provider of models.json. Raises ValueError naming what is wrong."""
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
        problem = next(MODELS_FILE.problems({"providers": {self.name: record}}, ""), None)
        if problem is not None:
            raise ValueError(problem)
        for number, model in enumerate(record.get("models", ())):
            for key in ("api", "baseUrl"):
                if self.stream is None and not (record.get(key) or model.get(key)):
                    raise ValueError(f"providers.{self.name}.models[{number}].{key}: missing")
        if self.stream is not None:
            record.setdefault("api", f"extension:{self.name}")
            record.setdefault("baseUrl", "extension:")
        return provider_config(self.name, record)


def register(services: "Services", registration: Registration) -> None:
    """From now on. Raises ValueError for what cannot be."""
    name, config = registration.name, registration.config()
    services.registry.register(name, config, models=registration.models is not None)
    if registration.stream is not None:
        services.streams[name] = _guarded(name, registration.stream)
        services.registry.support(config.api or "")
    if registration.oauth is not None:
        add_flow(name, _Flow(registration.oauth))


def _guarded(name: str, stream: "StreamFunction") -> "StreamFunction":
    """The stream, whose faults are a failed answer like any other and do not end the run."""

    async def guarded(
        model: Model, context: Context, options: StreamOptions
    ) -> AsyncGenerator[AssistantEvent, None]:
        try:
            async with aclosing(stream(model, context, options)) as events:
                async for event in events:
                    yield event
        except PiError:
            raise
        except Exception as error:
            place = place_of(error, Path(inspect.getsourcefile(stream) or "").parent)
            where = f" ({place})" if place else ""
            raise ProviderError(
                f"the provider {name} failed: {type(error).__name__}: {error}{where}"
            ) from error

    return guarded


def unregister(services: "Services", name: str) -> None:
    """What was there before holds again. Nothing for one that was not registered."""
    services.registry.unregister(name)
    services.streams.pop(name, None)
    remove_flow(name)
