"""Models and providers as the pickers show them, from the registry and the credentials."""

from collections.abc import Collection, Iterable

from pi.auth.credentials import Credentials
from pi.auth.keys import takes_keys
from pi.auth.oauth import OAUTH_PROVIDERS, flow_of
from pi.auth.providers import KEY_SOURCES
from pi.auth.store import AuthStore
from pi.errors import ConfigError
from pi.models.matching import collation_key
from pi.models.registry import ModelRegistry
from pi.modes.interactive.pickers.models import ModelRow
from pi.modes.interactive.pickers.providers import How, ProviderRow
from pi.wire.model import Model

__all__ = ["model_row", "model_rows", "provider_rows"]


def model_row(model: Model, *, usable: bool = True) -> ModelRow:
    return ModelRow(
        model.provider,
        model.id,
        model.name,
        usable,
        model.context_window,
        model.takes_images,
        model.thinking_levels(),
    )


def model_rows(
    registry: ModelRegistry,
    credentials: Credentials,
    *,
    extra: Iterable[Model] = (),
    unusable: bool = False,
) -> list[ModelRow]:
    """Models there is a credential for. unusable: all the others, too. extra: models that are in
    use although nothing offers them."""
    usable = registry.available(credentials)
    rows = {model.reference: model_row(model) for model in (*usable, *extra)}
    if unusable:
        for name in registry.names():
            if name.reference not in rows and registry.supported(name):
                rows[name.reference] = model_row(registry.get(name), usable=False)
    return list(rows.values())


def provider_rows(registry: ModelRegistry, credentials: Credentials) -> list[ProviderRow]:
    """Every provider one can sign in to or store a key for, and what it has. By name."""
    names = {*registry.providers(), *registry.configs, *KEY_SOURCES, *OAUTH_PROVIDERS}
    rows = [_provider_row(name, credentials, credentials.store) for name in names]
    return sorted(rows, key=lambda row: collation_key(row.name or row.id))


def _provider_row(name: str, credentials: Credentials, store: AuthStore) -> ProviderRow:
    flow = flow_of(name)
    methods: Collection[str] = () if flow is None else flow.methods
    stored: How | None = None
    status = ""
    try:
        entry = store.get(name)
    except ConfigError:
        entry = None
        status = "its entry in auth.json is broken"
    if entry is not None:
        stored = "account" if entry.oauth else "key"
        status = "signed in" if entry.oauth else "key stored"
        if not credentials.has_credential(name):
            status += ", of no use" if entry.oauth else ", not found"
    elif not status and credentials.has_credential(name):
        status = "has a key from elsewhere"
    return ProviderRow(
        name,
        "" if flow is None else flow.name,
        account=flow is not None,
        headless="headless" in methods and "browser" in methods,
        key=takes_keys(name),
        stored=stored,
        status=status,
    )
