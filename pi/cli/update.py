"""`pi update`: packages, and the latest lists of models for the providers in use."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from pi.auth.credentials import Credentials
from pi.auth.store import AuthStore
from pi.cli.commands import invoke, say
from pi.cli.packages import approval, spelled_out, update_installed
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.errors import PiError, UsageError
from pi.models.catalogue import provider_ids
from pi.models.custom import read_custom
from pi.models.personal import WHOLE, Access
from pi.models.refresh import DEFAULT_URL, Fetched, refresh
from pi.modes.stderr import tell
from pi.runtime.network import Sender, http_options, surroundings

__all__ = ["run_update"]

_ITSELF = ("self", "pi")
"""Sources that mean pi itself."""


def run_update(arguments: Sequence[str], environment: Environment) -> int:
    """`pi update ARGUMENTS`. Raises PiError."""
    return invoke(update, "pi update", spelled_out(arguments), environment)


@click.command(add_help_option=False)
@click.option("--extensions", is_flag=True, help="Update all installed packages")
@click.option(
    "--extension", metavar="SOURCE", help="Update one package; the same as naming it alone"
)
@click.option("--models", is_flag=True, help="Fetch the latest facts about models")
@click.option("--all", "everything", is_flag=True, help="As --extensions: pi itself is pip's")
@click.option("--self", "itself", is_flag=True, hidden=True)
@click.option("--force", is_flag=True, hidden=True)
@click.option("--offline", is_flag=True, help="Fetch nothing (as PI_OFFLINE=1)")
@approval
@click.argument("source", required=False)
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def update(
    environment: Environment,
    source: str | None,
    *,
    extensions: bool,
    extension: str | None,
    models: bool,
    everything: bool,
    itself: bool,
    force: bool,
    offline: bool,
    approve: bool | None,
) -> int:
    """Update packages, or one of them, or the facts about models.

    Facts about models are those of every provider you have credentials for. They come from pi.dev,
    or from where PI_MODELS_URL points, and go into models-store.json of the agent folder. What
    cannot be fetched stays as it is. A project's packages are updated if it is trusted.
    """
    targets = (
        ("--models", models),
        ("--all", everything),
        ("--extension", extension is not None),
        ("a source", source is not None and source not in _ITSELF),
        ("--extensions", extensions),
    )
    given = [name for name, wanted in targets if wanted]
    if len(given) > 1:
        raise UsageError(f"{given[0]} cannot be combined with {given[1]}")
    if offline:
        environment = replace(environment, offline=True)
    if models:
        return _update_models(environment)
    if not given:
        raise UsageError(
            "pi does not update itself: update it with what you installed it with, such as pip",
            hint="Packages are updated by pi update --extensions, models by pi update --models.",
        )
    code = update_installed(environment, extension or source, approve=approve)
    if everything or itself:
        tell("pi itself is updated with what you installed it with, such as pip.")
    return code


def _update_models(environment: Environment) -> int:
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
    providers = [name for name in provider_ids() if credentials.has_credential(name)]
    if not providers:
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
    problems = refresh(paths.models_store, providers, fetch, url=url, access=access)
    if problems:
        raise PiError(f"could not refresh every list of models: {'; '.join(problems)}")
    return say(f"Lists of models refreshed: {', '.join(providers)}")
