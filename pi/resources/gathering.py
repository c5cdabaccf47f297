"""From the files that were found to the resources that count: read, checked, clashes reported."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from pi.config.environment import Environment
from pi.config.paths import Paths, expand_home
from pi.config.settings_types import Settings
from pi.resources.builtin import is_builtin, unknown
from pi.resources.discovery import find_resources, real_path
from pi.resources.files import JAVASCRIPT, SUFFIXES, all_files, files_in
from pi.resources.found import KINDS, Found, Kind, Origin
from pi.resources.loading import ExtensionFile, ResourceChoice, Resources
from pi.resources.prompt_templates import load_template
from pi.resources.skills import load_skill

__all__ = ["extend", "gather", "survey"]

_OPTIONS = {"skills": "--skill", "prompts": "--prompt-template", "themes": "--theme"}


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...


_T = TypeVar("_T", bound=_Named)


def gather(
    paths: Paths,
    settings: Settings,
    environment: Environment,
    choice: ResourceChoice,
    *,
    offline: bool,
) -> Resources:
    """See `load_resources`."""
    found, diagnostics = survey(paths, settings, environment, offline=offline)
    diagnostics += unknown(choice.extensions)
    brought: dict[Kind, list[Found]] = {kind: [] for kind in KINDS}
    sources = [text for text in choice.extensions if not is_builtin(text)]
    if sources:
        # Most runs have no packages: then nothing that knows of them is loaded.
        from pi.resources.packages.configured import collect_temporary  # noqa: PLC0415

        brought, problems = collect_temporary(
            sources, paths, settings, environment, offline=offline
        )
        diagnostics += problems

    def wanted(kind: Kind) -> list[Found]:
        """In order of precedence, each file once."""
        files = [item for item in brought[kind] if item.enabled]
        if kind not in choice.without:
            files += [item for item in found[kind] if item.enabled]
        if kind != "extensions":
            files += _explicit(kind, getattr(choice, kind), paths, diagnostics)
        return _once(files)

    # Everything is looked for before anything is read: reading may have much to say.
    files = {kind: wanted(kind) for kind in KINDS}
    extensions = tuple(
        ExtensionFile(item, "javascript" if item.path.suffix in JAVASCRIPT else "python")
        for item in files["extensions"]
    )
    resources = _with(Resources(extensions=extensions), files, diagnostics)
    if resources.javascript:
        names = ", ".join(str(path) for path in resources.javascript)
        diagnostics.append(f"extensions in TypeScript or JavaScript do not run yet: {names}")
    return resources._replace(diagnostics=tuple(dict.fromkeys(diagnostics)))


def extend(resources: Resources, named: Mapping[Kind, Sequence[Found]]) -> Resources:
    """`resources` and, after them, what an extension names: files, or folders with files in them.

    named: by kind, extensions excepted; absolute paths. Its diagnostics are about these alone.
    """
    files: dict[Kind, list[Found]] = {}
    diagnostics: list[str] = []
    for kind in KINDS:
        files[kind] = []
        for item in named.get(kind, ()):
            found, problem = _below(kind, item)
            files[kind] += found
            if problem:
                diagnostics.append(f"{item.origin.source}: {problem}")
    return _with(resources, files, diagnostics)._replace(diagnostics=tuple(diagnostics))


def survey(
    paths: Paths, settings: Settings, environment: Environment, *, offline: bool
) -> tuple[dict[Kind, list[Found]], list[str]]:
    """All that folders, settings and packages offer, what filters keep out included.

    And a line for each package that is left out. What comes with pi is not among it.
    """
    packaged: dict[Kind, list[Found]] = {kind: [] for kind in KINDS}
    problems: list[str] = []
    if settings.packages:
        from pi.resources.packages.configured import collect_declared  # noqa: PLC0415  (as above)

        packaged, problems = collect_declared(paths, settings, environment, offline=offline)
    return find_resources(paths, settings, packaged), problems


def _with(
    resources: Resources, files: Mapping[Kind, Sequence[Found]], diagnostics: list[str]
) -> Resources:
    """With what these files hold behind what is there, each name once."""
    skills = [*resources.skills, *_read(files["skills"], load_skill, diagnostics)]
    prompts = [*resources.prompts, *_read(files["prompts"], load_template, diagnostics)]
    return resources._replace(
        skills=_first_of_each(skills, "skill", diagnostics),
        prompts=_first_of_each(prompts, "prompt template", diagnostics),
        themes=tuple(_once((*resources.themes, *files["themes"]))),
    )


def _explicit(
    kind: Kind, named: Sequence[str], paths: Paths, diagnostics: list[str]
) -> list[Found]:
    """What the command line names by path."""
    files: list[Found] = []
    for text in named:
        path = Path(os.path.normpath(paths.cwd / expand_home(text.strip(), paths.home)))
        found, problem = _below(kind, Found(path, Origin("local", "temporary")))
        files += [
            item._replace(origin=item.origin._replace(base=item.path.parent)) for item in found
        ]
        if problem:
            diagnostics.append(f"{_OPTIONS[kind]}: {problem}")
    return files


def _below(kind: Kind, named: Found) -> tuple[list[Found], str | None]:
    """A file as it is, a folder as what lies in it; or what is wrong with either."""
    path = named.path
    if os.path.isdir(path):
        listed = files_in(kind, path) if kind == "skills" else all_files(kind, path)
        problem = None if listed else f"there are no {kind} in {path}"
        return [Found(file, named.origin) for file in listed], problem
    if not os.path.exists(path):
        return [], f"there is nothing at {path}"
    if not path.name.endswith(SUFFIXES[kind]):
        return [], f"{path} is no {SUFFIXES[kind]} file"
    return [named], None


def _once(files: Iterable[Found]) -> list[Found]:
    seen: dict[str, Found] = {}
    for item in files:
        seen.setdefault(real_path(item.path), item)
    return list(seen.values())


def _read(
    files: Sequence[Found],
    load: Callable[[Found], tuple[_T | None, list[str]]],
    diagnostics: list[str],
) -> list[_T]:
    loaded = []
    for item in files:
        resource, problems = load(item)
        diagnostics += problems
        if resource is not None:
            loaded.append(resource)
    return loaded


def _first_of_each(resources: Sequence[_T], what: str, diagnostics: list[str]) -> tuple[_T, ...]:
    by_name: dict[str, _T] = {}
    for resource in resources:
        first = by_name.setdefault(resource.name, resource)
        if first is not resource and first.path != resource.path:
            diagnostics.append(
                f"two {what}s are called {resource.name}: {first.path} counts, "
                f"{resource.path} does not"
            )
    return tuple(by_name.values())
