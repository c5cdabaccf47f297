"""One conversation, as a program has it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pi.errors import ConfigError, ModelError
from pi.models.resolution import resolve_model
from pi.runtime.host import Host
from pi.sdk.runs import Run
from pi.wire.entries import SessionEntry
from pi.wire.events import AgentEvent, CompactionResult
from pi.wire.messages import (
    THINKING_LEVELS,
    AgentMessage,
    BashExecutionMessage,
    ImageContent,
    ThinkingLevel,
    text_of,
)
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.agent.navigation import Navigation
    from pi.agent.statistics import SessionStatistics

__all__ = ["Session", "unknown_level"]


class Session:
    """Made by `new_session` and its kin; close it, or use it in an `async with`.

    Not for several threads, and for one event loop.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def __repr__(self) -> str:
        return f"<session {self.id} in {self.cwd}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End what is under way and give the session's file back. Safe to call twice."""
        await self._host.close()

    # What is

    @property
    def id(self) -> str:
        return self._host.store.id

    @property
    def path(self) -> Path | None:
        """The session's file, even before it exists; None in memory."""
        return self._host.store.path

    @property
    def cwd(self) -> Path:
        """The folder its tools work in."""
        return self._host.paths.cwd

    @property
    def name(self) -> str | None:
        return self._host.store.name

    @property
    def model(self) -> Model | None:
        """None while there is none that can be used."""
        return self._host.model

    @property
    def thinking(self) -> ThinkingLevel:
        return self._host.session.thinking

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of those that are on."""
        return tuple(tool.name for tool in self._host.session.tools)

    @property
    def messages(self) -> list[AgentMessage]:
        """The active branch as the model is shown it, oldest first."""
        return list(self._host.session.transcript.messages)

    @property
    def last_text(self) -> str:
        """The text of the last answer, "" where there is none."""
        for message in reversed(self._host.session.transcript.messages):
            if message["role"] == "assistant":
                return text_of(message["content"])
        return ""

    @property
    def is_running(self) -> bool:
        return self._host.is_running

    @property
    def queued(self) -> tuple[list[str], list[str]]:
        """What waits to be said: steering and follow-up messages."""
        state = self._host.session.queues.state()
        return state["steering"], state["followUp"]

    @property
    def leaf(self) -> str | None:
        """The id of the entry that the next one follows."""
        return self._host.store.leaf_id

    def entries(self) -> Iterator[SessionEntry]:
        """All branches, in the order they were written."""
        return self._host.store.entries()

    def questions(self) -> list[tuple[str, str]]:
        """Entry id and text of all that the user said, on all branches: where to go on from."""
        from pi.session.fork import fork_points  # noqa: PLC0415  (asked rarely)

        return fork_points(self._host.store)

    def statistics(self) -> "SessionStatistics":
        """Messages, tokens and cost of the whole session, and how full the context is."""
        return self._host.session.statistics()

    def subscribe(self, listener: Callable[[AgentEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; the returned function ends that."""
        return self._host.subscribe(listener)

    # Runs

    def prompt(self, text: str, images: Sequence[ImageContent] = ()) -> Run:
        """Say something; the run is iterated for its events, or awaited for its reply.

        images: made with `pi.image`.
        """
        _check_said(text, images)
        return Run(self._host, text, images)

    async def steer(self, text: str, images: Sequence[ImageContent] = ()) -> None:
        """Say something that is heard before the next request; without a run, with the next one."""
        _check_said(text, images)
        await self._host.say(text, images, when="steer")

    async def follow_up(self, text: str, images: Sequence[ImageContent] = ()) -> None:
        """Say something that is heard when the agent would stop."""
        _check_said(text, images)
        await self._host.say(text, images, when="followUp")

    def clear_queue(self) -> tuple[list[str], list[str]]:
        """Take back what waits; those texts are returned."""
        before = self._host.session.queues.clear()
        return before["steering"], before["followUp"]

    async def abort(self) -> None:
        """End what is under way, and wait until it has ended."""
        await self._host.abort()

    async def wait(self) -> None:
        """Wait for the end of the run that is under way, if one is."""
        await self._host.ended()

    async def compact(self, instructions: str | None = None) -> CompactionResult:
        """Summarise the older part of the conversation.

        Raises CompactionError, a PiError, when it does not come about.
        """
        return await self._host.compact(instructions)

    async def shell(
        self,
        command: str,
        *,
        exclude: bool = False,
        on_output: Callable[[str], None] = lambda _: None,
    ) -> BashExecutionMessage:
        """Run a command as the person would with `!`: the model sees it with the next prompt.

        exclude: it does not.
        """
        return await self._host.session.shell(command, exclude=exclude, on_output=on_output)

    # Choices

    def models(self) -> list[Model]:
        """Those that can be used now."""
        services = self._host.services
        return services.registry.available(services.credentials)

    def set_model(self, model: str | Model) -> Model:
        """Use another model from the next request on. model: as for `--model`.

        Raises ModelError for one that is not there, AuthError for one without a key.
        """
        services = self._host.services
        if isinstance(model, Model):
            chosen, thinking = model, None
        else:
            found = resolve_model(services.registry, services.credentials, model)
            chosen, thinking = found.model, found.thinking
        if services.registry.find(chosen.provider, chosen.id) is None:
            raise ModelError(f"there is no model {chosen.reference} here")
        self._host.set_model(chosen)
        if thinking is not None:
            self._host.set_thinking(thinking)
        return chosen

    def set_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level, or the nearest the model has; that one is returned.

        Raises ConfigError for what is no level.
        """
        if level not in THINKING_LEVELS:
            raise unknown_level(level)
        return self._host.set_thinking(level)

    def set_tools(self, names: Sequence[str]) -> None:
        """Switch these on, all others off, from the next prompt on.

        The built-in ones and those that the session was opened with. Raises ConfigError for a
        name that is none of them.
        """
        unknown = [name for name in names if self._host.extending.find_tool(name) is None]
        if unknown:
            raise ConfigError(f"there is no tool {unknown[0]!r} in this session")
        self._host.extending.use_tools(names)

    def set_name(self, name: str) -> None:
        """Name the session; an empty name takes the name away."""
        self._host.session.set_name(name)

    # The tree

    def label(self, entry_id: str, label: str | None) -> None:
        """Mark an entry; None takes the mark away. Raises SessionError for an unknown one."""
        self._host.store.append_label(entry_id, label)

    async def navigate(
        self,
        entry_id: str,
        *,
        summarise: bool = False,
        instructions: str | None = None,
        label: str | None = None,
    ) -> "Navigation":
        """Go on from another entry; before it, if it is a message of the user.

        summarise: take a summary of what is left behind along. Raises BusyError during a run,
        SessionError for an unknown entry.
        """
        return await self._host.session.navigate(
            entry_id, summarise=summarise, instructions=instructions, label=label
        )

    # Other sessions in its place; they end what is under way

    async def fork(self, entry_id: str) -> str:
        """A new session with what came before a message of the user; the text of that message."""
        return await self._host.fork(entry_id) or ""

    async def clone(self) -> None:
        """A new session with the active branch."""
        await self._host.clone()

    async def renew(self) -> None:
        """A new, empty session."""
        await self._host.new_session()

    async def switch(self, path: str | Path) -> None:
        """Another session's file."""
        await self._host.switch(Path(path))

    # Copies

    async def export_html(self, path: str | Path) -> Path:
        """Write the session as a page to read, with what extensions draw of it; where it is.

        Raises SessionError when nothing was said yet, or the page cannot be written.
        """
        # Pages are written rarely.
        from pi.modes.exporting import export_session  # noqa: PLC0415

        done = await export_session(self._host, self._host.paths.absolute(str(path)))
        return done.path

    async def export_jsonl(self, path: str | Path) -> Path:
        """Write the session's lines, as any pi can open them; where they are.

        Raises SessionError when they cannot be written.
        """
        from pi.session.copy import write_copy, write_lines  # noqa: PLC0415  (as above)

        target = self._host.paths.absolute(str(path))
        store = self._host.store
        if store.path is not None and store.saved:
            await asyncio.to_thread(write_copy, store.path, target, replace=True)
        else:
            write_lines(store.history.source, target)
        return target


def unknown_level(level: object) -> ConfigError:
    """The error for what is no thinking level."""
    return ConfigError(
        f"there is no thinking level {level!r}", hint=f"There are {', '.join(THINKING_LEVELS)}."
    )


def _check_said(text: object, images: Sequence[object]) -> None:
    """Raises TypeError: a mistake here would be met only in the middle of the run."""
    if not isinstance(text, str):
        raise TypeError(f"a prompt is text, not {text!r:.60}")
    for image in images:
        if not isinstance(image, dict) or image.get("type") != "image":
            raise TypeError(f"{image!r:.60} is no image: make one with pi.image(path)")
