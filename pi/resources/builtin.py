"""The extensions that come with pi: which there are, and which of them are on.

They are extensions like anybody's (`pi/builtin`), but for this: they are on unless somebody says
otherwise, and a run that has no use for one never loads it. So what has to be known of them before
is here: what they bring, and when there is something for them to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.config.paths import Paths
    from pi.config.settings_types import Settings
    from pi.resources.found import Found

__all__ = ["BUILT_INS", "PREFIX", "BuiltIn", "enabled", "is_builtin", "listed", "unknown"]

PREFIX = "builtin:"


def _never(paths: Paths, project_counts: Callable[[], bool]) -> bool:
    return False


def _has_servers(paths: Paths, project_counts: Callable[[], bool]) -> bool:
    import os  # noqa: PLC0415  (loaded long ago)

    if os.path.exists(paths.agent / "mcp.json"):
        return True
    return os.path.exists(paths.project / "mcp.json") and project_counts()


class BuiltIn(NamedTuple):
    """name: without the prefix. entry: "module:function" of the function that gets the API.

    about: a line for lists. tools, commands (with a line about each): what it registers while it
    is loaded; where another extension brings one of them, this one is left out.
    wanted: whether there is something to do for it from the start, besides its tools being
    switched on and its commands being given; it costs every start, so it may look for a file. Its
        second argument tells whether what the project brings counts.
    """

    name: str
    entry: str
    about: str
    tools: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    wanted: Callable[[Paths, Callable[[], bool]], bool] = _never

    @property
    def found(self) -> Found:
        """It as a resource among others."""
        # Only when one is loaded or listed.
        from pathlib import Path  # noqa: PLC0415

        from pi.resources.found import Found, Origin  # noqa: PLC0415

        path = Path(PREFIX + self.name)
        return Found(path, Origin("builtin", "temporary"), entry=self.entry)


BUILT_INS: tuple[BuiltIn, ...] = (
    BuiltIn(
        "codemode",
        "pi.builtin.codemode:extend",
        "A tool that runs scripts, which call the other tools",
        tools=("codemode",),
    ),
    BuiltIn(
        "tool-search",
        "pi.builtin.tool_search:extend",
        "A tool with which the model finds tools that it was not told of",
        tools=("tool_search",),
    ),
    BuiltIn(
        "mcp",
        "pi.builtin.mcp:extend",
        "MCP servers: their tools and resources",
        commands=(
            (
                "mcp",
                "See MCP servers; sign in, connect again, switch on and off, change how tools are "
                "reached",
            ),
        ),
        wanted=_has_servers,
    ),
)
"""All there are, in the order they are loaded: after everybody else's."""


def is_builtin(entry: str) -> bool:
    """Whether an entry of a list of extensions is about one of these."""
    return entry.lstrip("+-!").startswith(PREFIX)


def enabled(
    settings: Settings,
    named: Sequence[str] = (),
    *,
    without_all: bool = False,
    without: frozenset[str] = frozenset(),
) -> tuple[BuiltIn, ...]:
    """Those that are on.

    named: sources of `-e`, which go over settings and over `without_all`. without: names that are
    off whatever else is said.
    """
    on = {} if without_all else _by_settings(settings)
    return tuple(
        each
        for each in BUILT_INS
        if each.name not in without
        and (PREFIX + each.name in named or (not without_all and on.get(each.name, True)))
    )


def unknown(named: Sequence[str]) -> list[str]:
    """A line for each that `-e` names and that there is not.

    Settings are shared with programs that have others: what they name there is their matter.
    """
    names = {PREFIX + each.name for each in BUILT_INS}
    return [
        f"-e: {entry} is no built-in extension of this version of pi"
        for entry in named
        if entry.startswith(PREFIX) and entry not in names
    ]


def listed(settings: Settings) -> list[Found]:
    """All of them as resources, those that are switched off included."""
    on = _by_settings(settings)
    return [each.found._replace(enabled=on.get(each.name, True)) for each in BUILT_INS]


def _by_settings(settings: Settings) -> dict[str, bool]:
    """What is said of each: the last entry of the project's settings, else of the person's."""
    said: dict[str, bool] = {}
    for scope in ("user", "project"):
        for entry in settings.extensions:
            if entry.scope == scope and is_builtin(entry.value):
                sign = entry.value[0]
                said[entry.value.lstrip("+-!").removeprefix(PREFIX)] = sign not in "-!"
    return said
