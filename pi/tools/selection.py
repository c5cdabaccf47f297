"""Which tools are switched on: the defaults, what a session had, what the command line asks for."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

__all__ = ["Selection", "select_tools"]


class Selection(NamedTuple):
    """names: in the order the model is told of them. unknown: asked for, but there are none."""

    names: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def select_tools(
    known: Sequence[str],
    base: Sequence[str],
    wanted: Sequence[str] | None = None,
    excluded: Sequence[str] = (),
) -> Selection:
    """Apply `--tools` and `--exclude-tools`, or a `defaultTools` list, to a base selection.

    wanted: plain names and `*` patterns replace the base, in their order; `+name` and `-name`
    change what stands at that point. excluded: names and patterns, removed last.
    """
    chosen = list(dict.fromkeys(name for name in base if name in known))
    unknown: list[str] = []
    plain = [entry for entry in wanted or () if entry[:1] not in ("+", "-")]
    if plain or wanted == ():
        chosen = []
        for entry in plain:
            matches = [name for name in known if _matches(name, entry)]
            if not matches:
                unknown.append(entry)
            chosen.extend(name for name in matches if name not in chosen)
    for entry in wanted or ():
        sign, name = entry[:1], entry[1:]
        if sign == "-" and name in chosen:
            chosen.remove(name)
        elif sign == "+" and name not in known:
            unknown.append(name)
        elif sign == "+" and name not in chosen:
            chosen.append(name)
    names = tuple(n for n in chosen if not any(_matches(n, pattern) for pattern in excluded))
    return Selection(names, tuple(unknown))


def _matches(name: str, pattern: str) -> bool:
    """`*` matches any characters; everything else stands for itself."""
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
