"""models.json: providers a person adds, and changes to those we ship.

A file that is malformed anywhere counts as absent; a provider that lacks what it needs is left out
alone. Both are reported, nothing raises: a typing mistake must not keep anybody from working.
`//` comments and trailing commas are accepted. Source: docs/models-configuration.md.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pi.config.documents import read_document
from pi.errors import ConfigError

__all__ = ["CustomModels", "ProviderConfig", "provider_config", "read_custom"]

_SHOWN = 5
_MEANINGFUL = ("baseUrl", "headers", "compat", "modelOverrides", "models", "apiKey", "oauth")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ProviderConfig:
    """One provider of the file. models, overrides: records with the wire's own keys."""

    name: str
    base_url: str | None = None
    api: str | None = None
    api_key: str | None = None
    auth_header: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    compat: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[Mapping[str, Any], ...] = ()
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class CustomModels(NamedTuple):
    providers: Mapping[str, ProviderConfig]
    diagnostics: tuple[str, ...] = ()


def read_custom(path: Path, built_in: Collection[str]) -> CustomModels:
    """The file. built_in: providers that bring an API and an address of their own."""
    try:
        value = read_document(path, relaxed=True)
    except ConfigError as error:
        return CustomModels({}, (f"{error}; no custom models loaded",))
    if value is None:
        if path.exists():
            return CustomModels({}, (f"{path}: the file is empty",))
        return CustomModels({})
    from pi.models.shapes import MODELS_FILE  # noqa: PLC0415  (only if there is a file)

    problems = list(MODELS_FILE.problems(value, ""))
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        text = "; ".join(problems[:_SHOWN])
        return CustomModels({}, (f"{path}: {text}{more}; no custom models loaded",))
    providers: dict[str, ProviderConfig] = {}
    diagnostics = []
    for name, record in value["providers"].items():
        lacking = _lacking(name, record, name in built_in)
        if lacking is None:
            providers[name] = provider_config(name, record)
        else:
            diagnostics.append(f"{path}: providers.{name}{lacking}; provider left out")
    return CustomModels(providers, tuple(diagnostics))


def _lacking(name: str, record: Mapping[str, Any], built_in: bool) -> str | None:
    if not any(key in record for key in _MEANINGFUL):
        return f": expected at least one of {', '.join(_MEANINGFUL)}"
    if built_in:
        return None
    for number, model in enumerate(record.get("models", ())):
        if "baseUrl" not in record and "baseUrl" not in model:
            return ".baseUrl: missing; a provider with models needs an address"
        if "api" not in record and "api" not in model:
            return f".models[{number}].api: missing; set it here or for the provider"
    return None


def provider_config(name: str, record: Mapping[str, Any]) -> ProviderConfig:
    """A provider of the file, already checked."""
    return ProviderConfig(
        name=record.get("name", name),
        base_url=record.get("baseUrl"),
        api=record.get("api"),
        api_key=record.get("apiKey"),
        auth_header=record.get("authHeader", False),
        headers=record.get("headers", {}),
        compat=record.get("compat", {}),
        models=tuple(record.get("models", ())),
        overrides=record.get("modelOverrides", {}),
    )
