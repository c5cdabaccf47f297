"""A host's extensions: when they come and go, what they are asked, and the tools they bring.

What a host does without them costs it nothing; what it does with them is here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pi.agent.session import BusyError
from pi.runtime.prompts import Prompt
from pi.tools.base import Tool
from pi.tools.registry import load
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
    from pi.runtime.additions import AddedCommand, Additions
    from pi.runtime.host import Disposition, Host, WhileRunning
    from pi.wire.messages import CustomMessage

__all__ = ["Extend", "Extending"]

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
        self._afterwards: list[Callable[[], None]] = []

    # They come and go

    async def load(self) -> None:
        self.additions = None if self._extend is None else await self._extend(self._host)

    async def announce(self, reason: "StartReason", previous: str | None) -> None:
        """Tell them that a session is open, and take the resources they bring."""
        self.begun = True
        self._host.ui.renew()
        additions = self.additions
        if additions is None:
            return
        from pi.agent import hook_events as ev  # noqa: PLC0415  (loaded with them)

        self._announced = True
        additions.open()
        await additions.hooks.notify(ev.SessionStart(reason, previous))
        cwd = str(self._host.paths.cwd)
        when = ev.ResourcesDiscover(cwd, "reload" if reason == "reload" else "startup")
        found = await additions.hooks.resources(when)
        if found:
            self._take_resources(found)

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
        finally:
            self._announced = False
            additions.close()

    def _take_resources(self, found: "Sequence[tuple[str, Resources]]") -> None:
        # Few extensions bring any.
        from pi.resources.loading import load_resources  # noqa: PLC0415

        services = self._host.services
        choice = services.options.resources
        for owner, more in found:
            base = Path(owner).parent
            for kind in ("skills", "prompts", "themes"):
                paths = (str(base / Path(path).expanduser()) for path in getattr(more, kind))
                changed: Any = {kind: (*getattr(choice, kind), *paths)}
                choice = choice._replace(**changed)
        resources = load_resources(
            services.paths, services.settings, services.environment, choice, offline=True
        )
        self._host.services = replace(services, resources=resources)
        session = self._host.session
        session.set_tools(session.tools, self.sections(session.tools))

    # What they are asked

    def command(self, text: str) -> "tuple[AddedCommand, str] | None":
        return None if self.additions is None else self.additions.command(text)

    async def invoke(self, command: "AddedCommand", arguments: str) -> None:
        """Run a command of theirs; what it raises is reported."""
        assert self.additions is not None, "it comes from there"
        report = self.additions.hooks.report
        try:
            await command.run(arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever it is, pi goes on)
            from pi.agent.hooks import HookFailure  # noqa: PLC0415  (loaded with the extension)

            text = f"{type(error).__name__}: {error}"
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

    def tool_names(self) -> Sequence[str]:
        """Every tool that may be switched on."""
        return self._host.services.allowed_tools(self.added_tools())

    def find_tool(self, name: str) -> Tool | None:
        """A tool that may be switched on."""
        if name not in self.tool_names():
            return None
        added = self.added_tools()
        return added[name] if name in added else load(name)

    def use_tools(self, names: Sequence[str]) -> None:
        """Switch these on, all others off; names that are none are passed over."""
        found = (self.find_tool(name) for name in dict.fromkeys(names))
        tools = [tool for tool in found if tool is not None]
        self._host.session.set_tools(tools, self.sections(tools))

    def sections(self, tools: Sequence[Tool]) -> Mapping[str, str]:
        """The system prompt with these tools; extensions that change it get its parts."""
        services = self._host.services
        if self.additions is None:
            return services.prompt_sections(tools)
        from pi.runtime.parts import Parts  # noqa: PLC0415  (for extensions only)

        host = self._host
        inputs = services.prompt_inputs()
        parts = Parts(services, inputs, lambda: host.session.tools, self.find_tool)
        self.additions.hooks.prompt = parts
        return parts.sections(tools)


def _listed(name: str, description: str, source: str, info: dict[str, Any]) -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"name": name, **described, "source": source, "sourceInfo": info}
