"""From what a person types to a model: `--model`, `--provider`, `--models`.

A pattern is an exact id, `provider/id`, or part of an id or name, with an optional `:thinking`.
Source: docs/cli.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from pi.errors import ModelError
from pi.models.globs import glob_matches, is_glob
from pi.models.matching import Name, best_match, split_thinking
from pi.models.nearest import nearest
from pi.models.registry import HasCredential, ModelRegistry
from pi.wire.messages import THINKING_LEVELS, ThinkingLevel
from pi.wire.model import Model

__all__ = [
    "Resolved",
    "Scope",
    "ScopedModel",
    "parse_thinking",
    "resolve_provider",
    "resolve_model",
    "resolve_scope",
]


class Resolved(NamedTuple):
    """thinking: the pattern's suffix, not yet clamped. warnings: one line each."""

    model: Model
    thinking: ThinkingLevel | None = None
    warnings: tuple[str, ...] = ()


class ScopedModel(NamedTuple):
    model: Model
    thinking: ThinkingLevel | None = None


class Scope(NamedTuple):
    """Models to start with and to cycle through, in the order of the patterns."""

    models: tuple[ScopedModel, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_thinking(text: str) -> tuple[ThinkingLevel | None, str | None]:
    """`--thinking`: the level, or None and a warning."""
    for level in THINKING_LEVELS:
        if level == text:
            return level, None
    return None, f'unknown thinking level "{text}" ignored; known: {", ".join(THINKING_LEVELS)}'


def resolve_model(
    registry: ModelRegistry,
    credentials: HasCredential,
    pattern: str,
    *,
    provider: str | None = None,
    key_given: bool = False,
) -> Resolved:
    """One model. key_given: `--api-key` is there, which must not choose between providers.

    Raises ModelError: nothing matches, several providers do, or the API is not supported.
    """
    search = _Search(registry, credentials, key_given)
    if provider is not None:
        known = _provider(registry, provider)
        prefix = f"{known}/"
        bare = pattern[len(prefix) :] if pattern.lower().startswith(prefix.lower()) else pattern
        found = search.within(known, bare) or search.within(known, pattern)
        return search.result(found) if found else search.unlisted(known, bare)
    head, slash, rest = pattern.partition("/")
    prefixed = registry.provider_named(head) if slash else None
    if prefixed is None:
        found = search.everywhere(pattern)
        if found is None:
            raise search.not_found(pattern)
        return search.result(found)
    found = search.within(prefixed, rest) if rest else None
    if found is not None and not credentials.has_credential(prefixed):
        # The same text may be the id of a model that a provider with a credential offers.
        found = search.exact_elsewhere(pattern) or found
    found = found or search.everywhere(pattern)
    return search.result(found) if found else search.unlisted(prefixed, rest)


def resolve_provider(registry: ModelRegistry, provider: str) -> Resolved:
    """The model a provider usually starts with. Raises ModelError."""
    known = _provider(registry, provider)
    model = registry.default_of(known)
    if model is None:
        apis = ", ".join(sorted(registry.supported_apis))
        raise ModelError(
            f'no model of provider "{known}" can be used by this version',
            hint=f"It speaks {apis}.",
        )
    return Resolved(model)


def resolve_scope(
    registry: ModelRegistry, credentials: HasCredential, patterns: Sequence[str]
) -> Scope:
    """The models of `--models` or `enabledModels` that can be used now. Never raises ModelError."""
    names = registry.available_names(credentials)
    chosen: dict[tuple[str, str], ScopedModel] = {}
    warnings: list[str] = []
    for pattern in patterns:
        found, thinking = _scope_matches(registry, names, pattern, warnings)
        if not found:
            warnings.append(f'no usable model matches "{pattern}"')
        for name in found:
            model = registry.get(name)
            chosen.setdefault((name.provider, name.id), ScopedModel(model, thinking))
    return Scope(tuple(chosen.values()), tuple(warnings))


_Found = tuple[Name, ThinkingLevel | None]


class _Search:
    """One look-up: the names, and whose providers have a credential."""

    def __init__(
        self, registry: ModelRegistry, credentials: HasCredential, key_given: bool
    ) -> None:
        self.registry = registry
        self.credentials = credentials
        self.key_given = key_given

    def within(self, provider: str, pattern: str) -> _Found | None:
        """In one provider: the exact id, else the best match; then without `:thinking`."""
        names = self.registry.names(provider)
        usable = [name for name in names if self.registry.supported(name)]
        for text, thinking in _readings(pattern):
            name = _exact(text, names) or best_match(text, usable) or best_match(text, names)
            if name is not None:
                return name, thinking
        return None

    def everywhere(self, pattern: str) -> _Found | None:
        """In all providers. Raises ModelError where several are equally meant."""
        names = self.registry.names()
        for text, thinking in _readings(pattern):
            same = _all_exact(text, names)
            if not same:
                supported = [name for name in names if self.registry.supported(name)]
                usable = [n for n in supported if self.credentials.has_credential(n.provider)]
                for pool in (usable, supported, names):
                    best = best_match(text, pool)
                    if best is not None:
                        same = _all_exact(best.id, pool)
                        break
            if same:
                return self._one(text, same), thinking
        return None

    def exact_elsewhere(self, pattern: str) -> _Found | None:
        """The one model with this very id whose provider has a credential."""
        for text, thinking in _readings(pattern):
            same = self._usable(_all_exact(text, self.registry.names()))
            if len(same) == 1:
                return same[0], thinking
        return None

    def result(self, found: _Found) -> Resolved:
        name, thinking = found
        if not self.registry.supported(name):
            apis = ", ".join(sorted(self.registry.supported_apis))
            raise ModelError(
                f'{name.reference} needs the API "{name.api}", which this version does not speak',
                hint=f"It speaks {apis}. {_hint(name.id, self._references())}",
            )
        return Resolved(self.registry.get(name), thinking)

    def unlisted(self, provider: str, pattern: str) -> Resolved:
        """An id nobody listed, which the provider may still know."""
        split = split_thinking(pattern)
        model_id, thinking = split if split is not None else (pattern, None)
        model = self.registry.unlisted(provider, model_id) if model_id else None
        if model is None:
            raise self.not_found(f"{provider}/{pattern}")
        if model.api not in self.registry.supported_apis:
            return self.result((Name(provider, model_id, model_id, model.api), thinking))
        ids = [name.id for name in self.registry.names(provider)]
        close = nearest(model_id, ids)
        also = f"; similar: {', '.join(close)}" if close else ""
        warning = f'provider "{provider}" lists no model "{model_id}"; using the id as it is{also}'
        if thinking not in (None, "off") and not model.reasoning:
            model = replace(model, reasoning=True)  # who asks for thinking knows the model thinks
        return Resolved(model, thinking, (warning,))

    def not_found(self, pattern: str) -> ModelError:
        split = split_thinking(pattern)
        wanted = split[0] if split is not None else pattern
        return ModelError(f'no model matches "{pattern}"', hint=_hint(wanted, self._references()))

    def _references(self) -> list[str]:
        names = [name for name in self.registry.names() if self.registry.supported(name)]
        usable = self._usable(names)
        return [name.reference for name in usable or names]

    def _usable(self, names: Iterable[Name]) -> list[Name]:
        return [
            name
            for name in names
            if self.registry.supported(name) and self.credentials.has_credential(name.provider)
        ]

    def _one(self, text: str, same: list[Name]) -> Name:
        if len(same) == 1:
            return same[0]
        usable = self._usable(same)
        if len(usable) == 1:
            return usable[0]
        spoken = [name for name in same if self.registry.supported(name)]
        if len(spoken) == 1:
            return spoken[0]
        if not spoken:
            with_key = [n for n in same if self.credentials.has_credential(n.provider)]
            return (with_key or same)[0]
        listed = ", ".join(name.reference for name in spoken)
        if usable:
            why = "more than one of them has a credential"
        elif self.key_given:
            why = "--api-key does not say for which"
        else:
            why = "none of them has a credential"
        raise ModelError(
            f'"{text}" is offered by several providers: {listed}; {why}',
            hint="Choose one with --provider NAME or --model NAME/ID.",
        )


def _provider(registry: ModelRegistry, text: str) -> str:
    known = registry.provider_named(text)
    if known is None:
        raise ModelError(f'unknown provider "{text}"', hint=_hint(text, registry.providers()))
    return known


def _readings(pattern: str) -> Iterable[tuple[str, ThinkingLevel | None]]:
    """The pattern as it is, then without `:level` at its end, repeatedly; the last level counts."""
    yield pattern, None
    thinking: ThinkingLevel | None = None
    while (split := split_thinking(pattern)) is not None:
        pattern, level = split
        thinking = thinking or level
        yield pattern, thinking


def _exact(text: str, names: Iterable[Name]) -> Name | None:
    return next(iter(_all_exact(text, names)), None)


def _all_exact(text: str, names: Iterable[Name]) -> list[Name]:
    wanted = text.lower()
    same = [name for name in names if name.id.lower() == wanted]
    return [name for name in same if name.id == text] or same


def _scope_matches(
    registry: ModelRegistry, names: Sequence[Name], pattern: str, warnings: list[str]
) -> tuple[list[Name], ThinkingLevel | None]:
    if is_glob(pattern):
        split = split_thinking(pattern)
        glob, thinking = split if split is not None else (pattern, None)
        matched = [n for n in names if glob_matches(glob, n.id) or glob_matches(glob, n.reference)]
        return matched, thinking
    if not pattern:
        return [], None
    for text, thinking in _readings(pattern):
        found = _scope_names(registry, names, text)
        if found:
            providers = list(dict.fromkeys(name.provider for name in found))
            if len(providers) > 1:
                warnings.append(
                    f'"{pattern}" is offered by several providers: {", ".join(providers)}; '
                    "all are taken, write provider/id for one"
                )
            return found, thinking
    head, colon, tail = pattern.rpartition(":")
    found = _scope_names(registry, names, head) if colon else []
    if found:
        warnings.append(f'unknown thinking level "{tail}" in "{pattern}" ignored')
    return found, None


def _scope_names(registry: ModelRegistry, names: Sequence[Name], text: str) -> list[Name]:
    wanted = text.lower()
    exact = [name for name in names if name.reference.lower() == wanted]
    if exact:
        return exact[:1]
    same = _all_exact(text, names)
    if same:
        return same
    head, slash, rest = text.partition("/")
    provider = registry.provider_named(head) if slash else None
    if provider is not None:
        best = best_match(rest, [n for n in names if n.provider == provider]) if rest else None
        if best is not None:
            return [best]
    best = best_match(text, names)
    return [] if best is None else _all_exact(best.id, names)


def _hint(wanted: str, known: Iterable[str]) -> str:
    close = nearest(wanted, list(known))
    meant = f"Did you mean {', '.join(close)}? " if close else ""
    return f"{meant}--list-models shows what can be used."
