"""`pi update`: pi itself, packages, and the latest lists of models for the providers in use."""

from collections.abc import Sequence
from dataclasses import replace

import click

from pi.cli.commands import invoke, say
from pi.cli.packages import approval, check_installed, spelled_out, update_installed
from pi.config.environment import Environment
from pi.errors import UsageError

__all__ = ["run_update"]

_ITSELF = ("self", "pi")
"""Sources that mean pi itself."""


def run_update(arguments: Sequence[str], environment: Environment) -> int:
    """`pi update ARGUMENTS`. Raises PiError."""
    return invoke(update, "pi update", spelled_out(arguments), environment)


@click.command(add_help_option=False)
@click.option("--self", "itself", is_flag=True, help="Update pi alone, as without a target")
@click.option("--extensions", is_flag=True, help="Update all installed packages")
@click.option(
    "--extension",
    metavar="SOURCE",
    multiple=True,
    help="Update one package; the same as naming it alone",
)
@click.option("--models", is_flag=True, help="Fetch the latest facts about models")
@click.option("--all", "everything", is_flag=True, help="Update packages, then pi")
@click.option("--check", is_flag=True, help="Tell what could be updated, and update nothing")
@click.option("--force", is_flag=True, help="Install pi again, even if it is the latest version")
@click.option("--offline", is_flag=True, help="Fetch nothing (as PI_OFFLINE=1)")
@approval
@click.argument("source", required=False, metavar="[SOURCE|self|pi]")
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def update(
    environment: Environment,
    source: str | None,
    *,
    itself: bool,
    extensions: bool,
    extension: tuple[str, ...],
    models: bool,
    everything: bool,
    check: bool,
    force: bool,
    offline: bool,
    approve: bool | None,
) -> int:
    """Update pi itself, packages, or the facts about models.

    pi is updated by what installed it: pip, pipx or uv, or by the command in PI_SELF_UPDATE_COMMAND
    or the setting selfUpdateCommand. A project's packages are updated if it is trusted.

    Facts about models are those of every provider you have credentials for. They come from pi.dev,
    or from where PI_MODELS_URL points, and go into models-store.json of the agent folder. What
    cannot be fetched stays as it is.
    """
    if source in _ITSELF:
        source, itself = None, True
    targets = (
        ("--models", models),
        ("--check", check),
        ("--all", everything),
        ("--extension", bool(extension)),
        ("a source", source is not None),
        ("--extensions or --self", extensions or itself),
    )
    given = [name for name, wanted in targets if wanted]
    if len(given) > 1:
        raise UsageError(f"{given[0]} cannot be combined with {given[1]}")
    if len(extension) > 1:
        raise UsageError("--extension can be given once only")
    if offline:
        environment = replace(environment, offline=True)
    if models:
        from pi.cli.update_models import update_models  # noqa: PLC0415  (the providers come with it)

        return update_models(environment)
    if check:
        return check_installed(environment, approve=approve)
    if not given:
        say("Packages are not updated: pi update --extensions does that.")
    code = 0
    if everything or extensions or extension or source is not None:
        named = extension[0] if extension else source
        code = update_installed(environment, named, approve=approve)
    if everything or itself or not given:
        from pi.cli.self_update import update_itself  # noqa: PLC0415  (for this target only)

        update_itself(environment, force=force)
    return code
