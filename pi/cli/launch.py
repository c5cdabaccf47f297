"""From the options to a run: which session, which prompts, which mode."""

import asyncio
import os
import sys
from collections.abc import Sequence

from pi.cli.extending import Extender, check_unknown, trusted_by_extensions
from pi.cli.options import Options
from pi.cli.prompts import compose_prompts
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.models.listing import list_models as model_table
from pi.modes.stderr import tell
from pi.runtime.attachments import image_loader
from pi.runtime.host import Host, open_host
from pi.runtime.options import RunOptions
from pi.runtime.prompts import Prompt
from pi.runtime.services import read_services, warn

__all__ = ["list_models", "run_prompts"]


def list_models(options: Options, environment: Environment) -> str:
    """The table of `--list-models`."""
    services = read_services(options, environment, find_paths(environment))
    warn((*options.warnings, *services.settings.diagnostics, *services.registry.diagnostics))

    async def table() -> str:
        # Extensions may bring models.
        host = Host(services, Extender())
        await host.extending.load()
        try:
            return model_table(services.registry, services.credentials, options.list_models)
        finally:
            await host.extending.unload("quit", None)

    return asyncio.run(table())


def run_prompts(options: Options, environment: Environment) -> int:
    """Everything between the options and the exit code of a run."""
    warn(options.warnings)
    if options.interactive:
        return _interactive(options, environment)
    with asyncio.Runner() as runner:
        check_unknown(options, environment)
        extender = Extender()
        host = runner.run(open_host(options, environment, extender))
        try:
            options = extender.read_flags(options, host)
            # Outside of the loop, whose handler of Ctrl-C would not end a read of stdin.
            prompts = _prompts(options, host) if options.mode != "rpc" else ()
            code = runner.run(_run(options, host, prompts))
            if options.verbose and host.store.saved:
                tell(f"Session: {host.store.path}")
            return code
        finally:
            runner.run(host.close())


def _interactive(options: Options, environment: Environment) -> int:
    # A mode is loaded only when it runs; this one brings all of the terminal along.
    from pi.modes.interactive.start import run_interactive  # noqa: PLC0415
    from pi.modes.interactive.wishes import InteractiveOptions  # noqa: PLC0415

    check_unknown(options, environment)
    options = trusted_by_extensions(options, environment)
    extender = Extender()
    wishes = InteractiveOptions(options.pick_session, options.tui_mode, options.use_theme)

    async def host(chosen: RunOptions) -> Host:
        return await open_host(chosen, environment, extender)

    def prompts(host: Host) -> Sequence[Prompt]:
        return _prompts(extender.read_flags(options, host), host)

    return asyncio.run(run_interactive(options, environment, wishes, host, prompts))


def _prompts(options: Options, host: Host) -> Sequence[Prompt]:
    """What there is to say. Raises AuthError where it cannot even be tried."""
    services = host.services
    prompts = compose_prompts(
        options.messages,
        options.files,
        None if os.isatty(0) else sys.stdin.buffer.read(),
        cwd=services.paths.cwd,
        home=services.paths.home,
        load_image=image_loader(services.settings, host.model),
    )
    if prompts and host.additions is None:  # else a command may be all that is meant
        services.check_key(host.model)
    return prompts


async def _run(options: Options, host: Host, prompts: Sequence[Prompt]) -> int:
    # A mode is loaded only when it runs.
    if options.mode == "rpc":
        from pi.modes.rpc import run_rpc  # noqa: PLC0415

        return await run_rpc(host)
    if options.mode == "json":
        host.ui.mode = "json"
    await host.begin()
    if options.mode == "json":
        from pi.modes.json_events import run_json  # noqa: PLC0415

        return await run_json(host, prompts)
    from pi.modes.text import run_text  # noqa: PLC0415

    return await run_text(host, prompts)
