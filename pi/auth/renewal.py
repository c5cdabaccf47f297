"""Fresh tokens for a stored sign-in, fetched once however many processes want them.

A refresh token often works only once, and using it twice may end the sign-in. So the whole renewal
happens under the lock of auth.json: the entry is read again once the lock is held, and what another
process has fetched by then is used. The old tokens stay until new ones are there.
"""

import logging
from collections.abc import Mapping
from typing import Any

from pi.auth.oauth import flow_of
from pi.auth.oauth.base import Entry, SignInRefused, Surroundings
from pi.auth.store import AuthStore
from pi.errors import AuthError, ConfigError, NetworkError

__all__ = ["EARLY", "fresh_entry", "needs_renewal"]

log = logging.getLogger(__name__)

EARLY = 30.0
"""Seconds before a token's end at which it is renewed, so that it does not end under way."""


def needs_renewal(entry: Entry, now: float, left: float = EARLY) -> bool:
    """Whether the token has less than `left` seconds. now: Unix ms. One without an end never."""
    expires = entry.get("expires")
    return not entry.get("access") or (expires is not None and expires - left * 1000 <= now)


def fresh_entry(
    store: AuthStore, provider: str, around: Surroundings, *, left: float = EARLY
) -> Entry:
    """The provider's sign-in, its token good for `left` seconds at least if that can be had.

    Blocks for as long as another process holds the lock. Raises AuthError saying what to do, or
    NetworkError; a token that is about to end but has not yet ended is used rather than either.
    """
    name = f'the stored sign-in for "{provider}"'
    flow = flow_of(provider)
    if flow is None:
        raise AuthError(f"{name} cannot be used: pi does not know how to renew it")
    again = f"Sign in again: pi auth login {provider}"
    obtained: Entry | None = None
    used: Any = None

    def renew(old: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        nonlocal obtained, used
        if old is None or old.get("type") != "oauth":
            raise AuthError(f"{name} was removed meanwhile", hint=again)
        if not needs_renewal(old, around.now(), left):
            return old
        used = old.get("refresh")
        if not isinstance(used, str) or not used:
            raise SignInRefused(f"{name} has expired and cannot be renewed", hint=again)
        obtained = flow.renew(old, around)
        return obtained

    try:
        store.change(provider, renew)
    except SignInRefused as error:
        if alive := _still_good(store, provider, around):
            return alive
        raise AuthError(f"{name} is no longer accepted: {error}", hint=again) from error
    except (AuthError, NetworkError) as error:
        if alive := _still_good(store, provider, around):
            return alive
        error.hint = error.hint or f"Try again; if it stays so: pi auth login {provider}"
        raise
    except ConfigError as error:
        if obtained is None:
            raise
        # The old refresh token may be void now, so the new one must not be lost.
        _keep(store, provider, obtained, used, error)
        return obtained
    return store.entry(provider)


def _still_good(store: AuthStore, provider: str, around: Surroundings) -> Entry | None:
    store.reread()
    try:
        entry = store.entry(provider)
    except (AuthError, ConfigError):
        return None
    return None if needs_renewal(entry, around.now(), 0) else entry


def _keep(
    store: AuthStore, provider: str, obtained: Entry, used: str, problem: ConfigError
) -> None:
    """Store new tokens after all, unless someone else replaced the sign-in; or for this process."""

    def over(old: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return obtained if old is not None and old.get("refresh") == used else old

    try:
        store.change(provider, over)
    except ConfigError:
        log.warning("%s; the renewed sign-in for %s lasts for this run only", problem, provider)
        store.remember(provider, obtained)
