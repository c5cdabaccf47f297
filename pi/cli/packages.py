"""`pi install`, `remove`, `list` and the packages' part of `update`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pi.cli.commands import invoke, say
from pi.config.environment import Environment
from pi.config.paths import Paths, find_paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.config.settings_write import Scope
from pi.config.trust import decide_trust, protected_resources, saved_trust
from pi.errors import PiError
from pi.modes.stderr import one_line, tell
from pi.resources.packages.configured import (
    Declaration,
    declarations,
    install_source,
    is_installed,
)
from pi.resources.packages.declaring import declare, withdraw
from pi.resources.packages.places import Places
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.source import LocalSource, identity, parse_source

__all__ = [
    "approval",
    "at_terminal",
    "check_installed",
    "project_settings",
    "run_packages",
    "spelled_out",
    "update_installed",
]

F = TypeVar("F", bound=Callable[..., Any])


def run_packages(arguments: Sequence[str], environment: Environment) -> int:
    """`pi install|remove|uninstall|list …`. Raises PiError."""
    name, *rest = arguments
    command = {"install": install, "list": list_packages}.get(name, remove)
    return invoke(command, f"pi {name}", spelled_out(rest), environment)


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """click would read `-na` as `-n -a`."""
    return ["--no-approve" if argument == "-na" else argument for argument in arguments]


def approval(command: F) -> F:
    """The two options about trust; the function gets `approve`."""
    for names, value, text in (
        (("--no-approve",), False, "Leave the project's own files alone for this command (-na)"),
        (("-a", "--approve"), True, "Trust the project's own files for this command"),
    ):
        option = click.option(
            *names, "approve", flag_value=value, type=click.BOOL, default=None, help=text
        )
        command = option(command)
    return command


_local = click.option(
    "-l", "--local", is_flag=True, help="For this project: its .pi folder and settings"
)


@click.command(add_help_option=False)
@click.argument("source")
@_local
@approval
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def install(environment: Environment, source: str, *, local: bool, approve: bool | None) -> int:
    """Install a package and add it to the settings.

    \b
    SOURCE is one of
      npm:NAME[@VERSION]                from npm
      pip:NAME[==VERSION]               from a Python index
      git:HOST/OWNER/NAME[@REF]         from git, by a short address
      https://…, ssh://…, git@HOST:…    from git, by its own (with git: in front of the last)
      a path                            used where it lies
    """
    paths, settings = _here(environment, approve)
    scope = _scope(local, settings)
    places, package = Places(paths), parse_source(source)
    say(f"Installing {one_line(source)}...")
    # What settings hold may lie elsewhere than what is typed: a path is relative to here.
    where = "temporary" if isinstance(package, LocalSource) else scope
    install_source(package, where, places, _programs(environment, settings), latest=True)
    declare(paths, scope, source)
    say(f"Installed {one_line(source)}")
    if scope == "project" and saved_trust(paths) is not True and protected_resources(paths):
        tell("This project's settings are used once it is trusted: see pi --help, --approve.")
    return 0


@click.command(add_help_option=False)
@click.argument("source")
@_local
@approval
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def remove(environment: Environment, source: str, *, local: bool, approve: bool | None) -> int:
    """Remove a package: its files, and its entry in the settings.

    SOURCE names it as `pi list` does; the version does not matter. `uninstall` is the same command.
    """
    from pi.resources.packages.updating import remove_source  # noqa: PLC0415  (loads every kind)

    paths, settings = _here(environment, approve)
    scope = _scope(local, settings)
    if not _matching(source, declarations(settings).packages, paths, scope):
        raise _unknown(source, settings, paths)
    say(f"Removing {one_line(source)}...")
    package = Declaration(source, parse_source(source), scope)
    try:
        remove_source(package, Places(paths), _programs(environment, settings))
    except (PackageError, OSError) as error:
        # What is declared no more does no harm.
        tell(f"Warning: some of its files are still there: {error}")
    withdraw(paths, scope, source)
    return say(f"Removed {one_line(source)}")


@click.command("list", add_help_option=False)
@approval
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def list_packages(environment: Environment, *, approve: bool | None) -> int:
    """List the packages in the settings, with where they are installed."""
    paths, settings = _here(environment, approve)
    declared = declarations(settings)
    for problem in declared.problems:
        tell(f"Warning: {problem}")
    if not declared.packages:
        return say("No packages installed.")
    places = Places(paths)
    blocks = []
    for scope, title in (("user", "User packages:"), ("project", "Project packages:")):
        listed = [package for package in declared.packages if package.scope == scope]
        lines = [line for package in listed for line in _listed(package, places)]
        if lines:
            blocks.append("\n".join((title, *lines)))
    return say("\n\n".join(blocks))


def update_installed(environment: Environment, source: str | None, *, approve: bool | None) -> int:
    """Bring all packages up to date, or one. Raises PiError when one could not be."""
    from pi.resources.packages.updating import update_packages  # noqa: PLC0415  (as in remove)
    from pi.runtime.updates import forget_updates  # noqa: PLC0415  (as in remove)

    paths, settings = _updatable(environment, approve)
    packages = list(declarations(settings).packages)
    if source is not None:
        packages = [
            package
            for scope in ("user", "project")
            for package in _matching(source, packages, paths, scope)
        ]
        if not packages:
            raise _unknown(source, settings, paths)
    if environment.offline:
        return say("Packages were not updated: pi is offline.")
    if not packages:
        return say("No packages installed.")
    forget_updates(paths)
    changed, problems = [], []
    for update in update_packages(packages, Places(paths), _programs(environment, settings)):
        text = update.package.text
        if update.problem is not None:
            problems.append(f"{text}: {update.problem}")
        elif update.changed:
            where = " (project)" if update.package.scope == "project" else ""
            before, after = update.before or "(none)", update.after or "(none)"
            changed.append(one_line(f"{text}{where} {before} -> {after}"))
    if changed:
        count = f"{len(changed)} package{'s' if len(changed) > 1 else ''}"
        say("\n  ".join((f"Updated {count}:", *changed)))
    if problems:
        raise PiError(f"not every package could be updated: {'; '.join(problems)}")
    if not changed:
        say(f"{one_line(source)} is up to date." if source else "All packages are up to date.")
    return 0


def check_installed(environment: Environment, *, approve: bool | None) -> int:
    """Tell what could be updated. The answers are kept for the terminal interface."""
    from pi.runtime.updates import ask_for_updates, known_updates  # noqa: PLC0415  (as in remove)

    paths, settings = _updatable(environment, approve)
    if environment.offline:
        return say("Nothing was asked: pi is offline.")
    for name, problem in ask_for_updates(paths, settings, environment):
        tell(f"Warning: {name}: {problem}")
    known = known_updates(paths, settings, environment)
    lines = [f"pi {known.pi}: pi update"] if known.pi else []
    lines += [f"{one_line(name)}: pi update --extensions" for name in known.packages]
    return say("\n".join(lines) or "Nothing newer is known.")


def _updatable(environment: Environment, approve: bool | None) -> tuple[Paths, Settings]:
    """As `project_settings`, for what runs other programs: only a person's word allows that."""
    paths = find_paths(environment)
    trusted = saved_trust(paths) is True if approve is None else approve
    return paths, read_settings(paths).resolve(trusted=trusted)


