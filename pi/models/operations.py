"""Models for classifying and for images: the catalogue's, fetched ones, and those of providers.

A provider's own address, headers and compat count for them too; `modelOverrides` are for chat.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pi.config.documents import merge_fields
from pi.models.catalogue import operation_providers, operation_records
from pi.models.custom import ProviderConfig
from pi.models.fetched import FetchedModels
from pi.models.records import model_from_record
from pi.wire.model import Model, ModelType

__all__ = ["operation_models"]


def operation_models(
    kind: ModelType,
    configs: Mapping[str, ProviderConfig],
    alone: Collection[str],
    fetched: FetchedModels | None,
    providers: Iterable[str] | None = None,
) -> list[Model]:
    """alone: providers that have what their config lists, and nothing of ours. providers: None for
    all."""
    named = dict.fromkeys((*operation_providers(), *configs)) if providers is None else providers
    return [
        model_from_record(provider, record)
        for provider in named
        for record in _records(provider, configs.get(provider), provider in alone, fetched).values()
        if record["type"] == kind
    ]


def _records(
    provider: str, config: ProviderConfig | None, alone: bool, fetched: FetchedModels | None
) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    if not alone:
        shipped = [*operation_records(provider)]
        newer = [] if fetched is None else fetched.operation_records(provider)
        if fetched is not None and newer and fetched.whole(provider):
            shipped = []
        for record in (*shipped, *newer):
            found[record["type"], record["id"]] = record
    if config is None:
        return found
    for key, record in found.items():
        found[key] = merge_fields(record, _changes(config))
    for record in config.models:
        kind = record.get("type", "chat")
        if kind != "chat" and (record.get("api") or config.api):
            base = {"api": config.api, "baseUrl": "", **_changes(config)}
            found[kind, record["id"]] = merge_fields(base, record)
    return found


def _changes(config: ProviderConfig) -> dict[str, Any]:
    said = {"baseUrl": config.base_url, "headers": config.headers, "compat": config.compat}
    return {key: value for key, value in said.items() if value}
