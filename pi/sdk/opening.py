"""Sessions opened by a program: new, from a file, the latest, or a copy.

All take the same keywords (see `Choices`), and give something that is awaited for a Session, or
entered with `async with`.
"""

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from pi.config.settings import checked_settings
from pi.errors import ConfigError
from pi.resources.loading import ResourceChoice
from pi.runtime.extending import Extend
from pi.runtime.host import open_host
from pi.runtime.options import Own, RunOptions
from pi.sdk.finding import Place, place_environment
from pi.sdk.providers import Provider
from pi.sdk.session import Session, unknown_level
from pi.tools.base import Tool
from pi.wire.messages import THINKING_LEVELS, ThinkingLevel

if TYPE_CHECKING:
    from pi.models.virtual import VirtualModel

__all__ = ["Choices", "Opening", "continue_session", "fork_session", "new_session", "open_session"]


class Choices(Place, total=False):
    """Everything is optional; what is not said is as on the command line, and a Place beside.

    model: a pattern as for `--model`, such as "anthropic/claude-sonnet-4-5:high".
    thinking: a level. api_key: for the model's provider, whichever that is. keys: API keys by
        provider. Neither is stored, and both go over the person's.
    tools: names and patterns of built-in ones, tools of the program's own, or changes to the usual
        selection ("+grep", "-bash"); [] for none. exclude_tools: names and patterns.
    providers: models that the program brings. virtual_models: models whose requests go to others;
        their `route` takes a RouteRequest.
    system_prompt: instead of the built-in one. append_system_prompt: added to it. context_files:
        False leaves AGENTS.md and its kin out. resources: False leaves the person's skills and
        prompt templates out.
    settings: as settings.json has them, over the files.
    trust_project: whether the project's .pi folder counts; settings say unless given.
    in_memory: keep the session in memory only. name: of the session. id: of a new one.
    extend: loads extensions: `pi.extensions.load_for` those that are found. None are, unless given.
    """

    model: str
    thinking: ThinkingLevel
    api_key: str
    keys: Mapping[str, str]
    tools: Sequence[str | Tool]
    exclude_tools: Sequence[str]
    providers: Sequence[Provider]
    virtual_models: "Sequence[VirtualModel]"
    system_prompt: str
    append_system_prompt: str | Sequence[str]
    context_files: bool
    resources: bool
    settings: Mapping[str, Any]
    trust_project: bool
    in_memory: bool
    name: str
    id: str
    extend: Extend


class Opening:
    """`await` it for the session, which is then to be closed; or `async with` it."""

    def __init__(self, options: RunOptions, choices: Choices) -> None:
        self._options = options
        self._choices = choices
        self._session: Session | None = None

    def __await__(self) -> Generator[Any, None, Session]:
        return self._open().__await__()

    async def __aenter__(self) -> Session:
        self._session = await self._open()
        return self._session

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def _open(self) -> Session:
        choices = self._choices
        environment = place_environment(choices)
        cwd = Path(choices["cwd"]) if "cwd" in choices else None
        if cwd is not None and not cwd.is_dir():
            raise ConfigError(f"there is no folder {cwd} to work in")
        options = _options(self._options, choices)
        host = await open_host(options, environment, choices.get("extend"), cwd=cwd)
        try:
            await host.begin()
        except BaseException:
            await host.close()
            raise
        return Session(host)


def new_session(**choices: Unpack[Choices]) -> Opening:
    """A session of the working folder that begins now.

    Raises PiError when it is entered or awaited: ModelError for a model that is not there,
    ConfigError for choices that are wrong.
    """
    return Opening(RunOptions(), choices)


def open_session(session: str | Path, **choices: Unpack[Choices]) -> Opening:
    """A session by its file, or by the start of its id. It works in the folder it belongs to.

    A file that does not exist begins one there. Raises SessionError, also for one that is open
    elsewhere.
    """
    return Opening(RunOptions(session=os.fspath(session)), choices)


def continue_session(**choices: Unpack[Choices]) -> Opening:
    """The latest session of the working folder, or a new one where there is none."""
    return Opening(RunOptions(continue_latest=True), choices)


def fork_session(session: str | Path, **choices: Unpack[Choices]) -> Opening:
    """A copy of a session, as a new one of the working folder."""
    return Opening(RunOptions(fork=os.fspath(session)), choices)


def _options(base: RunOptions, choices: Choices) -> RunOptions:
    """Raises ConfigError."""
    unknown = set(choices) - set(Choices.__annotations__)
    if unknown:
        raise TypeError(f"unexpected: {', '.join(sorted(unknown))}")
    if choices.get("thinking") not in (None, *THINKING_LEVELS):
        raise unknown_level(choices.get("thinking"))
    own_tools: list[Tool] = []
    tools: tuple[str, ...] | None = None
    if "tools" in choices:
        names, own_tools = _tools(choices["tools"])
        tools = tuple(names)
    providers = tuple(choices.get("providers", ()))
    streams = {p.name: p.stream_function() for p in providers}
    append = choices.get("append_system_prompt")
    trust = choices.get("trust_project")
    session_dir = choices.get("session_dir")
    everything = frozenset(("extensions", "skills", "prompts", "themes"))
    unextended = frozenset(() if "extend" in choices else ("extensions",))
    without = unextended if choices.get("resources", True) else everything
    return replace(
        base,
        model=choices.get("model"),
        thinking=choices.get("thinking"),
        api_key=choices.get("api_key"),
        session_id=choices.get("id"),
        session_dir=None if session_dir is None else os.path.abspath(session_dir),
        no_session=choices.get("in_memory", False),
        name=choices.get("name"),
        tools=tools,
        exclude_tools=tuple(choices.get("exclude_tools", ())),
        context_files=choices.get("context_files", True),
        system_prompt=choices.get("system_prompt"),
        append_system_prompt=(
            None if append is None else (append,) if isinstance(append, str) else tuple(append)
        ),
        resources=ResourceChoice(without=without),  # type: ignore[arg-type]
        trust=None if trust is None else "approve" if trust else "ignore",
        own=Own(
            settings=checked_settings(choices.get("settings", {})),
            keys=dict(choices.get("keys", {})),
            tools=tuple(own_tools),
            providers={provider.name: provider.config() for provider in providers},
            virtual=tuple(choices.get("virtual_models", ())),
            streams={name: function for name, function in streams.items() if function is not None},
        ),
    )


def _tools(chosen: Sequence[str | Tool]) -> tuple[list[str], list[Tool]]:
    """Entries as for --tools, and the tools that are no names. Raises ConfigError."""
    if isinstance(chosen, str):
        raise ConfigError(f"tools are a list, not {chosen!r}", hint=f"Give tools=[{chosen!r}].")
    own = [tool for tool in chosen if not isinstance(tool, str)]
    for tool in own:
        lacking = [
            name for name in ("name", "description", "parameters") if not hasattr(tool, name)
        ]
        if lacking:
            raise ConfigError(
                f"{tool!r:.80} is no tool: it has no {lacking[0]}",
                hint="Make one of a function with @pi.tool.",
            )
    words = [tool for tool in chosen if isinstance(tool, str)]
    changes = bool(words) and all(word[:1] in ("+", "-") for word in words)
    names = [tool if isinstance(tool, str) else tool.name for tool in chosen]
    if changes:
        names = [tool if isinstance(tool, str) else f"+{tool.name}" for tool in chosen]
    return names, own
