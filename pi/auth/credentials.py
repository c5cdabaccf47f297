"""From a model to what its requests carry: key, headers, address.

Precedence: `--api-key`, auth.json, `apiKey` of models.json, environment. A stored key that cannot
be resolved counts as absent; an `apiKey` that cannot is an error, nothing further is tried. A
stored sign-in that cannot be renewed is an error too: another key might be billed differently.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pi.auth.addresses import address_of, deployment_of
from pi.auth.ambient import Ambient, Platform, has_ambient
from pi.auth.oauth import added_flow, has_flow
from pi.auth.oauth.base import Entry, Surroundings, now_ms
from pi.auth.providers import key_source
from pi.auth.renewal import EARLY, fresh_entry, needs_renewal
from pi.auth.store import AuthStore, Stored
from pi.config.values import UnresolvedValue, can_resolve, is_command, resolve_value
from pi.errors import AuthError, ConfigError
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.auth.aws import AwsKeys

__all__ = ["Credential", "Credentials", "KeyConfig", "ProviderKey"]

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
    sign: what signs each request, where the platform's credentials do.
    source: where the key comes from, for messages. env: the stored entry's variables.
    deployment: the service's own name for the model, where it is not the model's id.
    """

    api_key: str | None
    headers: Mapping[str, str]
    base_url: str
    source: str
    sign: "AwsKeys | None" = None
    env: Mapping[str, str] = field(default_factory=dict)
    deployment: str | None = None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ProviderKey:
    """A key or a sign-in's token. bearer: sent as `Authorization: Bearer` whatever the API's own.

    oauth: a sign-in's.
    """

    value: str
    source: str
    bearer: bool = False
    oauth: bool = False


