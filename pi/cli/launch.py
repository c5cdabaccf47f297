"""From the options to a run: which session, which prompts, which mode."""

import asyncio
import os
from collections.abc import Sequence

from pi.cli.extending import Extender, check_unknown, trusted_by_extensions
from pi.cli.options import Options
from pi.cli.prompts import compose_prompts
from pi.config.environment import Environment
from pi.config.paths import find_paths
from pi.errors import PiError
from pi.models.listing import list_models as model_table
from pi.modes import stdio
from pi.modes.signals import end_now
from pi.modes.stderr import one_line, tell
from pi.runtime.attachments import image_loader
from pi.runtime.host import Host, open_host
from pi.runtime.options import RunOptions
from pi.runtime.prompts import Prompt
from pi.runtime.services import read_services, warn

__all__ = ["list_models", "run_prompts"]

PATIENCE = 2.0
"""Seconds for what is left at the end to end."""


def list_models(options: Options, environment: Environment) -> str:
    """The table of `--list-models`."""
    services = read_services(options, environment, find_paths(environment))
    warn((*options.warnings, *services.settings.diagnostics, *services.registry.diagnostics))

    async def table() -> str:
        # Extensions may bring models.
        host = Host(services, Extender(take_stdio=True))
        await host.extending.load()
        try:
            lines = model_table(services.registry, services.credentials, options.list_models)
        finally:
            await host.extending.unload("quit", None)
        # Servers and files may call a model anything.
        shown = (line if line.isprintable() else one_line(line) for line in lines.split("\n"))
        return "\n".join(shown)

    return asyncio.run(table())


def run_prompts(options: Options, environment: Environment) -> int:
    """Everything between the options and the exit code of a run."""
    warn(options.warnings)
    if options.interactive:
        return _interactive(options, environment)
    with asyncio.Runner() as runner:
        check_unknown(options, environment)
        extender = Extender(take_stdio=True)
        host = runner.run(open_host(options, environment, extender))
        try:
            options = extender.read_flags(options, host)
            # Outside of the loop, whose handler of Ctrl-C would not end a read of stdin.
            prompts = _prompts(options, host) if options.mode != "rpc" else ()
            try:
                code = runner.run(_run(options, host, prompts))
            except asyncio.CancelledError:
                raise PiError("an extension cancelled what pi was doing") from None
            if options.verbose and host.store.saved:
                tell(f"Session: {host.store.path}")
        finally:
            runner.run(host.close())
        runner.run(_let_go(code))
        return code


async def _let_go(code: int) -> None:
    """End what extensions left behind; pi itself at once, if it does not end.

    A task may swallow its cancellation, and asyncio would wait for it for ever.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        _, pending = await asyncio.wait(others, timeout=PATIENCE)
        if pending:
            tell("An extension's task does not end; pi ends without it.")
            end_now(code)


def _interactive(options: Options, environment: Environment) -> int:
    # A mode is loaded only when it runs; this one brings all of the terminal along.
    from pi.modes.interactive.start import Prepare, run_interactive  # noqa: PLC0415
    from pi.modes.interactive.wishes import InteractiveOptions  # noqa: PLC0415

    check_unknown(options, environment)
    options = trusted_by_extensions(options, environment)
    extender = Extender()
    wishes = InteractiveOptions(options.pick_session, options.tui_mode, options.use_theme)

    async def host(chosen: RunOptions, prepare: Prepare) -> Host:
        return await open_host(chosen, environment, extender, prepare=prepare)

    def prompts(host: Host) -> Sequence[Prompt]:
        return _prompts(extender.read_flags(options, host), host)

    with asyncio.Runner() as runner:
        code = runner.run(run_interactive(options, environment, wishes, host, prompts))
        runner.run(_let_go(code))
        return code


def _prompts(options: Options, host: Host) -> Sequence[Prompt]:
    """What there is to say. Raises AuthError where it cannot even be tried."""
    services = host.services
    prompts = compose_prompts(
        options.messages,
        options.files,
        _stdin(),
        cwd=services.paths.cwd,
        home=services.paths.home,
        load_image=image_loader(services.settings, host.model),
    )
    if prompts and host.additions is None:  # else a command may be all that is meant
        services.check_key(host.model)
    return prompts


def _stdin() -> bytes | None:
    """All of it; None for a terminal."""
    if os.isatty(stdio.stdin()):
        return None
    with open(stdio.stdin(), "rb", closefd=False) as source:
        return source.read()


async def _run(options: Options, host: Host, prompts: Sequence[Prompt]) -> int:
    if options.mode != "text":
        # Extensions may come later: then it would be too late, the mode reads and writes already.
        stdio.take()
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
