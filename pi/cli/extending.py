"""Extensions and the command line: loading them for a run, and the options they add."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from pi.auth.credentials import Credentials
from pi.cli.options import Options, parse
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.config.trust import protected_resources
from pi.errors import PiError
from pi.models.registry import ModelRegistry
from pi.runtime.host import Host
from pi.runtime.options import RunOptions
from pi.runtime.services import read_services, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.runtime.additions import Additions, Flag

__all__ = ["Extender", "check_unknown", "extension_flags"]


class Extender:
    """Loads the extensions of whatever session is about to be opened.

    values: of their flags. take_stdio: whether stdin and stdout are for the mode alone.
    """

    def __init__(self, *, take_stdio: bool = False) -> None:
        self.values: dict[str, bool | str] = {}
        self._take_stdio = take_stdio

    async def __call__(self, host: Host) -> "Additions | None":
        if not host.extending.wanted:
            return None
        # Only for those who have extensions.
        from pi.extensions.trusting import load_for  # noqa: PLC0415
        from pi.modes import stdio  # noqa: PLC0415

        if self._take_stdio:
            stdio.take()

        additions = await load_for(host)
        self._give(additions)
        return additions

    def read_flags(self, options: Options, host: Host) -> Options:
        """The command line with the options that extensions add. Raises UsageError."""
        flags = {} if host.additions is None else host.additions.flags
        if not flags:
            if options.unknown is not None:
                raise options.unknown
            return options
        again = parse(
            options.argv,
            stdin_is_tty=options.stdin_is_tty,
            stdout_is_tty=options.stdout_is_tty,
            flags={name: flag.kind for name, flag in flags.items()},
        )
        if again.unknown is not None:
            raise again.unknown
        self.values = dict(again.flags)
        if host.additions is not None:
            self._give(host.additions)
        return again

    def _give(self, additions: "Additions") -> None:
        for name, value in self.values.items():
            if name in additions.flags:
                additions.flags[name].value = value


def check_unknown(options: Options, environment: Environment) -> None:
    """Raise for an unknown option where there is no extension that could know it."""
    if options.unknown is None:
        return
    services = read_services(options, environment, find_paths(environment))
    if not any(file.language == "python" for file in services.resources.extensions):
        raise options.unknown


def trusted_by_extensions(options: Options, environment: Environment) -> Options:
    """What extensions say of the folder, for whoever would ask the person about it otherwise."""
    paths = find_paths(environment)
    if options.trust_of(paths.cwd) is not None or not protected_resources(paths):
        return options
    services = read_services(options, environment, paths)
    if not any(file.language == "python" for file in services.resources.extensions):
        return options
    from pi.extensions.trusting import ask_about_trust  # noqa: PLC0415  (for those who have any)

    async def ask() -> bool | None:
        return await ask_about_trust(Host(services))

    trusted = asyncio.run(ask())
    return options if trusted is None else replace(options, trusted=((paths.cwd, trusted),))


def with_extensions(
    environment: Environment, registry: ModelRegistry, credentials: Credentials
) -> tuple[ModelRegistry, Credentials]:
    """The same with what the person's own extensions add; those, where they cannot be loaded."""

    async def read() -> tuple[ModelRegistry, Credentials]:
        options = RunOptions(trust="ignore")  # no project has a say in credentials
        host = Host(read_services(options, environment, find_paths(environment)), Extender())
        await host.extending.load()
        return host.services.registry, host.services.credentials

    try:
        return asyncio.run(read())
    except (PiError, OSError) as error:
        warn([f"extensions are left out: {error}"])
        return registry, credentials


def refresh_models(
    environment: Environment, providers: "Sequence[str] | None" = None
) -> tuple[list[str], list[str]]:
    """Let the person's own extensions ask for their models: of whom, and what went wrong."""

    async def read() -> tuple[list[str], list[str]]:
        options = RunOptions(trust="ignore")
        host = Host(read_services(options, environment, find_paths(environment)), Extender())
        await host.extending.load()
        additions = host.additions
        if additions is None:
            return [], []
        names = [name for name in additions.refreshers if providers is None or name in providers]
        failed = await host.extending.refresh_models(names, force=True) if names else {}
        await host.extending.unload("quit", None)
        texts = [f"{name}: {str(error) or type(error).__name__}" for name, error in failed.items()]
        return [name for name in names if name not in failed], texts

    return asyncio.run(read())


def extension_flags(options: Options, environment: Environment) -> "list[Flag]":
    """The options that extensions add, for --help. Nothing keeps help from being shown."""

    async def read() -> "list[Flag]":
        services = read_services(options, environment, find_paths(environment))
        host = Host(services, Extender(take_stdio=True))
        await host.extending.load()
        flags = [] if host.additions is None else list(host.additions.flags.values())
        await host.extending.unload("quit", None)
        return flags

    try:
        return asyncio.run(read())
    except (PiError, OSError):
        return []
