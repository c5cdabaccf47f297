"""Which model a run starts with, and how hard it thinks.

Model: `--model` (`--provider` alone means its usual model), the resumed session's, the scope
(`--models` or `enabledModels`; the default model if it is in there, else the first),
`defaultProvider` with `defaultModel`, a provider's usual model.
Thinking: `--thinking`, the pattern's suffix, the session's, `modelThinkingLevels`,
`defaultThinkingLevel`, medium; always clamped to what the model supports.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pi.config.settings_types import Settings
from pi.models.defaults import DEFAULT_MODELS, DEFAULT_THINKING
from pi.models.registry import HasCredential, ModelRegistry
from pi.models.resolution import (
    Resolved,
    Scope,
    ScopedModel,
    parse_thinking,
    resolve_model,
    resolve_provider,
    resolve_scope,
)
from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model

__all__ = ["Selection", "SessionModel", "select_model"]


class SessionModel(NamedTuple):
    """What a resumed session recorded last; None where it recorded nothing."""

    provider: str | None = None
    model_id: str | None = None
    thinking: ThinkingLevel | None = None


class Selection(NamedTuple):
    """model: None when no provider has a credential. thinking: clamped ("off" without a model)."""

    model: Model | None
    thinking: ThinkingLevel
    scope: Scope = Scope()
    warnings: tuple[str, ...] = ()


def select_model(
    registry: ModelRegistry,
    credentials: HasCredential,
    settings: Settings,
    *,
    model: str | None = None,
    provider: str | None = None,
    scope_patterns: Sequence[str] | None = None,
    thinking: str | None = None,
    session: SessionModel | None = None,
    key_given: bool = False,
) -> Selection:
    """The start of a run. Options as on the command line. Raises ModelError for `model`.

    scope_patterns: of `--models`; None asks the setting `enabledModels`.
    """
    warnings: list[str] = []
    flag: ThinkingLevel | None = None
    if thinking is not None:
        flag, warning = parse_thinking(thinking)
        warnings += [warning] if warning else []

    patterns = scope_patterns if scope_patterns is not None else settings.enabled_models or ()
    scope = resolve_scope(registry, credentials, patterns) if patterns else Scope()
    warnings += scope.warnings

    found: Resolved | None = None
    if model:
        found = resolve_model(registry, credentials, model, provider=provider, key_given=key_given)
        warnings += found.warnings
    elif provider:
        found = resolve_provider(registry, provider)
    elif session is not None and session.provider is not None and session.model_id is not None:
        found = _restored(registry, credentials, session, warnings)
    if found is None:
        found = _start(registry, credentials, settings, scope)
        if found is not None and session is not None and session.model_id is not None:
            warnings[-1] += f"; using {found.model.reference}"  # what _restored said
    if found is None:
        return Selection(None, "off", scope, tuple(warnings))
    wanted = (
        flag
        or found.thinking
        or (session.thinking if session is not None else None)
        or settings.model_thinking_levels.get(found.model.reference)
        or settings.default_thinking_level
        or DEFAULT_THINKING
    )
    level = found.model.clamp_thinking(wanted)
    return Selection(found.model, level, scope, tuple(warnings))


def _restored(
    registry: ModelRegistry,
    credentials: HasCredential,
    session: SessionModel,
    warnings: list[str],
) -> Resolved | None:
    """The session's model while it exists and can be used; otherwise a warning."""
    provider, model_id = session.provider or "", session.model_id or ""
    model = registry.find(provider, model_id)
    if model is None:
        reason = "there is no such model any more"
    elif model.api not in registry.supported_apis:
        reason = f'this version does not speak "{model.api}"'
    elif not credentials.has_credential(provider):
        reason = "there is no credential for its provider"
    else:
        return Resolved(model)
    warnings.append(f"cannot restore the session's model {provider}/{model_id}: {reason}")
    return None


def _start(
    registry: ModelRegistry, credentials: HasCredential, settings: Settings, scope: Scope
) -> Resolved | None:
    """Without a word from the command line or a session."""
    wanted = (settings.default_provider, settings.default_model)
    if scope.models:
        chosen = next((s for s in scope.models if _is(s, wanted)), scope.models[0])
        return Resolved(chosen.model, chosen.thinking)
    provider, model_id = wanted
    if provider is not None and model_id is not None:
        model = registry.find(provider, model_id)
        if (
            model is not None
            and model.api in registry.supported_apis
            and credentials.has_credential(provider)
        ):
            return Resolved(model)
    names = registry.available_names(credentials)
    ids = {(name.provider, name.id): name for name in names}
    for known in DEFAULT_MODELS.items():
        if known in ids:
            return Resolved(registry.get(ids[known]))
    return Resolved(registry.get(names[0])) if names else None


def _is(scoped: ScopedModel, wanted: tuple[str | None, str | None]) -> bool:
    return (scoped.model.provider, scoped.model.id) == wanted
