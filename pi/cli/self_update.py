"""`pi update`: a newer pi in the place of this one, by what installed it or a person's command."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import PurePath

from pi._version import __version__
from pi.cli.commands import say
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.settings import read_settings
from pi.config.settings_types import Settings
from pi.errors import PiError
from pi.modes.stderr import tell
from pi.resources.packages.pip import newest_release
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.versions import newer_release
from pi.runtime.installation import NAME, Installation, find_installation
from pi.runtime.updates import forget_updates

__all__ = ["update_itself"]

_OTHERS = frozenset(
    ("npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno", "volta", "corepack")
)
"""What installs the npm package."""

_OTHER_PACKAGE = "@earendil-works/pi-coding-agent"


def update_itself(environment: Environment, *, force: bool) -> None:
    """force: even to the version that is here. Raises PiError where it cannot or did not work."""
    if environment.offline:
        raise PiError("pi is offline: whether there is a newer version is not known")
    paths = find_paths(environment)
    configured = _configured(environment, read_settings(paths).resolve(trusted=False))
    installation = find_installation(environment.variables)
    if configured is None and not installation.released:
        raise _unable(installation)
    version = _newest(environment)
    if not force and not newer_release(version, __version__):
        say(f"pi is up to date: {__version__}")
        return
    if configured is None and not installation.update:
        say(f"pi {version} is available; this is {__version__}.")
        raise _unable(installation)
    if configured is not None:
        command = _filled(configured, version)
    else:
        wanted = installation.reinstall if force else installation.update
        command = _filled(wanted, version)
    shown = " ".join(command)
    say(f"Updating pi with: {shown}")
    code = _run(command, environment, own=configured is None)
    forget_updates(paths)
    if code:
        raise PiError(
            f"the update failed: {command[0]} ended with {code}",
            hint=f"pi is as it was if {__version__} is what pi --version says. By hand: {shown}",
        )
    found = _version_now(environment, own=configured is None)
    if found == version:
        say(f"Updated pi from {__version__} to {version}. Where it is running, start it again.")
        return
    raise PiError(
        f"the command has run, but pi --version says {found or 'nothing'}, not {version}",
        hint="" if configured else f"By hand: {shown}",
    )


def _newest(environment: Environment) -> str:
    try:
        version = newest_release(NAME, Programs(environment.variables))
    except PackageError as error:
        raise PiError(
            f"whether there is a newer version cannot be found out: {error}", hint=error.hint
        ) from None
    if version is None:
        raise PiError(f"whether there is a newer version cannot be found out: no {NAME} there")
    return version


def _configured(environment: Environment, settings: Settings) -> Sequence[str] | None:
    """The person's own command; the setting may have been made for the npm package."""
    words = environment.variables.get("PI_SELF_UPDATE_COMMAND", "").split()
    command = words or settings.self_update_command
    if not command:
        return None
    if _for_npm(command):
        name = "PI_SELF_UPDATE_COMMAND" if words else "selfUpdateCommand"
        tell(f"Warning: {name} is for the npm package of pi and not run: {' '.join(command)}")
        return None
    return command


def _for_npm(command: Sequence[str]) -> bool:
    """Also where a shell is given a line that does it."""
    words = " ".join(command).split()
    return any(
        PurePath(word).stem.lower() in _OTHERS or word.startswith("npm:") or _OTHER_PACKAGE in word
        for word in words
    )


def _filled(command: Sequence[str], version: str) -> list[str]:
    values = {
        "{packageName}": NAME,
        "{version}": version,
        "{installSpec}": f"{NAME}=={version}",
    }
    filled = []
    for word in command:
        for name, value in values.items():
            word = word.replace(name, value)
        filled.append(word)
    return filled


def _run(command: Sequence[str], environment: Environment, *, own: bool) -> int:
    # A folder pip in the project is not to be taken for pip.
    where = os.sep if own else None
    variables = dict(environment.variables)
    try:
        return subprocess.run(command, cwd=where, env=variables, check=False).returncode
    except OSError as error:
        raise PiError(f"{command[0]} cannot be run: {error.strerror or error}") from None


def _version_now(environment: Environment, *, own: bool) -> str | None:
    """What the pi of this Python says, or, after a person's own command, the one on PATH."""
    command = ["pi", "--version"]
    if own:
        # Not from a folder pi that may lie where we are.
        command = [sys.executable, "-P", "-m", *command]
    try:
        done = subprocess.run(
            command,
            env=dict(environment.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    return words[-1] if done.returncode == 0 and words else None


def _unable(installation: Installation) -> PiError:
    return PiError(
        f"pi does not update itself here. {installation.advice}",
        hint="A command of your own can go into PI_SELF_UPDATE_COMMAND or selfUpdateCommand.",
    )
