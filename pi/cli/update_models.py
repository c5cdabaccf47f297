"""`pi update --models`: the latest lists of models for the providers in use."""

import sys
from collections.abc import Mapping

from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.cli.commands import say
from pi.cli.presence import may_have_extensions
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.errors import PiError
from pi.models.catalogue import operation_providers, provider_ids
from pi.models.custom import read_custom
from pi.models.personal import WHOLE, Access
from pi.models.refresh import DEFAULT_URL, Fetched, refresh
from pi.runtime.network import Sender, http_options, surroundings

__all__ = ["update_models"]


def update_models(environment: Environment) -> int:
    """Raises PiError when a list could not be had."""
    if environment.offline:
        return say("Offline: no list of models was fetched.")
    paths = find_paths(environment)
    settings = read_settings(paths).resolve(trusted=False)
    custom = read_custom(paths.models, provider_ids())
    for line in custom.diagnostics:
        sys.stderr.write(f"Warning: {line}\n")
    credentials = Credentials(
        AuthStore(paths.auth),
        environment.variables,
        custom.providers,
        around=surroundings(environment, settings),
    )
    own, own_problems = _lists_of_extensions(environment)
    known = dict.fromkeys((*provider_ids(), *operation_providers()))
    providers = [name for name in known if credentials.has_credential(name)]
    if not providers and not own and not own_problems:
        return say("No provider has a credential: there is no list to fetch.")
    sender = Sender(http_options(environment, settings))

    def fetch(url: str, headers: Mapping[str, str]) -> Fetched:
        reply, fields = sender.fetch("GET", url, headers)
        return Fetched(reply.status, reply.body, fields)

    url = environment.models_url or DEFAULT_URL
    access = {}
    for name in WHOLE & set(providers):
        config = custom.providers.get(name)
        try:
            key = credentials.key_of(name)
        except PiError as error:
            sys.stderr.write(f"Warning: {name}: {error}\n")
            key = None
        if key is None:
            providers.remove(name)
        else:
            access[name] = Access(key.value, None if config is None else config.base_url)
    problems = own_problems + refresh(paths.models_store, providers, fetch, url=url, access=access)
    if problems:
        raise PiError(f"could not refresh every list of models: {'; '.join(problems)}")
    return say(f"Lists of models refreshed: {', '.join([*providers, *own])}")


def _lists_of_extensions(environment: Environment) -> tuple[list[str], list[str]]:
    """The providers of extensions that were asked, and what went wrong."""
    if not may_have_extensions(environment):
        return [], []
    from pi.cli.extending import refresh_models  # noqa: PLC0415  (for those who have any)

    return refresh_models(environment)
