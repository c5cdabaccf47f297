"""The models and providers there are, their keys, and questions to them: `ctx.models`."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pi.errors import ModelError, PiError
from pi.extensions.execution import Stage
from pi.providers.base import Context
from pi.runtime.requests import model_request, operate
from pi.wire.events import AssistantEvent
from pi.wire.messages import AgentMessage, AssistantMessage, ThinkingLevel, now_ms
from pi.wire.model import Model, ModelType

if TYPE_CHECKING:
    from pi.providers.operations import Classification, Drawn, Question
    from pi.runtime.services import Services
    from pi.wire.messages import ImageContent, TextContent

__all__ = ["Models", "ProviderAuth", "ProviderInfo"]


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as it is now, models.json and extensions taken into account.

    base_url, api: None where its models have their own. oauth: how its sign-in is called, None
    where there is none. has_key: whether it can be used. signed_in: with an account.
    """

    id: str
    name: str
    base_url: str | None
    api: str | None
    models: tuple[Model, ...]
    oauth: str | None
    has_key: bool
    signed_in: bool


@dataclass(frozen=True, slots=True)
class ProviderAuth:
    """What a request of one's own to a provider needs. It is secret.

    api_key: None where the headers carry it. headers: resolved. env: variables that are kept with
    the key. source: where the key comes from, for people.
    """

    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    base_url: str
    env: Mapping[str, str] = field(repr=False)
    source: str


