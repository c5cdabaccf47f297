"""What whoever starts pi asked for: the command line, or a program that embeds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pi.resources.loading import NO_CHOICE, ResourceChoice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pi.models.custom import ProviderConfig
    from pi.models.virtual import VirtualModel
    from pi.providers.base import StreamFunction
    from pi.tools.base import Tool
    from pi.wire.messages import ThinkingLevel

__all__ = ["NOTHING_OWN", "Own", "RunOptions"]

_NONE: Mapping[str, Any] = MappingProxyType({})


class Own(NamedTuple):
    """What a program that embeds pi brings along; it goes over the person's files.

    settings: as settings.json has them, already checked. keys: API keys by provider, literally.
    tools: beside the built-in ones, or in their place. providers: as models.json has them, by name.
    streams: what answers for a provider, by its name; it needs no key. virtual: models whose
    requests go to others.
    """

    settings: Mapping[str, Any] = _NONE
    keys: Mapping[str, str] = _NONE
    tools: tuple[Tool, ...] = ()
    providers: Mapping[str, ProviderConfig] = _NONE
    streams: Mapping[str, StreamFunction] = _NONE
    virtual: tuple[VirtualModel, ...] = ()


NOTHING_OWN = Own()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Choices that go over settings and environment. None, empty or False: nothing was chosen.

    models: patterns of models to start from and to cycle through.
    session: path, or full or partial id; fork likewise. session_id: already checked for form.
    tools: entries of --tools (empty: none at all). They are either names and patterns, or all
        `+name`/`-name`.
    default_tools: what is on when `tools` does not say: all, all but the built-in ones, or none.
    system_prompt: text or path; "" asks for the built-in prompt. append_system_prompt: likewise,
        None leaves APPEND_SYSTEM.md in force.
    resources: skills, prompt templates, themes and extensions named, and those switched off.
    trust: the answer to project trust for this run, None to ask settings. trusted: what the person
        answered about single folders, for this run.
    stay: work in the present folder where that of the session is gone.
    own: what a program brings along that has pi in it.
    """

    provider: str | None = None
    model: str | None = None
    api_key: str | None = None
    thinking: ThinkingLevel | None = None
    models: tuple[str, ...] = ()
    continue_latest: bool = False
    session: str | None = None
    session_id: str | None = None
    fork: str | None = None
    session_dir: str | None = None
    no_session: bool = False
    name: str | None = None
    tools: tuple[str, ...] | None = None
    exclude_tools: tuple[str, ...] = ()
    default_tools: Literal["all", "no-builtin", "none"] = "all"
    context_files: bool = True
    system_prompt: str | None = None
    append_system_prompt: tuple[str, ...] | None = None
    resources: ResourceChoice = NO_CHOICE
    own: Own = NOTHING_OWN
    trust: Literal["approve", "ignore"] | None = None
    trusted: tuple[tuple[Path, bool], ...] = ()
    stay: bool = False
    offline: bool = False

    def trust_of(self, folder: Path) -> bool | None:
        """What this run was told about a folder's trust; None asks settings."""
        if self.trust is not None:
            return self.trust == "approve"
        return dict(self.trusted).get(folder)

    def trusting(self, folder: Path, decision: bool) -> RunOptions:
        """The same, with an answer about a folder."""
        return replace(self, trusted=(*self.trusted, (folder, decision)))
