"""`pi config` at a terminal: the picker, what it shows of the folders, and what it writes."""

import asyncio
import os
from collections.abc import Sequence

from pi.cli.config import shown
from pi.config.environment import Environment
from pi.config.paths import Paths
from pi.config.settings import read_settings
from pi.config.settings_write import Scope, settings_file
from pi.modes.interactive.alone import alone
from pi.modes.interactive.desk import Desk
from pi.modes.interactive.pickers.resources import ResourcePicker, ResourceRow
from pi.resources.builtin import PREFIX, listed
from pi.resources.found import KINDS, Found, Kind
from pi.resources.gathering import survey
from pi.resources.switching import said, switch

__all__ = ["View", "pick"]

_TITLES: dict[Kind, str] = {
    "extensions": "Extensions",
    "skills": "Skills",
    "prompts": "Prompt templates",
    "themes": "Themes",
}
_BUILTIN = "builtin"


def pick(environment: Environment, paths: Paths, *, trusted: bool, local: bool) -> int:
    """Until the person leaves it. trusted: whether the project's own settings may be changed."""
    view = View(environment, paths)
    scopes: tuple[Scope, ...] = ("user", "project") if trusted else ("user",)

    async def ask(desk: Desk) -> None:
        await desk.ask(
            ResourcePicker,
            rows=view.rows,
            switch=view.switch,
            files={scope: shown(settings_file(paths, scope), paths) for scope in scopes},
            scope="project" if local else "user",
        )

    asyncio.run(alone(environment, ask))
    return 0


class View:
    """The folders as they are at each look; nothing is installed for a look."""

    def __init__(self, environment: Environment, paths: Paths) -> None:
        self._environment, self._paths = environment, paths
        self._items: dict[tuple[str, str], tuple[Kind, Found]] = {}

    def rows(self, scope: Scope) -> list[ResourceRow]:
        mine = self._survey(trusted=False)
        self._items = {}
        if scope == "user":
            listed = [
                self._row(kind, item, item)
                for kind in KINDS
                for item in mine[kind]
                if item.origin.scope == "user" or item.origin.source == _BUILTIN
            ]
        else:
            # A file of the person's that the project's settings name is theirs all the same.
            own = {(kind, item.path): item for kind in KINDS for item in mine[kind]}
            everything = self._survey(trusted=True)
            listed = [
                self._row(kind, item, own.get((kind, item.path), item), scope)
                for kind in KINDS
                for item in everything[kind]
            ]
        order = {title: place for place, title in enumerate(_TITLES.values())}
        places: dict[str, int] = {}
        for row in listed:
            places.setdefault(row.whence, len(places))
        listed.sort(key=lambda row: (self._rank(row), places[row.whence], order[row.kind]))
        return listed

    def switch(self, scope: Scope, row: ResourceRow, enabled: bool | None) -> None:
        kind, item = self._items[row.key]
        switch(self._paths, kind, item, scope, enabled)

    def _survey(self, *, trusted: bool) -> dict[Kind, list[Found]]:
        settings = read_settings(self._paths).resolve(trusted=trusted)
        found, _ = survey(self._paths, settings, self._environment, offline=True)
        found["extensions"] = [*found["extensions"], *listed(settings)]
        return found

    def _row(self, kind: Kind, item: Found, own: Found, scope: Scope = "user") -> ResourceRow:
        """item: as it counts. own: as it would without the project's word."""
        inherited = scope == "project" and own.origin.scope != "project"
        word = said(self._paths, kind, own, scope) if scope == "project" else None
        row = ResourceRow(
            _whence(own, self._paths),
            _TITLES[kind],
            _name(kind, own),
            shown(own.path, self._paths),
            item.enabled,
            word,
            without=own.enabled if inherited else word is not None or item.enabled,
            inherited=inherited,
        )
        self._items[row.key] = kind, own
        return row

    def _rank(self, row: ResourceRow) -> int:
        """Packages, then what is the person's, then what is built in, then the project's."""
        _, item = self._items[row.key]
        theirs = item.origin.scope == "user"
        if item.origin.source == _BUILTIN:
            return 3
        if item.origin.package:
            return 0 if theirs else 1
        return 2 if theirs else 4


def _whence(item: Found, paths: Paths) -> str:
    origin = item.origin
    if origin.source == _BUILTIN:
        return "Built in"
    owner = "yours" if origin.scope == "user" else "this project's"
    if origin.package:
        return f"{origin.source} ({owner})"
    if origin.source == "local":
        return f"Named in settings ({owner})"
    return f"{shown(origin.base or item.path.parent, paths)} ({owner})"


def _name(kind: Kind, item: Found) -> str:
    """A skill's folder; for others the path from the folder of their kind on."""
    path = item.path
    if item.origin.source == _BUILTIN:
        return str(path).removeprefix(PREFIX)
    if kind == "skills" and path.name == "SKILL.md":
        return path.parent.name
    parts: Sequence[str] = path.parts
    base = item.origin.base
    if base is not None and path.is_relative_to(base):
        parts = path.relative_to(base).parts
        if parts[:1] == (kind,):
            parts = parts[1:]
        return os.path.join(*parts) if parts else path.name
    return path.name
