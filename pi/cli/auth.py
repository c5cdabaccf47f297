"""`pi auth`: sign in and out, and give what is stored to people and other programs.

Stdout carries statuses and credentials, stderr everything said to a person.
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from pi.auth.credentials import Credentials, ProviderKey
from pi.auth.keys import ask_for_key, takes_keys
from pi.auth.oauth import OAUTH_PROVIDERS, flow_of, has_flow
from pi.auth.oauth.base import Method
from pi.auth.providers import KEY_SOURCES
from pi.auth.renewal import EARLY
from pi.auth.store import AuthStore
from pi.cli.commands import invoke, say
from pi.cli.presence import may_have_extensions
from pi.config.device import device_id
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.errors import AuthError, ConfigError, ModelError, PiError, UsageError
from pi.models.fetched import FetchedModels
from pi.models.registry import ModelRegistry
from pi.models.resolution import resolve_model
from pi.modes.stderr import tell
from pi.providers.registry import APIS
from pi.runtime.network import surroundings

__all__ = ["run_auth"]

NOT_READY = 1
INVALID = 2

_USUAL_EXPIRY = 1800.0
"""Seconds a printed token should be good for without --min-expiry, if that can be had."""

_DURATION = re.compile(r"(\d+)(ms|s|m|h)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class _Here:
    environment: Environment
    paths: Paths
    settings: Settings
    registry: ModelRegistry
    credentials: Credentials

    @property
    def store(self) -> AuthStore:
        return self.credentials.store


def run_auth(arguments: Sequence[str], environment: Environment) -> int:
    """`pi auth ARGUMENTS`. Raises PiError."""
    return invoke(auth, "pi auth", arguments, _here(environment) if arguments else None)


def _here(environment: Environment) -> _Here:
    paths = find_paths(environment)
    # No project setting has a say in credentials, trusted or not.
    settings = read_settings(paths).resolve(trusted=False)
    registry = ModelRegistry(
        paths.models, supported_apis=APIS, fetched=FetchedModels(paths.models_store)
    )
    credentials = Credentials(
        AuthStore(paths.auth),
        environment.variables,
        registry.configs,
        around=surroundings(environment, settings),
    )
    if may_have_extensions(environment):
        # Extensions may bring providers, and ways to sign in to them.
        from pi.cli.extending import with_extensions  # noqa: PLC0415  (for those who have any)

        registry, credentials = with_extensions(environment, registry, credentials)
    return _Here(environment, paths, settings, registry, credentials)


@click.group(add_help_option=False)
@click.help_option("-h", "--help", help="Show this help")
def auth() -> None:
    """Sign in to model providers and out, and check or print their credentials.

    Credentials are kept in auth.json of the agent folder, readable by you only.
    """


_provider = click.option("--provider", metavar="<provider>", help="Whose credentials")
_model = click.option("--model", metavar="<model>", help="Those of this model's provider")


@auth.command(add_help_option=False)
@click.argument("provider", metavar="<provider>")
@click.option("--api-key", "key", is_flag=True, help="Store an API key; it is read without echo")
@click.option(
    "--no-browser",
    is_flag=True,
    help="Open no browser; use the way for another machine's browser, where there is one",
)
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def login(here: _Here, provider: str, *, key: bool, no_browser: bool) -> int:
    """Sign in with an account, or store an API key. Needs a terminal."""
    from pi.cli.person import Terminal  # noqa: PLC0415  (the only command that talks)

    if key and no_browser:
        raise UsageError("--no-browser is about signing in with an account: leave out --api-key")
    _check_known(here, provider)
    flow = None if key else flow_of(provider)
    if flow is None and not takes_keys(provider):
        raise AuthError(
            f'"{provider}" takes no API key', hint=f"Sign in with: pi auth login {provider}"
        )
    if not (os.isatty(0) and os.isatty(2)):
        raise AuthError(
            "signing in needs a terminal",
            hint=f"Run pi auth login {provider} in one, or set an API key in the environment.",
        )
    here.store.providers()  # a file that cannot be read is told before anybody signs in
    person = Terminal(browser=not no_browser)
    if flow is None:
        entry = ask_for_key(provider, person)
    else:
        method: Method = "headless" if no_browser and "headless" in flow.methods else "browser"
        if method == "browser" and "headless" in flow.methods:
            person.say(f"Without a browser on this machine: pi auth login {provider} --no-browser")
        device = device_id(here.paths) if provider == "openai" else ""
        around = surroundings(here.environment, here.settings, device_id=device)
        entry = flow.sign_in(person, around, method)
    here.store.put(provider, entry)
    if flow is not None and not here.environment.offline and may_have_extensions(here.environment):
        from pi.cli.extending import refresh_models  # noqa: PLC0415  (for those who have any)

        for problem in refresh_models(here.environment, [provider])[1]:
            person.say(f"Its list of models could not be had ({problem}); pi asks again.")
    what = "Stored the API key of" if flow is None else "Signed in to"
    say(f"{what} {provider}. It is kept in {here.paths.auth}")
    if provider == "radius":
        _use_mcp_server(here)
    return 0


def _use_mcp_server(here: _Here) -> None:
    """An account at Radius has an MCP server. That a sign-in worked holds without it."""
    from pi.mcp.config import user_file  # noqa: PLC0415  (for this provider only)
    from pi.mcp.radius import take_radius  # noqa: PLC0415

    path = user_file(here.paths)
    try:
        taken = take_radius(path)
    except (ConfigError, OSError) as error:
        tell(f"Warning: its MCP server could not be added: {error}")
        return
    if taken is not None:
        done = "uses that sign-in now" if taken.changed else "was added"
        say(f'Its MCP server "{taken.name}" {done}, in {path}')


@auth.command(add_help_option=False)
@click.argument("provider", metavar="<provider>")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def logout(here: _Here, provider: str) -> int:
    """Forget stored credentials. Variables and models.json stay as they are."""
    stored = here.store.providers()
    if provider not in stored:
        _check_known(here, provider)
        return say(f"Nothing is stored for {provider}.")
    here.store.remove(provider)
    return say(f"Signed out of {provider}: what was stored for it is gone.")


@auth.command(add_help_option=False)
@_provider
@_model
@click.option("--json", "as_json", is_flag=True, help="Print an object")
@click.option("--credentials", "show", is_flag=True, help="Print the credential when there is one")
@click.option("--no-refresh", is_flag=True, help="Take a sign-in as it is, expired or not")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def check(
    here: _Here,
    provider: str | None,
    model: str | None,
    *,
    as_json: bool,
    show: bool,
    no_refresh: bool,
) -> int:
    """Print ready, not_ready or invalid; exit with 0, 1 or 2."""
    _check_named(provider, model)
    name = provider or model or ""
    record: dict[str, str] = {}
    try:
        name = _provider_of(here, provider, model)
        key, record = _checked(here, name, no_refresh=no_refresh)
    except PiError as error:
        key, record = None, {"status": "invalid", "reason": "invalid_state"}
        sys.stderr.write(f"{error}\n")
        if error.hint:
            sys.stderr.write(f"{error.hint}\n")
    if record["status"] == "ready" and show:
        if key is None:
            record = {"status": "not_ready", "reason": "credential_not_available"}
        else:
            record["credentials"] = key
    status = record.pop("status")
    if as_json:
        record = {"status": status, "provider": name, **record}
        say(json.dumps(record, separators=(",", ":"), ensure_ascii=False))
    else:
        say(record.get("credentials", status))
    return {"ready": 0, "not_ready": NOT_READY, "invalid": INVALID}[status]


@auth.command("print-api-key", add_help_option=False)
@_provider
@_model
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def print_api_key(here: _Here, provider: str | None, model: str | None) -> int:
    """Print the API key itself, variables and commands resolved."""
    name = _known_provider(here, provider, model)
    if here.credentials.stored_token(name) is not None:
        raise AuthError(
            f'"{name}" is used with a sign-in, not with an API key',
            hint=f"Print its token with: pi auth print-bearer-token --provider {name}",
        )
    key = here.credentials.key_of(name)
    if key is None:
        raise here.credentials.missing(name)
    return say(key.value)


@auth.command("print-bearer-token", add_help_option=False)
@_provider
@_model
@click.option(
    "--min-expiry", metavar="<duration>", help="How long it must be good for, such as 30m or 1h"
)
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def print_bearer_token(
    here: _Here, provider: str | None, model: str | None, min_expiry: str | None
) -> int:
    """Print a sign-in's token, renewed if it has under 30 minutes or --min-expiry left."""
    left = EARLY if min_expiry is None else max(EARLY, _duration(min_expiry))
    wish = _USUAL_EXPIRY if min_expiry is None else left
    name = _known_provider(here, provider, model)
    if here.credentials.stored_token(name) is None:
        raise AuthError(
            f'there is no sign-in for "{name}", so no bearer token',
            hint=f"Sign in with: pi auth login {name}" if has_flow(name) else None,
        )
    key = here.credentials.key_of(name, left=left, wish=wish)
    if key is None:
        raise here.credentials.missing(name)
    return say(key.value)


