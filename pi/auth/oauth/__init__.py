"""Signing in with an account: one module a provider, on shared flows.

`flow_of` is the way in. A flow knows two things: `sign_in`, with a person at hand, and `renew`,
without one; both give the entry that auth.json keeps. Everything here blocks: callers on an event
loop use a thread. The network comes in as a function (`base.Send`), since the HTTP client lives
above this package; proxies and trusted certificates are settled there.
"""

from importlib import import_module
from typing import cast

from pi.auth.oauth.base import AddedFlow, Flow

__all__ = ["OAUTH_PROVIDERS", "add_flow", "added_flow", "flow_of", "has_flow", "remove_flow"]

OAUTH_PROVIDERS = {
    "anthropic": "anthropic",
    "github-copilot": "copilot",
    "kimi-coding": "kimi",
    "meta": "meta",
    "openai": "chatgpt",
    "openai-codex": "codex",
    "openrouter": "openrouter",
    "radius": "radius",
    "xai": "xai",
}
"""Provider to the module of this package that signs in to it."""


_added: dict[str, AddedFlow] = {}


def add_flow(provider: str, flow: AddedFlow) -> None:
    """Sign in to a provider this way, in this process."""
    _added[provider] = flow


def remove_flow(provider: str) -> None:
    _added.pop(provider, None)


def added_flow(provider: str) -> AddedFlow | None:
    return _added.get(provider)


def has_flow(provider: str) -> bool:
    return provider in OAUTH_PROVIDERS or provider in _added


def flow_of(provider: str) -> Flow | None:
    """How to sign in to the provider; None where there are only keys."""
    if provider in _added:
        return _added[provider]
    name = OAUTH_PROVIDERS.get(provider)
    if name is None:
        return None
    # One provider's flow a process, and most processes need none.
    return cast(Flow, import_module(f"pi.auth.oauth.{name}").FLOW)
