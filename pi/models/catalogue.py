"""The models shipped with pi: an index of all names, and one file a provider with the facts.

Choosing one model parses the index at most and one provider's file. The files are made by
scripts/update_catalogue.py, which documents their shape.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pi.wire import jsonio

__all__ = [
    "catalogue_records",
    "generated_at",
    "index",
    "operation_providers",
    "operation_records",
    "provider_ids",
]

_DATA = Path(__file__).with_name("data")


@cache
def index() -> Mapping[str, list[Any]]:
    """`{provider: [[api, [[id, name], …]], …]}` in the catalogue's order."""
    loaded: Mapping[str, list[Any]] = jsonio.loads((_DATA / "index.json").read_bytes())
    return loaded


def provider_ids() -> tuple[str, ...]:
    return tuple(index())


def generated_at() -> float:
    """When the shipped facts were put together, Unix milliseconds."""
    stamp = jsonio.loads((_DATA / "stamp.json").read_bytes())["generatedAt"]
    return datetime.fromisoformat(stamp).timestamp() * 1000


def catalogue_records(provider: str) -> Iterator[dict[str, Any]]:
    """The provider's models as models.json would describe them, `api` and `baseUrl` included."""
    for group in _groups(provider):
        shared = group["shared"]
        for model in group["models"]:
            yield {"type": "chat", **shared, **model}


def operation_records(provider: str) -> Iterator[dict[str, Any]]:
    """The provider's models that are not for chat, likewise, with their `type`."""
    for group in _operations().get(provider, ()):
        for model in group["models"]:
            yield {**group["shared"], **model}


def operation_providers() -> tuple[str, ...]:
    """Who has any."""
    return tuple(_operations())


@cache
def _operations() -> Mapping[str, list[Any]]:
    loaded: Mapping[str, list[Any]] = jsonio.loads((_DATA / "operations.json").read_bytes())
    return loaded


@cache
def _groups(provider: str) -> list[Any]:
    if provider not in index():
        return []
    loaded: list[Any] = jsonio.loads((_DATA / f"{provider}.json").read_bytes())
    return loaded
