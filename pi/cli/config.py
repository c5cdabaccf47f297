"""`pi config`: the resources there are, and which of them are on."""

from collections.abc import Sequence
from pathlib import Path

import click

from pi.cli.commands import invoke, say
from pi.cli.packages import approval, at_terminal, project_settings, spelled_out
from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.config.settings import read_settings
from pi.config.settings_write import Scope
from pi.errors import PiError, UsageError
from pi.modes.stderr import one_line, tell
from pi.resources.builtin import listed
from pi.resources.found import KINDS, Found, Kind
from pi.resources.gathering import survey
from pi.resources.switching import switch

__all__ = ["run_config", "shown"]

_TITLES = {
    "extensions": "Extensions",
    "skills": "Skills",
    "prompts": "Prompt templates",
    "themes": "Themes",
}
_SWITCHES = {
    "enable": (True, "Enabled"),
    "disable": (False, "Disabled"),
    "inherit": (None, "Left to your own settings:"),
}


def run_config(arguments: Sequence[str], environment: Environment) -> int:
    """`pi config ARGUMENTS`. Raises PiError."""
    return invoke(config, "pi config", spelled_out(arguments), environment)


@click.command(add_help_option=False)
@click.argument("action", required=False, metavar="[enable|disable|inherit]")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option(
    "-l", "--local", is_flag=True, help="Write to this project's settings instead of your own"
)
@approval
@click.help_option("-h", "--help", help="Show this help")
@click.pass_obj
def config(
    environment: Environment,
    action: str | None,
    names: tuple[str, ...],
    *,
    local: bool,
    approve: bool | None,
) -> int:
    """Choose which extensions, skills, prompt templates and themes load.

    In a terminal this opens a list to switch them in, otherwise it prints one. With enable or
    disable it changes what is named and no more. A NAME is a path as the list shows it, the end of
    one, or the name of a skill's folder. `inherit`, with --local, takes the project's word back.
    """
    picking = action is None and at_terminal()
    paths, settings = project_settings(environment, approve)
    for problem in settings.diagnostics:
        tell(f"Warning: {problem}")
    if local and not settings.trusted:
        raise PiError(
            "this project is not trusted; its settings are left alone",
            hint="Add --approve to change them all the same.",
        )
    found, problems = survey(paths, settings, environment, offline=environment.offline)
    found["extensions"] = [*found["extensions"], *listed(settings)]
    for problem in problems:
        tell(f"Warning: {problem}")
    if picking:
        # The terminal interface comes along with it.
        from pi.cli.config_picker import pick  # noqa: PLC0415

        return pick(environment, paths, trusted=settings.trusted, local=local)
    if action is None:
        return say(_listing(found, paths))
    if action not in _SWITCHES:
        raise UsageError(f"pi config has no {action}", hint="There are enable, disable, inherit.")
    if not names:
        raise UsageError(f"pi config {action} needs a name", hint="pi config lists what there is.")
    if action == "inherit" and not local:
        raise UsageError("pi config inherit is about a project's settings: add --local")
    scope: Scope = "project" if local else "user"
    chosen = [_one(name, found) for name in names]
    if local:
        # A file of the person's that the project's settings name is theirs all the same.
        theirs, _ = survey(
            paths,
            read_settings(paths).resolve(trusted=False),
            environment,
            offline=environment.offline,
        )
        own = {(kind, item.path): item for kind in KINDS for item in theirs[kind]}
        chosen = [(kind, own.get((kind, item.path), item)) for kind, item in chosen]
    for kind, item in chosen:
        if scope == "user" and item.origin.scope == "project":
            raise PiError(
                f"{shown(item.path, paths)} belongs to this project",
                hint="Add --local to change the project's settings.",
            )
        enabled, done = _SWITCHES[action]
        switch(paths, kind, item, scope, enabled)
        say(one_line(f"{done} {shown(item.path, paths)}"))
    return 0


def _listing(found: dict[Kind, list[Found]], paths: Paths) -> str:
    """A block for each kind; [x] is on."""
    blocks = []
    for kind in KINDS:
        items = found[kind]
        if items:
            lines = [
                f"  [{'x' if item.enabled else ' '}] "
                + one_line(f"{shown(item.path, paths)}{_whence(item)}")
                for item in items
            ]
            blocks.append("\n".join((f"{_TITLES[kind]}:", *lines)))
    return "\n\n".join(blocks) or "No resources found."


def _whence(item: Found) -> str:
    if item.origin.package:
        return f"  ({item.origin.source})"
    if item.origin.source == "builtin":
        return "  (comes with pi)"
    return "  (project)" if item.origin.scope == "project" else ""


def shown(path: Path, paths: Paths) -> str:
    """From the working folder or the home folder, whichever is nearer."""
    for base, prefix in ((paths.cwd, ""), (paths.home, "~/")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return str(path)


def _one(name: str, found: dict[Kind, list[Found]]) -> tuple[Kind, Found]:
    """The one resource that a name stands for."""
    wanted = Path(name.removeprefix("~/").removeprefix("./")).parts
    matches = [
        (kind, item)
        for kind in KINDS
        for item in found[kind]
        if wanted in (item.path.parts[-len(wanted) :], item.path.parent.parts[-len(wanted) :])
        and (item.path.name == "SKILL.md" or item.path.parts[-len(wanted) :] == wanted)
    ]
    if not matches:
        raise PiError(f"there is no resource {name}", hint="pi config lists what there is.")
    if len(matches) > 1:
        paths = ", ".join(str(item.path) for _, item in matches[:4])
        raise PiError(f"{name} may be any of {paths}", hint="Give more of the path.")
    return matches[0]
