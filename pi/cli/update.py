"""`pi update --models`: the latest lists of models for the providers in use."""

import sys
from collections.abc import Mapping, Sequence

import click

from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.cli.commands import invoke, say
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.errors import PiError, UsageError
from pi.models.catalogue import provider_ids
from pi.models.custom import read_custom
from pi.models.refresh import DEFAULT_URL, Fetched, refresh
from pi.runtime.network import Sender, http_options

__all__ = ["run_update"]


def run_update(arguments: Sequence[str], environment: Environment) -> int:
    """`pi update ARGUMENTS`. Raises PiError."""
    return invoke(update, "pi update", arguments, environment)


@click.command(add_help_option=False)
@click.option("--models", is_flag=True, help="Fetch the latest facts about models")
@click.option("--offline", is_flag=True, help="Fetch nothing (as PI_OFFLINE=1)")
@click.argument("source", required=False)
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def update(environment: Environment, source: str | None, *, models: bool, offline: bool) -> int:
    """Fetch the latest facts about the models of every provider you have credentials for.

    They come from pi.dev, or from where PI_MODELS_URL points, and go into models-store.json of the
    agent folder. What cannot be fetched stays as it is.
    """
    if source is not None or not models:
        raise UsageError(
            "this version of pi updates lists of models only: pi update --models",
            hint="Update pi itself with what you installed it with, such as pip.",
        )
    if environment.offline or offline:
        return say("Offline: no list of models was fetched.")
    paths = find_paths(environment)
    settings = read_settings(paths).resolve(trusted=False)
    custom = read_custom(paths.models, provider_ids())
    for line in custom.diagnostics:
        sys.stderr.write(f"Warning: {line}\n")
    credentials = Credentials(AuthStore(paths.auth), environment.variables, custom.providers)
    providers = [name for name in provider_ids() if credentials.has_credential(name)]
    if not providers:
        return say("No provider has a credential: there is no list to fetch.")
    sender = Sender(http_options(environment, settings))

    def fetch(url: str, headers: Mapping[str, str]) -> Fetched:
        reply, fields = sender.fetch("GET", url, headers)
        return Fetched(reply.status, reply.body, fields)

    url = environment.models_url or DEFAULT_URL
    problems = refresh(paths.models_store, providers, fetch, url=url)
    if problems:
        raise PiError(f"could not refresh every list of models: {'; '.join(problems)}")
    return say(f"Lists of models refreshed: {', '.join(providers)}")