def project_settings(environment: Environment, approve: bool | None) -> tuple[Paths, Settings]:
    """The folders, and the settings with the project's if that is trusted.

    Undecided, a person at the terminal is asked.
    """
    paths = find_paths(environment)
    files = read_settings(paths)
    trusted = decide_trust(paths, approve=approve, default=files.default_project_trust)
    if trusted is None and at_terminal():
        from pi.cli.asking import ask_trust  # noqa: PLC0415  (the terminal interface comes with it)

        trusted = ask_trust(environment, paths)
    return paths, files.resolve(trusted=trusted is True)


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _here(environment: Environment, approve: bool | None) -> tuple[Paths, Settings]:
    paths, settings = project_settings(environment, approve)
    for problem in settings.diagnostics:
        tell(f"Warning: {problem}")
    return paths, settings


def _scope(local: bool, settings: Settings) -> Scope:
    if local and not settings.trusted:
        raise PiError(
            "this project is not trusted; its settings are left alone",
            hint="Add --approve to change them all the same.",
        )
    return "project" if local else "user"


def _programs(environment: Environment, settings: Settings) -> Programs:
    return Programs(environment.variables, settings.npm_command, shown=True)


def _matching(
    source: str, packages: Sequence[Declaration], paths: Paths, scope: str
) -> list[Declaration]:
    """The declarations of a scope that are the package a person names."""
    wanted = identity(parse_source(source), paths.cwd, paths.home)
    places = Places(paths)
    return [
        package
        for package in packages
        if package.scope == scope
        and identity(package.source, places.base(package.scope), paths.home) == wanted
    ]


def _unknown(source: str, settings: Settings, paths: Paths) -> PiError:
    packages = declarations(settings).packages
    near = [
        package.text
        for package in packages
        if source.split("@")[0].removesuffix("/") in (package.text, *_short_names(package))
    ]
    hint = f"Did you mean {near[0]}?" if near else "pi list shows the packages there are."
    return PiError(f"no package {source} in the settings", hint=hint)


def _short_names(package: Declaration) -> list[str]:
    prefix, _, rest = package.text.partition(":")
    return [rest.split("@")[0].split("==")[0], Path(rest).name] if rest else [prefix]


def _listed(package: Declaration, places: Places) -> list[str]:
    filtered = " (filtered)" if package.selection is not None else ""
    lines = [f"  {one_line(package.text)}{filtered}"]
    place = places.installed(package.source, package.scope)
    if is_installed(package.source, package.scope, places):
        lines.append(f"    {one_line(str(place))}")
    return lines
