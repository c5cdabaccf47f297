"""The resources of a run: skills, prompt templates, theme and extension files, from everywhere.

One call reads them all into one value; to reload is to call again. Most people have none, and most
runs are short: then a look whether the folders are there is all that happens.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from pi.resources.builtin import enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pi.config.environment import Environment
    from pi.config.paths import Paths
    from pi.config.settings_types import Settings
    from pi.resources.builtin import BuiltIn
    from pi.resources.found import Found, Kind
    from pi.resources.prompt_templates import PromptTemplate
    from pi.resources.skills import Skill

__all__ = ["NO_CHOICE", "ExtensionFile", "ResourceChoice", "Resources", "load_resources"]


class ResourceChoice(NamedTuple):
    """What the command line says of resources.

    extensions: sources for this run: paths, or packages. skills, prompts, themes: paths from the
    working folder. without: kinds of which only what is named here counts. without_builtin:
    extensions that come with pi and are off, by name.
    """

    extensions: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    without: frozenset[Kind] = frozenset()
    without_builtin: frozenset[str] = frozenset()


NO_CHOICE = ResourceChoice()


class ExtensionFile(NamedTuple):
    """language: "python" is what can run. found.site, found.entry: see there."""

    found: Found
    language: Literal["python", "javascript"]


class Resources(NamedTuple):
    """What counts, in order of precedence, each name once.

    themes: files, to be read by `load_themes` where colours are needed. extensions: those of every
    language; `javascript` names the ones that cannot run yet. builtin: those that come with pi and
    are on; each is loaded when there is something for it to do. diagnostics: one line each.
    """

    skills: tuple[Skill, ...] = ()
    prompts: tuple[PromptTemplate, ...] = ()
    themes: tuple[Found, ...] = ()
    extensions: tuple[ExtensionFile, ...] = ()
    builtin: tuple[BuiltIn, ...] = ()
    diagnostics: tuple[str, ...] = ()

    def expand(self, text: str, warn: Callable[[str], None]) -> str:
        """A prompt as the model gets it: `/skill:name …` and `/template …` in full.

        warn: called with what kept a skill from being read.
        """
        if not text.startswith("/"):
            return text
        if self.skills:
            from pi.resources.skills import expand_skill  # noqa: PLC0415  (there are skills)

            text, problem = expand_skill(text, self.skills)
            if problem is not None:
                warn(problem)
        if self.prompts:
            from pi.resources.prompt_templates import expand_template  # noqa: PLC0415  (as above)

            text = expand_template(text, self.prompts)
        return text

    @property
    def javascript(self) -> tuple[Path, ...]:
        return tuple(file.found.path for file in self.extensions if file.language == "javascript")


def load_resources(
    paths: Paths,
    settings: Settings,
    environment: Environment,
    choice: ResourceChoice = NO_CHOICE,
    *,
    offline: bool = False,
) -> Resources:
    """Everything there is for a working folder.

    settings: say, too, whether the project is trusted; nothing of it is looked at if not.
    offline: install nothing. May run npm, git or pip for packages that settings declare and that
    are not there: call it from a thread where others wait. Raises nothing for what people wrote:
    what cannot be used is left out and reported.
    """
    builtin = enabled(
        settings,
        choice.extensions,
        without_all="extensions" in choice.without,
        without=choice.without_builtin,
    )
    if not _anything(paths, settings, choice):
        return Resources(builtin=builtin)
    # Few runs get here.
    from pi.resources.gathering import gather  # noqa: PLC0415

    found = gather(paths, settings, environment, choice, offline=offline)
    return found._replace(builtin=builtin)


def _anything(paths: Paths, settings: Settings, choice: ResourceChoice) -> bool:
    if choice.extensions or choice.skills or choice.prompts or choice.themes:
        return True
    if settings.packages or settings.extensions or settings.skills:
        return True
    if settings.prompts or settings.themes:
        return True
    return any(os.path.isdir(folder) for folder in _folders(paths, trusted=settings.trusted))


def _folders(paths: Paths, *, trusted: bool) -> Iterator[str]:
    """Where resources may lie without anybody having said so."""
    agent = os.fspath(paths.agent)
    for kind in ("skills", "prompts", "themes", "extensions"):
        yield f"{agent}/{kind}"
    yield f"{paths.home}/.agents/skills"
    if not trusted:
        return
    project = os.fspath(paths.project)
    if os.path.isdir(project):
        for kind in ("skills", "prompts", "themes", "extensions"):
            yield f"{project}/{kind}"
    for folder in (paths.cwd, *paths.cwd.parents):
        yield f"{folder}/.agents/skills"
