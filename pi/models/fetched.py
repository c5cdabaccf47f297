"""models-store.json: lists of models fetched after this version was made, one a provider.

    {"groq": {"models": [{"id": …, "name": …, "api": …, "baseUrl": …, …}, …],
              "lastModified": Unix ms, "etag": "…", "checkedAt": Unix ms}, …}

A list counts where it is newer than the shipped data; its models replace shipped ones of the same
id and join the others. Two providers' lists are all that a person's key may use: they count
whenever they were fetched, and nothing joins them (pi.models.personal). The file is read when a
provider's models are first asked for, and a file or model that cannot be understood leaves the
shipped facts standing.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi.config.documents import read_document
from pi.errors import ConfigError
from pi.models.catalogue import generated_at
from pi.models.personal import WHOLE

__all__ = ["FetchedModels"]

log = logging.getLogger(__name__)


class FetchedModels:
    """The file, read at most once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lists: dict[str, list[Any]] | None = None

    def has(self, provider: str) -> bool:
        return provider in self._read()

    def whole(self, provider: str) -> bool:
        """Whether the list is all that the provider offers."""
        return provider in WHOLE and provider in self._read()

    def records(self, provider: str) -> dict[str, Mapping[str, Any]]:
        """The provider's chat models by id, as models.json would describe them."""
        return self._of_type(provider, "chat")

    def operation_records(self, provider: str) -> list[Mapping[str, Any]]:
        """Its other models, with their `type`."""
        found = (self._of_type(provider, kind) for kind in ("image", "classifier"))
        return [record for records in found for record in records.values()]

    def _of_type(self, provider: str, kind: str) -> dict[str, Mapping[str, Any]]:
        listed = self._read().get(provider, ())
        if not listed:
            return {}
        from pi.models.shapes import FETCHED_MODEL  # noqa: PLC0415  (only if there is a list)

        records: dict[str, Mapping[str, Any]] = {}
        for record in listed:
            if isinstance(record, dict) and record.get("type", "chat") != kind:
                continue
            problem = next(FETCHED_MODEL.problems(record, provider), None)
            if problem is None:
                records[record["id"]] = record
            else:
                log.warning("%s: %s; this model is left as shipped", self._path, problem)
        return records

    def _read(self) -> dict[str, list[Any]]:
        if self._lists is None:
            self._lists = self._newer()
        return self._lists

    def _newer(self) -> dict[str, list[Any]]:
        try:
            entries = read_document(self._path) or {}
        except ConfigError as error:
            log.warning("%s; the shipped models are used", error)
            return {}
        if not entries:
            return {}
        shipped = generated_at()
        return {
            provider: entry["models"]
            for provider, entry in entries.items()
            if isinstance(entry, dict)
            and isinstance(entry.get("models"), list)
            and (_after(entry, shipped) or (provider in WHOLE and entry["models"]))
        }


def _after(entry: dict[str, Any], shipped: float) -> bool:
    modified = entry.get("lastModified")
    return isinstance(modified, int | float) and modified > shipped