def _checked(here: _Here, name: str, *, no_refresh: bool) -> tuple[str | None, dict[str, str]]:
    """The credential, where there is one to print, and the result without the provider's name."""
    if name not in _known(here):
        return None, {"status": "not_ready", "reason": "provider_not_found"}
    here.store.get(name)  # has_credential tells a broken entry from none, but not a broken file
    absent = {"status": "not_ready", "reason": "credentials_not_configured"}
    if not here.credentials.has_credential(name):
        return None, absent
    token = here.credentials.stored_token(name)
    if token is not None and no_refresh:
        return token, {"status": "ready", "authType": "oauth"}
    key: ProviderKey | None
    try:
        key = here.credentials.key_of(name)
    except PiError:
        if token is not None:
            raise
        return None, absent  # a variable or command that gives nothing
    kind = "oauth" if key is not None and key.oauth else "api_key"
    return None if key is None else key.value, {"status": "ready", "authType": kind}


def _known_provider(here: _Here, provider: str | None, model: str | None) -> str:
    _check_named(provider, model)
    name = _provider_of(here, provider, model)
    _check_known(here, name)
    return name


def _provider_of(here: _Here, provider: str | None, model: str | None) -> str:
    """--provider, or the one a model pattern leads to, as for a run. Raises ModelError."""
    if provider is not None:
        return provider
    assert model is not None, "checked before"
    return resolve_model(here.registry, here.credentials, model).model.provider


def _check_named(provider: str | None, model: str | None) -> None:
    if not provider and not model:
        raise UsageError("say whose credentials: --provider <provider> or --model <model>")


def _check_known(here: _Here, provider: str) -> None:
    known = _known(here)
    if provider not in known:
        raise ModelError(f'no such provider: "{provider}"', hint=f"There are {', '.join(known)}.")


def _known(here: _Here) -> list[str]:
    named = {*here.registry.providers(), *here.registry.configs, *KEY_SOURCES, *OAUTH_PROVIDERS}
    return sorted(named)


def _duration(text: str) -> float:
    """Seconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--min-expiry takes a whole number with ms, s, m or h, such as 30m: {text!r}"
        )
    return int(match[1]) * _SECONDS[match[2].lower()]