class Models:
    """Of the session that is open."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def _services(self) -> "Services":
        return self._stage.ground.services

    # What there is

    def find(self, provider: str, model_id: str | None = None) -> Model | None:
        """A model, by provider and id or by "provider/id"; virtual ones among them."""
        if model_id is None:
            provider, _, model_id = provider.partition("/")
        return self._services.registry.find(provider, model_id)

    def all(self, provider: str | None = None) -> list[Model]:
        """Every model that pi knows how to talk to, of all providers or of one."""
        registry = self._services.registry
        return [registry.get(name) for name in registry.names(provider) if registry.supported(name)]

    def available(self) -> list[Model]:
        """Those that there is a key for."""
        return self._services.registry.available(self._services.credentials)

    def providers(self) -> tuple[str, ...]:
        return self._services.registry.providers()

    def provider(self, provider: str) -> ProviderInfo | None:
        """None for one that nobody named."""
        services = self._services
        config = services.registry.configs.get(provider)
        if config is None and provider not in self.providers():
            return None
        from pi.auth.oauth import flow_of  # noqa: PLC0415  (few ask for it)

        flow = flow_of(provider)
        models = tuple(self.all(provider))
        addresses = {model.base_url for model in models}
        apis = {model.api for model in models}
        return ProviderInfo(
            provider,
            provider if config is None else config.name,
            (config and config.base_url) or (addresses.pop() if len(addresses) == 1 else None),
            (config and config.api) or (apis.pop() if len(apis) == 1 else None),
            models,
            None if flow is None else flow.name,
            services.can_use(provider),
            services.credentials.is_signed_in(provider),
        )

    def has_key(self, provider: str) -> bool:
        """Cheap: no command runs, nothing is renewed."""
        return self._services.can_use(provider)

    async def auth(self, of: Model | str) -> ProviderAuth | None:
        """Key, headers and address for requests to a model, or to a provider by its name.

        Runs commands, and renews a sign-in. None without a key. Raises AuthError, ConfigError or
        NetworkError for one that cannot be had.
        """
        services = self._services
        model = of if isinstance(of, Model) else self._any_model(of)
        given = services.key_given(model.provider)
        found = await asyncio.to_thread(services.credentials.resolve, model, api_key=given)
        if found is None:
            return None
        return ProviderAuth(found.api_key, found.headers, found.base_url, found.env, found.source)

    def _any_model(self, provider: str) -> Model:
        """One to resolve a key for: what is the provider's alone, not a model's."""
        registry = self._services.registry
        config = registry.configs.get(provider)
        model = registry.default_of(provider)
        if model is None or model.is_virtual:
            model = Model("", provider, "", "")
        if config is None:
            return replace(model, headers={})
        return replace(
            model,
            base_url=config.base_url or model.base_url,
            api=config.api or model.api,
            headers=config.headers,
        )

    # Lists that services give

    async def refresh(
        self,
        providers: Collection[str] | None = None,
        *,
        force: bool = False,
        seconds: float | None = None,
    ) -> Mapping[str, Exception]:
        """Ask extensions' providers for their models anew; what went wrong, by provider.

        force: however fresh a stored list is. seconds: how long that may take; no limit unless
        given. Cancelling it ends it.
        """
        named = None if providers is None else list(providers)
        extending = self._stage.host.extending
        return await extending.refresh_models(named, force=force, seconds=seconds)

    # Models that are not for chat

    def of_type(self, kind: ModelType, provider: str | None = None) -> list[Model]:
        """Models by what they are for: "chat", "image" or "classifier"."""
        if kind == "chat":
            return self.all(provider)
        return self._services.registry.operations(kind, provider)

    def find_of_type(self, kind: ModelType, provider: str, model_id: str) -> Model | None:
        found = (model for model in self.of_type(kind, provider) if model.id == model_id)
        return next(found, None)

    def available_of_type(self, kind: ModelType, provider: str | None = None) -> list[Model]:
        """Those that there is a key for."""
        if kind == "chat":
            return [m for m in self.available() if provider in (None, m.provider)]
        signed_in = self._services.credentials.is_signed_in
        return [
            model
            for model in self.of_type(kind, provider)
            if self.has_key(model.provider)
            # A sign-in with ChatGPT is of no use for decisions.
            and not (model.api == "openai-decisions" and signed_in(model.provider))
        ]

    async def classify(
        self,
        model: Model,
        state: Mapping[str, Any],
        questions: "Mapping[str, Question]",
        *,
        images: "Sequence[ImageContent]" = (),
    ) -> "Classification":
        """Have questions about JSON state answered. Raises PiError, also for a missing answer.

        questions: by a name of yours, {"type": "choice", "instructions": …, "criteria": {label:
        meaning}}, {"type": "score", …, "criteria": [lowest, …, highest]} or {"type": "bool", …,
        "criteria": {"true": meaning, "false": meaning}}.
        """
        from pi.providers.operations import ToClassify  # noqa: PLC0415  (few ask for it)

        if model.type != "classifier":
            raise ModelError(f"{model.reference} is no classifier")
        asked = ToClassify(state, questions, images)
        answer: Classification = await self._operate(model, asked)
        return answer

    async def generate_images(
        self, model: Model, prompt: "str | Sequence[TextContent | ImageContent]"
    ) -> "Drawn":
        """Have images made. prompt: what of, or blocks with images to go by. Raises PiError."""
        from pi.providers.operations import ToDraw  # noqa: PLC0415  (few ask for it)

        if model.type != "image":
            raise ModelError(f"{model.reference} makes no images")
        given: Sequence[TextContent | ImageContent] = (
            [{"type": "text", "text": prompt}] if isinstance(prompt, str) else prompt
        )
        answer: Drawn = await self._operate(model, ToDraw(given))
        return answer

    async def _operate(self, model: Model, asked: Any) -> Any:
        host = self._stage.host
        return await operate(*host.reach(), host.store.id, model, asked)

    # Questions beside the conversation

    async def stream(
        self,
        prompt: str | Sequence[AgentMessage],
        *,
        model: Model | str | None = None,
        system: str | None = None,
        thinking: ThinkingLevel = "off",
        max_tokens: int | None = None,
    ) -> AsyncGenerator[AssistantEvent, None]:
        """Ask a model; the last event is `done` or `error`. Nothing of it is kept.

        prompt: what to say, or messages. model: the session's unless given; a virtual one is
        routed. thinking: becomes the nearest level it has. max_tokens: of the answer, of which a
        model that gives fewer gives those. Providers of extensions answer too. Closing or
        cancelling it ends the request. Raises AuthError without a key, ModelError for a model that
        is not there.
        """
        host = self._stage.host
        chosen = self._chosen(model)
        host.services.check_key(chosen)
        assert chosen is not None, "there is a key for it"
        messages: list[AgentMessage] = []
        if system is not None:
            messages.append({"role": "system", "content": system, "timestamp": now_ms()})
        if isinstance(prompt, str):
            messages.append({"role": "user", "content": prompt, "timestamp": now_ms()})
        else:
            messages += prompt
        request = model_request(host.reach, host.store.id, cached=False, max_tokens=max_tokens)
        events = request(chosen, Context(messages), chosen.clamp_thinking(thinking))
        async with aclosing(events):
            async for event in events:
                yield event

    async def complete(
        self,
        prompt: str | Sequence[AgentMessage],
        *,
        model: Model | str | None = None,
        system: str | None = None,
        thinking: ThinkingLevel = "off",
        max_tokens: int | None = None,
    ) -> AssistantMessage:
        """The whole answer; failed ones have a stopReason of "error" and an errorMessage."""
        final: AssistantMessage | None = None
        asked: Any = {"model": model, "system": system, "thinking": thinking}
        async with aclosing(self.stream(prompt, **asked, max_tokens=max_tokens)) as events:
            async for event in events:
                if event["type"] == "done":
                    final = event["message"]
                elif event["type"] == "error":
                    final = event["error"]
        if final is None:
            raise PiError("the model's stream ended without a result")
        return final

    def _chosen(self, model: Model | str | None) -> Model | None:
        if isinstance(model, str):
            found = self.find(model)
            if found is None:
                raise ModelError(f"there is no model {model!r}")
            return found
        return model or self._stage.host.model
