"""From a model to what its requests carry: key, headers, address.

Precedence: `--api-key`, auth.json, `apiKey` of models.json, environment. A stored key that cannot
be resolved counts as absent; an `apiKey` that cannot is an error, nothing further is tried.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pi.auth.addresses import address_of
from pi.auth.providers import key_source
from pi.auth.store import AuthStore, Stored
from pi.config.values import UnresolvedValue, can_resolve, is_command, resolve_value
from pi.errors import AuthError, ConfigError
from pi.wire.model import Model

__all__ = ["Credential", "Credentials", "KeyConfig"]

# Anthropic's OAuth access tokens; refused in x-api-key.
_ANTHROPIC_TOKEN = "sk-ant-oat"


class KeyConfig(Protocol):
    """What models.json says about a provider's key."""

    @property
    def api_key(self) -> str | None: ...
    @property
    def auth_header(self) -> bool: ...


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Credential:
    """What to send. api_key: for the API's own header, None when `headers` carry it already.

    headers: resolved, the model's and the provider's among them. base_url: placeholders filled in.
    source: where the key comes from, for messages. env: the stored entry's variables.
    """

    api_key: str | None
    headers: Mapping[str, str]
    base_url: str
    source: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Key:
    value: str
    source: str
    bearer: bool = False


class Credentials:
    """Looks keys up. configs: models.json by provider. keyless: providers that need no key."""

    def __init__(
        self,
        store: AuthStore,
        variables: Mapping[str, str],
        configs: Mapping[str, KeyConfig] | None = None,
        *,
        keyless: Collection[str] = (),
    ) -> None:
        self._store = store
        self._variables = variables
        self._configs = {} if configs is None else configs
        self._keyless = keyless
        self._stored_keys: dict[str, str | None] = {}

    def has_credential(self, provider: str) -> bool:
        """Whether a key should be found. Cheap: no command runs. Never raises.

        A stored entry of no use hides the provider's other keys, as it does for `resolve`; an
        auth.json that cannot be read at all does not, `diagnostics` says so instead.
        """
        if provider in self._keyless:
            return True
        try:
            stored = self._store.get(provider)
        except ConfigError:
            if self._store.readable():
                return False
            stored = None
        variables = self._with_stored(stored)
        source = key_source(provider)
        if any(not variables.get(name) for name in source.needs):
            return False
        if stored is not None:
            if stored.oauth and _usable(provider, stored):
                return True
            if stored.key is not None and can_resolve(stored.key, variables):
                return True
        config = self._configs.get(provider)
        if config is not None and config.api_key is not None:
            return can_resolve(config.api_key, variables)
        if any(variables.get(name) for name in source.variables):
            return True
        return any(all(variables.get(name) for name in names) for names in source.ambient)

    def resolve(self, model: Model, *, api_key: str | None = None) -> Credential | None:
        """The credential for a request, None when there is no key. May run commands.

        api_key: the command line's, taken literally. Raises ConfigError for a value in a file that
        cannot be used, AuthError for a stored sign-in that is all there is and of no use.
        """
        stored = self._stored(model.provider, api_key)
        variables = self._with_stored(stored)
        key = (
            _Key(api_key, "--api-key") if api_key else self._key(model.provider, stored, variables)
        )
        if key is None:
            if model.provider not in self._keyless:
                return None
            key = _Key("", "no key needed")
        headers = {
            name: resolve_value(
                value,
                variables,
                what=f'the header "{name}" of provider "{model.provider}" in models.json',
            )
            for name, value in model.headers.items()
        }
        config = self._configs.get(model.provider)
        source = key_source(model.provider)
        plain: str | None = key.value or None
        if plain is not None and source.header is not None:
            headers, plain = _with(headers, source.header, f"Bearer {plain}"), None
        elif plain is not None and (key.bearer or plain.startswith(_ANTHROPIC_TOKEN)):
            headers, plain = _with(headers, "Authorization", f"Bearer {plain}"), None
        elif plain is not None and config is not None and config.auth_header:
            headers = _with(headers, "Authorization", f"Bearer {plain}")
        return Credential(
            api_key=plain,
            headers=headers,
            base_url=address_of(model, variables),
            source=key.source,
            env={} if stored is None else stored.env,
        )

    def require(self, model: Model, *, api_key: str | None = None) -> Credential:
        """`resolve`, or AuthError saying where a key may come from."""
        credential = self.resolve(model, api_key=api_key)
        if credential is not None:
            return credential
        raise self.missing(model.provider)

    def missing(self, provider: str) -> AuthError:
        """The error for a provider without a key."""
        names = [n for n in key_source(provider).variables if n.endswith(("_KEY", "_TOKEN"))]
        ways = [f"set {names[-1]}"] if names else []
        ways += [f'add "{provider}" to {self._store.path}', "give --api-key"]
        return AuthError(
            f'no API key for provider "{provider}"', hint=f"To fix it: {', or '.join(ways)}."
        )

    def diagnostics(self) -> tuple[str, ...]:
        """What is wrong with auth.json, one line each. Never raises."""
        return self._store.diagnostics()

    def _stored(self, provider: str, api_key: str | None) -> Stored | None:
        try:
            return self._store.get(provider)
        except ConfigError:
            # A key for this run must work even when the file is broken, and so must no key at all.
            if api_key or provider in self._keyless:
                return None
            raise

    def _with_stored(self, stored: Stored | None) -> Mapping[str, str]:
        return self._variables if not stored else {**self._variables, **stored.env}

    def _key(
        self, provider: str, stored: Stored | None, variables: Mapping[str, str]
    ) -> _Key | None:
        if stored is not None and stored.oauth and _usable(provider, stored):
            return _Key(stored.access or "", "auth.json (sign-in)")
        if stored is not None and stored.key is not None:
            value = self._stored_key(provider, stored.key, variables)
            if value is not None:
                return _Key(value, "auth.json")
        config = self._configs.get(provider)
        if config is not None and config.api_key is not None:
            what = f'the apiKey of provider "{provider}" in models.json'
            return _Key(resolve_value(config.api_key, variables, what=what), "models.json")
        source = key_source(provider)
        for name in source.variables:
            if variables.get(name):
                return _Key(variables[name], f"${name}", name in source.bearer)
        if stored is not None and stored.oauth:
            raise _unusable(provider, stored)
        if stored is not None and stored.key is not None:
            # Nothing else is there: say why the stored key gave nothing.
            what = f'the key of "{provider}" in {self._store.path}'
            if is_command(stored.key):
                raise UnresolvedValue(f"{what}: its command failed: {stored.key[1:]}")
            resolve_value(stored.key, variables, what=what)
        return None

    def _stored_key(self, provider: str, key: str, variables: Mapping[str, str]) -> str | None:
        """A stored key's value; commands run once a process, failures included."""
        if provider not in self._stored_keys:
            try:
                value = resolve_value(key, variables, what=f'the key of "{provider}"')
            except UnresolvedValue:
                value = ""
            self._stored_keys[provider] = value or None
        return self._stored_keys[provider]


def _usable(provider: str, stored: Stored) -> bool:
    """Whether a stored sign-in's token can be sent as it is: Anthropic's, until it expires."""
    alive = stored.expires is None or stored.expires > time.time() * 1000
    return provider == "anthropic" and bool(stored.access) and alive


def _unusable(provider: str, stored: Stored) -> AuthError:
    if provider == "anthropic" and stored.access:
        return AuthError(
            'the stored sign-in for "anthropic" has expired and cannot be renewed by this version',
            hint="Set ANTHROPIC_API_KEY, or give --api-key.",
        )
    return AuthError(
        f'the only credential for "{provider}" is a stored sign-in, which this version cannot use',
        hint="Set an API key for it, or give --api-key.",
    )


def _with(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """`headers` plus one, unless the person set that header already, in whatever case."""
    if any(known.lower() == name.lower() for known in headers):
        return dict(headers)
    return {**headers, name: value}
