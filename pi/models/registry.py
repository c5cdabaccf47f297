"""All models there are: the catalogue, models.json over it, and what the caller adds.

Names are cheap and complete; a Model is made only for those somebody looks at, so that a run with
one model parses one provider's file at most.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pi.config.documents import merge_fields
from pi.models.catalogue import catalogue_records, index, provider_ids
from pi.models.custom import ProviderConfig, read_custom
from pi.models.defaults import DEFAULT_MODELS
from pi.models.fetched import FetchedModels
from pi.models.matching import Name
from pi.models.records import model_from_record
from pi.wire.model import VIRTUAL_API, Model, ModelType

if TYPE_CHECKING:
    from pi.models.virtual import VirtualModel

__all__ = ["HasCredential", "ModelRegistry"]

T = TypeVar("T")


class HasCredential(Protocol):
    """pi.auth.Credentials, as far as choosing a model needs it."""

    def has_credential(self, provider: str) -> bool: ...
    def offered(self, provider: str) -> Collection[str] | None: ...


class ModelRegistry:
    """Models by provider and id.

    supported_apis: the APIs this program speaks; others are known, but never offered.
    fetched: models-store.json, whose lists go over the shipped ones where they are newer.
    extra_models: such as the demo provider's; found when asked for by provider, never offered.
    added: providers that the program brings, over those of models.json.
    diagnostics: what is wrong with models.json, one line each.
    keyless: providers that need no key, kept up to date; who makes the registry may add to it.
    """

    def __init__(
        self,
        models_file: Path,
        *,
        supported_apis: Collection[str],
        extra_models: Sequence[Model] = (),
        fetched: FetchedModels | None = None,
        added: Mapping[str, ProviderConfig] = MappingProxyType({}),
    ) -> None:
        self.supported_apis = frozenset(supported_apis)
        self._extra = tuple(extra_models)
        self._fetched = fetched
        custom = read_custom(models_file, provider_ids())
        self.configs: dict[str, ProviderConfig] = {**custom.providers, **added}
        self._file = {k: v for k, v in custom.providers.items() if k not in added}
        self._alone = set(added)
        self.diagnostics = custom.diagnostics
        self._names: tuple[Name, ...] | None = None
        self._records: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._virtual: dict[str, dict[str, VirtualModel]] = {}
        self._only_virtual: set[str] = set()
        self.keyless = {model.provider for model in self._extra}

    def register(self, provider: str, config: ProviderConfig, *, models: bool) -> None:
        """Add a provider at run time, or change one. What models.json says goes over it.

        models: whether its models are all that the provider has.
        """
        filed = self._file.get(provider)
        self.configs[provider] = config if filed is None else _over(config, filed)
        self._alone.discard(provider)
        if models:
            self._alone.add(provider)
        self._forget(provider)

    def unregister(self, provider: str) -> None:
        """Take that back."""
        filed = self._file.get(provider)
        if filed is not None:
            self.configs[provider] = filed
        else:
            self.configs.pop(provider, None)
        self._alone.discard(provider)
        self._forget(provider)

    def support(self, api: str) -> None:
        """Offer the models of one more API."""
        self.supported_apis |= {api}

    def register_virtual(self, virtual: "VirtualModel") -> None:
        """List a virtual model, or another in its place. Raises ValueError for a taken id.

        A model that the provider gets later under the same id is hidden by it.
        """
        provider, model_id = virtual.provider, virtual.id
        if not provider.strip() or not model_id.strip():
            raise ValueError("a virtual model needs a provider and an id")
        if self.physical(provider, model_id) is not None:
            raise ValueError(f"virtual model {provider}/{model_id}: there is a model of that id")
        self._virtual.setdefault(provider, {})[model_id] = virtual
        self.support(VIRTUAL_API)
        self._forget(provider)

    def unregister_virtual(self, provider: str, model_id: str) -> None:
        listed = self._virtual.get(provider, {})
        listed.pop(model_id, None)
        if not listed:
            self._virtual.pop(provider, None)
        self._forget(provider)

    @property
    def has_virtual(self) -> bool:
        return bool(self._virtual)

    def virtual(self, provider: str, model_id: str) -> "VirtualModel | None":
        return self._virtual.get(provider, {}).get(model_id)

    def _forget(self, provider: str) -> None:
        self._names = None
        self._records.pop(provider, None)
        # A provider that has nothing but virtual models asks for no key of its own.
        self.keyless -= self._only_virtual
        known = {*provider_ids(), *self.configs, *(model.provider for model in self._extra)}
        self._only_virtual = {name for name in self._virtual if name not in known}
        self.keyless |= self._only_virtual

    def providers(self) -> tuple[str, ...]:
        """Every provider that can be named: shipped, the person's, extra, then virtual ones."""
        custom = (name for name, config in self.configs.items() if config.models)
        extra = (model.provider for model in self._extra)
        return tuple(dict.fromkeys((*provider_ids(), *custom, *extra, *self._virtual)))

    def provider_named(self, text: str) -> str | None:
        """The provider of that name; case matters only between two of the same."""
        providers = self.providers()
        if text in providers:
            return text
        return next((known for known in providers if known.lower() == text.lower()), None)

    def names(self, provider: str | None = None) -> tuple[Name, ...]:
        """What can be chosen, of all providers (without the extra models) or of one."""
        if provider is not None:
            extra = (m for m in self._extra if m.provider == provider)
            return (
                *self._names_of(provider),
                *(Name(m.provider, m.id, m.name, m.api) for m in extra),
            )
        if self._names is None:
            hidden = {m.provider for m in self._extra}
            self._names = tuple(
                name
                for known in self.providers()
                if known not in hidden or known in self.configs
                for name in self._names_of(known)
            )
        return self._names

    def supported(self, name: Name) -> bool:
        return name.api in self.supported_apis

    def find(self, provider: str, model_id: str) -> Model | None:
        """Exactly this model, whether or not its API is supported."""
        virtual = self.virtual(provider, model_id)
        return self.physical(provider, model_id) if virtual is None else virtual.model()

    def physical(self, provider: str, model_id: str) -> Model | None:
        """The same, virtual ones left aside."""
        for model in self._extra:
            if model.provider == provider and model.id == model_id:
                return model
        record = self._records_of(provider).get(model_id)
        return None if record is None else model_from_record(provider, record)

    def get(self, name: Name) -> Model:
        """The model of a name that `names` gave."""
        model = self.find(name.provider, name.id)
        if model is None:
            raise LookupError(name.reference)
        return model

    def available(self, credentials: HasCredential) -> list[Model]:
        """Models that can be used now: supported API, a credential. In the catalogue's order."""
        return [self.get(name) for name in self.available_names(credentials)]

    def available_names(self, credentials: HasCredential) -> list[Name]:
        usable = _remember(credentials.has_credential)
        offered = _remember(credentials.offered)
        return [
            name
            for name in self.names()
            if self.supported(name)
            and usable(name.provider)
            and ((plan := offered(name.provider)) is None or name.id in plan)
        ]

    def default_of(self, provider: str) -> Model | None:
        """The model a provider starts with; its first supported one when it has no preference."""
        names = [name for name in self.names(provider) if self.supported(name)]
        preferred = DEFAULT_MODELS.get(provider)
        for name in names:
            if name.id == preferred:
                return self.get(name)
        return self.get(names[0]) if names else None

    def unlisted(self, provider: str, model_id: str) -> Model | None:
        """A model id we do not know, with the facts of the provider's default model."""
        known = self.default_of(provider)
        if known is None:
            names = self.names(provider)
            known = self.get(names[0]) if names else None
        if known is None or known.is_virtual:
            return None
        return replace(known, id=model_id, name=model_id)

    def operations(self, kind: ModelType, provider: str | None = None) -> list[Model]:
        """Models that are not for chat, of all providers or of one. They are in no other list."""
        # Few ask for them.
        from pi.models.operations import operation_models  # noqa: PLC0415

        known = None if provider is None else [provider]
        return operation_models(kind, self.configs, self._alone, self._fetched, known)

    def _names_of(self, provider: str) -> Iterator[Name]:
        virtual = self._virtual.get(provider, {})
        for name in self._physical_names(provider):
            if name.id not in virtual:
                yield name
        for model_id, listed in virtual.items():
            yield Name(provider, model_id, listed.name or model_id, VIRTUAL_API)

    def _physical_names(self, provider: str) -> Iterator[Name]:
        config = self.configs.get(provider)
        changed = config is not None and (config.models or config.overrides)
        if changed or (self._fetched is not None and self._fetched.has(provider)):
            for record in self._records_of(provider).values():
                name = record.get("name", record["id"])
                yield Name(provider, record["id"], name, record["api"])
            return
        for api, models in index().get(provider, ()):
            for model_id, name in models:
                yield Name(provider, model_id, name, api)

    def _records_of(self, provider: str) -> dict[str, Mapping[str, Any]]:
        if provider not in self._records:
            self._records[provider] = dict(self._build(provider))
        return self._records[provider]

    def _build(self, provider: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        config = self.configs.get(provider)
        shipped: dict[str, Mapping[str, Any]] = {}
        if provider not in self._alone:
            shipped = {record["id"]: record for record in catalogue_records(provider)}
        if self._fetched is not None and shipped:
            fetched = self._fetched.records(provider)
            whole = fetched and self._fetched.whole(provider)
            shipped = fetched if whole else shipped | fetched
        if config is None:
            yield from shipped.items()
            return
        changes = _provider_changes(config)
        built: dict[str, Mapping[str, Any]] = {
            model_id: merge_fields(record, changes) for model_id, record in shipped.items()
        }
        model = _preferred(provider, shipped)
        base = {
            "api": config.api or model.get("api", ""),
            "baseUrl": config.base_url or model.get("baseUrl", ""),
            "headers": config.headers,
            "compat": config.compat,
        }
        for record in config.models:
            if record.get("type", "chat") == "chat":
                built[record["id"]] = merge_fields(base, record)
        for model_id, override in config.overrides.items():
            if model_id in built:
                built[model_id] = merge_fields(built[model_id], override)
        yield from built.items()


def _over(added: ProviderConfig, filed: ProviderConfig) -> ProviderConfig:
    """What an extension says of a provider, under what the person says."""
    return replace(
        filed,
        base_url=filed.base_url or added.base_url,
        api=filed.api or added.api,
        api_key=filed.api_key or added.api_key,
        auth_header=filed.auth_header or added.auth_header,
        headers={**added.headers, **filed.headers},
        compat={**added.compat, **filed.compat},
        models=(*added.models, *filed.models),
    )


def _provider_changes(config: ProviderConfig) -> dict[str, Any]:
    """What a provider's entry says of each model we ship."""
    changes: dict[str, Any] = {}
    if config.base_url is not None:
        changes["baseUrl"] = config.base_url
    if config.headers:
        changes["headers"] = config.headers
    if config.compat:
        changes["compat"] = config.compat
    return changes


def _preferred(provider: str, shipped: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The shipped model whose API and address a custom one inherits; {} for a new provider."""
    default = shipped.get(DEFAULT_MODELS.get(provider, ""))
    return default if default is not None else next(iter(shipped.values()), {})


def _remember(ask: Callable[[str], T]) -> Callable[[str], T]:
    answers: dict[str, T] = {}

    def answer(provider: str) -> T:
        if provider not in answers:
            answers[provider] = ask(provider)
        return answers[provider]

    return answer
