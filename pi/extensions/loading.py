"""From the files that were found to extensions that are loaded, faulty ones reported."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.agent.hooks import HookFailure, Hooks
from pi.errors import PiError
from pi.extensions.api import Pi
from pi.extensions.bus import EventBus
from pi.extensions.errors import place_of
from pi.extensions.execution import Stage
from pi.extensions.modules import entry_point, function_of, load_module
from pi.runtime.additions import Additions

if TYPE_CHECKING:
    from pi.resources.loading import ExtensionFile
    from pi.runtime.host import Host

__all__ = ["ExtensionError", "load_extensions"]

SLOW = 1.0
"""Seconds after which an extension that takes its time to load is named."""


class ExtensionError(PiError):
    """An extension that the command line names cannot be loaded: the run must not go without."""


async def load_extensions(
    host: "Host",
    files: "Sequence[ExtensionFile]",
    functions: Sequence[Callable[[Pi], Any]] = (),
) -> Additions:
    """Load what was found, in its order, and functions that a program brings.

    What cannot be loaded is reported, and the rest goes on; but for what the command line names:
    then ExtensionError is raised, since it may be there to keep something from happening.
    """
    known: dict[str, Path] = {}

    def report(failure: HookFailure) -> None:
        root = known.get(failure.owner)
        if failure.error is not None and root is not None and failure.place is None:
            failure = replace(failure, place=place_of(failure.error, root))
        host.ui.report(failure)

    hooks = Hooks(report)
    additions = Additions(hooks)
    stage = Stage(host)
    additions.on_close.append(stage.strike)
    additions.on_open.append(lambda: setattr(stage, "loaded", True))
    bus = EventBus(
        lambda owner, name, error: report(
            HookFailure(owner, f"bus event {name}", _text(error), error)
        ),
        lambda awaitable: hooks.keep(asyncio.ensure_future(awaitable)),
    )
    try:
        for rank, file in enumerate(file for file in files if file.language == "python"):
            found = file.found
            owner = str(found.path)
            known[owner] = found.path
            try:
                function = (
                    entry_point(found.entry, found.site)
                    if found.entry is not None
                    else function_of(load_module(found.path), found.path)
                )
                source = found.origin.describe(found.path)
                pi = Pi(
                    stage, additions, bus, path=found.path, owner=owner, source=source, rank=rank
                )
                await _call(function, pi, owner, report)
            except (Exception, SystemExit) as error:
                additions.drop(owner)
                bus.drop(owner)
                if found.origin.scope == "temporary":
                    place = place_of(error, found.path) or owner
                    raise ExtensionError(
                        f"the extension {place} cannot be loaded: {_text(error)}",
                        hint="Mend it, or leave it out of -e.",
                    ) from error
                report(HookFailure(owner, "loading", _text(error), error))
        for rank, function in enumerate(functions, len(files)):
            owner = inspect.getsourcefile(function) or repr(function)
            known[owner] = Path(owner)
            source = {"path": owner, "source": "sdk", "scope": "temporary", "origin": "top-level"}
            pi = Pi(stage, additions, bus, path=Path(owner), owner=owner, source=source, rank=rank)
            await _call(function, pi, owner, report)
    except BaseException:
        additions.close()
        raise
    return additions


async def _call(
    function: Callable[[Pi], Any], pi: Pi, owner: str, report: Callable[[HookFailure], None]
) -> None:
    answer = function(pi)
    if not inspect.isawaitable(answer):
        return
    loop = asyncio.get_running_loop()
    text = f"takes more than {SLOW:g} s to load; pi waits for it"
    watch = loop.call_later(SLOW, lambda: report(HookFailure(owner, "loading", text)))
    try:
        await answer
    finally:
        watch.cancel()


def _text(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