class Credentials:
    """Looks keys up.

    configs: models.json by provider. keyless: providers that need no key. around: what renewing a
    sign-in takes; without it, an expired one cannot be used.
    """

    def __init__(
        self,
        store: AuthStore,
        variables: Mapping[str, str],
        configs: Mapping[str, KeyConfig] | None = None,
        *,
        keyless: Collection[str] = (),
        around: Surroundings | None = None,
    ) -> None:
        self.store = store
        self._variables = variables
        self._configs = {} if configs is None else configs
        self._keyless = keyless
        self._around = around
        self._stored_keys: dict[str, str | None] = {}
        self._platform = Platform(around)

    def has_credential(self, provider: str) -> bool:
        """Whether a key should be found. Cheap: no command runs. Never raises.

        A stored entry of no use hides the provider's other keys, as it does for `resolve`; an
        auth.json that cannot be read at all does not, `diagnostics` says so instead.
        """
        if provider in self._keyless:
            return True
        try:
            stored = self.store.get(provider)
        except ConfigError:
            if self.store.readable():
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
        if any(_key_in(variables, name) for name in source.variables):
            return True
        return has_ambient(provider, variables, chosen=_is_entry(stored))

    def offered(self, provider: str) -> Collection[str] | None:
        """The models the stored sign-in's plan has, None where it does not say. Never raises."""
        try:
            stored = self.store.get(provider)
        except ConfigError:
            return None
        listed = stored.entry.get("availableModelIds") if stored is not None else None
        return frozenset(listed) if isinstance(listed, list) else None

    def resolve(self, model: Model, *, api_key: str | None = None) -> Credential | None:
        """The credential for a request, None when there is no key.

        May run commands, and renew a sign-in over the network: not for the event loop's thread.
        api_key: the command line's, taken literally. Raises ConfigError for a value in a file that
        cannot be used, AuthError or NetworkError for a sign-in that cannot be renewed.
        """
        stored = self._stored(model.provider, api_key)
        variables = self._with_stored(stored)
        key = (
            ProviderKey(api_key.strip(), "--api-key")
            if api_key and api_key.strip()
            else self._key(model.provider, stored, variables)
        )
        env = {} if stored is None else stored.env
        found = Ambient("")
        if key is None:
            if model.provider in self._keyless:
                key = ProviderKey("", "no key needed")
            elif has_ambient(model.provider, variables, chosen=_is_entry(stored)):
                found = self._platform.find(model, variables, env)
                key = ProviderKey(found.token, found.source, bearer=True)
            else:
                return None
        headers = {
            name: resolve_value(
                value,
                variables,
                what=f'the header "{name}" of provider "{model.provider}" in models.json',
            )
            for name, value in model.headers.items()
        }
        for name, value in found.headers.items():
            headers = _with(headers, name, value)
        config = self._configs.get(model.provider)
        source = key_source(model.provider)
        plain: str | None = key.value or None
        if plain is not None and source.header is not None:
            headers, plain = _with(headers, source.header, f"Bearer {plain}"), None
        elif plain is not None and (
            key.bearer
            or plain.startswith(_ANTHROPIC_TOKEN)
            # Anthropic's own header is for keys of its console.
            or (
                key.oauth
                and model.api == "anthropic-messages"
                and added_flow(model.provider) is None
            )
        ):
            headers, plain = _with(headers, "Authorization", f"Bearer {plain}"), None
        elif plain is not None and config is not None and config.auth_header:
            headers = _with(headers, "Authorization", f"Bearer {plain}")
        return Credential(
            api_key=plain,
            headers=headers,
            base_url=address_of(
                model,
                variables,
                token=key.value,
                enterprise=None if stored is None else stored.entry.get("enterpriseUrl"),
            ),
            source=key.source,
            sign=found.sign,
            deployment=deployment_of(model, variables),
            env=env,
        )

    def key_of(
        self, provider: str, *, left: float = EARLY, wish: float = EARLY
    ) -> ProviderKey | None:
        """The provider's key or token alone.

        left: seconds a token must be good for. wish: seconds below which it is renewed, taking what
        that gives. Runs commands and renews sign-ins; raises what `resolve` raises.
        """
        stored = self._stored(provider, None)
        variables = self._with_stored(stored)
        if any(not variables.get(name) for name in key_source(provider).needs):
            return None
        return self._key(provider, stored, variables, left, wish)

    def is_signed_in(self, provider: str) -> bool:
        """Whether requests go on an account's plan, whose prices tell what they would cost."""
        try:
            stored = self.store.get(provider)
        except ConfigError:
            return False
        added = added_flow(provider)
        return stored is not None and stored.oauth and (added is None or added.subscription)

    def stored_token(self, provider: str) -> str | None:
        """A stored sign-in's token as it is, expired or not; None without a usable sign-in."""
        stored = self._stored(provider, None)
        if stored is None or not stored.oauth or not has_flow(provider):
            return None
        return stored.access

    def bearer_of(self, provider: str) -> str | None:
        """What a server other than the provider's own is sent: the token or key that is in use.

        Where there is a sign-in it is that one's token, renewed if it is about to end, or nothing:
        no other key goes in its place. Blocks. Raises what `resolve` raises.
        """
        stored = self._stored(provider, None)
        key = self.key_of(provider)
        if key is None or (stored is not None and stored.oauth and not key.oauth):
            return None
        return key.value

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
        ways += [f"run pi auth login {provider} (kept in {self.store.path})", "give --api-key"]
        return AuthError(
            f'no API key for provider "{provider}"', hint=f"To fix it: {', or '.join(ways)}."
        )

    def diagnostics(self) -> tuple[str, ...]:
        """What is wrong with auth.json, one line each. Never raises."""
        return self.store.diagnostics()

    def _stored(self, provider: str, api_key: str | None) -> Stored | None:
        try:
            return self.store.get(provider)
        except ConfigError:
            # A key for this run must work even when the file is broken, and so must no key at all.
            if api_key or provider in self._keyless:
                return None
            raise

    def _with_stored(self, stored: Stored | None) -> Mapping[str, str]:
        return self._variables if not stored else {**self._variables, **stored.env}

    def _key(
        self,
        provider: str,
        stored: Stored | None,
        variables: Mapping[str, str],
        left: float = EARLY,
        wish: float = EARLY,
    ) -> ProviderKey | None:
        if stored is not None and stored.oauth and _usable(provider, stored):
            token = _key_of(provider, self._token(provider, stored, left, wish))
            return ProviderKey(token, "auth.json (sign-in)", oauth=True)
        if stored is not None and stored.key is not None:
            value = self._stored_key(provider, stored.key, variables)
            if value is not None:
                return ProviderKey(value, "auth.json")
        config = self._configs.get(provider)
        if config is not None and config.api_key is not None:
            what = f'the apiKey of provider "{provider}" in models.json'
            value = resolve_value(config.api_key, variables, what=what)
            return ProviderKey(value, "models.json") if value else None
        source = key_source(provider)
        for name in source.variables:
            if value := _key_in(variables, name):
                return ProviderKey(value, f"${name}", name in source.bearer)
        if stored is not None and stored.oauth:
            raise _unusable(provider)
        if stored is not None and stored.key is not None:
            # Nothing else is there: say why the stored key gave nothing.
            what = f'the key of "{provider}" in {self.store.path}'
            if is_command(stored.key):
                raise UnresolvedValue(f"{what}: its command failed: {stored.key[1:]}")
            resolve_value(stored.key, variables, what=what)
        return None

    def _token(self, provider: str, stored: Stored, left: float, wish: float) -> Entry:
        """A sign-in that can be used; left and wish as for `key_of`."""
        wish = max(left, wish)
        now = now_ms() if self._around is None else self._around.now()
        if not needs_renewal(stored.entry, now, wish):
            return stored.entry
        if self._around is None:
            raise AuthError(
                f'the stored sign-in for "{provider}" has expired',
                hint=f"Sign in again: pi auth login {provider}",
            )
        entry = fresh_entry(self.store, provider, self._around, left=wish)
        if needs_renewal(entry, self._around.now(), left if left > EARLY else 0):
            raise AuthError(f'"{provider}" gives no token that is good for {left:g} seconds')
        return entry

    def _stored_key(self, provider: str, key: str, variables: Mapping[str, str]) -> str | None:
        """A stored key's value; commands run once a process, failures included."""
        if provider not in self._stored_keys:
            try:
                value = resolve_value(key, variables, what=f'the key of "{provider}"')
            except UnresolvedValue:
                value = ""
            self._stored_keys[provider] = value or None
        return self._stored_keys[provider]


def _key_in(variables: Mapping[str, str], name: str) -> str:
    """A variable's key, without the blanks and line ends that come along from files."""
    return variables.get(name, "").strip()


def _key_of(provider: str, entry: Entry) -> str:
    """What requests send of a sign-in."""
    added = added_flow(provider)
    return str(entry["access"]) if added is None else added.api_key(entry)


def _is_entry(stored: Stored | None) -> bool:
    """Whether the person stored something other than a sign-in."""
    return stored is not None and not stored.oauth


def _usable(provider: str, stored: Stored) -> bool:
    """Whether a stored sign-in can be used, after a renewal if need be."""
    if not stored.access or not has_flow(provider):
        return False
    return bool(stored.entry.get("refresh")) or not needs_renewal(stored.entry, now_ms(), 0)


def _unusable(provider: str) -> AuthError:
    return AuthError(
        f'the only credential for "{provider}" is a stored sign-in, expired or of no use to pi',
        hint=f"Sign in again (pi auth login {provider}), or set an API key for it.",
    )


def _with(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """`headers` plus one, unless the person set that header already, in whatever case."""
    if any(known.lower() == name.lower() for known in headers):
        return dict(headers)
    return {**headers, name: value}
