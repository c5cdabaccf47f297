"""Tool selections as lists: plain names choose, `+name` adds, `-name` removes.

Used for the setting `defaultTools` of each file and for `--tools`. Source: docs/settings.md.
"""

from collections.abc import Iterable

__all__ = ["DEFAULT_TOOLS", "apply_tool_entries", "only_changes"]

DEFAULT_TOOLS = ("read", "bash", "edit", "write")


def only_changes(entries: Iterable[str]) -> bool:
    """Whether a list has entries, all `+name` or `-name`: it changes what it inherits."""
    listed = list(entries)
    return bool(listed) and all(entry.startswith(("+", "-")) for entry in listed)


def apply_tool_entries(inherited: Iterable[str], entries: Iterable[str]) -> tuple[str, ...]:
    """The selection after `entries`: each name once, in order of its first mention."""
    listed = list(entries)
    names = list(inherited) if only_changes(listed) else []
    names += [entry for entry in listed if entry and not entry.startswith(("+", "-"))]
    for entry in listed:
        if entry.startswith("-"):
            names = [name for name in names if name != entry[1:]]
        elif entry.startswith("+") and len(entry) > 1:
            names.append(entry[1:])
    return tuple(dict.fromkeys(names))
