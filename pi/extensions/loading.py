"""From the files that were found to extensions that are loaded, faulty ones reported."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi.agent.abort import is_cancelled
from pi.agent.faults import HookFailure, text_of_error
from pi.agent.hooks import Hooks
from pi.errors import PiError
from pi.extensions.api import Pi
from pi.extensions.bus import EventBus
from pi.extensions.errors import place_of
from pi.extensions.execution import Stage
from pi.extensions.modules import entry_point, function_of, load_module
from pi.resources.loading import ExtensionFile
from pi.runtime.additions import Additions, SourceInfo

if TYPE_CHECKING:
    from pi.resources.builtin import BuiltIn
    from pi.runtime.host import Host

__all__ = ["ExtensionError", "Loader"]

SLOW = 1.0
"""Seconds after which an extension that takes its time to load is named."""

Extension = Callable[[Pi], Any]


class ExtensionError(PiError):
    """An extension that the command line names cannot be loaded: the run must not go without."""


class Loader:
    """Loads the extensions of one session into `additions`."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._roots: dict[str, Path] = {}
        hooks = Hooks(self._report)
        self.additions = Additions(hooks)
        self._stage = Stage(host)
        self.additions.on_open.append(self._opened)
        self.additions.at_close(self._stage.strike)
        self._bus = EventBus(
            lambda owner, name, error: self._fail(owner, f"bus event {name}", error),
            lambda awaitable: hooks.keep(asyncio.ensure_future(awaitable)),
        )

    async def load(
        self, files: "Sequence[ExtensionFile]", scopes: Sequence[str] = (), *, after: int = 0
    ) -> None:
        """Load those that are in Python, in their order. scopes: only these, where any are given.

        after: how many others come before them.

        What cannot be loaded is reported, and the rest goes on; but for what the command line
        names, when pi starts: then ExtensionError is raised, since it may be there to keep
        something from happening.
        """
        for rank, file in enumerate(files, after):
            found = file.found
            if file.language != "python" or (scopes and found.origin.scope not in scopes):
                continue
            owner = str(found.path)
            self._roots[owner] = found.path
            try:
                function = (
                    entry_point(found.entry, found.site)
                    if found.entry is not None
                    else function_of(load_module(found.path), found.path)
                )
                await self._call(function, owner, found.origin.describe(found.path), rank)
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) and is_cancelled():
                    raise
                self.additions.drop(owner)
                self._bus.drop(owner)
                named = found.origin.scope == "temporary" and found.origin.source != "builtin"
                if named and not self._host.extending.begun:
                    self.additions.close()
                    place = place_of(error, found.path) or owner
                    raise ExtensionError(
                        f"the extension {place} cannot be loaded: {_text(error)}",
                        hint="Mend it, or leave it out of -e.",
                    ) from error
                self._fail(owner, "loading", error)

    async def stored_models(self) -> None:
        """Let providers offer what they know without asking their services."""
        additions = self.additions
        failed = await additions.refresh_models(network=False)
        for name, problem in failed.items():
            self._fail(additions.refreshers[name][0], f"refresh_models of {name}", problem)

    async def load_builtin(self, builtin: "Sequence[BuiltIn]") -> None:
        """Load those that come with pi; one whose tools or commands somebody has brought is not."""
        additions = self.additions
        names = {command.name for command in additions.commands()}
        wanted = [
            each
            for each in builtin
            if not additions.tools.keys() & each.tools
            and not any(name in names for name, _ in each.commands)
        ]
        others = len(self._host.services.resources.extensions)
        await self.load([ExtensionFile(each.found, "python") for each in wanted], after=others)

    async def _call(self, function: Extension, owner: str, source: SourceInfo, rank: int) -> None:
        pi = Pi(
            self._stage,
            self.additions,
            self._bus,
            path=Path(owner),
            owner=owner,
            source=source,
            rank=rank,
        )
        answer = function(pi)
        if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
            raise TypeError("it yields, so nothing of it runs: let it return nothing")
        if not inspect.isawaitable(answer):
            return
        text = f"takes more than {SLOW:g} s to load; pi waits for it"
        loop = asyncio.get_running_loop()
        watch = loop.call_later(SLOW, lambda: self._report(HookFailure(owner, "loading", text)))
        try:
            await answer
        finally:
            watch.cancel()

    def _opened(self) -> None:
        self._stage.loaded = True

    def _fail(self, owner: str, event: str, error: BaseException) -> None:
        self._report(HookFailure(owner, event, _text(error), error))

    def _report(self, failure: HookFailure) -> None:
        if failure.error is not None and failure.place is None:
            # A component on the screen does not know whose it is; its traceback does.
            owners = [failure.owner] if failure.owner else list(self._roots)
            for owner in owners:
                root = self._roots.get(owner)
                place = None if root is None else place_of(failure.error, root)
                if place is not None:
                    failure = replace(failure, owner=owner, place=place)
                    break
        self._host.ui.report(failure)


def _text(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}"
    return text_of_error(error)
