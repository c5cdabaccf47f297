"""A host's extensions: when they come and go, what they are asked, and the tools they bring.

What a host does without them costs it nothing; what it does with them is here.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pi.agent.abort import is_cancelled
from pi.agent.session import BusyError
from pi.agent.toolset import ToolSet
from pi.runtime.prompts import Prompt
from pi.runtime.services import tools_of, warn
from pi.tools.base import Tool
from pi.tools.registry import BUILTIN, load
from pi.wire.messages import ImageContent
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.hook_events import (
        InputSource,
        Resources,
        SessionBeforeFork,
        SessionBeforeSwitch,
        StartReason,
    )
    from pi.providers.base import Watch
    from pi.resources.builtin import BuiltIn
    from pi.runtime.additions import AddedCommand, Additions
    from pi.runtime.host import Disposition, Host, WhileRunning
    from pi.runtime.offering import Offering
    from pi.tools.exposure import OfferedTool
    from pi.wire.messages import CustomMessage

__all__ = ["Extend", "Extending"]

log = logging.getLogger(__name__)

Extend = Callable[["Host"], Awaitable["Additions | None"]]
"""Loads the extensions for a session that is about to be opened; None where there are none."""


_ABOUT_REQUESTS = (
    "before_provider_headers",
    "before_provider_request",
    "after_provider_response",
    "provider_stream_event",
)


class Extending:
    """additions: of the session that is open, None where there are no extensions.

    begun: whether a session was open before, with other instances of the extensions.
    """

    def __init__(self, host: "Host", extend: Extend | None) -> None:
        self.additions: Additions | None = None
        self.begun = False
        self._host = host
        self._extend = extend
        self._announced = False
        self._told = asyncio.Event()
        self._awake = False
        self._looking = False
        self._had: Sequence[str] | None = None
        self._afterwards: list[Callable[[], None]] = []

    # They come and go

    async def load(self, had: Sequence[str] | None = None) -> None:
        """had: the tools of the session they are loaded for, where it has some already."""
        self._had = had
        self.additions = None if self._extend is None else await self._extend(self._host)

    @property
    def wanted(self) -> bool:
        """Whether there is anything to load for the session that is about to be opened."""
        resources = self._host.services.resources
        if self._awake or any(file.language == "python" for file in resources.extensions):
            return True
        return bool(resources.builtin) and any(map(self._is_of_use, resources.builtin))

    def _is_of_use(self, builtin: "BuiltIn") -> bool:
        services = self._host.services
        if builtin.wanted(services.paths, services.project_counts):
            return True
        chosen = services.select_tools(self._had, builtin.tools).names
        return any(name in chosen for name in builtin.tools)

    async def wake_for(self, text: str) -> None:
        """Load what comes with pi where a prompt gives a command of it that nobody needed yet."""
        if not text.startswith("/") or self.additions is not None or self._extend is None:
            return
        name = text[1:].partition(" ")[0]
        if not any(name == command for command, _ in self.sleeping_commands()):
            return
        self._awake = True
        session = self._host.session
        names = [tool.name for tool in session.tools]
        await self.load(names)
        additions = self.additions
        session.use_hooks(None if additions is None else additions.hooks)
        self.use_tools([*names, *(name for name in self.active_tools() if name not in names)])
        await self.announce("startup", None)

    def sleeping_commands(self) -> list[tuple[str, str]]:
        """Commands of what comes with pi and is not loaded, each with a line about it."""
        return [each for builtin in self._sleeping() for each in builtin.commands]

    def _sleeping(self) -> "Sequence[BuiltIn]":
        """What comes with pi and is on, but not loaded."""
        if self.additions is not None or self._extend is None:
            return ()
        return self._host.services.resources.builtin

    async def told(self) -> None:
        """Until they know that a session is open: whoever types at once must not be ahead of them.

        A gate that gets ready in session_start would let the first prompt pass.
        """
        if self.additions is not None:
            await self._told.wait()

    async def announce(self, reason: "StartReason", previous: str | None) -> None:
        """Tell them that a session is open, and take the resources they bring."""
        try:
            await self._announce(reason, previous)
        finally:
            self._told.set()

    async def _announce(self, reason: "StartReason", previous: str | None) -> None:
        self.begun = True
        self._host.ui.renew()
        additions = self.additions
        if additions is None:
            return
        from pi.agent import hook_events as ev  # noqa: PLC0415  (loaded with them)

        self._announced = True
        additions.open()
        if additions.mcp_servers and not additions.hooks.wants("mcp_servers_change"):
            additions.tell_unconnected(additions.mcp_servers.values())
        if additions.refreshers and self._host.ui.mode in ("rpc", "tui"):
            self.refresh_soon()
        await additions.hooks.notify(ev.SessionStart(reason, previous))
        cwd = str(self._host.paths.cwd)
        when = ev.ResourcesDiscover(cwd, "reload" if reason == "reload" else "startup")
        found = await additions.hooks.resources(when)
        if found:
            self._take_resources(found)

    @property
    def had(self) -> Sequence[str]:
        """Names of the tools that the session had on when it was opened."""
        return self._had or ()

    async def unload(self, reason: Any, target: str | None) -> None:
        """Let go of them; those who were told of their session are told that it is over."""
        additions, self.additions = self.additions, None
        if additions is None:
            return
        from pi.agent.hook_events import SessionShutdown  # noqa: PLC0415  (loaded with them)

        try:
            if self._announced:
                await additions.hooks.posted()
                await additions.hooks.notify(SessionShutdown(reason, target))
            await additions.hooks.finish()
        finally:
            self._announced = False
            additions.close()

    # Their lists of models

    @property
    def has_lists(self) -> bool:
        """Whether any of them asks a service for models."""
        return self.additions is not None and bool(self.additions.refreshers)

    async def refresh_models(
        self,
        providers: Sequence[str] | None = None,
        **more: Any,
    ) -> dict[str, Exception]:
        """Let them ask for their models anew, over the network unless pi is offline.

        What went wrong by provider. more: see Additions.refresh_models.
        """
        if self.additions is None:
            return {}
        network = not self._host.services.offline
        return await self.additions.refresh_models(providers, network=network, **more)

    def refresh_soon(self, providers: Sequence[str] | None = None) -> None:
        """The same in the background; a service that is not there is no reason to say anything."""

        async def run() -> None:
            for name, problem in (await self.refresh_models(providers)).items():
                log.info("models of %s: %s: %s", name, type(problem).__name__, problem)

        if self.additions is not None:
            self.additions.hooks.keep(asyncio.create_task(run()))

    def _take_resources(self, found: "Sequence[tuple[str, Resources]]") -> None:
        # Few extensions bring any.
        from pi.resources.found import Found, Kind, Origin  # noqa: PLC0415
        from pi.resources.gathering import extend  # noqa: PLC0415

        kinds: tuple[Kind, ...] = ("skills", "prompts", "themes")
        named: dict[Kind, list[Found]] = {kind: [] for kind in kinds}
        for owner, more in found:
            base = Path(owner).parent
            origin = Origin(f"extension:{Path(owner).stem}", "temporary", base=base)
            for kind in kinds:
                paths = (base / Path(path).expanduser() for path in getattr(more, kind))
                named[kind] += [Found(Path(os.path.normpath(path)), origin) for path in paths]
        services = self._host.services
        resources = extend(services.resources, named)
        warn(resources.diagnostics)
        resources = resources._replace(diagnostics=services.resources.diagnostics)
        self._host.services = replace(services, resources=resources)
        session = self._host.session
        session.set_tools(self.tool_set(session.tools))

    # What they are asked

    def command(self, text: str) -> "tuple[AddedCommand, str] | None":
        return None if self.additions is None else self.additions.command(text)

    async def invoke(self, command: "AddedCommand", arguments: str) -> None:
        """Run a command of theirs; what it raises is reported."""
        assert self.additions is not None, "it comes from there"
        report = self.additions.hooks.report
        try:
            await command.run(arguments)
        except BaseException as error:
            from pi.agent.faults import (  # noqa: PLC0415  (loaded with the extension)
                HookFailure,
                is_fault,
                text_of_error,
            )

            # Nobody may have cancelled it: it waited for something that was.
            if not is_fault(error) and (
                not isinstance(error, asyncio.CancelledError) or is_cancelled()
            ):
                raise
            text = text_of_error(error)
            report(HookFailure(command.owner, f"command /{command.name}", text, error))

    async def hear(
        self,
        text: str,
        images: Sequence[ImageContent],
        while_running: "WhileRunning | None",
        source: "InputSource | None" = None,
    ) -> tuple[str, Sequence[ImageContent]] | None:
        """What was said, as they leave it; None where they dealt with it."""
        host = self._host
        if self.additions is None or not self.additions.hooks.wants("input"):
            return text, images
        from pi.agent.hook_events import InputEvent  # noqa: PLC0415  (loaded with them)

        if source is None:
            source = "rpc" if host.ui.mode == "rpc" else "interactive"
        during = while_running if host.is_running else None
        event = await self.additions.hooks.input(InputEvent(text, images, source, during))
        return None if event is None else (event.text, event.images)

    async def keeps(self, reason: Literal["new", "resume"], target: str | None) -> bool:
        """Whether one of them keeps the session that is open."""
        if self.additions is None:
            return False
        from pi.agent.hook_events import SessionBeforeSwitch  # noqa: PLC0415  (loaded with them)

        return await self._asked(SessionBeforeSwitch(reason, target))

    async def keeps_from_fork(self, entry_id: str, position: Literal["before", "at"]) -> bool:
        if self.additions is None:
            return False
        from pi.agent.hook_events import SessionBeforeFork  # noqa: PLC0415  (loaded with them)

        return await self._asked(SessionBeforeFork(entry_id, position))

    def watch(self, model: Model) -> "Watch | None":
        """Who looks at a request, if one of them does."""
        hooks = None if self.additions is None else self.additions.hooks
        if hooks is None or not any(map(hooks.wants, _ABOUT_REQUESTS)):
            return None
        from pi.runtime.watching import RequestWatch  # noqa: PLC0415  (for extensions only)

        return RequestWatch(hooks, model)

    async def _asked(self, event: "SessionBeforeSwitch | SessionBeforeFork") -> bool:
        return self.additions is not None and await self.additions.hooks.cancels(event)

    # What they say

    async def say(
        self,
        text: str,
        images: Sequence[ImageContent],
        *,
        while_running: "WhileRunning | None",
        expand: bool,
    ) -> "Disposition":
        """A prompt of theirs. expand: whether commands and templates count. Raises BusyError."""
        host = self._host
        if expand and while_running is None:
            called = self.command(text)
            if called is not None:
                await self.invoke(*called)
                return "handled"
        heard = await self.hear(text, images, while_running, "extension")
        if heard is None:
            return "handled"
        text, images = heard
        if expand:
            text = host.expand(text)
        content = Prompt(text, tuple(images)).content
        if host.is_running:
            if while_running is None:
                hint = "Say when: deliver_as='steer' or deliver_as='followUp'."
                raise BusyError("the agent is at work", hint=hint)
            host.queue(content, while_running)
            return "queued"
        host.start(host.session.prompt(content))
        return "started"

    def say_custom(self, message: "CustomMessage") -> None:
        """Start a run with a message of theirs. Raises as a prompt does."""
        self._host.start(self._host.session.prompt_custom(message))

    def afterwards(self, act: Callable[[], None]) -> None:
        """Do it when no run is under way."""
        if self._host.is_running:
            self._afterwards.append(act)
        else:
            act()

    def ran(self) -> None:
        """A run has ended."""
        while self._afterwards and not self._host.is_running:
            self._afterwards.pop(0)()

    def command_list(self) -> list[dict[str, Any]]:
        """What a prompt may begin with, as docs/rpc-commands.md describes it."""
        listed: list[dict[str, Any]] = []
        for command in self.additions.commands() if self.additions is not None else ():
            listed.append(
                _listed(command.name, command.description, "extension", dict(command.source))
            )
        for builtin in self._sleeping():
            source = builtin.found.origin.describe(builtin.found.path)
            for name, about in builtin.commands:
                listed.append(_listed(name, about, "extension", source))
        resources = self._host.services.resources
        for template in resources.prompts:
            info = template.origin.describe(template.path)
            listed.append(_listed(template.name, template.description, "prompt", info))
        for skill in resources.skills:
            info = skill.origin.describe(skill.path)
            listed.append(_listed(f"skill:{skill.name}", skill.description, "skill", info))
        return listed

    # Their tools, and the prompt

    def added_tools(self) -> dict[str, Tool]:
        own = {tool.name: tool for tool in self._host.services.options.own.tools}
        return own if self.additions is None else {**own, **self.additions.runnable()}

    def active_tools(self) -> list[str]:
        return [] if self.additions is None else self.additions.active_tools()

    def indirect_tools(self) -> list[str]:
        return [] if self.additions is None else self.additions.indirect_tools()

    def tool_names(self) -> Sequence[str]:
        """Every tool that may be switched on."""
        rules = self._host.services.tool_rules()
        names = dict.fromkeys((*BUILTIN, *self.added_tools()))
        return [name for name in names if rules.keeps(name) and rules.may_declare(name)]

    def find_tool(self, name: str) -> Tool | None:
        """A tool that may be switched on."""
        if name not in self.tool_names():
            return None
        added = self.added_tools()
        return added[name] if name in added else load(name)

    def choose_tools(self, had: Sequence[str] | None) -> ToolSet:
        """Those that are on when a session is opened. had: those of one that is resumed."""
        tools = self._host.services.choose_tools(
            had, self.added_tools(), self.active_tools(), self.indirect_tools()
        )
        return self.tool_set(tools)

    def follow(self) -> None:
        """Use the tools of the branch that the session is on now."""
        had = tools_of(self._host.session.transcript.messages)
        if had is not None:
            self._host.session.set_tools(self.choose_tools(had))

    def use_tools(self, names: Sequence[str]) -> None:
        """Switch these on, all others off; names that are none are passed over."""
        found = (self.find_tool(name) for name in dict.fromkeys(names))
        tools = [tool for tool in found if tool is not None]
        self._host.session.set_tools(self.tool_set(tools))

    def look_again(self) -> None:
        """Tell the model of the tools as they are now: soon, since they may come by the hundred."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        if self.additions is not None and self._announced:
            self.use_tools([tool.name for tool in self._host.session.tools])

    def tool_set(self, tools: Sequence[Tool]) -> ToolSet:
        """These tools, and what the model is told; extensions that change that get its parts."""
        host, services = self._host, self._host.services
        if self.additions is None:
            return ToolSet(tools, services.prompt_sections(tools))
        from pi.runtime.parts import Parts  # noqa: PLC0415  (for extensions only)

        inputs, declare = services.prompt_inputs(), self._offering().declare
        more = self.additions.sections
        parts = Parts(services, inputs, lambda: host.session.tools, self.find_tool, declare, more)
        self.additions.hooks.prompt = parts
        return parts.tool_set(tools)

    def offered(self) -> "list[OfferedTool]":
        """Every tool there is, for the model or for others, those that are withdrawn included."""
        return self._offering().all()

    def callable_tools(self) -> "Mapping[str, OfferedTool]":
        """Those that other tools may call, by name."""
        return self._offering().callable()

    def runnable(self) -> Mapping[str, Tool]:
        """The same, to be run; where nobody extends pi, those that are on."""
        if self.additions is None:
            return {tool.name: tool for tool in self._host.session.tools}
        return {name: each.tool for name, each in self.callable_tools().items()}

    def _offering(self) -> "Offering":
        from pi.runtime.offering import Offering  # noqa: PLC0415  (for extensions only)

        assert self.additions is not None, "asked by extensions"
        host = self._host
        own = {tool.name: tool for tool in host.services.options.own.tools}
        return Offering(
            self.additions,
            host.services.tool_rules(),
            own,
            lambda: [tool.name for tool in host.session.tools],
        )


def _listed(name: str, description: str, source: str, info: dict[str, Any]) -> dict[str, Any]:
    described = {"description": description} if description or source == "prompt" else {}
    return {"name": name, **described, "source": source, "sourceInfo": info}
