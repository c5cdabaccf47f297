"""Which tools there are for a run, and which of them the model is told of.

The command line decides on the first (`ToolRules`); the defaults, what a session had and, again,
the command line on the second (`ToolRules.select`). Source: docs/cli.md, Tools.
"""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

__all__ = ["SEARCH", "Selection", "ToolRules", "is_mcp"]

SEARCH = "tool_search"
"""The tool that may switch on what the model was not told of."""

_MCP_RESOURCES = ("list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource")


class Selection(NamedTuple):
    """names: in the order the model is told of them. unknown: asked for, but there are none."""

    names: tuple[str, ...]
    unknown: tuple[str, ...] = ()


class ToolRules(NamedTuple):
    """What the command line says.

    allowed: names and patterns that `--tools` lists, None where it lists none. changes: its `+name`
    and `-name` entries. excluded: names and patterns of `--exclude-tools`. nothing: no tool at all.
    """

    allowed: tuple[str, ...] | None = None
    changes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    nothing: bool = False

    @classmethod
    def of(
        cls, wanted: Sequence[str] | None, excluded: Sequence[str] = (), *, none: bool = False
    ) -> "ToolRules":
        """wanted: entries of `--tools`, None without it. none: whether `--no-tools` is given; a
        list of changes then is a list of what it adds.
        """
        entries = tuple(wanted or ())
        plain = tuple(entry for entry in entries if entry[:1] not in ("+", "-"))
        changes = tuple(entry for entry in entries if entry[:1] in ("+", "-"))
        if none:
            added = tuple(entry[1:] for entry in changes if entry[0] == "+")
            return cls((*plain, *added), (), tuple(excluded), nothing=not entries)
        allowed = plain if plain or wanted == () else None
        return cls(allowed, changes, tuple(excluded))

    def keeps(self, name: str) -> bool:
        """Whether there is a tool of that name in this run, for the model or for other tools."""
        if self.nothing or any(_matches(name, pattern) for pattern in self.excluded):
            return False
        if self.allowed is None or self._lists(name):
            return True
        filters_mcp = any(entry.startswith("mcp__") for entry in self.allowed)
        return is_mcp(name) and not filters_mcp

    def may_declare(self, name: str) -> bool:
        """Whether the model may be told of one that there is.

        MCP tools stay in a run whose list does not name them, for other tools to call.
        """
        return self.allowed is None or self._lists(name) or self._lists(SEARCH)

    def select(
        self,
        known: Sequence[str],
        base: Sequence[str],
        active: Sequence[str] = (),
        indirect: Collection[str] = (),
    ) -> Selection:
        """Those that the model is told of.

        known: all there are. base, active: those that are on unless something else is said; active
        are extensions' own. indirect: those that only their exact name switches on.
        """
        there = [name for name in dict.fromkeys(known) if self.keeps(name)]
        unknown: list[str] = []
        if self.allowed is not None:
            chosen: list[str] = []
            for entry in self.allowed:
                matches = [name for name in there if name == entry]
                if not matches:
                    matches = [n for n in there if n not in indirect and _matches(n, entry)]
                if not matches and not any(_matches(name, entry) for name in known):
                    unknown.append(entry)
                chosen += [name for name in matches if name not in chosen]
        else:
            chosen = list(dict.fromkeys(name for name in base if name in there))
        removed: set[str] = set()
        for entry in self.changes:
            sign, name = entry[0], entry[1:]
            if sign == "-":
                removed.add(name)
                chosen = [each for each in chosen if each != name]
            elif name not in known:
                unknown.append(name)
            elif name in there and name not in chosen:
                removed.discard(name)
                chosen.append(name)
        if self.allowed is None:
            more = (name for name in active if name in there and name not in removed)
            chosen = list(dict.fromkeys((*chosen, *more)))
        return Selection(tuple(chosen), tuple(each for each in unknown if not is_mcp(each)))

    def _lists(self, name: str) -> bool:
        return any(_matches(name, entry) for entry in self.allowed or ())


def is_mcp(name: str) -> bool:
    """Whether a tool is one of an MCP server."""
    return name.startswith("mcp__") or name in _MCP_RESOURCES


def _matches(name: str, pattern: str) -> bool:
    """`*` matches any characters; everything else stands for itself."""
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
