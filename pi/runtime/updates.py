"""What could be updated, as it was found out last; asked about by `pi update --check`.

The answers are kept in the agent folder's tmp/updates.json, by "pi" and by the places of packages,
so that a start reads a file instead of running npm, git and pip.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from pi._version import __version__
from pi.config.documents import read_document
from pi.config.environment import Environment
from pi.config.locks import write_atomically
from pi.config.paths import Paths
from pi.config.settings_types import Settings
from pi.errors import ConfigError
from pi.resources.packages.checking import Checkable, checkable, has_newer
from pi.resources.packages.configured import declarations
from pi.resources.packages.pip import newest_release
from pi.resources.packages.places import Places
from pi.resources.packages.programs import PackageError, Programs
from pi.resources.packages.versions import newer_release
from pi.runtime.installation import NAME, find_installation
from pi.wire import jsonio

__all__ = ["Updates", "ask_for_updates", "forget_updates", "known_updates"]

ITSELF = "pi"

GOOD_FOR = 6 * 3600.0
"""Seconds until an answer is asked for again."""

LIMIT = 10.0
"""Seconds for one question."""


class _Answer(TypedDict):
    """checked: seconds since 1970. newest: of pi, a version. newer: of a package."""

    checked: float
    newest: str | None
    newer: bool


@dataclass(frozen=True, slots=True)
class Updates:
    """pi: the version that is newer than this one. packages: their names. due: not all is known."""

    pi: str | None = None
    packages: tuple[str, ...] = ()
    due: bool = False


def known_updates(paths: Paths, settings: Settings, environment: Environment) -> Updates:
    """Nothing is run, nothing is fetched."""
    answers = _read(_file(paths))
    now = time.time()
    newest, due = None, False
    if not environment.skip_version_check:
        answer = answers.get(ITSELF)
        due = not _good(answer, now)
        newest = None if answer is None else answer.get("newest")
    names = []
    for item in _packages(paths, settings):
        answer = answers.get(str(item.place))
        if answer is None or not _good(answer, now) or item.changed_at() > answer["checked"]:
            due = True
        elif answer.get("newer"):
            names.append(item.name)
    if newest is not None and not newer_release(newest, __version__):
        newest = None
    return Updates(newest, tuple(names), due)


def ask_for_updates(
    paths: Paths, settings: Settings, environment: Environment
) -> Iterator[tuple[str, str]]:
    """Ask about everything and keep the answers. Gives what could not be asked: a name, and why.

    What could not be asked counts as known for a while, too: without a network every start would
    try again.
    """
    programs = Programs(environment.variables, settings.npm_command, limit=LIMIT)
    answers: dict[str, Any] = _read(_file(paths))
    if not environment.skip_version_check:
        newest = answers.get(ITSELF, {}).get("newest")
        try:
            concerned = find_installation(environment.variables).released
            newest = newest_release(NAME, programs) if concerned else None
        except PackageError as error:
            yield NAME, str(error)
        answers[ITSELF] = _Answer(checked=time.time(), newest=newest, newer=False)
    places = Places(paths)
    for item in _packages(paths, settings):
        found = answers.get(str(item.place), {}).get("newer") is True
        try:
            found = has_newer(item.package.source, item.package.scope, places, programs)
        except (PackageError, OSError) as error:
            yield item.name, str(error)
        answers[str(item.place)] = _Answer(checked=time.time(), newest=None, newer=found)
    file = _file(paths)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, jsonio.dumps(answers))


def forget_updates(paths: Paths) -> None:
    """After packages were changed."""
    _file(paths).unlink(missing_ok=True)


def _packages(paths: Paths, settings: Settings) -> Iterator[Checkable]:
    yield from checkable(declarations(settings).packages, Places(paths))


def _file(paths: Paths) -> Path:
    return paths.agent / "tmp" / "updates.json"


def _read(file: Path) -> dict[str, Any]:
    try:
        return _valid(read_document(file) or {})
    except ConfigError:
        return {}


def _valid(known: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are answers, of the last weeks."""
    oldest = time.time() - 30 * 24 * 3600
    return {
        name: answer
        for name, answer in known.items()
        if isinstance(answer, dict)
        and isinstance(answer.get("checked"), (int, float))
        and answer["checked"] > oldest
    }


def _good(answer: Mapping[str, Any] | None, now: float) -> bool:
    return answer is not None and 0 <= now - answer["checked"] < GOOD_FOR
